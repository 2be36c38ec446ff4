"""What is expected of tables and matches: hard failures stop a run, soft ones are warnings, all are on record."""

import pandas as pd

from tasks.warehouse import schema


def failed(pipeline, run_id):
    """The expectations that a run did not meet, with their severity."""
    rows = pipeline.rows(schema.validations, schema.validations.c.run_id == run_id)
    assert len(rows) > 15
    return {(row["subject"], row["expectation"], row["severity"]) for row in rows if not row["passed"]}


def test_hard_failures_stop_the_run_and_soft_ones_are_kept(pipeline):
    whole = pipeline.query
    first = pipeline.run()
    assert failed(pipeline, first) <= {("reference", "title: texts are distinct", "soft")}
    before = pipeline.rows(schema.matches)

    pipeline.query = pd.concat([whole, whole.iloc[:1]], ignore_index=True)
    ended = pipeline.ends(tables={"query_id": "id"})
    assert ended["error"] == "HardFailuresError"
    twice = pipeline.runs()[-1]
    assert (twice["status"], twice["failure"]) == ("failed", ended["message"])
    assert ("query", "id: ids are unique", "hard") in failed(pipeline, twice["run_id"])

    pipeline.query = whole.iloc[:40].reset_index(drop=True)
    assert "the volume is near the last run's" in pipeline.ends()["message"]
    few = pipeline.runs()[-1]
    assert {severity for _, _, severity in failed(pipeline, few["run_id"])} == {"hard"}
    assert pipeline.rows(schema.matches) == before

    # The runs that failed are none to compare with; and what is soft is a warning.
    third = pipeline.run(checks={"query": {"volume_severity": "soft"}, "matches": {"match_rate_tolerance": 0.0}})
    assert failed(pipeline, third) >= {
        ("query", "the volume is near the last run's", "soft"),
        ("output", "match_rate: the share of query rows matched is near the last run's", "soft"),
    }
    assert pipeline.run_row(third)["status"] == "succeeded"
