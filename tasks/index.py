"""The index of a reference table for a program: the one place where the pipeline gets one.

An index stands in the storage folder under the name of what it is made of (see `fuzzyjoin.index_reference`), so that
every run, pipeline and worker that needs the same one finds it there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prefect import task

from fuzzyjoin import index_reference
from tasks.handles import IndexHandle, InputHandle, ProgramHandle
from tasks.ingestion import load_snapshot
from tasks.progress import shown_progress
from tasks.storage import checked, storage_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["index_folder", "index_reference_table"]


def index_folder() -> Path:
    """Where the indexes are kept."""
    return storage_folder() / "indexes"


@task(name="index reference", task_run_name="index reference")
def index_reference_table(program: ProgramHandle, reference: InputHandle) -> IndexHandle:
    """Make the index of the reference table for a program, unless it is there (see `fuzzyjoin.index_reference`)."""
    with shown_progress("indexing the reference table") as progress:
        path = index_reference(
            checked(program.file),
            load_snapshot(reference.table),
            index_folder(),
            id=reference.id_column,
            progress=progress,
        )
    # As young as its last use: what nobody uses is deleted by age.
    os.utime(path)
    return IndexHandle(path=str(path))
