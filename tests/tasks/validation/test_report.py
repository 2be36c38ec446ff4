"""The report as data, as an error, as Markdown and as a page."""

from __future__ import annotations

import pickle
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tasks.validation import (
    ExpectationResult,
    HardFailuresError,
    InputSettings,
    OutputSettings,
    ValidationReport,
    html_page,
    markdown_summary,
    validate_input,
    validate_output,
)
from tasks.validation.summary import verdict

HOSTILE = "<script src='https://example.org/x.js'>alert(1)</script>|**`[a](https://example.org)`\x07"


@pytest.fixture(scope="module")
def report():
    table = pd.DataFrame({"id": np.array([1, 2, 2]), "a|b <i>": [HOSTILE, "b", None], "size": [1.5, np.nan, 2]})
    of_table = validate_input(
        table,
        role="reference",
        id_column="id",
        columns=["a|b <i>", "size", "none"],
        settings=InputSettings(least_rows=1),
        shown_columns=("a|b <i>",),
    )
    matches = pd.DataFrame({"query_id": np.array([1, 1]), "reference_id": np.array([1, 7])})
    of_matches = validate_output(
        matches,
        reference_ids=[1],
        query_ids=np.array([1, 2]),
        precision_estimate=np.float64(0.5),
        precision_target=0.9,
        settings=OutputSettings(least_rows=1),
        previous_match_rate=0.5,
    )
    return ValidationReport.of(of_table, of_matches)


@pytest.fixture
def passed(report):
    return ValidationReport(tuple(result for result in report.results if result.success))


