"""Scheduled pipelines of version 0.1.0 go on after the upgrade, on the warehouse that it left behind."""

import pandas as pd
import pytest

from tasks.warehouse import schema
from tasks.warehouse.connection import writing
from tasks.warehouse.decisions import approve
from tests.flows.pipelines import Pipeline, touched
from tests.version_0_1_0 import FILES, parameters, warehouse_in

pytestmark = pytest.mark.slow


@pytest.fixture
def old(runner, tmp_path):
    """A function that gives a pipeline of 0.1.0 by its name, on the tables of then."""
    url = warehouse_in(tmp_path / "old")

    def of(name):
        tables = {
            side: pd.read_csv(FILES / f"{file}.csv", dtype=str)
            for side, file in (("reference", "left"), ("query", "right"))
        }
        return Pipeline(runner=runner, url=url, folder=tmp_path / "old", name=name, **tables)

    return of


def run(pipeline, flow):
    """A run with the pipeline's parameters of then, on its tables as they are now; its row."""
    asked = {name: value for name, value in parameters(pipeline.name).items() if name not in {"pipeline", "tables"}}
    if flow == "apply_program":
        del asked["search"]
    return pipeline.run_row(pipeline.run(flow, **asked))


@pytest.mark.parametrize("flow", ["sync_warehouse", "apply_program"])
def test_an_incremental_run_on_the_same_tables_touches_no_match(old, flow):
    malls = old("malls")
    before = malls.rows(schema.matches)

    done = run(malls, flow)

    assert done["status"] == "succeeded"
    assert malls.rows(schema.matches) == before
    assert len(before) == 202


def test_changed_rows_are_joined_by_the_program_of_then(old):
    malls = old("malls")
    before, program = malls.rows(schema.matches), malls.current_program()
    changed = malls.change_query_rows(10, shift=1)

    done = run(malls, "sync_warehouse")

    after = malls.rows(schema.matches)
    assert (done["program_id"], malls.current_program()) == (program, program)
    assert touched(before, after) <= changed
    opened = [row for row in after if row["opened_by_run"] == done["run_id"]]
    assert opened
    assert {row["program_id"] for row in opened} == {program}


def test_another_reference_table_is_joined_by_the_program_of_then(old):
    malls = old("malls")
    before, program = malls.matches(), malls.current_program()
    malls.reference = malls.reference.iloc[:-1].reset_index(drop=True)

    done = run(malls, "sync_warehouse")

    # One reference row less: all are looked at, and nearly all are joined as before.
    assert done["matches_opened"] + done["matches_unchanged"] + done["query_rows_unmatched"] == 227
    assert done["program_id"] == program
    now = malls.matches()
    same = [query_id for query_id in now if query_id in before and joined(now, query_id) == joined(before, query_id)]
    assert len(same) > 195


def joined(matches, query_id):
    return matches[query_id]["reference_id"]


def test_a_run_that_learns_anew_keeps_the_history(old):
    malls = old("malls")
    before = malls.rows(schema.matches)

    assert run(malls, "match_tables")["status"] == "succeeded"

    after = {(row["query_id"], row["opened_by_run"]): row for row in malls.rows(schema.matches)}
    for row in before:
        kept = after[row["query_id"], row["opened_by_run"]]
        assert [kept[name] for name in (*schema.EVIDENCE, "program_id")] == [
            row[name] for name in (*schema.EVIDENCE, "program_id")
        ]
    again = malls.rows(schema.matches)
    run(malls, "match_tables")
    assert malls.rows(schema.matches) == again


def test_a_pipeline_under_review_goes_on_and_its_open_proposal_can_be_approved(old):
    reviewed = old("reviewed")
    program = reviewed.current_program()
    done = run(reviewed, "sync_warehouse")
    assert (done["status"], done["program_id"]) == ("succeeded", program)

    (proposed,) = (row["program_id"] for row in reviewed.rows(schema.decisions) if row["number"] == 3)
    with reviewed.engine() as engine, writing(engine) as connection:
        approve(connection, "reviewed", proposed, by="a test", reason=None, at=done["ended_at"])
    assert run(reviewed, "sync_warehouse")["program_id"] == proposed
    assert {row["program_id"] for row in reviewed.matches().values()} == {proposed}
