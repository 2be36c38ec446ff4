"""Runs of the deployments by a real worker, triggered through the REST API and by a schedule."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.connection import reading
from tests.flows.cases import DEPLOYMENTS, tables_in

pytestmark = pytest.mark.slow

MATCH = DEPLOYMENTS["match_tables"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return tables_in(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def runs(deployed, tables):
    """Ids of runs that have begun; one of them, "scheduled", begins by a schedule."""
    twice = tables["reference"] | {"path": tables["reference"]["path"].replace("left", "twice")}
    Path(twice["path"]).write_text(
        "id,title\n1,Crimson Lighthouse\n1,Marble Observatory\n2,Hollow Reservoir\n", "utf-8"
    )
    deployment = deployed.deployment(MATCH)["id"]
    soon = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()
    once = {
        "schedule": {"interval": timedelta(days=100).total_seconds(), "anchor_date": soon},
        "parameters": {"pipeline": "scheduled", "tables": tables},
    }
    deployed.http.post(f"deployments/{deployment}/schedules", json=[once]).raise_for_status()
    # What the server does by itself once a minute.
    deployed.ask("POST", f"deployments/{deployment}/schedule", max_runs=1)
    (scheduled,) = [run["id"] for run in deployed.runs(MATCH) if run["auto_scheduled"]]
    asked = {
        "good": {"tables": tables, "search": {"precision_target": 0.8, "min_probability": 0.0}},
        "unknown column": {"tables": tables | {"compare": ["name"]}},
        "missing file": {"tables": tables | {"query": {"kind": "file", "path": "absent.csv"}}},
        "repeated ids": {"tables": tables | {"reference": twice, "reference_id": "id"}},
        "unknown parameter": {"tables": tables, "precision": 0.8},
        "limits in disorder": {"tables": tables, "checks": {"query": {"shortest": 9, "longest": 3}}},
    }
    return {"scheduled": scheduled} | {
        name: deployed.start_run(MATCH, pipeline=name.replace(" ", "-"), **parameters)
        for name, parameters in asked.items()
    }


def rows(warehouse, table, **where):
    with reading(warehouse) as connection:
        chosen = sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
        return connection.execute(chosen).mappings().all()


def test_a_run_with_form_parameters_writes_its_matches(deployed, warehouse, runs):
    deployed.run_in_state(runs["good"], "COMPLETED", timeout=180)

    (run,) = rows(warehouse, schema.runs, pipeline="good")
    assert (run["run_id"], run["status"]) == (runs["good"], "succeeded")
    assert json.loads(run["parameters"])["search"]["precision_target"] == 0.8
    assert len(rows(warehouse, schema.current_matches, pipeline="good")) == run["matches_opened"] > 100


def test_a_run_that_nobody_signed_says_where_it_came_from(deployed, warehouse, runs):
    deployed.run_in_state(runs["good"], "COMPLETED", timeout=180)

    (run,) = rows(warehouse, schema.runs, pipeline="good")
    assert run["triggered_by"] == (
        "somebody through Prefect's UI or API who left asked_by empty, deployment match-tables"
    )


def test_a_scheduled_run_names_the_schedule(deployed, warehouse, runs):
    deployed.run_in_state(runs["scheduled"], "COMPLETED", timeout=240)

    (run,) = rows(warehouse, schema.runs, pipeline="scheduled")
    assert run["triggered_by"] == "schedule of deployment match-tables"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"search": {"precision_target": 2}}, "'search.precision_target'. Failure reason: 2 is greater than"),
        ({"search": {"method": "magic"}}, "'search.method'. Failure reason: 'magic' is not one of ['auto', 'autofj']"),
        ({"search": {"target": 0.9}}, "Additional properties are not allowed ('target' was unexpected)"),
        ({"tables": {}}, "Failure reason: 'reference' is a required property"),
        ({"tables": {"compare": []}}, "'tables.compare'. Failure reason: [] should be non-empty"),
        ({"tables": {"reference": {"path": "a.csv"}}}, "'tables.reference'. Failure reason: {'path': 'a.csv'} is not"),
        ({"pipeline": "two words"}, "'pipeline'. Failure reason: 'two words' does not match"),
        ({"conduct": {"promotion": "never"}}, "'conduct.promotion'. Failure reason: 'never' is not one of"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_reason(deployed, tables, change, reason):
    of_tables = change.get("tables", tables)
    asked = {"pipeline": "refused", **change, "tables": tables | of_tables if of_tables else {}}
    response = deployed.create_run(MATCH, asked)

    assert response.status_code == 409
    assert reason in response.json()["detail"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unknown column", "compare: reference has no column 'name'; its columns are id, title"),
        ("missing file", "absent.csv: no such file; check the path and its spelling"),
        ("limits in disorder", "checks.query: Value error, shortest is 9, but longest is 3"),
    ],
)
def test_a_problem_that_a_person_can_mend_is_one_message(deployed, runs, name, message):
    ended = deployed.run_in_state(runs[name], "FAILED", timeout=120)
    logs = deployed.all_logs(runs[name])

    assert message in ended["state"]["message"]
    assert message in "\n".join(logs)
    assert "Traceback" not in "\n".join(logs)


def test_a_parameter_that_the_flow_does_not_have_is_named_in_the_logs(deployed, runs):
    deployed.run_in_state(runs["unknown parameter"], "CRASHED", timeout=120)
    logs = "\n".join(deployed.all_logs(runs["unknown parameter"]))

    assert "provided with parameters ['tables', 'privacy', 'pipeline', 'precision']" in logs
    assert "Traceback" not in logs


def test_a_hard_validation_failure_leaves_the_attempt_and_its_validations(deployed, warehouse, runs):
    ended = deployed.run_in_state(runs["repeated ids"], "FAILED", timeout=120)

    (run,) = rows(warehouse, schema.runs, pipeline="repeated-ids")
    assert run["status"] == "failed"
    assert run["failure"] in ended["state"]["message"]
    failed = [one for one in rows(warehouse, schema.validations, run_id=run["run_id"]) if not one["passed"]]
    assert ("reference", "hard", "id: ids are unique") in [
        (one["subject"], one["severity"], one["expectation"]) for one in failed
    ]
    assert not rows(warehouse, schema.matches, pipeline="repeated-ids")
    assert "Hard failures" in deployed.artifacts(runs["repeated ids"])["repeated-ids-validation-of-inputs"]["data"]
