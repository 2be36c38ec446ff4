"""Joining in partitions: the pipeline's join by the threads of one process and by Dask processes, beside the library's.

The tables are enlarged (see `benchmarks._enlarged`), the program is learned on a sample of the queries, and the index
of the reference table is built beforehand. "library" is one call without the orchestrator. The other rows are flow runs
on a real Prefect server that is started for them, each in a process of its own, in which nothing is loaded or kept from
before; what Dask's processes take to start, to load the library and to end is counted. "of threads" is the seconds
divided by those of the threads with the same partitions, "CPU s" are those of all processes of the run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Column, apart, peak_memory_mb, print_table, say, write_json
from benchmarks.blocking_speed import pooled_titles
from fuzzyjoin import Matcher, Program, index_reference, learn_program
from fuzzyjoin.index import IndexNeeds
from tests.prefect_server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["main"]

CHECKOUT: Final = Path(__file__).parents[1]
LEARNED_ON: Final = 5000
"""Query rows that the program is learned on."""

TABLE: Final = (
    Column("by", "by", 16),
    Column("partitions", "partitions", 10, ",d"),
    Column("matched", "matched", 9, ",d"),
    Column("seconds", "seconds", 8, ".1f"),
    Column("of threads", "ratio", 10, ".2f"),
    Column("CPU s", "cpu", 8, ".1f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
    Column("same matches", "same", 12),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Start a server, join with every number of partitions and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.partitions", description=__doc__)
    parser.add_argument("--reference", type=int, default=165_000, metavar="N", help="rows; default: 165000")
    parser.add_argument("--queries", type=int, default=150_000, metavar="N", help="rows; default: 150000")
    parser.add_argument("--partition-rows", nargs="+", type=int, default=[150_000, 20_000, 5_000], metavar="N")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="of Dask; default: 2")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = f"sqlite+aiosqlite:///{home}/prefect.db"
        with prefect_server(home, checkout=CHECKOUT, database_url=database) as server:
            os.environ.update(server.environment, FUZZYJOIN_STORAGE=f"{home}/storage", PREFECT_LOGGING_LEVEL="WARNING")
            given = apart(_prepared, titles, arguments.reference, arguments.queries)
            say(f"index of {arguments.reference:,} rows: {given['index_seconds']:.1f} s")
            rows = print_table(TABLE, _rows(home / "storage", given, arguments))
    write_json(arguments.json, {"index_seconds": given["index_seconds"], "partitions": rows})


def _rows(storage: Path, given: dict[str, Any], arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    first = apart(_by_library, given)
    yield first
    for partition_rows in arguments.partition_rows:
        threads = None
        for processes in (0, arguments.processes):
            for kind in ("results", "partitions", "matches"):
                shutil.rmtree(storage / kind, ignore_errors=True)
            if processes and partition_rows >= arguments.queries:
                # One partition is joined by threads in any case.
                continue
            row = apart(_by_flow, given, partition_rows, processes)
            threads = threads or row["seconds"]
            same = "yes" if row["digest"] == first["digest"] else "no"
            yield {**row, "ratio": row["seconds"] / threads, "same": same}


def _prepared(titles: list[str], reference_rows: int, queries: int) -> dict[str, Any]:
    """Keep both tables, the program and the index in the storage folder; their handles."""
    from tasks.handles import IndexHandle, InputHandle, ProgramHandle  # noqa: PLC0415 - after the server's address
    from tasks.ingestion import load_snapshot, write_snapshot  # noqa: PLC0415 - as above
    from tasks.steps.index_reference_table import index_folder  # noqa: PLC0415 - as above
    from tasks.store.folders import snapshot_folder  # noqa: PLC0415 - as above
    from tasks.store.named_files import store_file  # noqa: PLC0415 - as above

    reference = enlarged_reference(titles, reference_rows)
    query = enlarged_queries(reference, queries)
    program = learn_program(reference, query.head(LEARNED_ON), on="title")
    say(f"program {program.program_id}, joins: {program.reachable}")
    inputs = {
        role: InputHandle(
            role=role,  # type: ignore[arg-type] (one of the two)
            table=write_snapshot(frame, snapshot_folder()),
            id_column="id",
            columns=("title",),
        )
        for role, frame in (("reference", reference), ("query", query))
    }
    start = time.perf_counter()
    index = index_reference(program, load_snapshot(inputs["reference"].table), index_folder(), id="id")
    return {
        **inputs,
        "program": ProgramHandle(
            program_id=program.program_id,
            file=store_file("programs", ".json", program.save),
            precision_target=0.9,
            precision_estimate=program.precision_estimate,
        ),
        "index": IndexHandle(path=str(index), blocks=IndexNeeds.of(program.definition).to_block()),
        "index_seconds": time.perf_counter() - start,
    }


def _by_library(given: dict[str, Any]) -> dict[str, Any]:
    from tasks.ingestion import load_snapshot  # noqa: PLC0415 - after the server's address

    program, index, query = given["program"], given["index"], given["query"]

    def join() -> pd.DataFrame:
        matcher = Matcher.open(index.path, Program.load(program.file.path))
        return matcher.lookup(load_snapshot(query.table), id="id").matches

    return {"by": "library", **_measured(join)}


def _by_flow(given: dict[str, Any], partition_rows: int, processes: int) -> dict[str, Any]:
    os.environ["FUZZYJOIN_DASK"] = str(processes or "")
    from prefect import flow  # noqa: PLC0415 - after the server's address

    from tasks.steps.join_partition import partitions_of  # noqa: PLC0415 - as above
    from tasks.steps.join_query_rows import join_query_rows  # noqa: PLC0415 - as above
    from tasks.store.named_files import load_frame  # noqa: PLC0415 - as above

    @flow(name="benchmark")
    def join() -> pd.DataFrame:
        result = join_query_rows(given["program"], given["reference"], given["query"], partition_rows)
        return load_frame(result.matches)

    return {
        "by": f"dask, {processes} proc." if processes else "threads",
        "partitions": len(partitions_of(given["query"].table.rows, partition_rows)),
        **_measured(join),
    }


def _measured(join: Callable[[], pd.DataFrame]) -> dict[str, Any]:
    before, start = os.times(), time.perf_counter()
    matches = join()
    seconds, after = time.perf_counter() - start, os.times()
    decided = matches[["query_id", "reference_id", "precision_estimate", "distance", "margin"]]
    plain = decided.astype({"query_id": str, "reference_id": str})
    return {
        "matched": len(matches),
        "seconds": seconds,
        # Its own, and those of the processes that it waited for.
        "cpu": sum(after[:4]) - sum(before[:4]),
        "peak_mb": peak_memory_mb(),
        "digest": int(pd.util.hash_pandas_object(plain, index=True).sum()),
    }


if __name__ == "__main__":
    command(main)
