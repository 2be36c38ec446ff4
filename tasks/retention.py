"""Files that nobody needs any more: the task that deletes old snapshots and what was kept to save work."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.credentials import opened_warehouse
from tasks.ingestion import delete_old_snapshots
from tasks.storage import LEFTOVER, snapshot_folder, storage_folder
from tasks.warehouse.connection import reading
from tasks.warehouse.retention import needed_snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.handles import RunHandle

__all__ = ["delete_old_files"]

# A result names files of the other kinds, so results go first: none is left that names a deleted file.
SAVED_WORK: Final = ("results", "matches", "partitions", "indexes", "parts")
# Of these only what a killed process has left half-written.
KEPT: Final = ("programs", "validations")


@task(name="delete old files", task_run_name="delete old files", cache_policy=NO_CACHE)
def delete_old_files(run: RunHandle, keep_days: int) -> int:
    """Delete snapshots that only old runs of the pipeline read, and work that was saved as long ago; how many of them.

    0 days keep everything. Programs and validation pages stay: they are small, and part of the record.
    """
    if not keep_days:
        return 0
    age = timedelta(days=keep_days)
    before = datetime.now(UTC) - age
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        needed = needed_snapshots(connection, run.pipeline, before=before)
    deleted = len(delete_old_snapshots(snapshot_folder(), older_than=age, keep=needed))
    saved = [path for kind in SAVED_WORK for path in sorted((storage_folder() / kind).glob("*"))]
    left = [path for kind in KEPT for path in sorted((storage_folder() / kind).glob(LEFTOVER))]
    return deleted + sum(_deleted(path, before) for path in [*saved, *left])


def _deleted(path: Path, before: datetime) -> bool:
    try:
        old = path.stat().st_mtime < before.timestamp()
        if old and path.is_dir():
            # An index is a folder; who has it open keeps its files until the end.
            shutil.rmtree(path)
        elif old:
            path.unlink()
    except FileNotFoundError:
        # Another run's clean-up was faster.
        return False
    return old
