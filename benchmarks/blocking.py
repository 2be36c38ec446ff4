"""Recall of the two built-in blockers at the same number of pairs.

That is the share of matchable query rows whose match is among the candidates, on AutoFJ-50 or on any folder of tasks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, mean, print_table, say, write_json
from fuzzyjoin.blocking import BLOCKERS, default_k
from fuzzyjoin.compare import Candidates
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._data import Task
    from fuzzyjoin.blocking import BlockerName

__all__ = ["main", "task_row"]

TABLE: Final = (
    Column("task", "task", 30),
    Column("k", "k", 3, "d"),
    Column("pairs", "pairs", 9, "d"),
    *(Column(name, name, 8, ".3f") for name in BLOCKERS),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the tasks, print a row each and the mean."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blocking", description=__doc__)
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    folder = arguments.tasks or autofj50_folder()
    names = task_names(folder, arguments.task)
    rows = print_table(TABLE, (task_row(read_task(folder / name)) for name in names))
    macro = {name: mean(row[name] for row in rows) for name in BLOCKERS}
    say()
    say(f"macro over {len(rows)} tasks: " + "  ".join(f"{name} {value:.4f}" for name, value in macro.items() if value))
    write_json(arguments.json, {"macro": macro, "tasks": rows})


def task_row(task: Task) -> dict[str, Any]:
    """Measure both blockers with the published number of candidates."""
    k = default_k(len(task.reference))
    recalls = {name: _recall(task, k, name) for name in BLOCKERS}
    return {"task": task.name, "k": k, "pairs": k * len(task.query), **recalls}


def _recall(task: Task, k: int, blocker: BlockerName) -> float | None:
    columns = [(column, column) for column in task.columns]
    tables = key_tables(task.reference, task.query, ("id", "id"), columns)
    pairs = Candidates(*tables, k, choose_work(None, None), blocker=blocker).query_pairs
    rows = np.repeat(tables[1].ids, np.diff(pairs.indptr))
    found = set(zip(tables[0].ids[pairs.reference], rows, strict=True))
    right = set(zip(task.truth["id_l"], task.truth["id_r"], strict=True))
    matchable = {row for _, row in right}
    return len({row for _, row in found & right}) / len(matchable) if matchable else None


if __name__ == "__main__":
    command(main)
