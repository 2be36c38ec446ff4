"""What becomes of a validation's report: its rows in the warehouse, its page, its warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event

from tasks.pages.artifact_keys import ArtifactKind, artifact_key
from tasks.store.named_files import store_file
from tasks.validation import html_page, markdown_summary
from tasks.warehouse.runs import Validation

if TYPE_CHECKING:
    from tasks.handles import RunHandle
    from tasks.validation import ExpectationResult, ValidationReport

__all__ = ["SOFT_FAILURES", "as_recorded", "publish_report"]

Subject: TypeAlias = Literal["inputs", "matches"]

KINDS: Final[dict[Subject, ArtifactKind]] = {"inputs": "validation-of-inputs", "matches": "validation-of-matches"}

SOFT_FAILURES: Final = "fuzzyjoin.validation.soft-failures"
"""Name of the event that an automation can wait for."""


def as_recorded(report: ValidationReport) -> list[Validation]:
    """A report's answers as the warehouse keeps them."""
    return [
        Validation(
            subject=result.suite if result.suite in {"reference", "query"} else "output",  # type: ignore[arg-type]
            expectation=_named(result),
            severity=result.severity,
            passed=result.success or not result.judged,
            observed=_observed(result),
            expected=result.expected,
        )
        for result in report.results
    ]


def publish_report(run: RunHandle, subject: Subject, report: ValidationReport) -> None:
    """Show a report on the run's page; tell in the log, and in one event, of what the run goes on with."""
    title = f"Validation of the {subject}"
    page = store_file("validations", ".html", lambda path: path.write_text(html_page(report, title=title), "utf-8"))
    create_markdown_artifact(
        key=artifact_key(run.pipeline, KINDS[subject]),
        markdown=f"{markdown_summary(report)}\nThe same as a page of its own: `{page.path}`\n",
        description=title,
    )
    _warn(run, subject, report)


def _observed(result: ExpectationResult) -> str | None:
    value = None if result.observed_value is None else str(result.observed_value)
    return value if result.judged else f"{value or 'nothing'} (not judged: {result.too_few})"


def _named(result: ExpectationResult) -> str:
    return result.meaning if result.column is None else f"{result.column}: {result.meaning}"


def _warn(run: RunHandle, subject: Subject, report: ValidationReport) -> None:
    """Say in the log what a run goes on with, and emit one event about it."""
    if not report.warnings:
        return
    told = [f"{result.sentence()}. Remedy: {result.remedy}." for result in report.warnings]
    for sentence in told:
        get_run_logger().warning("%s", sentence)
    emit_event(
        event=SOFT_FAILURES,
        resource={
            "prefect.resource.id": f"fuzzyjoin.pipeline.{run.pipeline}",
            "prefect.resource.name": run.pipeline,
        },
        payload={
            "pipeline": run.pipeline,
            "run_id": run.run_id,
            "subject": subject,
            "count": len(told),
            "warnings": told,
            "text": "\n".join(told),
        },
    )
