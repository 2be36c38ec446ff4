"""What a run has become, in words: for who started it at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.credentials import opened_warehouse
from tasks.storage import storage_folder
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import audit_run

if TYPE_CHECKING:
    from tasks.settings import Warehouse

__all__ = ["run_in_words"]


def run_in_words(run_id: str, warehouse: Warehouse) -> str:
    """What a run did, how sure it is, and where to look; several lines."""
    with opened_warehouse(warehouse) as engine:
        with reading(engine) as connection:
            run = audit_run(connection, run_id)
        place = shown(engine)
    return "\n".join(
        [
            run.in_words(),
            "",
            f"Warehouse: {place}",
            "  matches that hold now: SELECT * FROM fuzzyjoin_current_matches",
            "  every match with its evidence, run and program: SELECT * FROM fuzzyjoin_match_audit",
            f"Snapshots, programs and validation pages: {storage_folder()}",
            f"Why is a row joined as it is? python -m tasks.warehouse why {run.pipeline} QUERY_ID",
            f"Would it be joined so again?  python -m tasks.warehouse replay {run.run_id}",
            "",
        ]
    )
