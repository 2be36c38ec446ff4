"""What a run says of itself to who only looks at its state, its log, its events or its artifacts."""

import re

from tasks.run.validation_report import SOFT_FAILURES
from tests.prefect_server import wait_for

# Texts of the example are longer.
TOO_SHORT = {"query": {"longest": 5}, "reference": {"longest": 5}}
ESTIMATE = r"estimated precision 0\.\d\d \(0\.\d\d to [01]\.\d\d\)"


def message(server, run):
    return server.ask("GET", f"flow_runs/{run}")["state"]["message"]


def warnings(server, run):
    lines = server.ask("POST", "logs/filter", logs={"flow_run_id": {"any_": [run]}, "level": {"ge_": 30}})
    return [line["message"] for line in lines]


def test_state_log_event_and_artifacts_tell_what_came_of_a_run(pipeline, server):
    run = pipeline.run(checks=TOO_SHORT)

    matched = len(pipeline.matches())
    assert re.fullmatch(rf"{matched} of 227 matched, {ESTIMATE}, 2 warnings", message(server, run))
    said = wait_for("the warnings", lambda: warnings(server, run), timeout=20)
    assert len(said) == 2
    assert said[0].startswith("reference 'title': texts have 1 to 5 characters: observed ")
    assert "Remedy: " in said[0]

    def events():
        wanted = {"event": {"name": [SOFT_FAILURES]}, "any_resource": {"id": [f"prefect.flow-run.{run}"]}}
        return server.ask("POST", "events/filter", filter=wanted)["events"]

    (event,) = wait_for("the event", events, timeout=20)
    assert event["resource"]["prefect.resource.id"] == "fuzzyjoin.pipeline.malls"
    assert event["payload"]["warnings"] == said
    assert {name: event["payload"][name] for name in ("pipeline", "run_id", "subject", "count")} == {
        "pipeline": "malls",
        "run_id": run,
        "subject": "inputs",
        "count": 2,
    }
    kinds = {"program", "result", "precision-curve", "boundary", "validation-of-inputs", "validation-of-matches"}
    assert {f"malls-{kind}" for kind in kinds} <= server.artifacts(run).keys()

    again = pipeline.run("apply_program")
    assert message(server, again) == "no query row is new or changed"
    assert warnings(server, again) == []

    pipeline.change_query_rows(10)
    some = pipeline.run("apply_program")
    row = pipeline.run_row(some)
    found = row["matches_opened"] + row["matches_unchanged"]
    assert message(server, some).startswith(f"{found} of 10 rows looked at matched, {row['matches_current']} matches")


def test_a_run_that_only_learns_says_what_became_of_the_program(pipeline, server):
    run = pipeline.run("learn_program", conduct={"promotion": "review"})

    told = "It is proposed: a person approves or refuses it in the flow review_program"
    assert re.fullmatch(f"a program was learned, {ESTIMATE}: {told}", message(server, run))
