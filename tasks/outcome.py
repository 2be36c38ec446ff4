"""What a run has become, in words: for who started it at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.credentials import opened_warehouse
from tasks.storage import storage_folder
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import describe_run

if TYPE_CHECKING:
    from tasks.settings import Warehouse

__all__ = ["run_in_words"]


def run_in_words(run_id: str, warehouse: Warehouse) -> str:
    """What a run found, how sure it is, and where to look."""
    return f"run {run_id}\n"
