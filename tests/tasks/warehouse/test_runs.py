"""What was tried stays on record, whatever becomes of the run."""

import json

import pytest

from tasks.warehouse import schema
from tasks.warehouse.errors import RunEndedError, WarehouseError
from tasks.warehouse.runs import (
    Attempt,
    Validation,
    end_run,
    record_failure,
    record_refusal,
    record_validations,
    start_run,
)
from tests.tasks.warehouse.cases import START, begin, day, prepare, rows, run_row

FILLED = Validation("reference", "name is mostly filled", "soft", passed=False, observed="0.71", expected=">= 0.9")
UNIQUE = Validation("query", "ids are unique", "hard", passed=True)


@pytest.fixture
def prepared(warehouse):
    prepare(warehouse)
    return warehouse


def attempt(run_id="one", **changed):
    given = {"run_id": run_id, "pipeline": "malls", "triggered_by": "ada", "code_version": "abc123"}
    return Attempt(**{**given, **changed})


def test_a_run_is_on_record_from_its_beginning(prepared):
    begin(prepared, "one")
    run = run_row(prepared, "one")
    assert (run["status"], run["triggered_by"], run["code_version"]) == ("running", "ada", "abc123")
    assert (run["started_at"], run["ended_at"], json.loads(run["parameters"])) == (
        START,
        None,
        {"precision_target": 0.9},
    )
    assert (run["reference_fingerprint"], run["reference_rows"]) == ("sha256:r1", 300)
    assert (run["query_fingerprint"], run["query_rows"]) == ("sha256:q1", 30)


def test_passwords_do_not_reach_the_parameters_or_the_failure(prepared):

    class Given:
        def __str__(self):
            return "postgresql://u:s3cr@h/d"

    given = {"source": "postgresql://u:s3cr@h/d", "token": "s3cr", "other": Given()}
    start_run(prepared, attempt(parameters=given, triggered_by="https://u:s3cr@prefect"), at=START)
    record_failure(prepared, "one", "cannot read postgresql://u:s3cr@h/d", at=day(1))
    run = run_row(prepared, "one")
    assert json.loads(run["parameters"]) == {
        "source": "postgresql://u:***@h/d",
        "token": "***",
        "other": "postgresql://u:***@h/d",
    }
    assert run["triggered_by"] == "https://u:***@prefect"
    assert (run["status"], run["failure"], run["ended_at"]) == (
        "failed",
        "cannot read postgresql://u:***@h/d",
        day(1),
    )


def test_a_run_that_never_ended_has_died_when_the_next_begins(prepared):
    prepare(prepared, pipeline="towns")
    begin(prepared, "other", pipeline="towns")
    begin(prepared, "one")
    begin(prepared, "two", at=day(1))

    one = run_row(prepared, "one")
    assert (one["status"], one["ended_at"]) == ("died", day(1))
    assert "without recording an end" in one["failure"]
    assert run_row(prepared, "two")["status"] == "running"
    assert run_row(prepared, "other")["status"] == "running"


def test_validations_are_kept_when_the_run_fails(prepared):
    begin(prepared, "one")
    record_validations(prepared, "one", [UNIQUE], at=day(1))
    record_validations(prepared, "one", [FILLED], at=day(2))
    record_validations(prepared, "one", [], at=day(2))
    record_failure(prepared, "one", "name is mostly empty", at=day(3))

    stored = rows(prepared, schema.validations, schema.validations.c.number)
    assert [(row["number"], row["subject"], row["severity"], row["passed"]) for row in stored] == [
        (0, "query", "hard", True),
        (1, "reference", "soft", False),
    ]
    assert (stored[1]["observed"], stored[1]["expected"], stored[1]["checked_at"]) == ("0.71", ">= 0.9", day(2))


def test_a_refused_run_is_on_record(prepared):
    record_refusal(prepared, attempt(), "pipeline 'malls' is locked by run zero", at=START)
    run = run_row(prepared, "one")
    assert (run["status"], run["ended_at"], run["failure"]) == (
        "refused",
        START,
        "pipeline 'malls' is locked by run zero",
    )


def test_a_run_without_matches_ends_well(prepared):
    begin(prepared, "one")
    end_run(prepared, "one", program_id=None, at=day(1))
    assert run_row(prepared, "one")["status"] == "succeeded"


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda engine: record_failure(engine, "one", "late", at=START), id="failure"),
        pytest.param(lambda engine: record_validations(engine, "one", [UNIQUE], at=START), id="validations"),
        pytest.param(lambda engine: end_run(engine, "one", program_id=None, at=START), id="end"),
    ],
)
def test_an_ended_run_writes_nothing_more(prepared, step):
    with pytest.raises(RunEndedError, match="run 'one' does not exist"):
        step(prepared)
    begin(prepared, "one")
    record_failure(prepared, "one", "first", at=START)
    with pytest.raises(RunEndedError, match="run 'one' is failed; only a running run writes"):
        step(prepared)
    assert run_row(prepared, "one")["failure"] == "first"


def test_an_attempt_needs_an_id_and_a_pipeline_of_the_warehouse(prepared):
    with pytest.raises(WarehouseError, match="triggered_by is empty"):
        attempt(triggered_by="")
    with pytest.raises(WarehouseError, match="pipeline 'towns' is not in the warehouse"):
        start_run(prepared, attempt(pipeline="towns"), at=START)
    start_run(prepared, attempt(), at=START)
    with pytest.raises(WarehouseError, match="run_id 'one' is taken"):
        start_run(prepared, attempt(), at=START)
    assert run_row(prepared, "one")["status"] == "running"
