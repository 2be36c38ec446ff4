"""Validation of the inputs: the task that asks what is expected of both tables, and records the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.ingestion import load_snapshot
from tasks.orchestration.credentials import opened_warehouse
from tasks.run.validation_report import as_recorded, publish_report
from tasks.store.named_files import checked
from tasks.validation import ValidationReport, validate_input
from tasks.warehouse.connection import reading
from tasks.warehouse.last_run import last_success
from tasks.warehouse.runs import InputState, record_inputs, record_validations

if TYPE_CHECKING:
    from tasks.handles import InputHandle, RunHandle
    from tasks.settings import Checks

__all__ = ["validate_inputs"]


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
        record_validations(engine, run.run_id, as_recorded(report), at=datetime.now(UTC))
    publish_report(run, "inputs", report)
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
