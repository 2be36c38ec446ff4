"""Migrations go up and down, and leave the tables that the code describes."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.migrations import VERSION_TABLE, migrate_down, migrate_up
from tasks.warehouse.programs import store_program
from tests.tasks.warehouse.cases import START, begin, found, prepare, program, write

LISTING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "postgresql": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
    "duckdb": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'",
}


def names(engine):
    with reading(engine) as connection:
        return set(connection.scalars(sa.text(LISTING[engine.dialect.name])))


def test_up_makes_every_table_and_view(warehouse):
    described = {*schema.metadata.tables, *schema.views.tables, VERSION_TABLE}
    assert names(warehouse) == described


def test_up_again_changes_nothing(warehouse):
    prepare(warehouse)
    write(warehouse, "one", *found(3))
    migrate_up(warehouse)
    with reading(warehouse) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.matches)) == 2


def test_down_removes_everything_and_up_brings_it_back(warehouse):
    prepare(warehouse)
    write(warehouse, "one", *found(3))

    migrate_down(warehouse)
    assert names(warehouse) == {VERSION_TABLE}

    migrate_up(warehouse)
    prepare(warehouse)
    assert write(warehouse, "one", *found(3)).opened == 2


def test_tables_of_others_are_left_alone(empty):
    with writing(empty) as connection:
        connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))
    migrate_up(empty)
    migrate_down(empty)
    assert "theirs" in names(empty)


def test_migrations_and_schema_describe_the_same_tables(warehouse):
    if warehouse.dialect.name == "duckdb":
        pytest.skip("duckdb-engine cannot reflect tables; the next test selects every column there")
    with reading(warehouse) as connection:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name != VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, schema.metadata) == []


def test_every_described_column_is_there(warehouse):
    with reading(warehouse) as connection:
        for table in (*schema.metadata.tables.values(), *schema.views.tables.values()):
            there = connection.execute(sa.text(f"SELECT * FROM {table.name}")).keys()  # noqa: S608 - our own names
            assert list(there) == list(table.columns.keys()), table.name


@pytest.mark.parametrize(
    "table", [schema.programs, schema.learning_records, schema.decisions], ids=lambda table: table.name
)
@pytest.mark.parametrize("statement", [sa.update, sa.delete])
def test_records_cannot_be_rewritten(warehouse, table, statement):
    if warehouse.dialect.name == "duckdb":
        pytest.skip("DuckDB has no triggers")
    prepare(warehouse)
    begin(warehouse, "one")
    with writing(warehouse) as connection:
        program_id = store_program(connection, program(), run_id="one", at=START)
        values = {"pipeline": "malls", "number": 1, "kind": "proposal", "decided_by": "ada", "decided_at": START}
        connection.execute(sa.insert(schema.decisions).values(program_id=program_id, **values))
    change = statement(table)
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        writing(warehouse) as connection,
    ):
        connection.execute(change.values(program_id="x") if change.is_update else change)
