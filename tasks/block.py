"""Blocking: the task that finds the candidate pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from fuzzyjoin import block_tables
from tasks.ingestion import load_snapshot
from tasks.progress import shown_progress
from tasks.storage import FileHandle, store

if TYPE_CHECKING:
    from tasks.handles import InputHandle
    from tasks.settings import Method, Space

__all__ = ["find_candidate_pairs"]


@task(name="block", task_run_name="block")
def find_candidate_pairs(reference: InputHandle, query: InputHandle, method: Method, space: Space) -> FileHandle:
    """Find the candidate pairs of two tables that a search looks at (see `fuzzyjoin.block_tables`)."""
    with shown_progress("blocking") as progress:
        pairs = block_tables(
            load_snapshot(reference.table),
            load_snapshot(query.table),
            list(zip(reference.columns, query.columns, strict=True)),
            id=(reference.id_column, query.id_column),
            method=method,
            space=space,
            progress=progress,
        )
    return store("pairs", ".parquet", pairs.save)
