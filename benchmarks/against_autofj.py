"""Measures against the real `autofj` 0.0.6, on the same tasks, in the same run, one side after the other.

Only the join calls are timed. Each task is joined three times by fuzzyjoin, then once by autofj, then three times by
fuzzyjoin again, whose seconds are the median of the six. One call of autofj takes minutes and evens out the machine's
noise by itself, one of fuzzyjoin takes a fraction of a second and does not.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks._autofj import AutoFJProcess
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
    mean,
    peak_memory_mb,
    print_table,
    say,
    timed_join,
    write_json,
)
from fuzzyjoin.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._measure import JoinOptions

__all__ = ["main"]

RUNS: Final = 6

TABLE: Final = (
    Column("task", "task", 28),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("autofj P", "autofj_precision", 8, ".3f"),
    Column("autofj R", "autofj_recall", 8, ".3f"),
    Column("joined", "joined", 6, "d"),
    Column("autofj", "autofj_joined", 6, "d"),
    Column("both", "both", 6, "d"),
    Column("agreement", "agreement", 9, ".3f"),
    Column("seconds", "seconds", 8, ".3f"),
    Column("autofj s", "autofj_seconds", 8, ".2f"),
    Column("ratio", "ratio", 7, ".0f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure both sides on the tasks and print a row each and the total."""
    import_seconds = seconds_since_start()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_autofj", description=__doc__)
    parser.add_argument("task", nargs="+", metavar="TASK", help="tasks of AutoFJ-50, or of --data")
    add_join_options(parser, method="autofj", space="small")
    add_json_option(parser)
    parser.add_argument(
        "--n-jobs",
        type=int,
        default=2,
        help="processes of autofj and, unless --threads is given, threads of fuzzyjoin; default: 2",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the tasks' folder; default: fetched once and cached")
    arguments = parser.parse_args(argv)
    if arguments.threads is None:
        arguments.threads = arguments.n_jobs
    options = join_options(arguments)

    folder = autofj50_folder(arguments.data)
    names = task_names(folder, arguments.task)
    with AutoFJProcess(
        space=arguments.space, n_jobs=arguments.n_jobs, precision_target=arguments.precision_target
    ) as autofj:
        say(f"autofj imports {autofj.import_seconds:.1f} s; not counted below")
        announce_kernels(options, import_seconds)
        rows = print_table(TABLE, (_task_row(folder / name, options, autofj) for name in names))

    total = _total(rows)
    say()
    say(
        f"total: fuzzyjoin {total['seconds']:.3f} s ({options.threads} threads), "
        f"autofj {total['autofj_seconds']:.2f} s ({arguments.n_jobs} processes), ratio {total['ratio']:.0f}; "
        f"agreement of the match sets {total['agreement']:.3f}"
    )
    say(
        f"peak memory: fuzzyjoin {total['peak_mb']:.0f} MB, "
        f"autofj {total['autofj_peak_mb']:.0f} MB in its largest process"
    )
    write_json(arguments.json, {"total": total, "tasks": rows})


def _task_row(folder: Path, options: JoinOptions, autofj: AutoFJProcess) -> dict[str, Any]:
    task = read_task(folder)
    # Half before and half after, so that a machine that drifts favours neither side.
    before = [timed_join(task, options)[1] for _ in range(RUNS // 2)]
    theirs = autofj.join(task, folder)
    after = [timed_join(task, options) for _ in range(RUNS // 2)]
    result = after[-1][0]
    seconds = median([*before, *(elapsed for _, elapsed in after)])

    measured, measured_autofj = evaluate(result.matches, task.truth), evaluate(theirs.matches, task.truth)
    ours, autofjs = (
        set(zip(matches["reference_id"], matches["query_id"], strict=True))
        for matches in (result.matches, theirs.matches)
    )
    both, either = ours & autofjs, ours | autofjs
    return {
        "task": task.name,
        "precision": measured.precision,
        "recall": measured.recall,
        "autofj_precision": measured_autofj.precision,
        "autofj_recall": measured_autofj.recall,
        "joined": measured.joined,
        "autofj_joined": measured_autofj.joined,
        "both": len(both),
        "either": len(either),
        "agreement": len(both) / len(either) if either else 1.0,
        "seconds": seconds,
        "autofj_seconds": theirs.seconds,
        "ratio": theirs.seconds / seconds,
        "autofj_peak_mb": theirs.peak_mb,
    }


def _total(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    seconds, autofj_seconds = (sum(row[key] for row in rows) for key in ("seconds", "autofj_seconds"))
    either = sum(row["either"] for row in rows)
    return {
        **{key: mean(row[key] for row in rows) for key in ("precision", "recall", "autofj_precision", "autofj_recall")},
        "agreement": sum(row["both"] for row in rows) / either if either else 1.0,
        "seconds": seconds,
        "autofj_seconds": autofj_seconds,
        "ratio": autofj_seconds / seconds,
        "peak_mb": peak_memory_mb(),
        "autofj_peak_mb": max(row["autofj_peak_mb"] for row in rows),
    }


if __name__ == "__main__":
    command(main)
