"""Validation: the tasks that ask what is expected of inputs and matches, and record the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from tasks.apply import load_frame
from tasks.artifacts import ArtifactKind, artifact_key
from tasks.credentials import opened_warehouse
from tasks.ingestion import load_snapshot
from tasks.storage import checked, store
from tasks.validation import ValidationReport, html_page, markdown_summary, validate_input, validate_output
from tasks.warehouse.connection import reading
from tasks.warehouse.last_run import last_success
from tasks.warehouse.runs import InputState, Validation, record_inputs, record_validations

if TYPE_CHECKING:
    from tasks.handles import InputHandle, ResultHandle, RunHandle
    from tasks.settings import Checks
    from tasks.validation import ExpectationResult

__all__ = ["SOFT_FAILURES", "validate_inputs", "validate_matches"]

Subject: TypeAlias = Literal["inputs", "matches"]

KINDS: Final[dict[Subject, ArtifactKind]] = {"inputs": "validation-of-inputs", "matches": "validation-of-matches"}

SOFT_FAILURES: Final = "fuzzyjoin.validation.soft-failures"
"""Name of the event that an automation can wait for."""


@task(name="validate inputs", task_run_name="validate inputs", cache_policy=NO_CACHE)
def validate_inputs(
    run: RunHandle, reference: InputHandle, query: InputHandle, checks: Checks, *, whole: bool = True
) -> None:
    """Record what the run reads, ask what is expected of it, and stop the run if a hard expectation is not met.

    Parameters
    ----------
    run
        The run.
    reference, query
        Its inputs.
    checks
        What is expected of them.
    whole
        Whether the query table is the whole one: of a part, the volume is not compared with the last run's.
    """
    with opened_warehouse(run.warehouse) as engine:
        record_inputs(engine, run.run_id, reference=_state(reference), query=_state(query))
        with reading(engine) as connection:
            last = last_success(connection, run.pipeline)
        report = ValidationReport.of(
            _of_input(run, reference, checks, previous_rows=last.reference_rows if last else None),
            _of_input(run, query, checks, previous_rows=last.query_rows if last and whole else None),
        )
        record_validations(engine, run.run_id, _plain(report), at=datetime.now(UTC))
    _show(run, "inputs", report)
    _warn(run, "inputs", report)
    report.raise_on_hard_failures()


@task(name="validate matches", task_run_name="validate matches", cache_policy=NO_CACHE)
def validate_matches(
    run: RunHandle,
    result: ResultHandle,
    reference: InputHandle,
    query: InputHandle,
    checks: Checks,
    *,
    precision_target: float,
    whole: bool = True,
) -> None:
    """Ask what is expected of the matches, and stop the run if a hard expectation is not met.

    Parameters
    ----------
    run, result
        The run, and what it found.
    reference, query
        What it was found on.
    checks
        What is expected.
    precision_target
        What the estimate should reach.
    whole
        Whether the query table is the whole one: of a part, the match rate is not compared with the last run's.
    """
    with opened_warehouse(run.warehouse) as engine:
        with reading(engine) as connection:
            last = last_success(connection, run.pipeline)
        report = validate_output(
            load_frame(result.matches),
            reference_ids=load_snapshot(reference.table)[reference.id_column],
            query_ids=load_snapshot(query.table)[query.id_column],
            precision_estimate=result.precision_estimate.value,
            precision_target=precision_target,
            settings=checks.matches,
            shown_columns=("query_id", "reference_id"),
            previous_match_rate=last.match_rate if last and whole else None,
        )
        record_validations(engine, run.run_id, _plain(report), at=datetime.now(UTC))
    _show(run, "matches", report)
    _warn(run, "matches", report)
    report.raise_on_hard_failures()


def _state(table: InputHandle) -> InputState:
    return InputState(fingerprint=table.table.content_hash, rows=table.table.rows)


def _of_input(run: RunHandle, table: InputHandle, checks: Checks, *, previous_rows: int | None) -> ValidationReport:
    frame = load_snapshot(table.table)
    if table.order is not None:
        # As the user knows it: a snapshot's rows are sorted.
        frame = frame.iloc[np.argsort(np.load(checked(table.order), allow_pickle=False))]
    return validate_input(
        frame,
        role=table.role,
        id_column=table.id_column,
        columns=table.columns,
        settings=checks.reference if table.role == "reference" else checks.query,
        shown_columns=(table.id_column, *run.privacy.shown_columns),
        previous_rows=previous_rows,
        source=table.source,
        in_order=table.order is not None,
    )


def _plain(report: ValidationReport) -> list[Validation]:
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


def _observed(result: ExpectationResult) -> str | None:
    value = None if result.observed_value is None else str(result.observed_value)
    return value if result.judged else f"{value or 'nothing'} (not judged: {result.too_few})"


def _named(result: ExpectationResult) -> str:
    return result.meaning if result.column is None else f"{result.column}: {result.meaning}"


def _show(run: RunHandle, subject: Subject, report: ValidationReport) -> None:
    title = f"Validation of the {subject}"
    page = store("validations", ".html", lambda path: path.write_text(html_page(report, title=title), "utf-8"))
    create_markdown_artifact(
        key=artifact_key(run.pipeline, KINDS[subject]),
        markdown=f"{markdown_summary(report)}\nThe same as a page of its own: `{page.path}`\n",
        description=title,
    )


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
