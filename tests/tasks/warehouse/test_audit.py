"""Why query X was joined to Y on date D, and what changed between two runs."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from fuzzyjoin.definition import Equal
from tasks.warehouse.audit import why
from tasks.warehouse.changes import ChangedMatch, changed_matches
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import propose
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.matches import RunResult, write_matches
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import store_program
from tasks.warehouse.runs import Validation, record_failure, record_validations
from tasks.warehouse.schema import UtcTimestamp
from tests.tasks.warehouse.cases import ESTIMATE, begin, day, found, prepare, program, write

QUESTION = """
SELECT * FROM fuzzyjoin_match_audit
WHERE pipeline = :pipeline AND query_id = :query_id
  AND valid_from <= :date AND (valid_to IS NULL OR valid_to > :date)
"""
CHECKS = (
    Validation("query", "ids are unique", "hard", passed=True),
    Validation("output", "match rate near the last run's", "soft", passed=False, observed="0.5", expected="0.7"),
)


@pytest.fixture
def replaced(warehouse):
    """Three runs: the second joins q1 elsewhere under another program, the third learns the first program anew."""
    prepare(warehouse)
    matches, unmatched = found(6)
    write(warehouse, "one", matches, unmatched)
    with writing(warehouse) as connection:
        propose(connection, "malls", program().program_id, by="learner", at=day(0))
    elsewhere = matches.assign(reference_id=[f"new{row}" for row in matches["reference_id"]])
    begin(warehouse, "broken", at=day(1))
    record_failure(warehouse, "broken", "no space left", at=day(1))
    write(warehouse, "two", elsewhere, unmatched, at=day(2), using=program(0.4))
    begin(warehouse, "three", at=day(3))
    with writing(warehouse) as connection:
        store_program(connection, program(estimate=0.5), run_id="three", at=day(3))
        propose(connection, "malls", program(0.4).program_id, by="learner", at=day(3))
    return warehouse


def test_one_call_answers_for_a_match_since_replaced(replaced):
    with reading(replaced) as connection:
        answer = why(connection, "malls", "q1", at=day(1))

    assert (answer.match["reference_id"], answer.match["query_text"], answer.match["distance"]) == (
        "r1",
        "Café “1”, a\tb\\N\nc",
        1 / 7,
    )
    assert (answer.match["valid_from"], answer.match["valid_to"], answer.match["closed_by_run"]) == (
        day(0),
        day(2),
        "two",
    )
    assert (answer.run.run_id, answer.run.triggered_by, answer.run.code_version) == ("one", "ada", "abc123")
    assert answer.run.parameters == {"precision_target": 0.9}
    assert (answer.run.reference_fingerprint, answer.run.query_fingerprint) == ("sha256:r1", "sha256:q1")
    assert (answer.run.precision_estimate, answer.run.precision_low) == (ESTIMATE.value, ESTIMATE.low)
    assert answer.program == program()
    assert [(made.kind, made.program_id) for made in answer.decisions] == [("approval", program().program_id)]


def test_one_sql_query_answers_the_same(replaced):
    question = sa.text(QUESTION).bindparams(sa.bindparam("date", type_=UtcTimestamp))
    with reading(replaced) as connection:
        (row,) = connection.execute(question, {"pipeline": "malls", "query_id": "q1", "date": day(1)}).mappings()
        answer = why(connection, "malls", "q1", at=day(1))

    assert (row["reference_id"], row["opened_by_run"], row["closed_by_run"]) == ("r1", "one", "two")
    assert (row["run_triggered_by"], row["run_code_version"]) == ("ada", "abc123")
    assert (row["run_reference_fingerprint"], row["run_precision_estimate"]) == ("sha256:r1", ESTIMATE.value)
    assert row["program_id"] == answer.program.program_id
    assert f"Program {row['program_id']}" in row["program_in_words"]
    assert row["program_definition"].startswith('{"columns"')


def test_the_question_in_the_docs_is_sql_that_answers(warehouse):
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    (question,) = re.findall(r"^```sql\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    prepare(warehouse)
    write(warehouse, "one", *found(30), at=day(-5))
    with reading(warehouse) as connection:
        assert connection.execute(sa.text(question.replace("'3'", "'q16'"))).one().reference_id == "r16"
        assert connection.execute(sa.text(question)).all() == []


@pytest.mark.parametrize(("at", "reference_id"), [(-1, None), (0, "r1"), (1.999, "r1"), (2, "newr1"), (400, "newr1")])
def test_the_answer_is_that_of_the_day(replaced, at, reference_id):
    with reading(replaced) as connection:
        answer = why(connection, "malls", "q1", at=day(at))
    assert (answer and answer.match["reference_id"]) == reference_id


def test_a_row_without_a_match_has_no_answer(replaced):
    with reading(replaced) as connection:
        assert why(connection, "malls", "q2", at=day(1)) is None
        assert why(connection, "towns", "q1", at=day(1)) is None


def test_checks_are_part_of_the_answer(warehouse):
    prepare(warehouse)
    begin(warehouse, "zero")
    record_validations(warehouse, "zero", CHECKS[:1], at=day(0))
    matches, unmatched = found(6)

    begin(warehouse, "one", at=day(1))
    with writing(warehouse) as connection:
        program_id = store_program(connection, program(), run_id="one", at=day(1))
    record_validations(warehouse, "one", CHECKS, at=day(1))
    write_matches(warehouse, "one", RunResult(program_id, matches, unmatched, ESTIMATE), at=day(1))

    with reading(warehouse) as connection:
        answer = why(connection, "malls", "q1", at=day(1))
        view = connection.execute(
            sa.text("SELECT run_validations, run_validations_failed FROM fuzzyjoin_match_audit WHERE query_id = 'q1'")
        ).one()
    assert answer.run.validations == CHECKS
    assert tuple(view) == (2, 1)
    assert "2 checks, 1 failed:\n  soft, output: match rate near the last run's, was 0.5" in answer.in_words()


def test_the_answer_in_words_names_everything(replaced):
    with reading(replaced) as connection:
        words = why(connection, "malls", "q1", at=day(1)).in_words()
    for part in (
        r"Query q1 (Café “1”, a\tb\N\nc) was joined to reference r1 (Cafe 1); estimated probability that it is right",
        "Why: its distance 0.1429 is at most 0.3",
        "Runner-up: reference r2 at distance 0.3929, 0.25 farther",
        ("It held from 2026-03-01T02:00:00+00:00 until 2026-03-03T02:00:00+00:00, when run two matched the row anew."),
        "estimated precision 0.93 (0.9 to 0.96",
        "Run one of pipeline malls, triggered by ada at 2026-03-01T02:00:00+00:00, code abc123.",
        "It read reference sha256:r1 (300 rows) and query sha256:q1 (30 rows).",
        'Parameters of the run: {"precision_target": 0.9}',
        "Decision 1: approval",
        program().explain(),
    ):
        assert part in words


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        ({"using": program(0.4)}, ("program",)),
        ({"reference": "sha256:r2"}, ("reference",)),
        ({"query": "sha256:q2", "text": "typed anew"}, ("query",)),
        ({"reference": "sha256:r2", "query": "sha256:q2"}, ("reference",)),
        ({"using": program(0.4), "query": "sha256:q2", "text": "typed anew"}, ("program", "query")),
    ],
    ids=["program", "reference", "query", "reference-not-query", "program-and-query"],
)
def test_a_changed_match_names_what_can_have_caused_it(warehouse, given, causes):
    prepare(warehouse)
    matches, unmatched = found(2)
    inputs = dict(given)
    text = inputs.pop("text", matches["query_text"][0])
    write(warehouse, "one", matches[:1], unmatched)
    changed = matches[:1].assign(reference_id="elsewhere", query_text=text)

    write(warehouse, "two", changed, unmatched, at=day(1), **inputs)

    with reading(warehouse) as connection:
        assert changed_matches(connection, "one", "two") == (ChangedMatch("q0", "r0", "elsewhere", causes),)


def test_changes_between_runs_are_those_that_remain(warehouse):
    prepare(warehouse)
    matches, unmatched = found(60)
    write(warehouse, "one", matches, unmatched)
    write(warehouse, "two", matches[5:], unmatched, at=day(1), query="sha256:q2")
    write(warehouse, "three", matches[1:], unmatched, at=day(2), query="sha256:q3")

    with reading(warehouse) as connection:
        assert changed_matches(connection, "one", "three") == (ChangedMatch("q0", "r0", None, ("query",)),)
        assert [change.before for change in changed_matches(connection, "two", "three")] == [None] * 4
        assert changed_matches(connection, "one", "one") == ()


def test_only_successful_runs_of_one_pipeline_in_order_are_compared(replaced):
    prepare(replaced, pipeline="towns")
    write(replaced, "other", *found(3), pipeline="towns", at=day(5))
    with reading(replaced) as connection:
        with pytest.raises(WarehouseError, match="run 'broken' is failed; compare runs that succeeded"):
            changed_matches(connection, "one", "broken")
        with pytest.raises(WarehouseError, match="run 'none' does not exist"):
            changed_matches(connection, "none", "one")
        with pytest.raises(WarehouseError, match="'two' ended after later_run 'one'; swap them"):
            changed_matches(connection, "two", "one")
        with pytest.raises(WarehouseError, match="pipelines 'malls' and 'towns'"):
            changed_matches(connection, "one", "other")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (program(0.3, estimate=0.1), ()),
        (program(0.4), ("lower/3-gram/uniform/jaccard joins up to 0.4 instead of 0.3: more rows.",)),
        (program(0.2), ("lower/3-gram/uniform/jaccard joins up to 0.2 instead of 0.3: fewer rows.",)),
        (program(0.3, rules=("east/west",)), ("It gained 1 negative rule: east/west.",)),
        (
            program(0.3, k=20),
            (
                (
                    "Candidates come from the 20 reference rows that share most with a query row instead of the 10 "
                    "reference rows that share most with a query row."
                ),
            ),
        ),
    ],
    ids=["same", "threshold-up", "threshold-down", "rule", "blocking"],
)
def test_the_difference_of_two_programs_is_told_in_words(after, words):
    assert diff_programs(program(0.3), after) == words
    assert len(diff_programs(after, program(0.3))) == len(words)


def test_the_difference_names_columns_that_must_be_equal():
    without = program(0.3)
    rule = without.definition.model_copy(update={"equal": (Equal(reference="state", query="st"),)})
    under = without.model_copy(update={"definition": rule})
    assert diff_programs(without, under) == ("Candidates must be equal in state with st.",)
    assert diff_programs(under, without) == ("Candidates need no longer be equal in state with st.",)
