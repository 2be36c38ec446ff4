"""A database's password stays where it was put: none is told by the server, a message or a table."""

import pandas as pd
import pytest
import sqlalchemy as sa

from tasks.warehouse.connection import warehouse_engine
from tests.flows.cases import DEPLOYMENTS, EXAMPLE
from tests.flows.conftest import PASSWORD

pytestmark = pytest.mark.slow

MATCH = DEPLOYMENTS["match_tables"]
FILES = {
    role: {"kind": "file", "path": str(EXAMPLE / f"{side}.csv")}
    for role, side in (("reference", "left"), ("query", "right"))
}
TABLES = FILES | {"compare": ["title"]}


@pytest.fixture(scope="module")
def blocks(deployed, postgresql_server):
    """Names of Secret blocks that hold URLs with a password; nothing listens where the second leads."""
    address = postgresql_server.replace("postgresql://postgres@", f"postgresql+psycopg://postgres:{PASSWORD}@")
    source = sa.create_engine(address.replace("/postgres?", "/source?"))
    pd.read_csv(EXAMPLE / "right.csv", dtype=str).to_sql("typed", source, index=False)
    source.dispose()
    urls = {
        "source": address.replace("/postgres?", "/source?"),
        "nowhere": f"postgresql+psycopg://ada:{PASSWORD}@127.0.0.1:9/source",
        "warehouse": address.replace("postgresql+psycopg", "postgresql").replace("/postgres?", "/of_deployments?"),
        "no-warehouse": f"postgresql://ada:{PASSWORD}@127.0.0.1:9/warehouse",
    }
    of_type = deployed.ask("GET", "block_types/slug/secret")["id"]
    schemas = deployed.ask("POST", "block_schemas/filter", block_schemas={"block_type_id": {"any_": [of_type]}})
    for name, url in urls.items():
        made = {"name": name, "data": {"value": url}, "block_type_id": of_type, "block_schema_id": schemas[0]["id"]}
        deployed.ask("POST", "block_documents/", **made)
    return urls


@pytest.fixture(scope="module")
def runs(deployed, blocks):  # noqa: ARG001 - the runs load the blocks
    """Ids of runs that have begun."""
    table = {"kind": "table", "table": "typed"}
    asked = {
        "source unreachable": {"tables": TABLES | {"query": table | {"url_block": "nowhere"}}},
        "warehouse unreachable": {"tables": TABLES, "warehouse": {"url_block": "no-warehouse"}},
        "environment": {"tables": TABLES, "warehouse": {"url_variable": "WAREHOUSE_POSTGRESQL"}},
        "blocks": {
            "tables": TABLES | {"query": table | {"url_block": "source"}},
            "warehouse": {"url_block": "warehouse"},
        },
    }
    return {
        name: deployed.start_run(MATCH, pipeline=name.replace(" ", "-"), **parameters)
        for name, parameters in asked.items()
    }


@pytest.mark.parametrize("name", ["environment", "blocks"])
def test_a_run_that_needs_a_password_completes_and_does_not_tell_it(deployed, runs, name):
    deployed.run_in_state(runs[name], "COMPLETED", timeout=180)

    told = deployed.everything(runs[name])
    assert "query rows matched" in told
    assert PASSWORD not in told


@pytest.mark.parametrize("name", ["environment", "blocks"])
def test_no_table_of_the_warehouse_holds_the_password(deployed, blocks, runs, name):
    deployed.run_in_state(runs[name], "COMPLETED", timeout=180)
    engine = warehouse_engine(blocks["warehouse"])
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = {table: connection.execute(sa.text(f"SELECT * FROM {table}")).all() for table in tables}  # noqa: S608
    engine.dispose()

    assert any(runs[name] in map(str, row) for row in rows["fuzzyjoin_runs"])
    assert PASSWORD not in str(rows)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("warehouse unreachable", "warehouse postgresql+psycopg://ada:***@127.0.0.1:9/warehouse cannot be reached"),
        ("source unreachable", "no connection to the database 'postgresql+psycopg://ada:***@127.0.0.1:9/source'"),
    ],
)
def test_a_database_out_of_reach_is_named_without_its_password(deployed, runs, name, message):
    ended = deployed.run_in_state(runs[name], "FAILED", timeout=240)

    told = deployed.everything(runs[name])
    assert message in ended["state"]["message"]
    assert PASSWORD not in told
    assert "Traceback" not in told


def test_the_failed_attempt_on_a_source_is_on_record_without_the_password(deployed, warehouse, runs):
    deployed.run_in_state(runs["source unreachable"], "FAILED", timeout=240)
    with warehouse.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM fuzzyjoin_runs WHERE pipeline = 'source-unreachable'")).all()

    assert "no connection to the database" in str(rows)
    assert PASSWORD not in str(rows)
