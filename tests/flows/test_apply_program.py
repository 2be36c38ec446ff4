"""The current program joins the query rows that it is given, as far as they are news."""

import pytest

from tasks.warehouse import schema
from tests.flows.pipelines import DATABASES, MATCHES_AND_THEIR_REASONS, touched


def looked_at(pipeline, run_id):
    """How many query rows a run matched or found without a match."""
    run = pipeline.run_row(run_id)
    return run["matches_opened"] + run["matches_unchanged"] + run["query_rows_unmatched"]


def test_without_a_program_it_says_what_to_do(pipeline):
    ended = pipeline.ends("apply_program")

    assert "'malls' has no program yet; run match_tables or learn_program first" in ended["message"]
    (run,) = pipeline.runs()
    assert (run["status"], run["failure"]) == ("failed", ended["message"])


@pytest.mark.slow
@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_only_new_and_changed_rows_are_matched(pipeline):
    pipeline.run()
    before = pipeline.content(*MATCHES_AND_THEIR_REASONS)

    quiet = pipeline.run("apply_program")
    assert pipeline.content(*MATCHES_AND_THEIR_REASONS) == before
    assert pipeline.run_row(quiet)["status"] == "succeeded"

    whole = pipeline.query
    changed = pipeline.change_query_rows(10)
    # Today's rows: the changed ones, and as many as they were; the rest is not given.
    pipeline.query = pipeline.query.iloc[:120].reset_index(drop=True)
    given = set(pipeline.query["id"])
    run = pipeline.run("apply_program")

    assert looked_at(pipeline, run) == len(changed & given) > 3
    assert touched(before["fuzzyjoin_matches"], pipeline.rows(schema.matches)) <= changed & given
    not_given = set(whole["id"]) - given
    assert {query_id for query_id in pipeline.matches() if query_id in not_given} == {
        row["query_id"] for row in before["fuzzyjoin_matches"] if row["query_id"] in not_given
    }


@pytest.mark.slow
def test_rows_given_are_matched_anew_by_another_program_and_on_another_reference(pipeline):
    pipeline.run()
    other = pipeline.run("learn_program", search={"precision_target": 0.8, "min_probability": 0.0})
    pipeline.query = pipeline.query.iloc[:50].reset_index(drop=True)

    by_other = pipeline.run("apply_program")
    assert looked_at(pipeline, by_other) == 50
    program = pipeline.run_row(other)["program_id"]
    programs = {query_id: match["program_id"] for query_id, match in pipeline.matches().items()}
    given = set(pipeline.query["id"])
    assert {program_id for query_id, program_id in programs.items() if query_id in given} == {program}
    assert program not in {program_id for query_id, program_id in programs.items() if query_id not in given}

    pipeline.reference = pipeline.reference.iloc[1:].reset_index(drop=True)
    on_other = pipeline.run("apply_program")
    assert looked_at(pipeline, on_other) == 50
