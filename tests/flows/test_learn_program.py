"""A program is learned and proposed; no match is written, and none closed."""

import pytest

from tasks.warehouse import schema

pytestmark = pytest.mark.slow


def test_a_first_program_is_used_at_once(pipeline):
    run = pipeline.run("learn_program")

    assert pipeline.run_row(run)["program_id"] == pipeline.current_program() is not None
    assert pipeline.matches() == {}


def test_under_review_it_waits_for_a_person(pipeline):
    pipeline.run("learn_program", conduct={"promotion": "review"})
    assert pipeline.current_program() is None
    assert [decision["kind"] for decision in pipeline.rows(schema.decisions)] == ["proposal"]

    again = pipeline.run("match_tables")
    assert pipeline.matches() == {}
    assert pipeline.run_row(again)["status"] == "succeeded"
    assert len(pipeline.rows(schema.decisions)) == 1


def test_a_target_that_no_program_reaches_leaves_everything_as_it_was(pipeline):
    pipeline.run()
    before = pipeline.rows(schema.matches), pipeline.current_program()
    pipeline.query["title"] = [f"zq{place}x blorp{place}" for place in range(len(pipeline.query))]

    for flow in ("learn_program", "match_tables"):
        ended = pipeline.ends(flow)
        assert ended["message"].startswith(
            "no program reaches the precision target 0.9 on these tables; the pipeline's"
        )
        assert pipeline.runs()[-1]["failure"] == ended["message"]

    assert (pipeline.rows(schema.matches), pipeline.current_program()) == before
    assert [run["status"] for run in pipeline.runs()] == ["succeeded", "failed", "failed"]
