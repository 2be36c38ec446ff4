"""The auditor's views answer in SQL, on every database, and as the functions do."""

from itertools import pairwise

import pytest
import sqlalchemy as sa

from tasks.warehouse.changes import ChangedMatch, changed_by_run, changed_matches
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.programs import store_program
from tasks.warehouse.run_audit import audit_run, recent_runs
from tasks.warehouse.runs import Validation, record_failure, record_validations
from tests.tasks.warehouse.cases import begin, day, found, hashes, prepare, program, write

MATCHES, UNMATCHED = found(6)
CHECKS = (
    Validation("query", "ids are unique", "hard", passed=False, observed="3 twice", expected="none"),
    Validation("output", "match rate near the last run's", "soft", passed=False, observed="0.5", expected="0.7"),
    Validation("reference", "name is filled", "soft", passed=True, observed="1.0", expected=">= 0.9"),
)


@pytest.fixture
def filled(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED, kept=hashes(MATCHES, UNMATCHED))
    return warehouse


def told(engine, run_id):
    with reading(engine) as connection:
        rows = connection.execute(
            sa.text("SELECT * FROM fuzzyjoin_match_changes WHERE run_id = :run_id ORDER BY query_id"),
            {"run_id": run_id},
        ).mappings()
        return {row["query_id"]: dict(row) for row in rows}


def changed(engine, run_id):
    with reading(engine) as connection:
        return changed_by_run(connection, run_id)


def flags(row):
    return tuple(bool(row[f"{cause}_changed"]) for cause in ("program", "reference", "query"))


def test_the_first_run_opened_matches_where_none_were(filled):
    rows = told(filled, "one")
    assert list(rows) == ["q0", "q1", "q3", "q4"]
    assert (rows["q0"]["before_reference_id"], rows["q0"]["after_reference_id"]) == (None, "r0")
    assert (rows["q0"]["before_program_id"], rows["q0"]["after_program_id"]) == (None, program().program_id)
    assert flags(rows["q0"]) == (False, False, True)


@pytest.mark.parametrize(
    ("given", "text", "causes"),
    [
        ({"using": program(0.4)}, None, ("program",)),
        ({"reference": "sha256:r2"}, None, ("reference",)),
        ({"query": "sha256:q2"}, "typed anew", ("query",)),
        ({"query": "sha256:q2"}, None, ()),
        (
            {"using": program(0.4), "reference": "sha256:r2", "query": "sha256:q2"},
            "new",
            ("program", "reference", "query"),
        ),
    ],
    ids=["program", "reference", "query", "another query row", "all"],
)
def test_a_replaced_match_names_what_changed(filled, given, text, causes):
    anew = MATCHES[:1].assign(reference_id="elsewhere", query_text=text or MATCHES["query_text"][0])
    write(filled, "two", anew, UNMATCHED[:0], at=day(1), covers="changes", **given)
    (row,) = told(filled, "two").values()
    assert (row["pipeline"], row["query_id"], row["closed_because"]) == ("malls", "q0", "matched anew")
    assert (row["before_reference_id"], row["after_reference_id"]) == ("r0", "elsewhere")
    assert row["before_program_id"] == program().program_id
    assert changed(filled, "two") == (ChangedMatch("q0", "r0", "elsewhere", causes),)


def test_a_match_that_ended_or_began_is_of_the_query_row_only_if_that_changed(filled):
    unmatched = UNMATCHED.copy()
    unmatched.loc[len(unmatched)] = ["q1", "too far"]
    unmatched.loc[len(unmatched)] = ["q3", "too far"]
    matches = MATCHES[~MATCHES["query_id"].isin(["q0", "q1", "q3"])]
    kept = hashes(matches, unmatched, q1="typed anew")
    write(filled, "two", matches, unmatched, at=day(1), kept=kept, reference="sha256:r2", query="sha256:q2")

    rows = told(filled, "two")
    assert {query_id: (row["after_reference_id"], row["closed_because"]) for query_id, row in rows.items()} == {
        "q0": (None, "query row gone"),
        "q1": (None, "unmatched: too far"),
        "q3": (None, "unmatched: too far"),
    }
    assert {query_id: flags(row) for query_id, row in rows.items()} == {
        "q0": (False, True, True),
        "q1": (False, True, True),
        "q3": (False, True, False),
    }
    assert [change.causes for change in changed(filled, "two")] == [("query",), ("reference", "query"), ("reference",)]


def test_the_view_is_about_the_run_before_and_not_the_one_that_opened_the_match(filled):
    write(filled, "two", MATCHES, UNMATCHED, at=day(1), kept=hashes(MATCHES, UNMATCHED), reference="sha256:r2")
    anew = MATCHES.assign(reference_id=["elsewhere", *MATCHES["reference_id"][1:]])
    write(filled, "three", anew, UNMATCHED, at=day(2), kept=hashes(MATCHES, UNMATCHED), reference="sha256:r2")
    assert changed(filled, "three") == (ChangedMatch("q0", "r0", "elsewhere", ()),)
    assert changed(filled, "two") == ()


