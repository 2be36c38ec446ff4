"""Partitions of a query table: the task that joins one of them by an index.

A row's match depends on the program, the reference table and that row alone, so it does not matter where one partition
ends and the next begins, nor which process joins it, nor how often.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from fuzzyjoin import DataError, Matcher
from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.index import most_rows, query_table, uncovered
from fuzzyjoin.program import JoinResult, curve_points
from fuzzyjoin.stopwatch import Stopwatch
from tasks.handles import IndexHandle, InputHandle, PartHandle, ProgramHandle
from tasks.ingestion import load_rows
from tasks.orchestration.partition_runner import threads_a_partition
from tasks.orchestration.plain_errors import log_errors_plainly
from tasks.store.folders import STORAGE_VARIABLE
from tasks.store.named_files import checked, store_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from prefect.client.schemas.objects import State, TaskRun

__all__ = ["join_partition", "partitions_of"]

# A worker imports no flow, and logs as the flows do.
log_errors_plainly()


class _Opened(threading.local):
    """The matcher that a thread used last: kept open, because the next partition is mostly of the same join."""

    key: tuple[str, str] | None = None
    matcher: Matcher


_opened = _Opened()


def partitions_of(rows: int, most: int, kept: Iterable[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Row ranges that cover a table: those that were joined before, and between them ranges of at most so many rows.

    What lies between is cut into ranges of equal size or one row less. Of ranges that were joined before and overlap
    those are taken that cover most.

    >>> partitions_of(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    >>> partitions_of(4, 4)
    [(0, 4)]
    >>> partitions_of(20, 4, [(0, 6), (6, 12), (8, 9)])
    [(0, 6), (6, 12), (12, 16), (16, 20)]
    """
    known = most_rows((start, stop) for start, stop in kept if 0 <= start < stop <= rows)
    cut = []
    for first, last in uncovered(known, 0, rows):
        size = last - first
        count = -(-size // most)
        cut += [(first + size * place // count, first + size * (place + 1) // count) for place in range(count)]
    return sorted([*known, *cut]) or [(0, 0)]


def _can_help(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Whether joining the partition again can help: not if its data, or a file, are not as they must be."""
    return not isinstance(state.result(raise_on_failure=False), FuzzyJoinError)


@task(
    name="join partition",
    task_run_name="join rows {start} to {stop}",
    retries=2,
    retry_delay_seconds=[1, 10],
    retry_condition_fn=_can_help,
)
def join_partition(program: ProgramHandle, index: IndexHandle, query: InputHandle, start: int, stop: int) -> PartHandle:
    """Join the query rows from position `start` up to `stop`, itself left out, by an index."""
    watch = Stopwatch()
    with watch.stage("tables"):
        matcher = _matcher(program, index)
        table, _ = query_table(matcher.program, load_rows(query.table, start, stop), query.id_column)
    decisions = matcher.decide(table, watch)
    result = JoinResult.of(matcher.program, decisions, watch, matcher.warnings)
    with watch.stage("curve"):
        curve = curve_points(matcher.program, decisions.candidates)
    with watch.stage("parts"):
        matches, unmatched = (
            store_file("partitions", ".parquet", partial(_write, frame)) for frame in (result.matches, result.unmatched)
        )
    tally = decisions.matches.tally
    return PartHandle(
        matches=matches,
        unmatched=unmatched,
        matched_rows=len(result.matches),
        unmatched_rows=len(result.unmatched),
        tally=None if tally is None else (tally.mass, tally.pairs),
        curve=tuple((point.matched, point.mass, point.pairs) for point in curve),
        warnings=result.warnings,
        seconds=result.seconds,
    )


def _matcher(program: ProgramHandle, index: IndexHandle) -> Matcher:
    key = index.path, program.file.content_hash
    if _opened.key != key:
        if not Path(index.path).is_dir():
            raise DataError(
                f"{index.path}: the index is not there; all workers must see the same folder under the path that "
                f"{STORAGE_VARIABLE} names: mount it, or run again if it was cleaned"
            )
        _opened.key = None
        _opened.matcher = Matcher.open(index.path, checked(program.file), threads=threads_a_partition())
        _opened.key = key
    return _opened.matcher


def _write(frame: pd.DataFrame, path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None), path)
