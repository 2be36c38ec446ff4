"""The index of a reference table: the one place where the pipeline gets one, to learn on and to join by.

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

from fuzzyjoin import DataError, Program, UsageError
from fuzzyjoin.index import (
    IndexNeeds,
    change_index,
    find_index,
    is_index,
    open_index,
    prepare_index,
    reference_table,
    remove_index,
)
from fuzzyjoin.tables import found_placeholders, placeholder_notes
from fuzzyjoin.terminal import for_terminal
from fuzzyjoin.threads import choose_work
from tasks.handles import IndexHandle, InputHandle, ProgramHandle
from tasks.ingestion import distinct_rows, load_snapshot
from tasks.orchestration.result_cache import cached
from tasks.orchestration.run_progress import shown_progress
from tasks.steps.compared_rows import compared_rows
from tasks.store.folders import storage_folder
from tasks.store.named_files import checked

if TYPE_CHECKING:
    from fuzzyjoin.tables import KeyTable, Missing
    from fuzzyjoin.threads import Work
    from tasks.settings import Search

__all__ = ["index_folder", "index_reference_table", "index_to_join", "index_to_learn"]

FEWEST_KEPT: Final = 0.5
"""Share of the rows that two reference tables must have in common, or the index is built from nothing."""

TOUCHED_A_ROW: Final = 20
"""About how many reference rows a query row touches: if all together are fewer than there are, not all are prepared."""


def index_folder() -> Path:
    """Where the indexes are kept."""
    return storage_folder() / "indexes"


def index_to_learn(reference: InputHandle, query: InputHandle, search: Search, query_rows: int) -> IndexHandle:
    """The index of the reference table to learn a program on, and to look up so many query rows by.

    It knows which texts of the compared columns are read as missing, in both tables.
    """
    missing = () if search.keep_placeholders else _placeholders(reference, query)
    blocking = search.learning_settings().blocking(_distinct_rows(reference, missing))
    needs = IndexNeeds.to_learn(reference.columns, *blocking, missing, reference.equal)
    return _sound_index(needs, reference, query_rows)


def _placeholders(reference: InputHandle, query: InputHandle) -> Missing:
    frames = load_snapshot(reference.table), load_snapshot(query.table)
    pairs = list(zip(reference.columns_read, query.columns_read, strict=True))
    missing = found_placeholders(*frames, pairs)
    for note in placeholder_notes(*frames, pairs, missing):
        get_run_logger().warning("%s", for_terminal(note))
    return missing


def _distinct_rows(reference: InputHandle, missing: Missing) -> int:
    if not missing and not reference.equal:
        return distinct_rows(reference.table, reference.columns)
    return len(compared_rows(reference, missing).distinct())


def index_to_join(
    program: ProgramHandle, reference: InputHandle, query_rows: int, learned_on: IndexHandle | None = None
) -> IndexHandle:
    """The index of the reference table to join so many query rows by: the one of the learning, if that will do."""
    needs = IndexNeeds.of(Program.load(checked(program.file)).definition)
    if learned_on is not None and learned_on.blocks == needs and not _removed_if_damaged(Path(learned_on.path), needs):
        return learned_on
    return _sound_index(needs, reference, query_rows)


def _sound_index(needs: IndexNeeds, reference: InputHandle, query_rows: int) -> IndexHandle:
    """An index, kept or made; one that was damaged since is made again."""
    indexing = cached(index_reference_table)
    index = indexing(needs, reference, query_rows)
    if _removed_if_damaged(Path(index.path), needs):
        index = indexing(needs, reference, query_rows)
    return index


@task(name="index reference", task_run_name="index reference")
def index_reference_table(needs: IndexNeeds, reference: InputHandle, query_rows: int) -> IndexHandle:
    """Make an index of the reference table, unless it is there, to look up so many query rows by it."""
    frame = load_snapshot(reference.table)
    table, _ = reference_table(needs, frame, reference.id_column)
    path = find_index(index_folder(), needs, table)
    with shown_progress("indexing the reference table") as progress:
        work = choose_work(None, progress)
        _removed_if_damaged(path, needs)
        if not is_index(path):
            _make_of_an_earlier(needs, frame, table, work)
        many = query_rows * TOUCHED_A_ROW >= table.rows_in_all
        prepare_index(index_folder(), needs, table, work, all_neighbours=many)
    # As young as its last use: what nobody uses is deleted by age.
    os.utime(path)
    return IndexHandle(path=str(path), blocks=needs.to_block())


def _removed_if_damaged(path: Path, needs: IndexNeeds) -> bool:
    """Remove an index that cannot be read; whether that was so. It only saves work, and is no reason to end a run."""
    if not is_index(path):
        return False
    try:
        open_index(path, needs)
    except DataError as error:
        get_run_logger().warning("a damaged index is removed and made again: %s", error)
        remove_index(path)
        return True
    return False


def _make_of_an_earlier(needs: IndexNeeds, frame: pd.DataFrame, table: KeyTable, work: Work) -> None:
    """Make the index of the one that was used last and shares enough rows, if there is one."""
    rows = _rows(table.whole())
    for path in _latest_first():
        try:
            earlier = open_index(path, needs).table.whole()
        except UsageError:
            # It holds something else.
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
        change_index(path, needs, append=append, delete=delete, work=work)
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
    """Id, compared texts and values that must be equal of every row."""
    columns = enumerate((*table.columns, *table.rule_columns))
    return pd.DataFrame({"id": list(table.id_texts()), **{str(n): list(column) for n, column in columns}})
