"""Validation of the matches: the task that asks what is expected of them, and records the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.ingestion import load_snapshot
from tasks.orchestration.credentials import opened_warehouse
from tasks.run.validation_report import as_recorded, publish_report
from tasks.store.named_files import load_frame
from tasks.validation import validate_output
from tasks.warehouse.connection import reading
from tasks.warehouse.last_run import last_success
from tasks.warehouse.runs import record_validations

if TYPE_CHECKING:
    from tasks.handles import InputHandle, ResultHandle, RunHandle
    from tasks.settings import Checks

__all__ = ["validate_matches"]


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
        record_validations(engine, run.run_id, as_recorded(report), at=datetime.now(UTC))
    publish_report(run, "matches", report)
    report.raise_on_hard_failures()
