"""Migrations go up and down, and leave the tables that the code describes."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.migrations import VERSION_TABLE, migrate_down, migrate_up
from tasks.warehouse.programs import store_program
from tests.tasks.warehouse.cases import START, begin, day, found, prepare, program, rows, write

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


def everything(engine, tables):
    with reading(engine) as connection:
        return {
            table: sorted(map(str, connection.execute(sa.text(f"SELECT * FROM {table}"))))  # noqa: S608 - our own names
            for table in tables
        }


OF_THE_FIRST = [
    f"fuzzyjoin_{name}"
    for name in ("matches", "programs", "learning_records", "pipelines", "decisions", "current_matches", "match_audit")
]


def test_the_second_revision_keeps_what_is_there_down_and_up(warehouse):
    prepare(warehouse)
    matches, unmatched = found(30)
    write(warehouse, "one", matches, unmatched)
    write(warehouse, "two", matches[3:], unmatched, at=day(1), using=program(0.4))
    write(warehouse, "three", matches[:1], unmatched[:0], at=day(2), covers="changes", using=program(0.4))
    before, runs = everything(warehouse, OF_THE_FIRST), rows(warehouse, schema.runs, schema.runs.c.run_id)
    assert len(before["fuzzyjoin_matches"]) == 38

    migrate_down(warehouse, revision="0001")
    assert everything(warehouse, OF_THE_FIRST) == before
    assert {"fuzzyjoin_erasures", "fuzzyjoin_run_audit"}.isdisjoint(names(warehouse))

    migrate_up(warehouse)
    assert everything(warehouse, OF_THE_FIRST) == before
    # The first run accounts for each of its 30 query rows; the second does not name two, so it may be either.
    restored = rows(warehouse, schema.runs, schema.runs.c.run_id)
    assert [row["matches_current"] for row in restored] == [row["matches_current"] for row in runs]
    assert {row["run_id"]: row["covers"] for row in restored} == {"one": "all", "two": "changes", "three": "changes"}
    figures = write(warehouse, "four", matches, unmatched, at=day(3), using=program(0.4))
    assert (figures.opened, figures.closed, figures.unchanged) == (2, 0, 18)


def test_a_query_row_has_one_current_match(warehouse):
    if warehouse.dialect.name == "duckdb":
        pytest.skip("DuckDB has no partial indexes")
    prepare(warehouse)
    write(warehouse, "one", *found(3))
    again = sa.text(
        "INSERT INTO fuzzyjoin_matches (pipeline, query_id, reference_id, program_id, opened_by_run, valid_from) "
        "SELECT pipeline, query_id, reference_id, program_id, 'two', valid_from FROM fuzzyjoin_matches"
    )
    with pytest.raises(sa.exc.IntegrityError), writing(warehouse) as connection:
        connection.execute(again)


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
    "table",
    [schema.programs, schema.learning_records, schema.decisions, schema.erasures],
    ids=lambda table: table.name,
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
        connection.execute(
            sa.insert(schema.erasures).values(
                pipeline="malls",
                number=1,
                query_id="q1",
                erased_by="ada",
                reason="asked",
                erased_at=START,
                matches_redacted=1,
                snapshots_deleted=0,
                snapshots="[]",
            )
        )
    change = statement(table)
    if change.is_update:
        change = change.values({next(iter(table.columns)): "x"})
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        writing(warehouse) as connection,
    ):
        connection.execute(change)
