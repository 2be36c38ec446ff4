"""The matches follow the query table: new and changed rows are matched, deleted ones are closed."""

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tests.flows.pipelines import DATABASES, MATCHES_AND_THEIR_REASONS, touched

pytestmark = pytest.mark.slow

SOURCES = {
    "reference": {"kind": "table", "table": "clean"},
    "query": {"kind": "query", "sql": "SELECT id, title FROM typed WHERE kind = :kind", "parameters": {"kind": "mall"}},
}


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_matches_follow_the_query_table(pipeline):
    first = pipeline.run("sync_warehouse")
    assert pipeline.run_row(first)["program_id"] == pipeline.current_program()
    before = pipeline.content(*MATCHES_AND_THEIR_REASONS)

    pipeline.run("sync_warehouse")
    assert pipeline.content(*MATCHES_AND_THEIR_REASONS) == before

    changed = pipeline.change_query_rows(10)
    third = pipeline.run("sync_warehouse")
    after = pipeline.rows(schema.matches)
    assert touched(before["fuzzyjoin_matches"], after) <= changed
    run = pipeline.run_row(third)
    assert run["matches_opened"] + run["matches_unchanged"] + run["query_rows_unmatched"] == len(changed)

    gone = sorted(pipeline.matches())[:5]
    pipeline.query = pipeline.query[~pipeline.query["id"].isin(gone)].reset_index(drop=True)
    fourth = pipeline.run("sync_warehouse")
    closed = pipeline.rows(schema.matches, schema.matches.c.closed_by_run == fourth)
    assert sorted(row["query_id"] for row in closed) == gone
    assert {row["closed_because"] for row in closed} == {"query row gone"}
    assert touched(after, pipeline.rows(schema.matches)) == set(gone)

    rows = len(pipeline.query)
    pipeline.reference = pipeline.reference.iloc[1:].reset_index(drop=True)
    fifth = pipeline.run_row(pipeline.run("sync_warehouse"))
    assert fifth["matches_opened"] + fifth["matches_unchanged"] + fifth["query_rows_unmatched"] == rows


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_tables_and_queries_of_a_database_are_sources(pipeline, kind, request, tmp_path):
    url = f"sqlite:///{tmp_path}/source.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_server").replace("postgresql:", "postgresql+psycopg:")
    source = sa.create_engine(url)
    pipeline.reference.to_sql("clean", source, index=False, if_exists="replace")
    typed = pipeline.query.assign(kind="mall")
    typed.to_sql("typed", source, index=False, if_exists="replace")
    from_database = {"tables": SOURCES, "environment": {"FUZZYJOIN_SOURCE_URL": url}}

    pipeline.run("sync_warehouse", **from_database)
    before = pipeline.matches()
    with source.begin() as connection:
        connection.execute(sa.text("UPDATE typed SET kind = 'tower' WHERE id = :id"), {"id": min(before)})
    pipeline.run("sync_warehouse", **from_database)

    assert pipeline.matches() == {query_id: match for query_id, match in before.items() if query_id != min(before)}
    source.dispose()
