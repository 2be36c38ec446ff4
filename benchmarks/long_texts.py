"""What long texts cost: a table of them beside the same table cut, and a task beside itself with one long cell.

Texts are made of words of AutoFJ-50's reference titles, drawn at random; query rows are reference rows that lost some
words and letters. The runs that are compared take turns in this process; medians count.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benchmarks._command import (
    add_join_options,
    add_json_option,
    announce_kernels,
    command,
    join_options,
    seconds_since_start,
)
from benchmarks._data import ID, Task, autofj50_folder, read_task, task_names
from benchmarks._measure import Clock, Column, print_table, say, timed_join, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks._measure import JoinOptions

__all__ = ["long_table", "main", "with_long_cell"]

SEED: Final = 2026
LOST_WORDS: Final = 0.05
LOST_LETTERS: Final = 0.1
MOST_FOR_TABLE: Final = 10.0
MOST_FOR_CELL: Final = 1.3

TABLE: Final = (
    Column("tables", "tables", 52),
    Column("joined", "joined", 7, "d"),
    Column("seconds", "seconds", 8, ".2f"),
    Column("cpu s", "cpu_seconds", 8, ".2f"),
    Column("times", "times", 6, ".2f"),
    Column("cpu times", "cpu_times", 9, ".2f"),
    Column("at most", "at_most", 7, ".1f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure both comparisons and print a row a table."""
    import_seconds = seconds_since_start()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_texts", description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="TASK_FOLDER", help="one task, such as walmart_amazon; default: none"
    )
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="whose words are drawn; default: AutoFJ-50")
    parser.add_argument("--rows", type=int, default=200, help="of both tables; default: 200")
    parser.add_argument("--characters", type=int, default=20_000, help="of a long text; default: 20000")
    parser.add_argument("--cut", type=int, default=500, help="characters that a text is cut to; default: 500")
    parser.add_argument("--repeats", type=int, default=3, help="runs of every join; default: 3")
    add_join_options(parser, method="auto")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    options = join_options(arguments)
    for name in ("rows", "characters", "cut", "repeats"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name}: give 1 or more")

    folder = autofj50_folder(arguments.tasks)
    titles = pd.concat([read_task(folder / name).reference["title"] for name in task_names(folder)]).dropna()
    words = sorted({word for title in titles for word in title.split()})
    announce_kernels(options, import_seconds)
    long = long_table(words, arguments.rows, arguments.characters)
    rows = f"{arguments.rows} x {arguments.rows} rows of {{}} characters"
    cut = replace(long, name=rows.format(arguments.cut), reference=_cut(long.reference, arguments.cut))
    compared = [
        (
            replace(cut, query=_cut(long.query, arguments.cut)),
            [replace(long, name=rows.format(arguments.characters))],
            MOST_FOR_TABLE,
        )
    ]
    if arguments.folder is not None:
        task = read_task(arguments.folder)
        long_cells = [with_long_cell(task, words, arguments.characters, side) for side in ("reference", "query")]
        compared.append((task, long_cells, MOST_FOR_CELL))
    printed = print_table(
        TABLE, (row for base, others, most in compared for row in _rows(base, others, most, options, arguments.repeats))
    )
    say("times: beside the first of its tables")
    write_json(arguments.json, {"tables": printed})


def long_table(words: Sequence[str], rows: int, characters: int) -> Task:
    """Return a task of so many rows a side, each of one text of about so many characters; row i's match is row i."""
    random = np.random.default_rng(SEED)
    texts = [_text(words, characters, random) for _ in range(rows)]
    ids = [str(row) for row in range(rows)]
    return Task(
        name="long texts",
        reference=pd.DataFrame({ID: ids, "title": texts}),
        query=pd.DataFrame({ID: ids, "title": [_with_losses(text, random) for text in texts]}),
        truth=pd.DataFrame({"id_l": ids, "id_r": ids}),
        columns=("title",),
    )


def with_long_cell(task: Task, words: Sequence[str], characters: int, side: str) -> Task:
    """Return the task with so many characters more in the first row's first joined column, on one side."""
    table = getattr(task, side).copy()
    place = table.columns.get_loc(task.columns[0])
    known = table.iloc[0, place]
    text = _text(words, characters, np.random.default_rng(SEED))
    table.iloc[0, place] = f"{known} {text}" if isinstance(known, str) else text
    changed = {"reference": table} if side == "reference" else {"query": table}
    return replace(task, name=f"{task.name}, one {side} cell of {characters} characters", **changed)


def _rows(
    base: Task, others: Sequence[Task], at_most: float, options: JoinOptions, repeats: int
) -> Iterator[dict[str, Any]]:
    """Join all tables in turns; yield a row each, and how many times as long as the first it took."""
    tasks = [base, *others]
    measured: list[list[tuple[float, float]]] = [[] for _ in tasks]
    joined = [0] * len(tasks)
    for _ in range(repeats):
        for place, task in enumerate(tasks):
            clock = Clock()
            result, seconds = timed_join(task, options)
            measured[place].append((seconds, clock.cpu_seconds))
            joined[place] = len(result.matches)
    medians = [tuple(statistics.median(column) for column in zip(*runs, strict=True)) for runs in measured]
    for place, (task, (seconds, cpu_seconds)) in enumerate(zip(tasks, medians, strict=True)):
        row = {"tables": task.name, "joined": joined[place], "seconds": seconds, "cpu_seconds": cpu_seconds}
        if place:
            row |= {"times": seconds / medians[0][0], "cpu_times": cpu_seconds / medians[0][1], "at_most": at_most}
        yield row


def _text(words: Sequence[str], characters: int, random: np.random.Generator) -> str:
    parts: list[str] = []
    size = 0
    while size < characters:
        parts.append(words[int(random.integers(len(words)))])
        size += len(parts[-1]) + 1
    return " ".join(parts)[:characters]


def _with_losses(text: str, random: np.random.Generator) -> str:
    kept = [word for word in text.split() if random.random() >= LOST_WORDS]
    return " ".join(word[:-1] if len(word) > 1 and random.random() < LOST_LETTERS else word for word in kept)


def _cut(table: pd.DataFrame, characters: int) -> pd.DataFrame:
    return table.assign(title=table["title"].str[:characters])


if __name__ == "__main__":
    command(main)
