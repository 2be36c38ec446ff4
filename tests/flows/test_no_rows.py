"""On a night without query rows a scheduled run succeeds with a warning, and changes no match."""

import pytest

from tasks.warehouse import schema
from tests.flows.pipelines import MATCHES_AND_THEIR_REASONS

pytestmark = pytest.mark.slow


def test_a_night_without_query_rows_changes_nothing_and_is_no_failure(pipeline):
    whole = pipeline.query
    pipeline.run()
    before = pipeline.content(*MATCHES_AND_THEIR_REASONS)

    pipeline.query = whole[:0]
    for flow in ("apply_program", "sync_warehouse", "match_tables"):
        night = pipeline.run(flow)
        assert pipeline.run_row(night)["status"] == "succeeded"
        assert pipeline.run_row(night)["program_id"] == pipeline.current_program()
        assert pipeline.content(*MATCHES_AND_THEIR_REASONS) == before
        failed = [row for row in pipeline.rows(schema.validations) if row["run_id"] == night and not row["passed"]]
        assert [(row["subject"], row["expectation"], row["severity"]) for row in failed] == [
            ("query", "the table has rows", "soft")
        ]

    # Such a night is none to compare with: a part of the table is still found to be too little.
    pipeline.query = whole.iloc[:40].reset_index(drop=True)
    assert "the volume is near the last run's" in pipeline.ends("sync_warehouse")["message"]
    pipeline.query = whole
    pipeline.run("sync_warehouse")
    assert pipeline.content(*MATCHES_AND_THEIR_REASONS) == before


def test_a_first_program_cannot_be_learned_on_no_rows(pipeline):
    pipeline.query = pipeline.query[:0]
    ended = pipeline.ends("sync_warehouse")
    assert (ended["error"], ended["message"]) == ("DataError", "query has no rows; there is nothing to join")
