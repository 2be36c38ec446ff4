"""Precision and recall beside other tools that need no labels, on the tasks of a folder, as one Markdown table.

Every tool joins with its defaults, or with the threshold that its name states; none is tuned on a task. autofj and
fuzzyjoin are given the precision target, which no other tool takes. A tool that compares one text is given the columns
with a space between them. The trained scorer must not know the tasks: it was trained on AutoFJ-50, so do not give that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pandas as pd
from rapidfuzz import fuzz, process, utils

from benchmarks._autofj import AutoFJProcess
from benchmarks._command import add_json_option, command
from benchmarks._data import ID, read_task, task_names
from benchmarks._measure import Column, JoinOptions, mean, measured_tree, print_table, say, timed_join, write_json
from fuzzyjoin.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks._data import Task

__all__ = ["main", "markdown"]

WORKER: Final = Path(__file__).with_name("_string_grouper_worker.py")
TARGET: Final = 0.9
TOLERANCE: Final = 0.05
LEAST_SCORE: Final = 90

TABLE: Final = (
    Column("task", "task", 28),
    Column("tool", "tool", 34),
    Column("joined", "joined", 6, "d"),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("estimate", "estimate", 8, ".3f"),
    Column("seconds", "seconds", 8, ".2f"),
)


class Tool(Protocol):
    """Joins a task: the matches, as columns query_id and reference_id, and the tool's own estimate if it has one."""

    def __call__(self, task: Task, folder: Path) -> tuple[pd.DataFrame, float | None]: ...


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every tool on every task, print a row each and the table, and write both if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.other_tools", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the tasks' folders")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    parser.add_argument("--most-rows", type=int, default=10**9, metavar="N", help="leave out tasks with a longer table")
    parser.add_argument("--no-autofj", action="store_true", help="leave autofj out, which takes minutes a task")
    parser.add_argument(
        "--string-grouper", metavar="PYTHON", help="an interpreter that has string_grouper; left out unless named"
    )
    add_json_option(parser)
    arguments = parser.parse_args(argv)

    tasks = [read_task(arguments.folder / name) for name in task_names(arguments.folder, arguments.task)]
    tasks = [task for task in tasks if max(len(task.reference), len(task.query)) <= arguments.most_rows]
    if not tasks:
        raise SystemExit(f"{arguments.folder}: every task has a table of more than {arguments.most_rows} rows")
    tools: dict[str, Tool] = {"fuzzyjoin": _fuzzyjoin("auto"), "fuzzyjoin --method autofj": _fuzzyjoin("autofj")}
    if not arguments.no_autofj:
        tools["autofj 0.0.6"] = _autofj
    if arguments.string_grouper:
        found = _string_grouper_version(arguments.string_grouper)
        tools[f"string_grouper {found}, cosine ≥ 0.8"] = _string_grouper(arguments.string_grouper)
    tools[f"rapidfuzz {version('rapidfuzz')}, WRatio ≥ {LEAST_SCORE}"] = _rapidfuzz

    rows = print_table(
        TABLE, (_row(task, arguments.folder / task.name, name, tool) for task in tasks for name, tool in tools.items())
    )
    figures = {
        "tree": measured_tree("fuzzyjoin"),
        "tasks": [task.name for task in tasks],
        "macro": _macro(rows),
        "rows": rows,
    }
    say()
    say(markdown(figures))
    write_json(arguments.json, figures)


def markdown(figures: Mapping[str, Any]) -> str:
    """Return the table of the macro figures, and the tree and tasks that they were measured on."""
    heading = (
        f"| tool | precision | recall | tasks with precision ≥ {TARGET - TOLERANCE:.2f} | mean error of the estimate |"
    )
    lines = [heading, "|---|---|---|---|---|"]
    for tool in figures["macro"]:
        error = tool["mean_abs_estimate_error"]
        shown = "no estimate" if error is None else f"{error:.3f}"
        good = f"{tool['tasks_near_target']} of {tool['tasks']}"
        lines.append(f"| {tool['tool']} | {tool['precision']:.3f} | {tool['recall']:.3f} | {good} | {shown} |")
    tree = figures["tree"]
    lines += ["", f"Measured on commit `{tree['commit']}`, Python {tree['python']}, {len(figures['tasks'])} tasks:"]
    return "\n".join([*lines, f"{', '.join(figures['tasks'])}."])