class Reader(HTMLParser):
    """What a browser would find in a page: elements, their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.open, self.text = [], set(), [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_report_is_plain_data(report):
    plain = {str, int, float, bool, tuple, type(None)}
    values = [value for result in report.results for value in vars(result).values()]
    assert {type(value) for value in values} <= plain
    assert {type(part) for value in values if isinstance(value, tuple) for part in value} <= plain


@pytest.fixture
def of_few_rows():
    """One soft expectation is not met, on too few rows to judge."""
    matches = pd.DataFrame({"query_id": [1], "reference_id": [1]})
    return validate_output(matches, reference_ids=[1], query_ids=[1], precision_estimate=0.75, precision_target=0.9)


def test_too_few_rows_are_told_as_such(of_few_rows):
    asked = len(of_few_rows.results)
    assert verdict(of_few_rows) == (
        f"Passed: {asked - 1} of {asked} expectations were met, 1 not judged for too few rows."
    )
    text = markdown_summary(of_few_rows)
    assert "### Too few rows to judge" in text
    assert "Not judged: 1 matches are too few, it judges 20 or more." in text
    assert "### Warnings" not in text
    page = html_page(of_few_rows)
    assert 'class="verdict met"' in page
    assert "<strong>Not judged:</strong> 1 matches are too few" in page
    assert Reader(page).open == []


def test_results_can_be_kept_apart_by_what_they_mean_for_the_run(report):
    failed = [result for result in report.results if not result.success]
    assert len(report.hard_failures) + len(report.warnings) == len(failed)
    assert {result.severity for result in report.hard_failures} == {"hard"}
    assert {result.severity for result in report.warnings} == {"soft"}
    assert report.hard_failures
    assert report.warnings


def test_a_hard_failure_stops_and_names_each_with_its_remedy(report):
    with pytest.raises(HardFailuresError) as caught:
        report.raise_on_hard_failures()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{len(report.hard_failures)} hard expectations not met")
    for line, result in zip(lines[1:], report.hard_failures, strict=True):
        assert result.meaning in line
        assert result.remedy in line


def test_the_error_goes_through_pickle(report):
    error = HardFailuresError(report.hard_failures)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    assert (str(again), again.failures) == (str(error), error.failures)


def test_warnings_stop_nothing(report):
    ValidationReport(report.warnings).raise_on_hard_failures()


def test_the_verdict_counts(report, passed):
    assert verdict(report).startswith(f"Stopped: {len(report.hard_failures)} hard failures and")
    assert verdict(ValidationReport(report.warnings[:1])) == "Passed with 1 warning in 1 expectations."
    assert verdict(passed) == f"Passed: all {len(passed.results)} expectations were met."


def test_the_markdown_names_every_failure_and_every_expectation(report):
    text = markdown_summary(report)
    rows = [line for line in text.splitlines() if line.startswith(("| met", "| failed", "| warning"))]
    assert len(rows) == len(report.results)
    assert text.count("Remedy: ") == len(report.hard_failures) + len(report.warnings)
    assert "### Not asked" in text


def test_no_value_becomes_markup_in_the_markdown(report):
    text = markdown_summary(report)
    assert r"\<script src" in text
    assert "<script" not in text.replace(r"\<", "")
    assert r"a\|b \<i\>" in text
    assert r"\[a\]\(https" in text
    cells = {line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")}
    assert cells == {8}


def test_the_page_asks_for_nothing_from_outside(report):
    page = html_page(report, title="Towns <b>")
    found = Reader(page)
    assert found.open == []
    assert set(found.elements) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "div", "table", "thead", "tbody",
        "tr", "th", "td", "code", "span", "strong", "br", "ul", "li",
    }  # fmt: skip
    assert found.attributes <= {"lang", "charset", "name", "content", "class", "scope"}
    style = page.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "//" not in style


def test_the_page_holds_every_result_escaped(report):
    page = html_page(report, title="Towns <b>")
    text = Reader(page).text
    assert page.count("<tr><td") == len(report.results)
    assert "Towns <b>" in text
    assert "<script src='https://example.org/x.js'>" in text
    assert page.count("Remedy:") == len(report.hard_failures) + len(report.warnings)
    for result in report.results:
        assert result.meaning in text
        assert result.expectation in text
    assert page.encode()


def test_a_page_says_its_verdict_in_words_too(report, passed):
    assert 'class="verdict failed"' in html_page(report)
    assert 'class="verdict warning"' in html_page(ValidationReport(report.warnings))
    assert 'class="verdict met"' in html_page(passed)
    assert "✗ failed" in html_page(report)


@pytest.mark.parametrize("kind", [InputSettings, OutputSettings])
def test_every_setting_is_described(kind):
    assert [name for name, field in kind.model_fields.items() if not field.description] == []


def test_great_expectations_is_imported_by_who_validates_only_and_sends_nothing():
    code = (
        "import os, sys; from tasks.validation import *; import pandas as pd;"
        "assert 'great_expectations' not in sys.modules;"
        "validate_input(pd.DataFrame({'id': ['1'], 'x': ['a']}), role='query', id_column='id', columns=['x']);"
        "assert 'great_expectations' in sys.modules; print(os.environ['GX_ANALYTICS_ENABLED'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "false"), done.stderr
    assert "Calculating" not in done.stderr


def test_a_result_is_immutable(report):
    with pytest.raises(AttributeError):
        report.results[0].success = True
    assert isinstance(report.results[0], ExpectationResult)
    assert hash(report) == hash(ValidationReport(report.results, report.skipped))


@pytest.mark.parametrize(
    ("observed", "expected", "told"),
    [
        (0.89996, "at least 0.9", "0.89996"),
        (0.98996, "at least 0.99", "0.98996"),
        (0.8, "at least 0.9", "0.8"),
        (0.6134799, "0.6135 to 0.8135, the last run had 0.7135", "0.61348"),
        (0.999996, "1 (all)", "0.999996"),
    ],
)
def test_what_falls_short_does_not_read_as_the_limit(observed, expected, told):
    result = ExpectationResult(
        suite="figures",
        expectation="expect_column_min_to_be_between",
        column=None,
        severity="soft",
        success=False,
        meaning="a figure",
        observed_value=observed,
        expected=expected,
        unexpected_count=0,
        unexpected_values=(),
        unexpected_rows=(),
        remedy="none",
    )
    assert f"observed {told}, expected {expected}" in result.sentence()
    report = ValidationReport((result,))
    assert f"| {told} |" in markdown_summary(report)
    assert f">{told}<" in html_page(report)
