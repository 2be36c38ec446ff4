"""Proposed columns on a folder of tasks whose query columns are renamed and shuffled: found pairs, and wrong ones.

A pair is right if both columns had one name. Columns that both are at least 20 % filled should be found. Each task is
asked again with one column of the query table left out after the other, so that a reference column has no partner.
Printed are the pairs that should be found and are, and wrong pairs, with a warning and without.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._command import add_json_option, command
from benchmarks._data import ID, read_task, task_names
from benchmarks._measure import Column, print_table, say, write_json
from fuzzyjoin import propose_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from benchmarks._data import Task

__all__ = ["main", "task_row"]

FILLED: Final = 0.2

TABLE: Final = (
    Column("task", "task", 30),
    Column("pairs", "wanted", 5, "d"),
    Column("found", "found", 5, "d"),
    Column("warned", "right_warned", 6, "d"),
    Column("wrong", "wrong", 5, "d"),
    Column("w/o warning", "wrong_unwarned", 11, "d"),
    Column("left out: wrong", "wrong_left_out", 15, "d"),
    Column("w/o warning", "wrong_left_out_unwarned", 11, "d"),
    Column("seconds", "seconds", 8, ".2f"),
    Column("", "which", 0),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the tasks and print a row each, and the sums."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.column_proposals", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the tasks' folders")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    names = task_names(arguments.folder, arguments.task)
    rows = print_table(TABLE, (task_row(read_task(arguments.folder / name)) for name in names))
    say()
    say(", ".join(f"{column.heading or column.key} {_sum(rows, column.key)}" for column in TABLE[1:8]))
    write_json(arguments.json, {"tasks": rows})


def task_row(task: Task) -> dict[str, Any]:
    """Return what was found of one task."""
    reference = task.reference.drop(columns=ID)
    query = task.query.drop(columns=ID)
    shared = [name for name in reference if name in query]
    wanted = {name for name in shared if min(table[name].notna().mean() for table in (reference, query)) >= FILLED}
    started = time.perf_counter()
    found = _pairs(task, query)
    seconds = time.perf_counter() - started
    without = [pair for name in query if query.shape[1] > 1 for pair in _pairs(task, query.drop(columns=name))]
    wrong, wrong_without = ([pair for pair in pairs if pair[0] != pair[1]] for pairs in (found, without))
    return {
        "task": task.name,
        "wanted": len(wanted),
        "found": sum(left == right and left in wanted for left, right, _ in found),
        "right_warned": sum(left == right and warned for left, right, warned in found),
        "wrong": len(wrong),
        "wrong_unwarned": sum(not warned for *_, warned in wrong),
        "wrong_left_out": len(wrong_without),
        "wrong_left_out_unwarned": sum(not warned for *_, warned in wrong_without),
        "seconds": seconds,
        "which": ", ".join(f"{left}={right}" for left, right, warned in (*wrong, *wrong_without) if not warned),
    }


def _pairs(task: Task, query: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """The proposed pairs by their first names, and whether each has a warning."""
    names = list(query)
    random.Random(7).shuffle(names)  # noqa: S311 - an order, not a secret
    renamed = {f"column {place}": name for place, name in enumerate(names)}
    hidden = query[names].set_axis(list(renamed), axis=1).assign(**{ID: task.query[ID]})
    proposals = propose_columns(task.reference, hidden, id=ID)
    return [(pair.reference, renamed[pair.query], pair.warning is not None) for pair in proposals.pairs]


def _sum(rows: list[dict[str, Any]], key: str) -> int:
    return sum(row[key] for row in rows)


if __name__ == "__main__":
    command(main)