def _row(task: Task, folder: Path, name: str, tool: Tool) -> dict[str, Any]:
    start = time.perf_counter()
    matches, estimate = tool(task, folder)
    seconds = time.perf_counter() - start
    measured = evaluate(matches, task.truth)
    return {
        "task": task.name,
        "tool": name,
        "joined": measured.joined,
        "precision": measured.precision,
        "recall": measured.recall,
        "estimate": estimate,
        "seconds": seconds,
    }


def _macro(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each tool's means over the tasks; a task where it joins nothing has no precision and misses the target."""
    figures = []
    for name in dict.fromkeys(row["tool"] for row in rows):
        own = [row for row in rows if row["tool"] == name]
        joined = [row for row in own if row["precision"] is not None]
        figures.append(
            {
                "tool": name,
                "tasks": len(own),
                "precision": mean(row["precision"] for row in own),
                "recall": mean(row["recall"] for row in own),
                "tasks_near_target": sum(row["precision"] >= TARGET - TOLERANCE - 1e-9 for row in joined),
                "mean_abs_estimate_error": mean(
                    None if row["estimate"] is None else abs(row["estimate"] - row["precision"]) for row in joined
                ),
            }
        )
    return figures


def _fuzzyjoin(method: str) -> Tool:
    def join(task: Task, _folder: Path) -> tuple[pd.DataFrame, float | None]:
        options = JoinOptions(
            method="auto" if method == "auto" else "autofj", space=None, precision_target=TARGET, threads=None
        )
        result, _ = timed_join(task, options)
        return result.matches, result.precision_estimate.value

    return join


def _autofj(task: Task, folder: Path) -> tuple[pd.DataFrame, None]:
    # A process a task: one that fails takes no other with it.
    with AutoFJProcess(space="small", n_jobs=2, precision_target=TARGET) as autofj:
        return autofj.join(task, folder).matches, None


def _string_grouper(python: str) -> Tool:
    def join(task: Task, _folder: Path) -> tuple[pd.DataFrame, None]:
        request = json.dumps({"reference": _texts(task, task.reference), "query": _texts(task, task.query)})
        done = subprocess.run([python, WORKER], input=request, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise SystemExit(f"string_grouper failed on {task.name}:\n{done.stderr}")
        return _matches(task, json.loads(done.stdout)), None

    return join


def _string_grouper_version(python: str) -> str:
    code = "from importlib.metadata import version; print(version('string-grouper'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise SystemExit(f"--string-grouper: {python} has no string_grouper; install it there with pip")
    return done.stdout.strip()


def _rapidfuzz(task: Task, _folder: Path) -> tuple[pd.DataFrame, None]:
    reference, found = _texts(task, task.reference), []
    for row, text in enumerate(_texts(task, task.query)):
        best = process.extractOne(
            text, reference, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=LEAST_SCORE
        )
        if best is not None:
            found.append((row, best[2]))
    return _matches(task, found), None


def _texts(task: Task, table: pd.DataFrame) -> list[str]:
    columns = [table[name].fillna("") for name in task.columns]
    return [" ".join(filter(None, values)) for values in zip(*columns, strict=True)]


def _matches(task: Task, found: Sequence[Sequence[int]]) -> pd.DataFrame:
    query, reference = task.query[ID].tolist(), task.reference[ID].tolist()
    pairs = [(query[row], reference[best]) for row, best in found]
    return pd.DataFrame(pairs, columns=["query_id", "reference_id"], dtype=str)


if __name__ == "__main__":
    command(main)
