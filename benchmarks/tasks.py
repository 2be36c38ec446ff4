"""Any folder of tasks, each with left.csv, right.csv and gt.csv (id_l, id_r), joined on all the columns they share.

Each task runs in a process of its own, so that its peak memory is its own. Where a query has several right answers, any
counts. The columns of a task's meta.json, if it names some, are the columns offered to the join.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._command import add_join_options, add_json_option, command, join_options
from benchmarks._data import read_task, task_names
from benchmarks._measure import (
    Column,
    apart,
    peak_memory_mb,
    print_table,
    timed_join,
    warm_up,
    write_json,
)
from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._measure import JoinOptions

__all__ = ["main", "task_row"]

TABLE: Final = (
    Column("task", "task", 27),
    Column("reference", "reference_rows", 9, "d"),
    Column("query", "query_rows", 7, "d"),
    Column("joined", "joined", 7, "d"),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("estimate", "estimate", 8, ".3f"),
    Column("seconds", "seconds", 8, ".2f"),
    Column("peak MB", "peak_mb", 7, ".0f"),
    Column("columns with weights", "chosen", 0),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the tasks and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the tasks' folders")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    parser.add_argument("--on", nargs="+", metavar="COLUMN", help="join on these columns alone")
    add_join_options(parser, method="auto")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    options = join_options(arguments)

    names = task_names(arguments.folder, arguments.task)
    on = tuple(arguments.on or ())
    rows = print_table(TABLE, (apart(task_row, arguments.folder / name, options, on) for name in names))
    write_json(arguments.json, {"tasks": rows})


def task_row(folder: Path, options: JoinOptions, on: Sequence[str] = ()) -> dict[str, Any]:
    """Join one task, after a warm-up, and measure it; data that cannot be joined give a row that says why."""
    warm_up_seconds = warm_up(options)
    task = read_task(folder, on)
    row = {
        "task": task.name,
        "reference_rows": len(task.reference),
        "query_rows": len(task.query),
        "warm_up_seconds": warm_up_seconds,
    }
    try:
        result, seconds = timed_join(task, options)
    except FuzzyJoinError as error:
        return {**row, "chosen": str(error), "error": str(error)}
    measured = evaluate(result.matches, task.truth)
    weights = {column.reference: column.weight for column in result.program.columns}
    return {
        **row,
        "joined": measured.joined,
        "correct": measured.correct,
        "matchable": measured.matchable,
        "precision": measured.precision,
        "recall": measured.recall,
        "estimate": result.precision_estimate.value,
        "seconds": seconds,
        "stage_seconds": dict(result.seconds),
        "peak_mb": peak_memory_mb(),
        "columns": weights,
        "chosen": "  ".join(f"{name} {weight:.2f}" for name, weight in weights.items() if weight),
    }


if __name__ == "__main__":
    command(main)
