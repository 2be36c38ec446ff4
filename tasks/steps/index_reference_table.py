"""The index of a reference table for a program: the one place where the pipeline gets one.

An index stands in the storage folder under the name of what it is made of (see `fuzzyjoin.index_reference`), so that
every run, pipeline and worker that needs the same one finds it there. After some rows of the reference table changed,
the new index is made of the one that the last run left (see `fuzzyjoin.update_index`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd
from prefect import get_run_logger, task

from fuzzyjoin import DataError, Matcher, Program, UsageError, index_reference, update_index
from fuzzyjoin.index import find_index, is_index, reference_table, remove_index
from tasks.handles import IndexHandle, InputHandle, ProgramHandle
from tasks.ingestion import load_snapshot
from tasks.orchestration.result_cache import cached
from tasks.orchestration.run_progress import shown_progress
from tasks.store.folders import storage_folder
from tasks.store.named_files import checked

if TYPE_CHECKING:
    from fuzzyjoin.tables import KeyTable

__all__ = ["index_folder", "index_reference_table", "sound_index"]

FEWEST_KEPT: Final = 0.5
"""Share of the rows that two reference tables must have in common, or the index is built from nothing."""

TOUCHED_A_ROW: Final = 20
"""About how many reference rows a query row touches: if all together are fewer than there are, not all are prepared."""


def index_folder() -> Path:
    """Where the indexes are kept."""
    return storage_folder() / "indexes"


def sound_index(program: ProgramHandle, reference: InputHandle, query_rows: int) -> IndexHandle:
    """The index of the reference table for a program, kept or made; one that was damaged since is made again."""
    indexing = cached(index_reference_table)
    index = indexing(program, reference, query_rows)
    if _removed_if_damaged(Path(index.path), Program.load(checked(program.file))):
        index = indexing(program, reference, query_rows)
    return index


@task(name="index reference", task_run_name="index reference")
def index_reference_table(program: ProgramHandle, reference: InputHandle, query_rows: int) -> IndexHandle:
    """Make the index of the reference table for a program, unless it is there, to join so many query rows by it."""
    loaded = Program.load(checked(program.file))
    frame = load_snapshot(reference.table)
    table, _ = reference_table(loaded, frame, reference.id_column)
    path = find_index(index_folder(), loaded, table)
    with shown_progress("indexing the reference table") as progress:
        _removed_if_damaged(path, loaded)
        if not is_index(path):
            _make_of_an_earlier(loaded, frame, table)
        if not is_index(path) or query_rows * TOUCHED_A_ROW >= table.rows_in_all:
            index_reference(loaded, frame, index_folder(), id=reference.id_column, progress=progress)
    # As young as its last use: what nobody uses is deleted by age.
    os.utime(path)
    return IndexHandle(path=str(path))


def _removed_if_damaged(path: Path, program: Program) -> bool:
    """Remove an index that cannot be read; whether that was so. It only saves work, and is no reason to end a run."""
    if not is_index(path):
        return False
    try:
        Matcher.open(path, program)
    except DataError as error:
        get_run_logger().warning("a damaged index is removed and made again: %s", error)
        remove_index(path)
        return True
    return False


def _make_of_an_earlier(program: Program, frame: pd.DataFrame, table: KeyTable) -> None:
    """Make the index of the one that was used last and shares enough rows, if there is one."""
    rows = _rows(table.whole())
    for path in _latest_first():
        try:
            earlier = Matcher.open(path, program).side.table.whole()
        except UsageError:
            # Of a program that needs another.
            continue
        except DataError as error:
            # It only saves work: an index that cannot be read, or is just deleted, is no reason to end the run.
            get_run_logger().warning("an earlier index is passed over: %s", error)
            continue
        if earlier.id_column != table.id_column:
            continue
        held = _rows(earlier)
        kept = rows.merge(held)["id"]
        if len(kept) < FEWEST_KEPT * len(rows):
            continue
        append = frame[~frame[table.id_column].isin(kept)]
        delete = held["id"][~held["id"].isin(kept)]
        update_index(path, program, append=append, delete=delete)
        get_run_logger().info(
            "the index was made of an earlier one: %s rows appended, %s deleted, %s taken over",
            f"{len(append):,}",
            f"{len(delete):,}",
            f"{len(kept):,}",
        )
        return


def _latest_first() -> list[Path]:
    """The indexes, the one that was used last first; what is being built or deleted has a name with a dot."""
    used = []
    for path in index_folder().glob("[!.]*"):
        # Another run's clean-up may be faster.
        with suppress(FileNotFoundError):
            used.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(used, reverse=True)]


def _rows(table: KeyTable) -> pd.DataFrame:
    """Id and compared texts of every row."""
    return pd.DataFrame({"id": list(table.id_texts()), **{str(n): list(c) for n, c in enumerate(table.columns)}})
