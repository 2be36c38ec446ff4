"""Matches into the warehouse: the task that writes them with the run's end, wholly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import DataError, PrecisionEstimate
from tasks.ingestion import load_snapshot
from tasks.orchestration.credentials import opened_warehouse
from tasks.run.masking import shown_texts
from tasks.store.named_files import load_frame
from tasks.warehouse.errors import WarehouseUnreachableError
from tasks.warehouse.joined_tables import JoinedTable
from tasks.warehouse.matches import Changes, RunResult, write_matches
from tasks.warehouse.query_rows import row_hashes
from tasks.warehouse.schema import EVIDENCE

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun

    from tasks.handles import InputHandle, ProgramHandle, ResultHandle, RunHandle
    from tasks.settings import Privacy
    from tasks.warehouse.matches import Covers

__all__ = ["close_matches", "materialise_matches"]


def _can_help(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Whether writing again can help: only if nothing was begun."""
    return isinstance(state.result(raise_on_failure=False), WarehouseUnreachableError)


@task(
    name="materialise",
    task_run_name="materialise",
    retries=3,
    retry_delay_seconds=[2, 10, 60],
    retry_condition_fn=_can_help,
    cache_policy=NO_CACHE,
)
def materialise_matches(
    run: RunHandle,
    result: ResultHandle,
    reference: InputHandle,
    query: InputHandle,
    *,
    covers: Covers = "all",
    gone: tuple[str, ...] = (),
) -> Changes:
    """Write the matches of the query rows looked at, why the others have none, and that the run has succeeded.

    Parameters
    ----------
    run, result
        The run, and what it found.
    reference, query
        What it was found on.
    covers
        What was looked at: see `tasks.warehouse.matches.RunResult`.
    gone
        With "changes", the query rows that are no longer there.
    """
    looked_at = load_snapshot(query.table)
    matched, unmatched = load_frame(result.matches), load_frame(result.unmatched)
    if run.privacy.evidence == "shown columns only":
        matched = _redacted(matched, run, query=query, reference=reference)
        unmatched = _redacted(unmatched, run, query=query, best_reference=reference)
    outcome = RunResult(
        program_id=result.program_id,
        matched=matched,
        unmatched=unmatched,
        precision_estimate=result.precision_estimate,
        covers=covers,
        gone=gone,
        row_hashes=row_hashes(looked_at, query.id_column, query.columns_read),
        joined=_joined(run, reference, query),
    )
    with opened_warehouse(run.warehouse) as engine:
        return write_matches(engine, run.run_id, outcome, at=datetime.now(UTC))


@task(name="close matches", task_run_name="close matches", cache_policy=NO_CACHE)
def close_matches(
    run: RunHandle,
    program: ProgramHandle,
    reference: InputHandle,
    query: InputHandle,
    *,
    covers: Covers = "changes",
    gone: tuple[str, ...] = (),
) -> Changes:
    """Close what is held of deleted query rows where no other row has to be looked at; the run has succeeded.

    A joined table is published all the same: other columns than the compared ones may have changed.
    """
    nothing = pd.DataFrame(columns=["query_id", "reference_id", *EVIDENCE, "reason"], dtype=object)
    outcome = RunResult(
        program_id=program.program_id,
        matched=nothing,
        unmatched=nothing,
        precision_estimate=PrecisionEstimate(),
        covers=covers,
        gone=gone,
        joined=_joined(run, reference, query),
    )
    with opened_warehouse(run.warehouse) as engine:
        return write_matches(engine, run.run_id, outcome, at=datetime.now(UTC))


def _joined(run: RunHandle, reference: InputHandle, query: InputHandle) -> JoinedTable | None:
    """What the run publishes: of both tables, the columns that the warehouse may keep."""
    if not run.publish.joined:
        return None
    return JoinedTable(
        name=run.publish.joined,
        query=_kept(query, run.privacy),
        reference=_kept(reference, run.privacy),
        query_id=query.id_column,
        reference_id=reference.id_column,
    )


def _kept(table: InputHandle, privacy: Privacy) -> pd.DataFrame:
    if table.whole is None:
        raise DataError(f"the {table.role} table was not kept as a whole, so it cannot be published; run again")
    frame = load_frame(table.whole)
    if privacy.evidence == "all compared columns":
        return frame
    return frame[[name for name in frame.columns if name == table.id_column or name in privacy.shown_columns]]


def _redacted(found: pd.DataFrame, run: RunHandle, **sides: InputHandle) -> pd.DataFrame:
    """A result's frame with those values alone that may be shown; each side names its columns and its table."""
    texts = {f"{side}_text": found[f"{side}_id"].map(shown_texts(table, run.privacy)) for side, table in sides.items()}
    return found.assign(**texts)
