"""A validation as an HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from tasks.validation.summary import state, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.validation.results import ExpectationResult, ValidationReport

__all__ = ["html_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #d4d7dc; --soft: #f4f5f7; --quiet: #5b6470;
  --met: #17693a; --warning: #8a5200; --failed: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4049; --soft: #22262c; --quiet: #a3acb8;
  --met: #6fd39a; --warning: #f0b45b; --failed: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; }
.verdict { font-size: 1.1rem; font-weight: 600; border-left: 0.4rem solid; padding: 0.5rem 0.8rem;
  background: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.45rem 0.6rem; text-align: left; vertical-align: top; }
th { font-size: 0.85rem; color: var(--quiet); font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.state { font-weight: 600; white-space: nowrap; }
.met { color: var(--met); } .warning { color: var(--warning); } .failed { color: var(--failed); }
.quiet { color: var(--quiet); font-size: 0.9rem; }
code { font-family: ui-monospace, monospace; background: var(--soft); padding: 0 0.25rem; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } }
"""

_SIGNS = {"met": "✓", "warning": "!", "failed": "✗", "not judged": "?"}


def html_page(report: ValidationReport, *, title: str = "Validation") -> str:
    """The report as one HTML page that reads well without a network, in light, dark and print.

    Parameters
    ----------
    report
        What was found.
    title
        The heading, such as the pipeline's name and the run's.

    Returns
    -------
    str
        To be written as UTF-8. Every value of the data is escaped.

    Examples
    --------
    >>> from tasks.validation.results import ValidationReport
    >>> "<h1>Towns &amp; villages</h1>" in html_page(ValidationReport(()), title="Towns & villages")
    True
    """
    body = [f"<h1>{escape(title)}</h1>", f'<p class="verdict {_worst(report)}">{escape(verdict(report))}</p>']
    for suite, results in groupby(report.results, key=lambda result: result.suite):
        body.append(_section(suite, results))
    if report.skipped:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in report.skipped)
        body.append(f"<section><h2>Not asked</h2><ul>{items}</ul></section>")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _worst(report: ValidationReport) -> str:
    if report.hard_failures:
        return "failed"
    return "warning" if report.warnings else "met"


def _section(suite: str, results: Iterable[ExpectationResult]) -> str:
    columns = ("result", "severity", "column", "expectation", "observed", "expected", "unexpected")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    rows = "\n".join(map(_row, results))
    return (
        f'<section><h2>{escape(suite.capitalize())}</h2>\n<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div></section>"
    )


def _row(result: ExpectationResult) -> str:
    kind = state(result)
    column = f"<code>{escape(result.column)}</code>" if result.column is not None else "whole table"
    css = kind.replace(" ", "-")
    return (
        f'<tr><td class="state {css}">{_SIGNS[kind]} {kind}</td><td>{result.severity}</td><td>{column}</td>'
        f"<td>{_meaning(result)}</td>"
        f'<td class="number">{escape(result.observed_text)}</td><td>{escape(result.expected)}</td>'
        f'<td class="number">{result.unexpected_count:,}</td></tr>'
    )


def _meaning(result: ExpectationResult) -> str:
    """What is expected; where it is not met the remedy, and wherever there are unexpected values some of them."""
    parts = [escape(result.meaning), f'<span class="quiet">{escape(result.expectation)}</span>']
    if not result.judged:
        parts.append(f"<strong>Not judged:</strong> {escape(result.too_few or '')}")
    elif not result.success:
        parts.append(f"<strong>Remedy:</strong> {escape(result.remedy)}")
    if result.unexpected_values:
        parts.append("Such as " + ", ".join(f"<code>{escape(value)}</code>" for value in result.unexpected_values))
    if result.rows_text:
        parts.append(f"In {escape(result.rows_text)}")
    return "<br>".join(parts)
