"""Blocking with and without a rule that a column must be equal: seconds, memory and pairs by its distinct values.

The tables are enlarged (see `benchmarks._enlarged`). Every reference row gets one of so many values at random, and a
query row that of the row which it misspells. The found share is that of the query rows among whose candidates this row
is. Text is split into tokens before anything is timed, which takes as long either way. Every row of figures is measured
in a process of its own, after a warm-up on a few rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import Clock, Column, apart, peak_memory_mb, print_table, write_json
from benchmarks.blocking_speed import pooled_titles
from fuzzyjoin.blocking import BLOCKERS, BlockerName, scorer_k
from fuzzyjoin.compare import Candidates
from fuzzyjoin.tables import table_pair
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["main", "rule_row"]

SEED: Final = 2026
WARM_UP_ROWS: Final = 1000
WARM_UP_QUERIES: Final = (40, 4)
"""So many query rows of one value ask that lists of a group are made, and so few that none are."""

TABLE: Final = (
    Column("values", "values", 8, ",d"),
    Column("reference", "reference_rows", 10, ",d"),
    Column("query", "query_rows", 10, ",d"),
    Column("pairs", "pairs", 12, ",d"),
    Column("found share", "found_share", 11, ".4f"),
    Column("lists s", "list_seconds", 8, ".2f"),
    Column("search s", "search_seconds", 9, ".2f"),
    Column("cpu s", "cpu_seconds", 9, ".2f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure blocking without the rule and for every number of values, and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equal_rule", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, metavar="N", help="reference rows; default: 20000")
    parser.add_argument("--query-rows", type=int, metavar="N", help="default: as many as reference rows")
    parser.add_argument(
        "--values",
        dest="distinct",
        nargs="+",
        type=int,
        default=[50, 50_000],
        metavar="N",
        help="distinct values; default: 50 50000",
    )
    parser.add_argument("--blocker", choices=BLOCKERS, default="cosine", help="default: cosine")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    if min(arguments.rows, arguments.query_rows or 1, *arguments.distinct) < 1:
        parser.error("--rows, --query-rows and --values: give 1 or more")
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    sizes = arguments.rows, arguments.query_rows or arguments.rows
    options = {"blocker": arguments.blocker, "threads": arguments.threads}
    rows = print_table(
        TABLE, (apart(rule_row, titles, *sizes, values, **options) for values in (None, *arguments.distinct))
    )
    write_json(arguments.json, {**options, "rules": rows})


def rule_row(
    titles: list[str], rows: int, query_rows: int, values: int | None, *, blocker: BlockerName, threads: int | None
) -> dict[str, Any]:
    """Block tables of so many rows, under the rule if there are so many values, and measure it."""
    reference = enlarged_reference(titles, rows)
    drawn = np.random.default_rng(SEED).integers(0, values or 1, rows)
    reference["value"] = [f"value {number}" for number in drawn.tolist()]
    reference["source"] = reference["id"]
    query = enlarged_queries(reference, query_rows)
    for asked in WARM_UP_QUERIES:
        few = (table.head(number).assign(value="one") for table, number in ((reference, WARM_UP_ROWS), (query, asked)))
        _blocked(*few, values, blocker, threads)
    return {"values": values, **_blocked(reference, query, values, blocker, threads)}


def _blocked(
    reference: pd.DataFrame, query: pd.DataFrame, values: int | None, blocker: BlockerName, threads: int | None
) -> dict[str, Any]:
    tables = table_pair(reference, query, "title", "id", equal=None if values is None else "value")
    k = scorer_k(len(reference))
    candidates = Candidates(tables.reference, tables.query, k, choose_work(threads, None), blocker=blocker)
    index, words, groups = candidates.index, candidates.query_words, candidates.query_groups
    grams = index.grams.encode(candidates.query_texts)
    clock = Clock()
    _ = index.lists
    list_seconds = clock.seconds
    pairs = index.query_pairs(grams, words, k, candidates.work, groups)
    search_seconds, cpu_seconds = clock.seconds - list_seconds, clock.cpu_seconds
    sources = query["source"].to_numpy(object)[tables.query.source_rows]
    rows = np.repeat(np.arange(len(query)), np.diff(pairs.indptr))
    found = np.zeros(len(query), np.bool_)
    found[rows[np.asarray(tables.reference.ids)[pairs.reference] == sources[rows]]] = True
    return {
        "reference_rows": len(reference),
        "query_rows": len(query),
        "pairs": len(pairs),
        "found_share": float(found.mean()),
        "list_seconds": list_seconds,
        "search_seconds": search_seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    command(main)
