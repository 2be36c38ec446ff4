"""Learning on samples of a long query table: how far the programs of several seeds agree, and what learning takes.

The tables are enlarged (see `benchmarks._enlarged`); one title in five is withheld from the reference table, so that
not every query has a match. Every seed learns in a process of its own, after a warm-up; the programs then join queries
that none of them has seen. Two programs agree by the Jaccard index of their matches, which are pairs of a query and a
reference row. Last comes how wide the estimate's interval would be if other numbers of rows were joined.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._data import autofj50_folder
from benchmarks._enlarged import enlarged_queries, enlarged_reference
from benchmarks._measure import (
    Clock,
    Column,
    JoinOptions,
    apart,
    mean,
    peak_memory_mb,
    print_table,
    say,
    warm_up,
    write_json,
)
from benchmarks.blocking_speed import pooled_titles
from fuzzyjoin import Program
from fuzzyjoin.compare import Candidates
from fuzzyjoin.joining import decide, tables_to_join
from fuzzyjoin.scoring import LEVEL, best_of_queries, interval, shipped_scorer
from fuzzyjoin.search import LearningSettings, learn
from fuzzyjoin.search.query_sample import SAMPLE_ROWS
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin.kernels.types import Int64Array

__all__ = ["jaccard", "learning_row", "main"]

TARGET: Final = 0.9

WITHHELD: Final = 5
"""One title in so many is withheld."""

JOINED: Final = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000)
"""Numbers of joined rows whose interval is shown."""

LEARNING: Final = (
    Column("seed", "seed", 4, "d"),
    Column("learned on", "learned_rows", 10, ",d"),
    Column("joined", "joined", 9, ",d"),
    Column("threshold", "threshold", 9, ".4f"),
    Column("estimate", "estimate", 8, ".4f"),
    Column("low", "low", 6, ".3f"),
    Column("high", "high", 6, ".3f"),
    Column("learn s", "learn_seconds", 8, ".1f"),
    Column("CPU s", "learn_cpu_seconds", 8, ".1f"),
    Column("peak MB", "peak_mb", 8, ",.0f"),
)
JOINING: Final = (
    Column("seed", "seed", 4, "d"),
    Column("unseen joined", "joined", 13, ",d"),
    Column("estimate", "estimate", 8, ".4f"),
)
WIDTHS: Final = (Column("if joined", "joined", 9, ",d"), Column("half-width", "half_width", 10, ".4f"))


def main(argv: Sequence[str] | None = None) -> None:
    """Learn by every seed, let the programs join the unseen queries, and compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_sample", description=__doc__)
    parser.add_argument("--reference", type=int, default=1_000_000, metavar="N", help="default: 1000000")
    parser.add_argument("--queries", type=int, default=1_000_000, metavar="N", help="default: 1000000")
    parser.add_argument("--unseen", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--sample-rows", type=int, default=SAMPLE_ROWS, metavar="N", help=f"default: {SAMPLE_ROWS}")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="the tasks' folder; default: AutoFJ-50")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    titles = pooled_titles(arguments.tasks or autofj50_folder()).reference
    known = enlarged_reference(titles, -(-arguments.reference * WITHHELD // (WITHHELD - 1)))
    both = enlarged_queries(known, arguments.queries + arguments.unseen)
    reference = known[np.arange(1, len(known) + 1) % WITHHELD != 0]
    query, unseen = both.iloc[: arguments.queries], both.iloc[arguments.queries :]
    say(f"{len(reference):,} reference rows, {len(query):,} query rows, {len(unseen):,} unseen ones")
    options = {"sample_rows": arguments.sample_rows, "threads": arguments.threads}
    learned = print_table(
        LEARNING, (apart(learning_row, reference, query, seed, **options) for seed in range(arguments.seeds))
    )
    programs = [Program.from_json(row.pop("program")) for row in learned]
    found = apart(joining_rows, programs, reference, unseen, arguments.threads)
    matches = [row.pop("matches") for row in found]
    print_table(JOINING, found)
    agreement = [jaccard(one, other) for one, other in itertools.combinations(matches, 2)]
    average = mean(agreement)
    if average is not None:
        say(f"Jaccard index of the matches of two programs: least {min(agreement):.4f}, mean {average:.4f}")
    between_task_sd = programs[0].definition.between_task_sd
    say(f"interval at an estimate of {TARGET:g}, between-task deviation {between_task_sd:.3f} (seed 0, log-odds)")
    widths = print_table(
        WIDTHS, ({"joined": rows, "half_width": _half_width(rows, between_task_sd)} for rows in JOINED)
    )
    write_json(arguments.json, {"learning": learned, "joining": found, "jaccard": agreement, "widths": widths})


def learning_row(
    reference: pd.DataFrame, query: pd.DataFrame, seed: int, *, sample_rows: int, threads: int | None
) -> dict[str, Any]:
    """Learn on the sample that a seed draws; seconds from the caller's tables to the program."""
    warm_up(JoinOptions(method="auto", space=None, precision_target=TARGET, threads=threads))
    settings = replace(
        LearningSettings.of("auto", None, TARGET, negative_rules=True), sample_rows=sample_rows, sample_seed=seed
    )
    clock = Clock()
    tables = key_tables(reference, query, ("id", "id"), [("title", "title")])
    blocker, k = settings.blocking(len(reference))
    candidates = Candidates(*tables, k, choose_work(threads, None), blocker=blocker)
    learned = learn(candidates, settings, Stopwatch())
    program = Program(definition=learned.definition, learning_record=learned.learning_record)
    seconds, cpu_seconds = clock.seconds, clock.cpu_seconds
    record, decision = program.learning_record, program.definition.decision
    estimate = program.precision_estimate
    return {
        "seed": seed,
        "learned_rows": record.learned_rows if record else None,
        "joined": record.joined if record else None,
        "threshold": getattr(decision, "threshold", None),
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "learn_seconds": seconds,
        "learn_cpu_seconds": cpu_seconds,
        "peak_mb": peak_memory_mb(),
        "program": program.to_json(),
    }


def joining_rows(
    programs: Sequence[Program], reference: pd.DataFrame, query: pd.DataFrame, threads: int | None
) -> list[dict[str, Any]]:
    """Join the same queries by every program: only curve and threshold differ, so scores are computed once."""
    candidates, _ = tables_to_join(
        programs[0].definition,
        programs[0].learning_record,
        reference,
        query,
        id_column="id",
        strict=True,
        blocker=None,
        pairs=None,
        work=choose_work(threads, None),
    )
    best, rows = best_of_queries(candidates, programs[0].definition.weights, shipped_scorer()), []
    for seed, program in enumerate(programs):
        decided = decide(program.definition, candidates, {}, Stopwatch(), best=best)
        matches = np.where(decided.matches.joined, decided.matches.reference, -1)
        rows.append(
            {
                "seed": seed,
                "joined": int(decided.matches.joined.sum()),
                "estimate": decided.estimate.value,
                "matches": matches,
            }
        )
    return rows


def jaccard(one: Int64Array, other: Int64Array) -> float:
    """Return the share of all matches that both have; each array holds a query row's reference row, -1 for none.

    Two that join nothing agree.
    """
    either = (one >= 0) | (other >= 0)
    # A row that the two join to different reference rows counts as two matches, neither of them shared.
    apart_too = (one >= 0) & (other >= 0) & (one != other)
    both = (one >= 0) & (one == other)
    matches = int(either.sum() + apart_too.sum())
    return int(both.sum()) / matches if matches else 1.0


def _half_width(rows: int, between_task_sd: float) -> float:
    low, high = interval(TARGET, rows, between_task_sd, LEVEL)
    return (high - low) / 2.0


if __name__ == "__main__":
    command(main)