def test_a_run_and_the_one_before_it_changed_the_same_matches(filled):
    anew = MATCHES[1:].assign(reference_id="elsewhere")
    write(filled, "two", anew, UNMATCHED, at=day(1), kept=hashes(anew, UNMATCHED), using=program(0.4))
    with reading(filled) as connection:
        between = changed_matches(connection, "one", "two")
    assert [(change.query_id, change.before, change.after) for change in changed(filled, "two")] == [
        (change.query_id, change.before, change.after) for change in between
    ]


@pytest.mark.parametrize("view", ["fuzzyjoin_match_changes", "fuzzyjoin_match_audit", "fuzzyjoin_program_history"])
def test_no_view_searches_all_matches_for_each_row(filled, view):
    if filled.dialect.name != "sqlite":
        pytest.skip("the other two join whole tables")
    with reading(filled) as connection:
        plan = [row.detail for row in connection.execute(sa.text(f"EXPLAIN QUERY PLAN SELECT * FROM {view}"))]  # noqa: S608 - our own names
    per_row = [after for step, after in pairwise(plan) if step.startswith("CORRELATED")]
    assert per_row
    assert [step for step in per_row if step.startswith("SCAN")] == []


def test_only_a_run_that_succeeded_changed_something(filled):
    begin(filled, "broken", at=day(1))
    record_failure(filled, "broken", "no space left", at=day(1))
    with pytest.raises(WarehouseError, match="run 'broken' is failed"):
        changed(filled, "broken")


def test_a_run_is_told_with_its_program_its_learning_and_its_checks(filled):
    begin(filled, "two", at=day(1))
    record_validations(filled, "two", CHECKS, at=day(1))
    record_failure(filled, "two", "ids of the query table repeat\nsecond line", at=day(2))
    begin(filled, "three", at=day(3))
    with writing(filled) as connection:
        store_program(connection, program(estimate=0.5), run_id="three", at=day(3))

    with reading(filled) as connection:
        one, two = audit_run(connection, "one"), audit_run(connection, "two")
        view = connection.execute(
            sa.text(
                "SELECT program_in_words, learned_precision_target, learned_precision_estimate, validations, "
                "validations_failed_hard, validations_failed_soft FROM fuzzyjoin_run_audit ORDER BY run_id"
            )
        ).all()
        with pytest.raises(WarehouseError, match="run 'none' does not exist"):
            audit_run(connection, "none")

    # What was learned after the run is not what it knew.
    assert tuple(view[0][1:]) == (0.9, 0.93, 0, 0, 0)
    assert f"Program {program().program_id}" in view[0][0]
    assert tuple(view[2]) == (None, None, None, 3, 1, 1)
    assert (one.covers, one.matches_current, one.learned_precision_estimate) == ("all", 4, 0.93)
    for part in (
        "Run one of pipeline malls succeeded: 4 of 30 matched, estimated precision 0.93 (0.90 to 0.96).\n",
        "Triggered by ada, code abc123.",
        "Reference sha256:r1 (300 rows).",
        "It looked at all query rows: 4 matches opened, 0 closed, 0 found again; 2 rows unmatched.",
        "Matches at its end: 4 (13.3% of 30 query rows).",
        "Precision estimate 0.93 (0.9 to 0.96 at level 0.95).",
        "0 checks, 0 failed.",
        "last learned for a precision target of 0.9, with an estimate of 0.93",
        f"Program {program().program_id}",
    ):
        assert part in one.in_words()
    assert two.validations == CHECKS
    for part in (
        "Run two of pipeline malls failed: ids of the query table repeat\nsecond line.",
        "3 checks, 2 failed:\n  hard, query: ids are unique, was 3 twice, expected none: FAILED\n",
        "1 checks passed:\n  soft, reference: name is filled, was 1.0, expected >= 0.9",
        "No program is on record for it.",
    ):
        assert part in two.in_words()


def test_recent_runs_are_the_newest_of_the_pipeline(filled):
    prepare(filled, pipeline="towns")
    begin(filled, "other", pipeline="towns", at=day(5))
    begin(filled, "two", at=day(1))
    record_failure(filled, "two", "no space left\nsecond line", at=day(1))
    begin(filled, "three", at=day(2))
    with reading(filled) as connection:
        lines = [run.line() for run in recent_runs(connection, "malls", limit=3)]
        assert [run.run_id for run in recent_runs(connection, "malls", limit=1)] == ["three"]
        with pytest.raises(WarehouseError, match="limit is 0; give 1 or more"):
            recent_runs(connection, "malls", limit=0)
    assert lines == [
        "three  running  2026-03-03T02:00:00+00:00 by ada",
        "two  failed: no space left  2026-03-02T02:00:00+00:00 by ada",
        (
            "one  succeeded: 4 of 30 matched, estimated precision 0.93 (0.90 to 0.96)  "
            "(4 opened, 0 closed, 0 unchanged)  2026-03-01T02:00:00+00:00 by ada"
        ),
    ]
