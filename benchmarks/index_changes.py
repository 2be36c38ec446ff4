"""Changing an index against building it from scratch: seconds, and lookups right after.

The tables are enlarged (see `benchmarks._enlarged`). The program is learned on the smallest reference table and a
sample of the queries. Of an index of every size so many rows are deleted, evenly spread, and as many others appended;
then the index of the changed table is built in another folder. Every size runs in a process of its own after a
warm-up. Rows are looked up one at a time, and 100 at a time, none of them twice.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Column, apart, print_table, say, write_json
from benchmarks.blocking_speed import pooled_titles
from fuzzyjoin import Matcher, Program, index_reference, learn_program, update_index

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "size_row"]

LEARNED_ON: Final = 2000
"""Query rows that the program is learned on."""

LOOKUPS: Final = 40
"""Lookups of one row, and a quarter as many of 100."""

TABLE: Final = (
    Column("reference", "reference_rows", 9, ",d"),
    Column("appended", "appended_rows", 8, ",d"),
    Column("deleted", "deleted_rows", 8, ",d"),
    Column("change s", "change_seconds", 8, ".2f"),
    Column("rebuild s", "rebuild_seconds", 9, ".1f"),
    Column("rebuild / change", "ratio", 16, ".1f"),
    Column("1 row ms: rebuilt", "one_rebuilt", 17, ".1f"),
    Column("changed", "one_changed", 8, ".1f"),
    Column("100 rows ms: rebuilt", "hundred_rebuilt", 20, ".0f"),
    Column("changed", "hundred_changed", 8, ".0f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the sizes and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index_changes", description=__doc__)
    parser.add_argument("--reference", nargs="+", type=int, default=[100_000, 165_000], metavar="N")
    parser.add_argument(
        "--changes", type=int, default=1000, metavar="N", help="rows deleted and appended; default: 1000"
    )
    parser.add_argument("--method", choices=("auto", "autofj"), default="auto", help="default: auto")
    parser.add_argument("--program", type=Path, metavar="FILE", help="a program over `title`; default: one is learned")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    sizes = sorted(arguments.reference)
    if arguments.program:
        program = Program.load(arguments.program)
    else:
        smallest = enlarged_reference(titles, sizes[0])
        sample = enlarged_queries(smallest, LEARNED_ON)
        program = learn_program(smallest, sample, on="title", method=arguments.method, threads=arguments.threads)
    say(f"program {program.program_id}, joins: {program.reachable}")
    options = {"changes": arguments.changes, "threads": arguments.threads}
    rows = print_table(TABLE, (apart(size_row, titles, program, size, **options) for size in sizes))
    write_json(arguments.json, {"program_id": program.program_id, "sizes": rows})


def size_row(titles: list[str], program: Program, size: int, *, changes: int, threads: int | None) -> dict[str, Any]:
    """Build an index, change it, build the changed table's from scratch, and look rows up in both."""
    more = enlarged_reference(titles, size + changes)
    table, appended = more[:size], more[size:]
    deleted = table["id"][:: max(size // changes, 1)][:changes]
    changed_table = pd.concat([table[~table["id"].isin(deleted)], appended], ignore_index=True)
    query = enlarged_queries(changed_table, LOOKUPS * 26 + 1)
    with tempfile.TemporaryDirectory() as folder:
        # Kernels are compiled, or loaded from their cache, before anything is timed.
        tiny = index_reference(program, table.head(100), folder, threads=threads)
        update_index(tiny, program, append=appended.head(10), delete=table["id"].head(10), threads=threads)
        index = index_reference(program, table, folder, threads=threads)
        changed, change_seconds = _timed(
            lambda: update_index(index, program, append=appended, delete=deleted, threads=threads)
        )
        rebuilt, rebuild_seconds = _timed(
            lambda: index_reference(program, changed_table, Path(folder) / "anew", threads=threads)
        )
        row = {
            "reference_rows": size,
            "appended_rows": len(appended),
            "deleted_rows": len(deleted),
            "change_seconds": change_seconds,
            "rebuild_seconds": rebuild_seconds,
            "ratio": rebuild_seconds / change_seconds,
        }
        for name, path in (("rebuilt", rebuilt), ("changed", changed)):
            matcher = Matcher.open(path, program, threads=threads)
            matcher.lookup(query.tail(1))
            for what, rows, lookups in (("one", 1, LOOKUPS), ("hundred", 100, LOOKUPS // 4)):
                first = 0 if rows == 1 else LOOKUPS
                spent = [
                    _timed(lambda: matcher.lookup(query.iloc[place : place + rows]))[1]  # noqa: B023 (called at once)
                    for place in range(first, first + rows * lookups, rows)
                ]
                row[f"{what}_{name}"] = 1000.0 * float(np.median(spent))
        return row


def _timed(action: Any) -> tuple[Any, float]:  # noqa: ANN401 (any call)
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    command(main)
