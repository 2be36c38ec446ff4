"""What a run has become, in words: for who started it at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.credentials import opened_warehouse
from tasks.storage import storage_folder
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import LOOKED_AT, audit_run

if TYPE_CHECKING:
    from tasks.settings import Warehouse
    from tasks.warehouse.run_audit import RunAudit

__all__ = ["run_in_words"]


def run_in_words(run_id: str, warehouse: Warehouse) -> str:
    """What a run did, how sure it is, and where to look; several lines."""
    with opened_warehouse(warehouse) as engine:
        with reading(engine) as connection:
            run = audit_run(connection, run_id)
        place = shown(engine)
    return "\n".join(
        [
            f"Run {run.run_id} of pipeline {run.pipeline} has {run.status}.",
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
    estimate = run.current_estimate_in_words()
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
