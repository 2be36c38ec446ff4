"""Speed of blocking beside `sparse_dot_topn`: the best 50 of all AutoFJ-50 reference titles, pooled, for all queries.

Each side runs in a process of its own, one after the other, as often as `--repeats` says. The seconds are those of the
search alone: no reading of text, no building of an index. Memory is by how much index and search raised the peak, once
the titles are read and each side's code is loaded.
Recall is the share of matchable query rows whose match is found.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, apart, peak_memory_mb, print_table, say, write_json
from fuzzyjoin.blocking import BLOCKERS, LexicalBlocking
from fuzzyjoin.text import Texts, blocking_text, lower
from fuzzyjoin.threads import Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fuzzyjoin.blocking import BlockerName
    from fuzzyjoin.text import TokenSets

__all__ = ["Titles", "main", "pooled_titles"]

WORKER: Final = Path(__file__).with_name("_sparse_dot_topn_worker.py")
OTHER: Final = "sparse_dot_topn"

LOADING: Final = 100
"""Reference rows of the index that is made first, so that all code is loaded."""

TABLE: Final = (
    Column("run", "run", 3, "d"),
    Column("blocker", "blocker", 15),
    Column("seconds", "seconds", 8, ".2f"),
    Column("queries/s", "rate", 10, ",.0f"),
    Column("recall", "recall", 7, ".4f"),
    Column("added MB", "added_mb", 8, ".0f"),
)


@dataclass(frozen=True)
class Titles:
    """Titles of the reference and the query rows, and which of them belong together, in positions."""

    reference: list[str]
    query: list[str]
    truth: list[tuple[int, int]]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure both sides in turn, print a row each and the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blocking_speed", description=__doc__)
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    parser.add_argument("--k", type=int, default=50, help="candidates a query row; default: 50")
    parser.add_argument("--threads", type=int, default=1, help="of each side; default: 1")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side; default: 3")
    parser.add_argument(
        "--other", default=sys.executable, metavar="PYTHON", help=f"an interpreter with {OTHER}; default: this one"
    )
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    titles = pooled_titles(arguments.tasks or autofj50_folder())
    say(f"{len(titles.reference):,} reference rows, {len(titles.query):,} queries, the best {arguments.k}")
    say()
    rows = print_table(TABLE, _runs(titles, arguments))
    names = list(dict.fromkeys(row["blocker"] for row in rows))
    medians = {name: statistics.median(row["rate"] for row in rows if row["blocker"] == name) for name in names}
    say()
    for name in BLOCKERS:
        against = f", {medians[name] / medians[OTHER]:.2f} times {OTHER}" if OTHER in medians else ""
        say(f"{name}: {medians[name]:,.0f} queries/s{against}")
    write_json(arguments.json, {"medians": medians, "runs": rows})


def pooled_titles(folder: Path) -> Titles:
    """Put the tasks' tables together, the first joined column of each; a row stays apart from the other tasks'."""
    reference: list[str] = []
    query: list[str] = []
    truth: list[tuple[int, int]] = []
    for name in task_names(folder):
        task = read_task(folder / name)
        left = {row: place for place, row in enumerate(task.reference["id"], start=len(reference))}
        right = {row: place for place, row in enumerate(task.query["id"], start=len(query))}
        reference += task.reference[task.columns[0]].fillna("").tolist()
        query += task.query[task.columns[0]].fillna("").tolist()
        truth += [(left[a], right[b]) for a, b in zip(task.truth["id_l"], task.truth["id_r"], strict=True)]
    return Titles(reference, query, truth)


def _runs(titles: Titles, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    shown = [sys.executable, arguments.other]
    has_other = subprocess.run([shown[1], "-c", f"import sklearn, {OTHER}"], check=False, capture_output=True)  # noqa: S603 (the user's interpreter)
    for run in range(1, arguments.repeats + 1):
        for blocker in BLOCKERS:
            yield _row(run, blocker, titles, apart(_search, titles, blocker, arguments.k, arguments.threads))
        if has_other.returncode == 0:
            yield _row(run, OTHER, titles, _search_by_other(titles, arguments))
    if has_other.returncode != 0:
        say(f"{arguments.other} cannot import {OTHER} and sklearn: nothing to compare with")


def _row(run: int, name: str, titles: Titles, found: dict[str, Any]) -> dict[str, Any]:
    pairs = set(zip(found["reference"], np.repeat(np.arange(len(titles.query)), np.diff(found["indptr"])), strict=True))
    matchable = {row for _, row in titles.truth}
    recall = len({row for left, row in titles.truth if (left, row) in pairs}) / max(len(matchable), 1)
    return {
        "run": run,
        "blocker": name,
        "seconds": found["seconds"],
        "rate": len(titles.query) / found["seconds"],
        "recall": recall,
        "added_mb": found["added_mb"],
    }


def _search(titles: Titles, blocker: BlockerName, k: int, threads: int) -> dict[str, Any]:
    # Loads the kernels, as importing the other side's modules loads its code.
    _indexed(titles.reference[:LOADING], titles.query[:1], blocker, k, threads)
    before = peak_memory_mb()
    index, asked = _indexed(titles.reference, titles.query, blocker, k, threads)
    start = time.perf_counter()
    pairs = index.query_pairs(*asked, k, Work(threads))
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "added_mb": peak_memory_mb() - before,
        "indptr": pairs.indptr.tolist(),
        "reference": pairs.reference.tolist(),
    }


def _indexed(
    references: list[str], queries: list[str], blocker: BlockerName, k: int, threads: int
) -> tuple[LexicalBlocking, tuple[TokenSets, TokenSets]]:
    """Index the references and lay the index out; beside it the tokens of the queries."""
    index = LexicalBlocking.build(Texts.of(blocking_text([list(map(lower, references))])), blocker=blocker)
    query = blocking_text([list(map(lower, queries))])
    asked = index.grams.encode(query), index.words.encode(query)
    index.query_pairs(index.grams.encode(query[:1]), index.words.encode(query[:1]), k, Work(threads))
    return index, asked


def _search_by_other(titles: Titles, arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder) / "request.json"
        content = {"reference": titles.reference, "query": titles.query, "k": arguments.k, "threads": arguments.threads}
        request.write_text(json.dumps(content), encoding="utf-8")
        asked = [arguments.other, WORKER, request]
        answer = subprocess.run(asked, check=True, capture_output=True, encoding="utf-8")  # noqa: S603 (our own script)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


if __name__ == "__main__":
    command(main)
