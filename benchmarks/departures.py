"""What each departure from the reference implementation does on AutoFJ-50: the same join with one thing changed.

The reference implementation counts a row's own entry within k when it blocks the reference table against itself, and
sees only blocked neighbours when it counts how many reference rows lie near a match; its negative rules are always on.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import (
    add_join_options,
    add_json_option,
    announce_kernels,
    command,
    join_options,
    seconds_since_start,
)
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, mean, print_table, write_json
from fuzzyjoin.blocking import CandidatePairs, default_k
from fuzzyjoin.compare import Candidates
from fuzzyjoin.evaluation import evaluate
from fuzzyjoin.joining import decide, match_table
from fuzzyjoin.search import LearningSettings, learn
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import choose_columns, key_tables
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks._data import Task
    from benchmarks._measure import JoinOptions

__all__ = ["VARIANTS", "main"]

TABLE: Final = (
    Column("variant", "variant", 52),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("P >= target - 0.05", "share", 18, ".2f"),
    Column("|est-P|", "abs_estimate_error", 7, ".3f"),
)


@dataclass(frozen=True)
class Variant:
    """One thing changed: how many neighbours of a reference row are seen, given k, or the negative rules."""

    name: str
    neighbours: Callable[[int], int] = lambda k: k
    negative_rules: bool = True


VARIANTS: Final = (
    Variant("as shipped"),
    Variant("own entry counted within k, as autofj 0.0.6 does", neighbours=lambda k: max(k - 1, 1)),
    Variant("neighbourhoods see 4 k blocked neighbours instead of k", neighbours=lambda k: 4 * k),
    Variant("no negative rules", negative_rules=False),
)


@dataclass(frozen=True)
class OtherNeighbours(Candidates):
    """Candidates whose reference-reference pairs are limited to another k."""

    neighbours_k: int = 1

    @cached_property
    def reference_pairs(self) -> CandidatePairs:
        """As many neighbours of every reference row as the variant says."""
        return self.index.self_pairs(np.arange(len(self.reference)), self.neighbours_k, self.work)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every variant on the tasks and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.departures", description=__doc__)
    add_join_options(parser, method="autofj")
    add_json_option(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the tasks' folder; default: fetched once and cached")
    parser.add_argument("--task", nargs="+", metavar="NAME", help="default: all of them")
    arguments = parser.parse_args(argv)
    options = join_options(arguments)
    folder = autofj50_folder(arguments.data)
    tasks = [read_task(folder / name) for name in task_names(folder, arguments.task)]
    announce_kernels(options, seconds_since_start())
    write_json(arguments.json, {"variants": print_table(TABLE, _rows(tasks, options))})


def _rows(tasks: Sequence[Task], options: JoinOptions) -> Iterator[dict[str, Any]]:
    for variant in VARIANTS:
        measured = [_measure(task, variant, options) for task in tasks]
        precisions = [precision for precision, _, _ in measured if precision is not None]
        yield {
            "variant": variant.name,
            "precision": mean(precisions),
            "recall": mean(recall for _, recall, _ in measured),
            "share": mean(float(precision >= options.precision_target - 0.05) for precision in precisions),
            "abs_estimate_error": mean(
                abs(estimate - precision)
                for precision, _, estimate in measured
                if precision is not None and estimate is not None
            ),
        }


def _measure(task: Task, variant: Variant, options: JoinOptions) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and estimate of one task under one variant."""
    settings = LearningSettings.of(
        options.method, options.space, options.precision_target, negative_rules=variant.negative_rules
    )
    columns = choose_columns(list(task.columns), "id", task.reference, task.query)
    tables = key_tables(task.reference, task.query, *columns)
    k = default_k(len(tables[0]))
    candidates = OtherNeighbours(*tables, k, choose_work(options.threads, None), neighbours_k=variant.neighbours(k))
    learned = learn(candidates, settings, Stopwatch())
    decisions = decide(learned.definition, candidates, {}, Stopwatch())
    measured = evaluate(match_table(decisions), task.truth)
    return measured.precision, measured.recall, decisions.estimate.value


if __name__ == "__main__":
    command(main)
