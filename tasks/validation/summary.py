"""A validation in Markdown: what a run's page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.pages.markdown import escaped

if TYPE_CHECKING:
    from tasks.validation.results import ExpectationResult, ValidationReport

__all__ = ["markdown_summary", "verdict"]


def markdown_summary(report: ValidationReport) -> str:
    r"""The report as Markdown: the verdict, what was not met with its remedy, and all expectations as a table.

    Parameters
    ----------
    report
        What was found.

    Returns
    -------
    str
        Values of the data are escaped: none becomes markup.

    Examples
    --------
    >>> from tasks.validation.results import ValidationReport
    >>> markdown_summary(ValidationReport(()))
    '**Nothing was asked.**\n'
    """
    parts = [f"**{verdict(report)}**"]
    for heading, failures in (("Hard failures", report.hard_failures), ("Warnings", report.warnings)):
        if failures:
            lines = [f"- {escaped(result.sentence())}. Remedy: {escaped(result.remedy)}." for result in failures]
            parts.append("\n".join([f"### {heading}", "", *lines]))
    if report.not_judged:
        lines = [f"- {escaped(result.sentence())}. Not judged: {result.too_few}." for result in report.not_judged]
        parts.append("\n".join(["### Too few rows to judge", "", *lines]))
    if report.results:
        parts.append("\n".join(["### All expectations", "", *_table(report.results)]))
    if report.skipped:
        parts.append("\n".join(["### Not asked", "", *(f"- {escaped(sentence)}" for sentence in report.skipped)]))
    return "\n\n".join(parts) + "\n"


def verdict(report: ValidationReport) -> str:
    """What the report says in one sentence.

    >>> from tasks.validation.results import ValidationReport
    >>> verdict(ValidationReport(()))
    'Nothing was asked.'
    """
    if not report.results:
        return "Nothing was asked."
    hard, soft, asked = len(report.hard_failures), len(report.warnings), len(report.results)
    if hard:
        return f"Stopped: {_counted(hard, 'hard failure')} and {_counted(soft, 'warning')} in {asked} expectations."
    if soft:
        return f"Passed with {_counted(soft, 'warning')} in {asked} expectations."
    if report.not_judged:
        few = len(report.not_judged)
        return f"Passed: {asked - few} of {asked} expectations were met, {few} not judged for too few rows."
    return f"Passed: all {asked} expectations were met."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _table(results: tuple[ExpectationResult, ...]) -> list[str]:
    rows = [
        (
            state(result),
            result.suite,
            result.column or "",
            result.meaning,
            result.observed_text,
            result.expected,
            f"{result.unexpected_count:,}",
        )
        for result in results
    ]
    head = ["| | table | column | expectation | observed | expected | unexpected |", "|---|---|---|---|---:|---|---:|"]
    return [*head, *("| " + " | ".join(map(escaped, row)) + " |" for row in rows)]


def state(result: ExpectationResult) -> str:
    """Met, failed, a warning or not judged, in a word or two."""
    if result.success:
        return "met"
    if not result.judged:
        return "not judged"
    return "failed" if result.severity == "hard" else "warning"
