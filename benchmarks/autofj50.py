"""AutoFJ-50, the paper's 50 single-column tasks, in one process: quality, estimate, seconds and peak memory."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._command import (
    add_join_options,
    add_json_option,
    announce_kernels,
    command,
    join_options,
    seconds_since_start,
)
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import (
    Column,
    best_recall_at,
    mean,
    peak_memory_mb,
    print_table,
    say,
    timed_join,
    write_json,
)
from fuzzyjoin.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks._data import Task
    from benchmarks._measure import JoinOptions

__all__ = ["macro_row", "main", "task_row"]

TOLERANCE: Final = 0.05
REACHABLE_RECALL: Final = 0.1
# Low enough to join every query row that the paper's method can join at all.
NO_TARGET: Final = 0.01

TABLE: Final = (
    Column("task", "task", 28),
    Column("reference", "reference_rows", 9, "d"),
    Column("query", "query_rows", 6, "d"),
    Column("joined", "joined", 6, "d"),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("estimate", "estimate", 8, ".3f"),
    Column("|est-P|", "abs_estimate_error", 7, ".3f"),
    Column("seconds", "seconds", 8, ".3f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the tasks, print a row each and the macro row, and write both if asked."""
    import_seconds = seconds_since_start()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.autofj50", description=__doc__)
    add_join_options(parser, method="auto")
    add_json_option(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the tasks' folder; default: fetched once and cached")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    parser.add_argument("--cold", action="store_true", help="also measure the first compile into an empty cache")
    arguments = parser.parse_args(argv)
    options = join_options(arguments)

    folder = autofj50_folder(arguments.data)
    names = task_names(folder, arguments.task)
    announce_kernels(options, import_seconds, cold=arguments.cold)
    start = seconds_since_start()
    rows = print_table(TABLE, (task_row(read_task(folder / name), options) for name in names))
    wall = seconds_since_start() - start
    macro = macro_row(rows)

    say()
    say(
        f"macro over {len(rows)} tasks: P {_shown(macro['precision'])}  R {_shown(macro['recall'])}  "
        f"tasks with P >= {options.precision_target - TOLERANCE:.2f}: {_shown(macro['share_within_0.05'])}  "
        f"lowest P {_shown(macro['lowest_precision'])}  mean |est-P| {_shown(macro['mean_abs_estimate_error'])}"
    )
    say(f"join calls {macro['seconds']:.2f} s in total (with reading and scoring {wall:.2f} s)")
    say(f"peak memory {macro['peak_mb']:.0f} MB")
    write_json(arguments.json, {"macro": macro, "tasks": rows})


def task_row(task: Task, options: JoinOptions) -> dict[str, Any]:
    """Join one task and measure it."""
    result, seconds = timed_join(task, options)
    measured = evaluate(result.matches, task.truth)
    estimate = result.precision_estimate.value
    row = {
        "task": task.name,
        "reference_rows": len(task.reference),
        "query_rows": len(task.query),
        "joined": measured.joined,
        "correct": measured.correct,
        "precision": measured.precision,
        "recall": measured.recall,
        "estimate": estimate,
        "abs_estimate_error": None,
        "misses_target": _misses_target(task, options, measured.precision),
        "seconds": seconds,
    }
    if measured.precision is not None and estimate is not None:
        row["abs_estimate_error"] = abs(estimate - measured.precision)
    return row


def macro_row(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the macro figures.

    A task in which nothing was joined has no precision. It counts as a miss of the target where the target could have
    been reached, and says nothing about the target where it could not.
    """
    precisions = [row["precision"] for row in rows if row["precision"] is not None]
    return {
        "precision": mean(precisions),
        "recall": mean(row["recall"] for row in rows),
        "share_within_0.05": mean(None if row["misses_target"] is None else 1.0 - row["misses_target"] for row in rows),
        "lowest_precision": min(precisions, default=None),
        "mean_abs_estimate_error": mean(row["abs_estimate_error"] for row in rows),
        "seconds": sum(row["seconds"] for row in rows),
        "peak_mb": peak_memory_mb(),
    }


def _misses_target(task: Task, options: JoinOptions, precision: float | None) -> bool | None:
    """Return whether the true precision is more than the tolerance below the target; None if none was reachable."""
    if precision is not None:
        return precision < options.precision_target - TOLERANCE - 1e-9
    return True if _reachable(task, options) else None


def _reachable(task: Task, options: JoinOptions) -> bool:
    """Return whether the paper's method at this target, or a perfect threshold on its ranking, finds a fair share."""
    paper = replace(options, method="autofj")
    found, _ = timed_join(task, paper)
    if (evaluate(found.matches, task.truth).recall or 0.0) >= REACHABLE_RECALL:
        return True
    everything, _ = timed_join(task, replace(paper, precision_target=NO_TARGET))
    right = set(zip(task.truth["id_l"], task.truth["id_r"], strict=True))
    matches = everything.matches
    joined = zip(matches["reference_id"], matches["query_id"], strict=True)
    confidences = matches["precision_estimate"].tolist()
    ranked = sorted(zip(confidences, (pair in right for pair in joined), strict=True), reverse=True)
    return best_recall_at(options.precision_target, ranked, task.truth["id_r"].nunique()) >= REACHABLE_RECALL


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    command(main)
