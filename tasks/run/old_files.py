"""Files that nobody needs any more: the task that deletes old snapshots and what was kept to save work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.ingestion import delete_old_snapshots
from tasks.orchestration.credentials import opened_warehouse
from tasks.store.folders import snapshot_folder
from tasks.store.saved_work import delete_saved_work
from tasks.warehouse.connection import reading
from tasks.warehouse.needed_snapshots import needed_snapshots

if TYPE_CHECKING:
    from tasks.handles import RunHandle

__all__ = ["delete_old_files"]


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
    return deleted + delete_saved_work(before.timestamp())
