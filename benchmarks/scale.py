"""Applying a program to large tables: seconds and memory of the index and of joining, as the reference table grows.

The tables are enlarged (see `benchmarks._enlarged`). The program is learned on the smallest reference table and a
sample of the queries. Every size runs in a process of its own after a warm-up, its index in an empty folder.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Column, apart, peak_memory_mb, print_table, say, write_json
from benchmarks.blocking_speed import pooled_titles
from fuzzyjoin import Matcher, index_reference, learn_program
from fuzzyjoin.parts import join_in_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin import Program

__all__ = ["main", "size_row"]

LEARNED_ON: Final = 5000
"""Query rows that the program is learned on."""

LOOKUPS: Final = 50

TABLE: Final = (
    Column("reference", "reference_rows", 9, ",d"),
    Column("queries", "query_rows", 9, ",d"),
    Column("joined", "matched", 9, ",d"),
    Column("index s", "index_seconds", 8, ".1f"),
    Column("index MB", "index_mb", 8, ",.0f"),
    Column("join s", "join_seconds", 8, ".1f"),
    Column("ms/query", "milliseconds_a_query", 8, ".3f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
    Column("open ms", "open_milliseconds", 7, ".1f"),
    Column("1 row ms", "one_milliseconds", 8, ".2f"),
    Column("100 rows ms", "hundred_milliseconds", 11, ".1f"),
    Column("stages (s)", "stages", 0),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the sizes and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--reference", nargs="+", type=int, default=[250_000, 500_000, 1_000_000], metavar="N")
    parser.add_argument("--queries", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--batch-rows", type=int, default=50_000, metavar="N", help="default: 50000")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    sizes = sorted(arguments.reference)
    smallest = enlarged_reference(titles, sizes[0])
    sample = enlarged_queries(smallest, LEARNED_ON)
    program = learn_program(smallest, sample, on="title", threads=arguments.threads)
    say(f"program {program.program_id}, joins: {program.reachable}")
    options = {"queries": arguments.queries, "batch_rows": arguments.batch_rows, "threads": arguments.threads}
    rows = print_table(TABLE, (apart(size_row, titles, program, size, **options) for size in sizes))
    write_json(arguments.json, {"program_id": program.program_id, "sizes": rows})


def size_row(
    titles: list[str], program: Program, size: int, *, queries: int, batch_rows: int, threads: int | None
) -> dict[str, Any]:
    """Index the reference table, join the queries through the index, and look rows up."""
    reference = enlarged_reference(titles, size)
    query = enlarged_queries(reference, queries)
    with tempfile.TemporaryDirectory() as folder:
        program.apply(reference.head(1000), query.head(10), threads=threads)
        start = time.perf_counter()
        index = index_reference(program, reference, folder, threads=threads)
        index_seconds = time.perf_counter() - start
        del reference
        matcher, opening = _timed(lambda: Matcher.open(index, program, threads=threads))
        matcher.lookup(query.head(1))
        joined, join_seconds = _timed(
            lambda: join_in_parts(
                matcher,
                (query.iloc[start : start + batch_rows] for start in range(0, queries, batch_rows)),
                Path(folder) / "parts",
                parts_of={},
                rows=queries,
                id_column="id",
                progress=lambda _stage, _done: None,
            )
        )
        spent = {
            rows: np.median(
                [
                    _timed(lambda: matcher.lookup(query.iloc[place : place + rows]))[1]  # noqa: B023 (called at once)
                    for place in range(min(LOOKUPS, queries - rows))
                ]
            )
            for rows in (1, 100)
        }
        return {
            "reference_rows": size,
            "query_rows": queries,
            "matched": joined.counts["matched"],
            "index_seconds": index_seconds,
            "index_mb": sum(file.stat().st_size for file in index.iterdir()) / (1 << 20),
            "join_seconds": join_seconds,
            "milliseconds_a_query": 1000.0 * join_seconds / queries,
            "peak_mb": peak_memory_mb(),
            "open_milliseconds": 1000.0 * opening,
            "one_milliseconds": 1000.0 * float(spent[1]),
            "hundred_milliseconds": 1000.0 * float(spent[100]),
            "stages": "  ".join(f"{stage} {seconds:.1f}" for stage, seconds in joined.seconds.items()),
        }


def _timed(action: Any) -> tuple[Any, float]:  # noqa: ANN401 (any call)
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    command(main)
