"""A pipeline that publishes: the joined table follows the query table, its matches and all its columns."""

import pytest
import sqlalchemy as sa

from tasks.warehouse.connection import reading
from tests.flows.pipelines import DATABASES

PUBLISH = {"publish": {"joined": "malls_joined"}}


def joined(pipeline):
    """The rows of the joined table, by query id."""
    with pipeline.engine() as engine, reading(engine) as connection:
        found = connection.execute(sa.text("SELECT * FROM malls_joined")).mappings().all()
    by_id = {row["query_id"]: dict(row) for row in found}
    assert len(by_id) == len(found)
    return by_id


def matched(rows):
    return {
        query_id: (row["reference_id"], row["match_probability"])
        for query_id, row in rows.items()
        if row["reference_id"]
    }


def held(pipeline):
    return {
        query_id: (match["reference_id"], match["precision_estimate"]) for query_id, match in pipeline.matches().items()
    }


def test_a_name_of_the_warehouses_own_is_refused(pipeline):
    ended = pipeline.ends(publish={"joined": "fuzzyjoin_matches"})
    assert "names that begin with fuzzyjoin_ are the warehouse's own; choose another" in ended["message"]


def test_a_name_that_is_taken_fails_the_run_before_its_work(pipeline):
    pipeline.ends("apply_program")
    with pipeline.engine() as engine, engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE malls_joined (x TEXT)"))
    ended = pipeline.ends(**PUBLISH)
    assert "publish.joined is 'malls_joined', but the warehouse has a table or view of that name" in ended["message"]
    failed = pipeline.runs()[-1]
    assert (failed["status"], failed["reference_fingerprint"]) == ("failed", None)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_it_follows_the_query_table(pipeline):
    pipeline.reference = pipeline.reference.assign(floors=[str(row % 7) for row in range(len(pipeline.reference))])
    pipeline.query = pipeline.query.assign(sales="1")
    first = pipeline.run(**PUBLISH)
    rows = joined(pipeline)
    assert set(rows) == set(pipeline.query["id"])
    assert list(next(iter(rows.values()))) == [
        *["query_id", "id", "title", "sales"],
        *["reference_id", "id_reference", "title_reference", "floors"],
        *["match_probability", "run_id"],
    ]
    assert matched(rows) == held(pipeline)
    floors = dict(zip(pipeline.reference["id"], pipeline.reference["floors"], strict=True))
    assert all(row["floors"] == floors.get(row["reference_id"]) for row in rows.values())
    assert {row["run_id"] for row in rows.values()} == {first}

    # A column that is not compared changes no match, but the joined table.
    pipeline.query = pipeline.query.assign(sales="2")
    pipeline.run("sync_warehouse", **PUBLISH)
    assert {row["sales"] for row in joined(pipeline).values()} == {"2"}

    changed = pipeline.change_query_rows(10)
    gone = sorted(set(pipeline.matches()) - changed)[:5]
    pipeline.query = pipeline.query[~pipeline.query["id"].isin(gone)].reset_index(drop=True)
    pipeline.run("sync_warehouse", **PUBLISH)
    rows = joined(pipeline)
    assert set(rows) == set(pipeline.query["id"])
    assert matched(rows) == held(pipeline)

    whole = set(rows)
    pipeline.query = pipeline.query.iloc[:20].assign(sales="3").reset_index(drop=True)
    pipeline.run("apply_program", **PUBLISH)
    rows = joined(pipeline)
    assert set(rows) == whole
    assert {query_id for query_id, row in rows.items() if row["sales"] == "3"} == set(pipeline.query["id"])
    assert matched(rows) == held(pipeline)
