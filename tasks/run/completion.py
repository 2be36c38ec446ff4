"""A run's success: recorded, and told to whoever looks at the flow run's state or started it at a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from prefect.states import Completed

from tasks.orchestration.credentials import opened_warehouse
from tasks.store.folders import storage_folder
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import LOOKED_AT, audit_run, estimate_of_all_in_words
from tasks.warehouse.runs import end_run

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from tasks.handles import ProgramHandle, RunHandle
    from tasks.settings import Warehouse
    from tasks.warehouse.run_audit import RunAudit

__all__ = ["completed", "completed_without_matches", "run_in_words"]


def completed(run: RunHandle, *, told: str = "", warnings: int = 0) -> str:
    """What a flow returns: the run's id, with what came of the run as the message of the flow run's state.

    Parameters
    ----------
    run
        A run that has ended.
    told
        What came of it if it wrote no matches.
    warnings
        How many warnings there are besides the soft expectations that were not met.
    """
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        result = audit_run(connection, run.run_id).result(more_warnings=warnings)
    state: State[Any] = Completed(data=run.run_id, message=", ".join(part for part in (told, result) if part) or None)
    # Whoever calls the flow gets the state's data.
    return cast("str", state)


def completed_without_matches(run: RunHandle, program: ProgramHandle, *, told: str) -> str:
    """Record the success of a run that writes no matches; what its flow returns.

    Parameters
    ----------
    run
        A run that goes on.
    program
        The program that it learned or would have used.
    told
        What came of it instead.
    """
    with opened_warehouse(run.warehouse) as engine:
        end_run(engine, run.run_id, program_id=program.program_id, at=datetime.now(UTC))
    return completed(run, told=told)


def run_in_words(run_id: str, warehouse: Warehouse) -> str:
    """What a run did, how sure it is, and where to look; several lines."""
    with opened_warehouse(warehouse) as engine:
        with reading(engine) as connection:
            run = audit_run(connection, run_id)
        place = shown(engine)
    return "\n".join(
        [
            f"Run {run.run_id} of pipeline {run.pipeline} {run.outcome()}.",
            *_matches(run),
            *run.checks_in_words(passed=False),
            run.program_in_words or "It used no program.",
            "",
            f"Warehouse: {place}",
            "  the matches that hold now:   SELECT * FROM fuzzyjoin_current_matches",
            "  every match with its reason: SELECT * FROM fuzzyjoin_match_audit",
            f"Snapshots, programs and validation pages: {storage_folder()}",
            "What to do next, with the same FUZZYJOIN_… variables:",
            f"  why is a row joined as it is?     python -m tasks.warehouse why {run.pipeline} QUERY_ID",
            f"  all that is known about the run:  python -m tasks.warehouse run {run.run_id}",
            f"  would it decide the same again?   python -m tasks.warehouse replay {run.run_id}",
            "",
        ]
    )


def _matches(run: RunAudit) -> list[str]:
    """What the run found, if it wrote matches."""
    if run.covers is None:
        return [f"It read {run.reference_rows:,} reference and {run.query_rows:,} query rows, and wrote no matches."]
    estimate = estimate_of_all_in_words(run)
    target = "" if run.learned_precision_target is None else f", the target was {run.learned_precision_target:g}"
    return [
        f"It read {run.reference_rows:,} reference and {run.query_rows:,} query rows.",
        (
            f"It looked at {LOOKED_AT[run.covers]}: {run.matches_opened:,} matches opened, {run.matches_closed:,} "
            f"closed, {run.matches_unchanged:,} unchanged, {run.query_rows_unmatched:,} rows unmatched."
        ),
        f"Matches that hold now: {run.matches_current:,}; estimated precision {estimate}{target}.",
        *run.estimate_of_its_rows(),
    ]
