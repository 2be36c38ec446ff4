"""Applying a program to large tables: seconds and memory of the index and of joining, as the reference table grows.

The tables are enlarged (see `benchmarks._enlarged`). The program is learned on the largest of them. Of every size the
index is built in one process, into an empty folder, and the queries are joined through it in another; seconds are from
the opened index to the written files. With `--whole` the largest size's queries are joined once more, in one batch and
without an index, and the files have to be the same, byte for byte.
"""

from __future__ import annotations

import argparse
import filecmp
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Clock, Column, apart, peak_memory_mb, print_table, say, write_json
from benchmarks.blocking_speed import pooled_titles
from benchmarks.learning_sample import learning_row
from fuzzyjoin import Matcher, Program, index_reference
from fuzzyjoin.files import pieces_output, table_output, write_all
from fuzzyjoin.index import join_in_parts
from fuzzyjoin.index.parts import TABLES
from fuzzyjoin.search.query_sample import SAMPLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

__all__ = ["main"]

LOOKUPS: Final = 50

LEARNING: Final = (
    Column("reference", "reference_rows", 9, ",d"),
    Column("queries", "query_rows", 9, ",d"),
    Column("learned on", "learned_rows", 10, ",d"),
    Column("joined", "joined", 9, ",d"),
    Column("learn s", "learn_seconds", 8, ".1f"),
    Column("CPU s", "learn_cpu_seconds", 8, ".1f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
)
JOINING: Final = (
    Column("reference", "reference_rows", 9, ",d"),
    Column("queries", "query_rows", 9, ",d"),
    Column("joined", "matched", 9, ",d"),
    Column("index s", "index_seconds", 8, ".1f"),
    Column("CPU s", "index_cpu_seconds", 8, ".1f"),
    Column("index MB", "index_mb", 8, ",.0f"),
    Column("peak MB", "index_peak_mb", 8, ",.0f"),
    Column("join s", "join_seconds", 8, ".1f"),
    Column("CPU s", "join_cpu_seconds", 8, ".1f"),
    Column("ms/query", "milliseconds_a_query", 8, ".3f"),
    Column("peak MB", "join_peak_mb", 8, ",.0f"),
    Column("open ms", "open_milliseconds", 7, ".1f"),
    Column("1 row ms", "one_milliseconds", 8, ".2f"),
    Column("100 rows ms", "hundred_milliseconds", 11, ".1f"),
    Column("stages (s)", "stages", 0),
)
WHOLE: Final = (
    Column("reference", "reference_rows", 9, ",d"),
    Column("queries", "query_rows", 9, ",d"),
    Column("joined", "matched", 9, ",d"),
    Column("seconds", "seconds", 8, ".1f"),
    Column("CPU s", "cpu_seconds", 8, ".1f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
    Column("same files", "same", 10),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Learn, measure the sizes and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--reference", nargs="+", type=int, default=[250_000, 500_000, 1_000_000], metavar="N")
    parser.add_argument(
        "--queries", nargs="+", type=int, default=[100_000], metavar="N", help="for all sizes or each; default: 100000"
    )
    parser.add_argument("--batch-rows", type=int, default=50_000, metavar="N", help="default: 50000")
    parser.add_argument("--whole", action="store_true", help="join the largest size's queries in one batch as well")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    asked = arguments.queries * len(arguments.reference) if len(arguments.queries) == 1 else arguments.queries
    if len(asked) != len(arguments.reference):
        parser.error(f"--queries: give one number, or one for each of the {len(arguments.reference)} sizes")
    sizes = sorted(zip(arguments.reference, asked, strict=True))
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    # A larger table begins with the smaller ones.
    largest = enlarged_reference(titles, sizes[-1][0])
    query = enlarged_queries(largest, sizes[-1][1])
    (learned,) = print_table(LEARNING, _learned(largest, query, arguments.threads))
    program = Program.from_json(learned.pop("program"))
    say(f"program {program.program_id}, joins: {program.reachable}")
    say()
    options = {"batch_rows": arguments.batch_rows, "threads": arguments.threads}
    figures: dict[str, Any] = {"program_id": program.program_id, "learning": learned}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        figures["sizes"] = print_table(
            JOINING, (_size_row(program, largest.head(rows), queries, room, **options) for rows, queries in sizes)
        )
        if arguments.whole:
            say()
            figures["whole"] = print_table(WHOLE, _whole(program, largest, query, room, arguments.threads))
    write_json(arguments.json, figures)
    if arguments.whole and figures["whole"][0]["same"] != "yes":
        raise SystemExit("joined in batches through an index, and in one without: the files differ")


def _learned(reference: pd.DataFrame, query: pd.DataFrame, threads: int | None) -> Iterator[dict[str, Any]]:
    learned = apart(learning_row, reference, query, 0, sample_rows=SAMPLE_ROWS, threads=threads)
    yield {"reference_rows": len(reference), "query_rows": len(query), **learned}


def _size_row(
    program: Program, reference: pd.DataFrame, queries: int, folder: Path, *, batch_rows: int, threads: int | None
) -> dict[str, Any]:
    """Index the reference table in one process and join queries in another; the files stay in the folder."""
    query = enlarged_queries(reference, queries)
    with tempfile.TemporaryDirectory(dir=folder) as indexes:
        index = apart(index_row, program, reference, query.head(10), Path(indexes), threads)
        path = index.pop("index")
        joined = apart(joining_row, program, path, query, folder, batch_rows=batch_rows, threads=threads)
    return {"reference_rows": len(reference), "query_rows": queries, **index, **joined}


def _whole(
    program: Program, reference: pd.DataFrame, query: pd.DataFrame, folder: Path, threads: int | None
) -> Iterator[dict[str, Any]]:
    whole = apart(whole_row, program, reference, query, folder, threads)
    same = all(filecmp.cmp(_file(folder, name), _file(folder, f"whole-{name}"), shallow=False) for name in TABLES)
    yield {
        "reference_rows": len(reference),
        "query_rows": len(query),
        **whole,
        "same": "yes" if same else "no",
    }


def index_row(
    program: Program, reference: pd.DataFrame, query: pd.DataFrame, folder: Path, threads: int | None
) -> dict[str, Any]:
    """Index the reference table, after a warm-up with some queries."""
    program.apply(reference.head(1000), query, threads=threads)
    clock = Clock()
    index = index_reference(program, reference, folder, threads=threads)
    return {
        "index": index,
        "index_seconds": clock.seconds,
        "index_cpu_seconds": clock.cpu_seconds,
        "index_mb": sum(file.stat().st_size for file in index.iterdir()) / (1 << 20),
        "index_peak_mb": peak_memory_mb(),
    }


def joining_row(
    program: Program, index: Path, query: pd.DataFrame, folder: Path, *, batch_rows: int, threads: int | None
) -> dict[str, Any]:
    """Join the queries through the index, write the files, and look rows up."""
    clock = Clock()
    matcher = Matcher.open(index, program, threads=threads)
    opening = clock.seconds
    # A warm-up: kernels are compiled or loaded.
    matcher.lookup(query.head(1))
    clock = Clock()
    joined = join_in_parts(
        matcher,
        (query.iloc[start : start + batch_rows] for start in range(0, len(query), batch_rows)),
        folder / "parts",
        parts_of={},
        rows=len(query),
        id_column="id",
        progress=lambda _stage, _done: None,
    )
    in_parts = clock.seconds
    write_all([pieces_output(partial(joined.tables, name), _file(folder, name)) for name in TABLES])
    row = {
        "matched": joined.counts["matched"],
        "join_seconds": clock.seconds,
        "join_cpu_seconds": clock.cpu_seconds,
        "milliseconds_a_query": 1000.0 * clock.seconds / len(query),
        "join_peak_mb": peak_memory_mb(),
    }
    stages = {**joined.seconds, "write": row["join_seconds"] - in_parts}
    joined.remove()
    spent = {rows: _lookup_seconds(matcher, query, rows) for rows in (1, 100)}
    return {
        **row,
        "open_milliseconds": 1000.0 * opening,
        "one_milliseconds": 1000.0 * spent[1],
        "hundred_milliseconds": 1000.0 * spent[100],
        "stages": "  ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items()),
    }


def whole_row(
    program: Program, reference: pd.DataFrame, query: pd.DataFrame, folder: Path, threads: int | None
) -> dict[str, Any]:
    """Join the whole tables in one batch, without an index, and write the files."""
    program.apply(reference.head(1000), query.head(10), threads=threads)
    clock = Clock()
    result = program.apply(reference, query, threads=threads)
    write_all([table_output(getattr(result, name), _file(folder, f"whole-{name}")) for name in TABLES])
    return {
        "matched": result.counts["matched"],
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu_seconds,
        "peak_mb": peak_memory_mb(),
    }


def _lookup_seconds(matcher: Matcher, query: pd.DataFrame, rows: int) -> float:
    """The median of some lookups of so many rows."""
    seconds = []
    for place in range(min(LOOKUPS, len(query) - rows)):
        start = time.perf_counter()
        matcher.lookup(query.iloc[place : place + rows])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.csv"


if __name__ == "__main__":
    command(main)
