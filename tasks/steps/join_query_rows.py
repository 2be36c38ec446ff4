"""Application: query rows joined by a program, partition by partition, and put together."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from prefect import get_run_logger, task

from fuzzyjoin import DataError, Program
from fuzzyjoin.compare import Tally
from fuzzyjoin.files import write_parquet
from fuzzyjoin.index import whole_estimate
from fuzzyjoin.joining import drift_warnings
from fuzzyjoin.program import CurvePoint, curve_frame
from tasks.handles import InputHandle, PartHandle, ProgramHandle, ResultHandle
from tasks.orchestration.partition_runner import is_lost, partition_runner
from tasks.orchestration.result_cache import cached, is_kept, kept_ranges
from tasks.orchestration.run_progress import shown_progress
from tasks.steps.index_reference_table import index_to_join
from tasks.steps.join_partition import join_partition, partitions_of
from tasks.store.named_files import FileHandle, checked, store_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prefect.futures import PrefectFuture

    from tasks.handles import IndexHandle

__all__ = ["join_query_rows", "put_together"]


def join_query_rows(
    program: ProgramHandle,
    reference: InputHandle,
    query: InputHandle,
    partition_rows: int,
    learned_on: IndexHandle | None = None,
) -> ResultHandle:
    """Join the query rows by a program, at most `partition_rows` at a time, by an index of the reference table.

    The index that a program was `learned_on` in this run is taken where it holds what this one needs. Every step is a
    task whose result is kept: a run after one that broke off joins the rows that are left, whatever `partition_rows`
    was then.
    """
    index = index_to_join(program, reference, query.table.rows, learned_on)
    parts = _joined(program, index, query, partition_rows)
    return cached(put_together)(program, parts)


@task(name="put together", task_run_name="put together")
def put_together(program: ProgramHandle, parts: list[PartHandle]) -> ResultHandle:
    """Make one result of the parts of all partitions, given in order."""
    return _kept(Program.load(checked(program.file)), parts)


def _joined(program: ProgramHandle, index: IndexHandle, query: InputHandle, partition_rows: int) -> list[PartHandle]:
    """The parts of all partitions, in order. One that fails leaves the others to be finished and kept."""
    joining = cached(join_partition)
    inputs = {"program": program, "index": index, "query": query}
    ranges = partitions_of(query.table.rows, partition_rows, kept_ranges(joining, inputs))
    asked = [{**inputs, "start": start, "stop": stop} for start, stop in ranges]
    left = sum(not is_kept(joining, inputs) for inputs in asked)
    get_run_logger().info("%s query rows in %s partitions, %s of them to be joined", query.table.rows, len(asked), left)
    parts, failed = [], []
    with shown_progress("joining") as progress, partition_runner(left) as runner:
        futures = [runner.submit(joining, inputs) for inputs in asked]
        for done, (future, rows) in enumerate(zip(futures, ranges, strict=True), start=1):
            try:
                parts.append(_part(future, rows))
            except Exception as error:  # noqa: BLE001 - raised below, once the others are done
                failed.append(error)
            progress(f"{done} of {len(asked)} partitions", done / len(asked))
    if failed:
        raise failed[0]
    return parts


def _part(future: PrefectFuture[Any], rows: tuple[int, int]) -> PartHandle:
    try:
        part: PartHandle = future.result()
    except Exception as error:
        if not is_lost(error):
            raise
        raise DataError(
            f"{rows[1] - rows[0]:,} of the query rows: every process that joined them was killed, which usually means "
            "too little memory; lower conduct.partition_rows, or give the workers more, and run again: finished "
            "partitions are kept"
        ) from None
    return part


def _kept(program: Program, parts: Sequence[PartHandle]) -> ResultHandle:
    matches, unmatched = (
        store_file("matches", ".parquet", partial(_write_together, [getattr(part, name) for part in parts]))
        for name in ("matches", "unmatched")
    )
    curve = curve_frame(program, [[CurvePoint(*point) for point in part.curve] for part in parts])
    matched, unmatched_rows = (
        sum(getattr(part, f"{name}_rows") for part in parts) for name in ("matched", "unmatched")
    )
    seconds: Counter[str] = Counter()
    for part in parts:
        seconds.update(part.seconds)
    return ResultHandle(
        program_id=program.program_id,
        matches=matches,
        unmatched=unmatched,
        curve=store_file("matches", ".parquet", partial(curve.to_parquet, index=False)),
        precision_estimate=whole_estimate(
            program,
            [None if part.tally is None else Tally(*part.tally) for part in parts],
            (pq.read_table(part.matches.path, columns=["precision_estimate"])[0].to_numpy() for part in parts),
        ),
        matched_rows=matched,
        unmatched_rows=unmatched_rows,
        warnings=(*parts[0].warnings, *drift_warnings(program.learning_record, matched + unmatched_rows, matched)),
        seconds=dict(seconds),
    )


def _write_together(handles: Sequence[FileHandle], path: Path) -> None:
    """Write the parts behind each other: the same bytes wherever one ends and the next begins."""
    files = [checked(handle) for handle in handles]
    write_parquet(lambda: (pq.read_table(file) for file in files), path)
