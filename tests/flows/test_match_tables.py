"""A program is learned, and every query row is joined by it: the same matches whatever the database."""

import pandas as pd
import pytest

from tasks.warehouse import schema
from tests.flows.pipelines import DATABASES, MATCHES_AND_THEIR_REASONS, touched

# One database in every test run, the others where there is time.
OTHERS = [pytest.param(kind, marks=pytest.mark.slow) for kind in DATABASES[1:]]


@pytest.mark.parametrize("database_url", [DATABASES[0], *OTHERS], indirect=True)
def test_a_second_run_changes_nothing_and_a_third_only_what_ten_changed_rows_can(pipeline):
    first = pipeline.run()
    before = pipeline.content(*MATCHES_AND_THEIR_REASONS)

    second = pipeline.run()

    assert pipeline.content(*MATCHES_AND_THEIR_REASONS) == before
    assert [run["run_id"] for run in pipeline.runs()] == [first, second]
    assert (
        pipeline.run_row(second)["matches_unchanged"]
        == pipeline.run_row(first)["matches_opened"]
        == len(pipeline.matches())
    )

    changed = pipeline.change_query_rows()
    third = pipeline.run()

    rows = touched(before["fuzzyjoin_matches"], pipeline.rows(schema.matches))
    assert rows <= changed
    assert len(rows) >= 5
    run = pipeline.run_row(third)
    assert run["matches_unchanged"] == len(before["fuzzyjoin_matches"]) - run["matches_closed"]
    # Learned anew on other rows, the program is another one; it is kept, and the current one does as well.
    assert len(pipeline.rows(schema.programs)) == 2
    assert len(pipeline.rows(schema.decisions)) == 1


INPUTS = ["ingest reference", "ingest query", "validate inputs"]
LEARNING = ["index reference", "block query rows", "search program"]
JOINING = ["join rows 0 to 227", "put together", "validate matches", "materialise"]


@pytest.mark.parametrize(
    ("method", "made_of_it"),
    # The forms that a union compares are known once it is learned; they are added to what the index holds.
    [("auto", []), pytest.param("autofj", ["index reference"], marks=pytest.mark.slow)],
)
def test_the_tasks_of_a_run_are_the_chain_and_joining_takes_the_index_of_the_learning(
    pipeline, server, method, made_of_it
):
    run = pipeline.run(search={"method": method})

    assert [name for name, _ in pipeline.tasks(run, server) if name in {*INPUTS, *LEARNING, *JOINING}] == [
        *INPUTS, *LEARNING, *made_of_it, *JOINING,
    ]  # fmt: skip
    assert len([*(pipeline.storage / "indexes").iterdir()]) == 1 + len(made_of_it)
    assert len([*(pipeline.storage / "pairs").iterdir()]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("database_url", DATABASES[1:], indirect=True)
def test_the_matches_are_those_of_sqlite(pipeline, beside):
    pipeline.run()
    beside.run()
    assert pipeline.matches() == beside.matches()

    for one in (pipeline, beside):
        one.change_query_rows()
        one.run()
    assert pipeline.matches() == beside.matches()


@pytest.mark.slow
def test_a_program_under_review_is_proposed_and_the_current_one_goes_on(pipeline):
    pipeline.run()
    before = pipeline.rows(schema.matches)
    changed = pipeline.change_query_rows()

    pipeline.run(conduct={"promotion": "review"})

    assert touched(before, pipeline.rows(schema.matches)) <= changed
    first, second = pipeline.rows(schema.decisions)
    assert (first["kind"], second["kind"]) == ("approval", "proposal")
    assert first["program_id"] == pipeline.current_program() != second["program_id"]


@pytest.mark.slow
def test_a_program_that_does_better_or_is_wanted_replaces_the_current_one_and_every_match(pipeline):
    pipeline.run()
    lenient = pipeline.run(search={"precision_target": 0.8, "min_probability": 0.0})
    assert {match["program_id"] for match in pipeline.matches().values()} == {pipeline.run_row(lenient)["program_id"]}

    pipeline.change_query_rows()
    wanted = pipeline.run(search={"precision_target": 0.8, "min_probability": 0.0}, conduct={"replacement": "always"})

    run = pipeline.run_row(wanted)
    assert (run["matches_unchanged"], run["program_id"]) == (0, pipeline.current_program())
    assert len(pipeline.rows(schema.decisions)) == 3


@pytest.mark.slow
def test_a_program_that_falls_below_the_target_is_replaced(pipeline):
    pipeline.run()
    before = pipeline.current_program()
    # Every third reference row now has one beside it that a query row could as well mean.
    other = pipeline.reference.iloc[::3]
    near = other.assign(id="near " + other["id"], title=other["title"] + "s")
    pipeline.reference = pd.concat([pipeline.reference, near], ignore_index=True)

    run = pipeline.run_row(pipeline.run())

    assert before != pipeline.current_program() == run["program_id"]
    assert run["precision_estimate"] >= 0.9
    assert [decision["kind"] for decision in pipeline.rows(schema.decisions)] == ["approval", "approval"]
