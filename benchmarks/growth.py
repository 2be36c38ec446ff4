"""How seconds and memory grow with the query rows: the same reference table, samples of growing size.

Every size runs in a process of its own after a warm-up; each sample holds the smaller ones. Reports the fit
seconds = a + b * queries, and b over each step beside b over the step before it.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_join_options, add_json_option, command, join_options
from benchmarks._data import ID, read_task
from benchmarks._measure import (
    Column,
    apart,
    peak_memory_mb,
    print_table,
    say,
    timed_join,
    warm_up,
    write_json,
)
from fuzzyjoin.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._data import Task
    from benchmarks._measure import JoinOptions

__all__ = ["fit", "main", "sample_queries", "size_row"]

SEED: Final = 2021

TABLE: Final = (
    Column("queries", "query_rows", 8, "d"),
    Column("reference", "reference_rows", 9, "d"),
    Column("joined", "joined", 7, "d"),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("seconds", "seconds", 8, ".2f"),
    Column("peak MB", "peak_mb", 8, ".0f"),
    Column("stages (s)", "stages", 0),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the sizes, print a row each and the fit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="TASK_FOLDER", help="one task, such as geonames_cities_altnames")
    parser.add_argument("--queries", nargs="+", type=int, default=[10_000, 20_000, 40_000], metavar="N")
    parser.add_argument("--on", nargs="+", metavar="COLUMN", help="default: the first column that the tables share")
    parser.add_argument("--repeats", type=int, default=1, help="runs of every size, the median counts; default: 1")
    add_join_options(parser, method="auto")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    options = join_options(arguments)
    sizes = sorted(set(arguments.queries))
    if len(sizes) < 2 or sizes[0] < 1:  # noqa: PLR2004 (a line takes two points)
        parser.error("--queries: give at least two different sizes, each 1 or more")

    on = tuple(arguments.on or read_task(arguments.folder).columns[:1])
    say(f"joined on {', '.join(on)}; seed of the samples {SEED}")
    rows = print_table(TABLE, (_median_row(arguments.folder, options, on, size, arguments.repeats) for size in sizes))
    fitted = fit(sizes, [row["seconds"] for row in rows])
    say()
    say(f"seconds = {fitted['a']:.2f} + {fitted['b']:.3g} * queries (least squares)")
    for step in fitted["steps"]:
        against = "" if step["ratio"] is None else f", {step['ratio']:.2f} of the step before"
        say(f"b from {step['from']} to {step['to']}: {step['b']:.3g} s a query{against}")
    write_json(arguments.json, {"fit": fitted, "sizes": rows})


def size_row(folder: Path, options: JoinOptions, on: Sequence[str], size: int) -> dict[str, Any]:
    """Join a sample of the queries, after a warm-up, and measure it."""
    warm_up(options)
    task = sample_queries(read_task(folder, on), size)
    result, seconds = timed_join(task, options)
    measured = evaluate(result.matches, task.truth)
    return {
        "query_rows": size,
        "reference_rows": len(task.reference),
        "joined": measured.joined,
        "precision": measured.precision,
        "recall": measured.recall,
        "seconds": seconds,
        "stage_seconds": dict(result.seconds),
        "stages": "  ".join(f"{stage} {spent:.2f}" for stage, spent in result.seconds.items()),
        "peak_mb": peak_memory_mb(),
    }


def sample_queries(task: Task, size: int) -> Task:
    """Return the task with `size` of its query rows, drawn by a fixed seed, and the truth about those alone."""
    if size > len(task.query):
        raise SystemExit(f"{task.name} has {len(task.query)} query rows, fewer than the {size} asked for")
    # The first rows of one shuffle: a larger sample holds the smaller one.
    chosen = np.random.default_rng(SEED).permutation(len(task.query))[:size]
    query = task.query.iloc[chosen].reset_index(drop=True)
    return replace(task, query=query, truth=task.truth[task.truth["id_r"].isin(query[ID])])


def fit(sizes: Sequence[int], seconds: Sequence[float]) -> dict[str, Any]:
    """Return a and b of seconds = a + b * queries by least squares, and b over each step."""
    b, a = np.polyfit(sizes, seconds, 1)
    points = zip(sizes, seconds, strict=True)
    steps: list[dict[str, Any]] = []
    for (size, spent), (next_size, next_spent) in itertools.pairwise(points):
        slope = (next_spent - spent) / (next_size - size)
        before = steps[-1]["b"] if steps else None
        steps.append({"from": size, "to": next_size, "b": slope, "ratio": slope / before if before else None})
    return {"a": float(a), "b": float(b), "steps": steps}


def _median_row(folder: Path, options: JoinOptions, on: Sequence[str], size: int, repeats: int) -> dict[str, Any]:
    rows = [apart(size_row, folder, options, on, size) for _ in range(repeats)]
    middle = statistics.median_low([row["seconds"] for row in rows])
    return next(row for row in rows if row["seconds"] == middle)


if __name__ == "__main__":
    command(main)
