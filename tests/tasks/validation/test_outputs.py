"""Each expectation on a run's output: one that meets it, one that does not."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

import fuzzyjoin
from fuzzyjoin.errors import UsageError
from tasks.validation import InputSettings, OutputSettings, markdown_summary, validate_output
from tasks.validation.checks import Check
from tasks.validation.engine import run_checks

QUERY, REFERENCE = [f"q{row}" for row in range(10)], [f"r{row}" for row in range(5)]


def matches(pairs):
    return pd.DataFrame(pairs, columns=["query_id", "reference_id"], dtype=object)


SOUND = matches([(query, REFERENCE[row % 3]) for row, query in enumerate(QUERY[:8])])


def validate(
    frame=SOUND, *, estimate=0.93, target=0.9, previous=0.8, ids=(REFERENCE, QUERY), shown_columns=(), **settings
):
    return validate_output(
        frame,
        reference_ids=ids[0],
        query_ids=ids[1],
        precision_estimate=estimate,
        precision_target=target,
        # Ten rows are judged here.
        settings=OutputSettings(**{"least_rows": 1, **settings}),
        shown_columns=shown_columns,
        previous_match_rate=previous,
    )


def failures(report):
    return [(result.meaning, result.column, result.severity) for result in report.results if not result.success]


def test_a_sound_output_meets_every_expectation():
    report = validate()
    assert failures(report) == []
    assert report.skipped == ()
    assert [result.suite for result in report.results] == ["matches"] * 7 + ["figures"] * 3


def test_what_the_library_joins_meets_every_hard_expectation():
    reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    result = fuzzyjoin.fuzzy_join(reference, query, on="name", space="small")
    estimate = result.precision_estimate.value
    report = validate(result.matches, estimate=estimate, previous=1.0, ids=(reference["id"], query["id"]))
    assert len(result.matches) == 2
    assert report.hard_failures == ()


BAD = {
    "two matches": ([("q1", "r1"), ("q1", "r2")], "a query row has at most one match", "query_id"),
    "unknown query": ([("q1", "r1"), ("q99", "r1")], "every id is one of the query table", "query_id"),
    "unknown reference": ([("q1", "r1"), ("q2", "r99")], "every id is one of the reference table", "reference_id"),
    "sides exchanged": ([("q1", "q2")], "every id is one of the reference table", "reference_id"),
    "no query id": ([("q1", "r1"), (None, "r1")], "every match has the id", "query_id"),
    "no reference id": ([("q1", "r1"), ("q2", "")], "every match has the id", "reference_id"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_fault_is_found_and_is_hard(case):
    pairs, meaning, column = BAD[case]
    report = validate(matches(pairs), previous=None)
    assert failures(report) == [(meaning, column, "hard")]
    assert [(result.meaning, result.column) for result in report.hard_failures] == [(meaning, column)]


def test_a_missing_column_is_found_and_nothing_else_is_asked_of_it():
    report = validate(SOUND[["query_id"]])
    assert failures(report) == [("the column exists", "reference_id", "hard")]
    assert report.skipped == ("matches 'reference_id': all but its presence, because the column does not exist",)


@pytest.mark.parametrize(
    ("options", "meaning", "column"),
    [
        ({"estimate": 0.8999}, "the precision estimate reaches the target", "precision_estimate"),
        ({"estimate": None}, "there is a precision estimate", "precision_estimate"),
        ({"estimate": float("nan")}, "there is a precision estimate", "precision_estimate"),
        ({"previous": 0.91}, "the share of query rows matched is near the last run's", "match_rate"),
        ({"previous": 0.69}, "the share of query rows matched is near the last run's", "match_rate"),
    ],
)
def test_a_figure_out_of_range_is_a_warning(options, meaning, column):
    report = validate(**options)
    assert failures(report) == [(meaning, column, "soft")]
    assert report.hard_failures == ()
    assert [result.meaning for result in report.warnings] == [meaning]


@pytest.mark.parametrize("options", [{"estimate": 0.9}, {"previous": 0.9}, {"previous": 0.7}])
def test_a_figure_on_its_limit_is_met(options):
    assert failures(validate(**options)) == []


@pytest.mark.parametrize(
    ("options", "meaning", "few"),
    [
        ({"estimate": 0.75}, "the precision estimate reaches the target", "8 matches are too few"),
        ({"estimate": None, "frame": matches([])}, "there is a precision estimate", "10 query rows are too few"),
        ({"previous": 0.95}, "the share of query rows matched is near the last run's", "10 query rows are too few"),
    ],
)
def test_a_soft_figure_of_a_handful_of_rows_is_not_judged(options, meaning, few):
    options = {"previous": None, **options}
    report = validate(**options, least_rows=11)
    (result,) = report.not_judged
    assert (report.warnings, report.hard_failures) == ((), ())
    assert (result.meaning, result.severity, result.too_few) == (meaning, "soft", f"{few}, it judges 11 or more")
    assert "Not judged: " in markdown_summary(report)
    # Enough rows: then it judges.
    assert [result.meaning for result in validate(**options, least_rows=8).warnings] == [meaning]


def test_a_hard_figure_judges_on_any_number_of_rows():
    report = validate(estimate=0.75, least_rows=100, estimate_severity="hard")
    assert [result.meaning for result in report.hard_failures] == ["the precision estimate reaches the target"]


def test_a_figure_that_is_met_on_a_handful_of_rows_is_met():
    report = validate(least_rows=100)
    assert (failures(report), report.not_judged) == ([], ())


def test_twenty_rows_are_enough_by_default():
    assert OutputSettings().least_rows == InputSettings().least_rows == 20


def test_limits_and_severities_of_the_figures_are_the_users():
    assert failures(validate(previous=0.5, match_rate_tolerance=0.3)) == []
    hard = validate(
        estimate=0.5, previous=0.1, estimate_severity="hard", match_rate_severity="hard", match_rate_tolerance=0.2
    )
    assert len(hard.hard_failures) == 2


def test_figures_are_recorded_with_what_was_expected():
    found = {result.meaning: (result.observed_value, result.expected) for result in validate(previous=0.85).results}
    assert found["the precision estimate reaches the target"] == (0.93, "at least 0.9")
    rate = found["the share of query rows matched is near the last run's"]
    assert rate == (0.8, "0.75 to 0.95, the last run had 0.85")


def test_without_a_last_run_the_match_rate_is_not_asked():
    report = validate(previous=None)
    (sentence,) = report.skipped
    assert sentence.startswith("figures: match rate against the last run, because there is no last run, no query row,")


def test_a_run_that_matched_nothing_has_no_hard_failure():
    report = validate(matches([]), estimate=None, previous=None)
    assert report.hard_failures == ()
    assert len(report.warnings) == 1


def test_ids_are_compared_as_the_library_compares_them():
    report = validate(matches([(1, 2.0)]), ids=([2], ["1"]), previous=1.0)
    assert failures(report) == []


def test_ids_are_masked_unless_they_are_shown():
    frame = matches([("q1", "r1"), ("anna@example.org", "r1")])
    assert "anna" not in repr(validate(frame))
    assert "anna@example.org" in repr(validate(frame, shown_columns=("query_id",)))


@pytest.mark.parametrize(("options", "says"), [({"target": 90}, "precision_target is 90"), ({"previous": 80}, "is 80")])
def test_a_share_out_of_range_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        validate(**options)


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="tolerance"):
        OutputSettings(tolerance=0.1)


def test_what_great_expectations_cannot_compute_is_no_answer():
    check = Check(
        "ExpectColumnMinToBeBetween", {"column": "rate", "min_value": 1}, "soft", meaning="", expected="", remedy=""
    )
    with pytest.raises(RuntimeError, match=r"figures: Great Expectations could not compute .* of 'rate'"):
        run_checks("figures", pd.DataFrame({"rate": ["text"]}, dtype=object), [check])
