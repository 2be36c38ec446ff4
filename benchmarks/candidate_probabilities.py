"""The probabilities of all candidates against the truth: by rank and bin, what was said and what share is right.

Every task of AutoFJ-50, or of `--tasks FOLDER`, is joined by the shipped scorer with all candidates listed. That scorer
was trained on AutoFJ-50, so the other tasks tell more. Each task counts as much as any other. Of several right
candidates of a row the first counts: the probabilities are of this one and no other.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._data import ID, autofj50_folder, read_task, task_names
from benchmarks._measure import Column, print_table, say, write_json
from fuzzyjoin import fuzzy_join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._data import Task

__all__ = ["main", "reliability", "task_candidates"]

ALL: Final = 10_000
RANKS: Final = (1, 2, 3)
EDGES: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)

TABLE: Final = (
    Column("rank", "rank", 5),
    Column("from", "low", 6, ".2f"),
    Column("to", "high", 6, ".2f"),
    Column("pairs", "pairs", 8, "d"),
    Column("tasks", "tasks", 6, "d"),
    Column("said", "said", 7, ".3f"),
    Column("right", "right", 7, ".3f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Join the tasks and print the reliability of the first ranks, all others, and no match."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.candidate_probabilities", description=__doc__)
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="a folder of tasks; default: AutoFJ-50")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    folder = arguments.tasks or autofj50_folder()
    measured = [task_candidates(read_task(folder / name)) for name in task_names(folder, arguments.task)]
    pairs, rows = (pd.concat(parts, ignore_index=True) for parts in zip(*measured, strict=True))

    bins = print_table(TABLE, reliability(pairs, rows))
    apart = float(rows["apart"].max())
    say()
    say(f"probabilities of a row's candidates and of no match are at most {apart:.0e} from 1 together, in all rows")
    behind = pairs[pairs["rank"] > 1]
    said, right = ((behind["weight"] * behind[what]).sum() for what in ("probability", "right"))
    say(f"right candidates behind the best, a task: {said:.2f} rows in 100 said, {right:.2f} found")
    write_json(arguments.json, {"bins": bins, "apart": apart, "behind_said": said, "behind_right": right})


def task_candidates(task: Task) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a task's candidate pairs and query rows, with their probabilities and whether they are right.

    `weight` is such that the rows of a task count 100 together, divided among all tasks by `reliability`.
    """
    result = fuzzy_join(task.reference, task.query, on=list(task.columns), id=ID, top=ALL)
    candidates = result.candidates
    assert candidates is not None  # noqa: S101 - asked for
    # Reference rows of equal keys are one candidate, and any of them is the right one.
    key = task.reference[list(task.columns)].fillna("").agg("\0".join, axis=1)
    key_of = dict(zip(task.reference[ID], key, strict=True))
    truth = {
        (query, key_of[reference]) for reference, query in task.truth.itertuples(index=False) if reference in key_of
    }
    asked = zip(candidates["query_id"], candidates["reference_id"], strict=True)
    right = pd.Series([(query, key_of[reference]) in truth for query, reference in asked], dtype=bool)
    pairs = candidates[["query_id", "rank", "probability"]].assign(right=right)
    pairs["right"] &= pairs.groupby("query_id")["right"].cumsum() == 1
    weight = 100.0 / len(task.query)
    by_row = pairs.groupby("query_id").agg(whole=("probability", "sum"), found=("right", "any"))
    no_match = candidates.drop_duplicates("query_id").set_index("query_id")["no_match_probability"]
    rows = pd.DataFrame(
        {
            "task": task.name,
            "weight": weight,
            "probability": no_match,
            "right": ~by_row["found"],
            "apart": (by_row["whole"] + no_match - 1.0).abs(),
        }
    )
    return pairs.assign(task=task.name, weight=weight), rows


def reliability(pairs: pd.DataFrame, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row a rank and bin of probability; and divide the weights by the number of tasks."""
    for table in (pairs, rows):
        table["weight"] /= rows["task"].nunique()
    groups = {str(rank): pairs[pairs["rank"] == rank] for rank in RANKS}
    groups[f"{RANKS[-1] + 1}…"] = pairs[pairs["rank"] > RANKS[-1]]
    groups["none"] = rows
    found = []
    for rank, group in groups.items():
        place = np.clip(np.searchsorted(EDGES, group["probability"], side="right") - 1, 0, len(EDGES) - 2)
        for bin_, part in group.groupby(place):
            whole = part["weight"].sum()
            found.append(
                {
                    "rank": rank,
                    "low": EDGES[int(bin_)],
                    "high": EDGES[int(bin_) + 1],
                    "pairs": len(part),
                    "tasks": part["task"].nunique(),
                    "said": (part["weight"] * part["probability"]).sum() / whole,
                    "right": (part["weight"] * part["right"]).sum() / whole,
                }
            )
    return found


if __name__ == "__main__":
    command(main)
