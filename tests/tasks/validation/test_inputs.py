"""Each expectation on an input table: one table that meets it, one that does not."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fuzzyjoin.errors import DataError, UsageError
from tasks.validation import InputSettings, validate_input
from tests.cases import example

NAMES = [f"town number {row}" for row in range(20)]
ABSENT = object()


def table(ids=None, **columns):
    """Twenty rows that meet every expectation, but for what is named; a column that is ABSENT is left out."""
    every = {"id": ids or [str(row) for row in range(20)], "name": NAMES, "city": [f"city {row}" for row in range(20)]}
    kept = {name: values for name, values in {**every, **columns}.items() if values is not ABSENT}
    return pd.DataFrame(kept, dtype=object)


def changed(values, places):
    """Values with some replaced, given as {row: value}."""
    return [places.get(row, value) for row, value in enumerate(values)]


def validate(frame, *, role="reference", columns=("name", "city"), previous_rows=20, shown_columns=(), **settings):
    return validate_input(
        frame,
        role=role,
        id_column="id",
        columns=columns,
        settings=InputSettings(**settings),
        shown_columns=shown_columns,
        previous_rows=previous_rows,
    )


def failures(report):
    return [(result.meaning, result.column, result.severity) for result in report.results if not result.success]


def the(report, meaning, column):
    (found,) = [result for result in report.results if (result.meaning, result.column) == (meaning, column)]
    return found


@pytest.mark.parametrize("role", ["reference", "query"])
def test_a_sound_table_meets_every_expectation(role):
    report = validate(table(), role=role)
    assert failures(report) == []
    assert report.skipped == ()
    assert {result.suite for result in report.results} == {role}


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("task", ["Monarch", "Reptile", "ShoppingMall"])
def test_the_bundled_examples_have_no_hard_failure(task, side):
    frame = example(task)[side]
    role = ("reference", "query")[side]
    report = validate_input(frame, role=role, id_column="id", columns=["title"], previous_rows=len(frame))
    assert report.hard_failures == ()


BAD = {
    "no rows": (table()[:0], "the table has rows", None, "hard"),
    "one reference row": (table()[:1], "the table has rows", None, "hard"),
    "missing id": (table(ids=changed(range(20), {3: None})), "every row has an id", "id", "hard"),
    "blank id": (table(ids=changed(range(20), {3: "  "})), "every row has an id", "id", "hard"),
    "repeated id": (table(ids=changed(range(20), {3: 4})), "ids are unique", "id", "hard"),
    "id as number and as text": (table(ids=changed(range(20), {3: "4"})), "ids are unique", "id", "hard"),
    "no id column": (table(id=ABSENT), "the column exists", "id", "hard"),
    "no compared column": (table(city=ABSENT), "the column exists", "city", "hard"),
    "empty cells": (
        table(name=changed(NAMES, {1: None, 2: "", 3: " "})), "rows have text to compare", "name", "hard"
    ),
    "too long": (table(name=changed(NAMES, {5: "x" * 501})), "texts have 1 to 500 characters", "name", "soft"),
    "replacement character": (
        table(name=changed(NAMES, {5: "caf\ufffd"})), "texts hold no replacement character", "name", "soft"
    ),
    "half a character": (
        table(name=changed(NAMES, {5: "caf\ud800"})), "texts hold no replacement character", "name", "soft"
    ),
    "control character": (
        table(name=changed(NAMES, {5: "caf\x07"})), "texts hold no control character", "name", "soft"
    ),
    "Windows letter": (
        table(name=changed(NAMES, {5: "it\x92s"})), "texts hold no control character", "name", "soft"
    ),
    "UTF-8 read as Latin-1": (
        table(name=changed(NAMES, {5: "Café".encode().decode("latin-1")})),
        "texts are not UTF-8 read as Latin-1", "name", "soft",
    ),
    "UTF-8 read as Windows-1252": (
        table(name=changed(NAMES, {5: "Übung".encode().decode("cp1252")})),
        "texts are not UTF-8 read as Latin-1", "name", "soft",
    ),
    "duplicates": (
        table(name=changed(NAMES, {5: "TOWN  number 4"}), city=["Oslo"] * 20),
        "reference rows are distinct", "name + city", "soft",
    ),
    "half the last run": (table()[:9], "the volume is near the last run's", None, "hard"),
    "far more than the last run": (
        pd.concat([table(), table(ids=[f"b{row}" for row in range(20)], name=[f"b{name}" for name in NAMES]),
                   table(ids=["last", *(f"c{row}" for row in range(19))], name=[f"c{name}" for name in NAMES])]),
        "the volume is near the last run's", None, "hard",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_each_fault_is_found(case):
    frame, meaning, column, severity = BAD[case]
    assert (meaning, column, severity) in failures(validate(frame))


@pytest.mark.parametrize("case", [case for case in BAD if not case.startswith(("no rows", "one reference"))])
def test_a_fault_fails_the_expectation_on_it_only(case):
    frame, meaning, column, severity = BAD[case]
    assert failures(validate(frame)) == [(meaning, column, severity)]


@pytest.mark.parametrize(
    "text",
    ["Ærøskøbing", "SÃO PAULO", "東京", "İzmir", "हिन्दी", "line\nbreak", "tab\there", "🎉", "naïve “quote” – dash…"],
)
def test_plausible_texts_of_any_script_are_no_fault(text):
    assert failures(validate(table(name=changed(NAMES, {5: text})))) == []


def test_a_blank_reference_row_is_no_duplicate():
    frame = table(name=changed(NAMES, {1: None, 2: None}), city=changed(table()["city"], {1: None, 2: None}))
    assert failures(validate(frame)) == []


def test_duplicates_are_asked_of_the_reference_table_only():
    frame = table(name=["same"] * 20, city=["same"] * 20)
    assert failures(validate(frame, role="query")) == []


@pytest.mark.parametrize("previous_rows", [None, 0, 20])
def test_a_query_table_without_rows_is_a_warning_and_asked_no_volume(previous_rows):
    report = validate(table()[:0], role="query", previous_rows=previous_rows)
    assert failures(report) == [("the table has rows", None, "soft")]
    assert the(report, "the table has rows", None).too_few is None
    assert "volume against the last run, because there are no rows" in report.skipped[-1]


def test_one_query_row_is_enough():
    assert failures(validate(table()[:1], role="query", previous_rows=None)) == []


@pytest.mark.parametrize(
    "case", [case for case, (*_, severity) in BAD.items() if severity == "soft" and case != "half the last run"]
)
def test_a_soft_fault_of_a_handful_of_rows_is_not_judged(case):
    frame, meaning, column, _ = BAD[case]
    report = validate(frame, least_rows=21)
    assert [(result.meaning, result.column) for result in report.not_judged] == [(meaning, column)]
    assert report.not_judged[0].too_few == "20 rows are too few, it judges 21 or more"
    assert report.warnings == ()


def test_a_soft_volume_of_small_tables_is_not_judged():
    small = {"volume_severity": "soft", "least_rows": 20}
    assert validate(table()[:3], previous_rows=8, **small).warnings == ()
    assert [result.meaning for result in validate(table()[:3], previous_rows=20, **small).warnings] == [
        "the volume is near the last run's"
    ]


def test_a_hard_fault_of_a_handful_of_rows_stops_the_run():
    frame = table(name=changed(NAMES, {1: None, 2: "", 3: " "}))
    assert len(validate(frame, least_rows=100).hard_failures) == 1


def test_limits_are_the_users():
    frame = table(name=changed(NAMES, {1: None, 2: None, 3: None}))
    assert failures(validate(frame, filled_share=0.85)) == []
    assert failures(validate(frame, filled_share=0.86)) == [("rows have text to compare", "name", "hard")]
    two_alike = table(name=changed(NAMES, {5: NAMES[4]}), city=["Oslo"] * 20)
    assert failures(validate(two_alike, distinct_share=0.9)) == []
    assert failures(validate(two_alike, distinct_share=0.91)) == [
        ("reference rows are distinct", "name + city", "soft")
    ]
    assert failures(validate(table(), longest=13)) == [("texts have 1 to 13 characters", "name", "soft")]
    assert failures(validate(table(), longest=13, plausible_share=0.5)) == []
    assert failures(validate(table(), previous_rows=100, least_volume=0.2)) == []
    assert failures(validate(table(), previous_rows=1, greatest_volume=20.0)) == []
    assert failures(validate(table()[:10], previous_rows=20)) == []
    assert failures(validate(table()[:10], previous_rows=21)) == [("the volume is near the last run's", None, "hard")]


@pytest.mark.parametrize(
    ("case", "setting"),
    [
        ("empty cells", "filled_severity"),
        ("duplicates", "distinct_severity"),
        ("too long", "plausible_severity"),
        ("control character", "plausible_severity"),
        ("half the last run", "volume_severity"),
    ],
)
@pytest.mark.parametrize("severity", ["hard", "soft"])
def test_severities_are_the_users(case, setting, severity):
    frame, meaning, column, _ = BAD[case]
    assert failures(validate(frame, **{setting: severity})) == [(meaning, column, severity)]


def test_figures_are_shares_of_what_was_looked_at():
    frame = table(name=changed(NAMES, {1: None, 5: NAMES[4], 7: "x" * 501}), city=["Oslo"] * 20)
    report = validate(frame)
    assert the(report, "texts have 1 to 500 characters", "name").observed_value == pytest.approx(18 / 19)
    assert the(report, "rows have text to compare", "name").observed_value == pytest.approx(0.95)
    distinct = the(report, "reference rows are distinct", "name + city")
    assert distinct.observed_value == pytest.approx(0.9)
    assert distinct.expected == "at least 0.95"
    assert (distinct.unexpected_count, distinct.unexpected_rows) == (2, (5, 6))
    assert the(report, "the volume is near the last run's", None).observed_value == 20


def test_values_are_masked_unless_their_columns_are_shown():
    frame = table(ids=changed(range(20), {3: "secret", 4: "secret"}), name=changed(NAMES, {5: "caf\x07"}))
    masked, shown = validate(frame), validate(frame, shown_columns=("id", "name"))
    assert "secret" not in repr(masked)
    assert "caf" not in repr(masked)
    assert the(masked, "ids are unique", "id").unexpected_values == ("masked, length 6",)
    assert the(shown, "ids are unique", "id").unexpected_values == ("secret",)
    assert the(shown, "texts hold no control character", "name").unexpected_values == (r"caf\x07",)


def test_duplicates_are_masked_if_one_compared_column_is():
    frame = table(name=changed(NAMES, {5: NAMES[4]}), city=["Oslo"] * 20)
    meaning, column = "reference rows are distinct", "name + city"
    assert the(validate(frame, shown_columns=("name",)), meaning, column).unexpected_values == ("masked, length 20",)
    both = the(validate(frame, shown_columns=("name", "city")), meaning, column)
    assert both.unexpected_values == ("town number 4 | oslo",)


def test_a_long_value_is_shown_shortened():
    frame = table(name=changed(NAMES, {5: "x" * 5000}))
    (value,) = the(validate(frame, shown_columns=("name",)), "texts have 1 to 500 characters", "name").unexpected_values
    assert len(value) == 80


def test_samples_are_few_and_counts_are_whole():
    report = validate(table(name=["caf\x07"] * 3 + [f"caf\x07{row}" for row in range(17)]), shown_columns=("name",))
    found = the(report, "texts hold no control character", "name")
    assert found.unexpected_count == 20
    assert 1 <= len(found.unexpected_values) <= 5
    assert found.unexpected_rows == (1, 2, 3, 4, 5)


def test_without_a_last_run_the_volume_is_not_asked():
    for previous in (None, 0):
        report = validate(table(), previous_rows=previous)
        assert report.skipped == ("reference: volume against the last run, because there is no last run with rows",)
        assert not any("volume" in result.meaning for result in report.results)


def test_of_a_column_that_does_not_exist_nothing_else_is_asked():
    report = validate(table(city=ABSENT))
    assert [result.meaning for result in report.results if result.column == "city"] == ["the column exists"]
    assert report.skipped == ("reference 'city': all but its presence, because the column does not exist",)


def test_the_id_may_be_compared_and_any_name_may_be_a_columns():
    frame = table().rename(columns={"city": "compared text"})
    assert failures(validate(frame, columns=("id", "compared text"))) == []


def test_numbers_dates_and_an_index_of_their_own_are_looked_at_as_text():
    frame = pd.DataFrame({"id": np.arange(20.0), "name": pd.date_range("2024-01-01", periods=20)}, index=range(40, 60))
    assert failures(validate(frame, columns=("name",))) == []


@pytest.mark.parametrize(
    ("frame", "options", "kind", "says"),
    [
        (table(), {"role": "left"}, UsageError, "role is 'left'"),
        (table(), {"columns": ()}, UsageError, "columns is empty"),
        (pd.DataFrame([["a", "b"]], columns=["x", "x"]), {}, DataError, "two columns named 'x'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(frame, options, kind, says):
    with pytest.raises(kind, match=says):
        validate(frame, **options)


@pytest.mark.parametrize(
    "settings", [{"filled_share": 1.1}, {"least_volume": 2.0}, {"volume_severity": "fatal"}, {"filled": 0.9}]
)
def test_a_setting_out_of_range_or_unknown_is_refused(settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        InputSettings(**settings)


def test_tables_validated_side_by_side_keep_their_results_apart():
    def faults(count):
        report = validate(table(name=changed(NAMES, {row: f"caf\x07 {row}" for row in range(count)})))
        return the(report, "texts hold no control character", "name").unexpected_count

    counts = [number % 7 for number in range(28)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(faults, counts)) == counts


def test_a_hundred_thousand_rows_are_validated_in_seconds():
    rows = 100_000
    random = np.random.default_rng(0)
    names = [f"{left} {right}" for left, right in random.integers(0, 10**6, (rows, 2)).tolist()]
    names[7], names[8] = names[6], None
    frame = pd.DataFrame({"id": range(rows), "name": names, "city": [f"city {row % 50}" for row in range(rows)]})
    validate(frame[:10])
    begin = time.perf_counter()
    report = validate(frame, previous_rows=rows)
    assert time.perf_counter() - begin < 20
    assert failures(report) == []
    assert the(report, "rows have text to compare", "name").unexpected_count == 1
