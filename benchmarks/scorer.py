"""The scorer, cross-fitted: what is measured on a task comes from a scorer that saw no row of its source family.

On AutoFJ-50, as it ships and with 30 % of the matched reference rows withheld, trees and calibration are trained on the
other folds' tasks and their copies, once for every seed (which also draws the folds and the withheld rows). With
`--tasks FOLDER` the shipped scorer, trained on AutoFJ-50 alone, is measured on that folder's tasks instead; with
`--wider` it is trained again, on AutoFJ-50 and on the other folds' families of that folder.

Every task is joined as by `fuzzy_join`, at three targets. Besides precision and recall a row tells recall under a
perfect threshold on the same scores, the share of matchable query rows whose match is ranked first, and how far the
estimates are from the truth: at the decision threshold and for the best half, three quarters and all of the query rows.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._command import add_json_option, command
from benchmarks._copies import COPIES, copy_of, generator, withheld
from benchmarks._data import autofj50_folder, read_task, task_names
from benchmarks._measure import Column, best_recall_at, mean, print_table, say, write_json
from benchmarks._training import examples_of, fold_numbers, train
from fuzzyjoin import fuzzy_join
from fuzzyjoin.blocking import scorer_k
from fuzzyjoin.compare import Candidates
from fuzzyjoin.evaluation import evaluate
from fuzzyjoin.joining import decide
from fuzzyjoin.program import JoinResult, Program
from fuzzyjoin.scoring import ScoredRun, TrainedScorer, score_run, shipped_scorer
from fuzzyjoin.scoring.decision import unscaled
from fuzzyjoin.scoring.densities import at
from fuzzyjoin.scoring.scorer import scorer_bytes
from fuzzyjoin.search import LearningSettings
from fuzzyjoin.search.learn import learn_from_run
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks._data import Task
    from benchmarks._training import Examples

__all__ = ["main", "source_family", "summary", "task_row"]

TARGETS: Final = (0.8, 0.9, 0.95)
TARGET: Final = 0.9
TOLERANCE: Final = 0.05
TOP_SHARES: Final = (0.5, 0.75, 1.0)
FOLDS: Final = 5
SEEDS: Final = (1, 2, 3, 4, 5)
WITHHELD: Final = 0.3
REACHABLE_RECALL: Final = 0.1
MANY_ROWS: Final = 100
LOST_RECALL: Final = 0.03

FAMILIES: Final = ("imdb", "misspellings", "dblp", "biomappings")
"""Beginnings of the names of tasks that share rows."""

TABLE: Final = (
    Column("task", "task", 30),
    Column("seed", "seed", 4, "d"),
    Column("query", "query_rows", 6, "d"),
    Column("joined", "joined", 6, "d"),
    Column("P", "precision", 6, ".3f"),
    Column("R", "recall", 6, ".3f"),
    Column("perfect R", "perfect_recall", 9, ".3f"),
    Column("first", "ranked_first", 6, ".3f"),
    Column("estimate", "estimate", 8, ".3f"),
    Column("low", "low", 6, ".3f"),
    Column("high", "high", 6, ".3f"),
    Column("paper P", "paper_precision", 7, ".3f"),
    Column("paper R", "paper_recall", 7, ".3f"),
)


@dataclass(frozen=True)
class Conditions:
    """What all tasks of a run are joined under.

    `paper` measures the published method too, if given. `min_probability` is the least match probability of a joined
    row, `merged` says that equal reference rows are one candidate; programs of 0.1.0 have neither.
    """

    paper: Paper | None = None
    min_probability: float | None = None
    merged: bool = True


@dataclass(frozen=True)
class Paper:
    """Precision and recall of the published method over the large space, by task and target."""

    found: dict[tuple[str, float], tuple[float | None, float | None]]

    def of(self, task: Task, target: float) -> tuple[float | None, float | None]:
        """Return them, measured on the first call."""
        key = task.name, target
        if key not in self.found:
            result = fuzzy_join(
                task.reference,
                task.query,
                on=list(task.columns),
                id="id",
                precision_target=target,
                method="autofj",
                space="large",
            )
            measured = evaluate(result.matches, task.truth)
            self.found[key] = measured.precision, measured.recall
        return self.found[key]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a row a task and the macro figures, and write both if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scorer", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="AutoFJ-50's folder; default: fetched once and cached")
    parser.add_argument("--tasks", type=Path, metavar="FOLDER", help="measure on this folder's tasks instead")
    parser.add_argument("--wider", action="store_true", help="train on the other tasks of that folder too")
    parser.add_argument("--most-queries", type=int, default=3000, metavar="N", help="sample larger query tables")
    parser.add_argument("--most-reference", type=int, default=10**9, metavar="N", help="leave larger tasks out")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="SEED", help="default: 1 2 3 4 5")
    parser.add_argument(
        "--min-probability", type=float, metavar="P", help="least match probability of a joined row; default: 0.5"
    )
    parser.add_argument(
        "--separate-equal-rows", action="store_true", help="let equal and nearly equal reference rows be rivals"
    )
    parser.add_argument("--no-paper", action="store_true", help="leave the published method out")
    add_json_option(parser)
    arguments = parser.parse_args(argv)

    conditions = Conditions(
        paper=None if arguments.no_paper else Paper({}),
        min_probability=arguments.min_probability,
        merged=not arguments.separate_equal_rows,
    )
    own = autofj50_folder(arguments.data)
    if arguments.tasks is None:
        rows = print_table(TABLE, _cross_fitted(own, arguments.seeds, conditions))
    else:
        rows = print_table(TABLE, _elsewhere(arguments, own, conditions))
    figures = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        figures[kind] = summary([row for row in rows if row["kind"] == kind])
        say()
        say(f"{kind}:")
        for name, value in figures[kind].items():
            say(f"  {name:<52} {_shown(value)}")
    write_json(arguments.json, {"macro": figures, "tasks": rows})


def source_family(name: str) -> str:
    """Return what must not be divided between folds: tasks whose tables share rows.

    >>> source_family("imdb_tmdb"), source_family("beer")
    ('imdb', 'beer')
    """
    return next((family for family in FAMILIES if name.startswith(family)), name)


def _cross_fitted(folder: Path, seeds: Iterable[int], conditions: Conditions) -> Iterator[dict[str, Any]]:
    tasks = [read_task(folder / name) for name in task_names(folder)]
    tables = _training_tables(tasks)
    for seed in seeds:
        folds = fold_numbers([task.name for task in tasks], FOLDS, seed)
        for fold in range(FOLDS):
            scorer = _trained([table for table in tables if folds[table.family] != fold], seed)
            for task in tasks:
                if folds[task.name] != fold:
                    continue
                yield task_row(task, "AutoFJ-50 as it ships", scorer, seed, conditions)
                # Other rows are withheld for every seed.
                gone = replace(withheld(task, WITHHELD, f"measured {seed}"), name=f"{task.name}, seed {seed}")
                yield task_row(gone, "AutoFJ-50, 30 % withheld", scorer, seed, conditions)


def _elsewhere(arguments: argparse.Namespace, own: Path, conditions: Conditions) -> Iterator[dict[str, Any]]:
    tasks = [
        _sampled(read_task(arguments.tasks / name), arguments.most_queries) for name in task_names(arguments.tasks)
    ]
    tasks = [task for task in tasks if len(task.reference) <= arguments.most_reference]
    if not arguments.wider:
        for task in tasks:
            yield task_row(task, "trained on AutoFJ-50 alone", shipped_scorer(), 0, conditions)
        return
    tables = _training_tables([read_task(own / name) for name in task_names(own)])
    tables += [examples_of(task, name=task.name, family=source_family(task.name)) for task in tasks]
    families = [source_family(task.name) for task in tasks]
    for seed in arguments.seeds:
        folds = fold_numbers(families, FOLDS, seed)
        for fold in range(FOLDS):
            scorer = _trained([table for table in tables if folds.get(table.family) != fold], seed)
            for task in tasks:
                if folds[source_family(task.name)] == fold:
                    yield task_row(task, "trained on AutoFJ-50 and others", scorer, seed, conditions)


def _training_tables(tasks: Sequence[Task]) -> list[Examples]:
    return [
        examples_of(copy_of(task, kind), name=f"{task.name}, {kind}", family=task.name)
        for task in tasks
        for kind in COPIES
    ]


def _trained(tables: Sequence[Examples], seed: int) -> TrainedScorer:
    content = scorer_bytes("fold", *train(tables, seed=seed))
    return TrainedScorer.from_bytes(content, source="fold")


def _sampled(task: Task, most: int) -> Task:
    if len(task.query) <= most:
        return task
    chosen = np.sort(generator(task.name, "queries").choice(len(task.query), most, replace=False))
    query = task.query.iloc[chosen]
    return replace(task, query=query, truth=task.truth[task.truth["id_r"].isin(set(query["id"]))])


def task_row(task: Task, kind: str, scorer: TrainedScorer, seed: int, conditions: Conditions) -> dict[str, Any]:
    """Join one task at every target and measure it; the row's own figures are those at the middle target."""
    candidates = _candidates(task, merged=conditions.merged)
    scored = score_run(candidates, scorer)
    results = {target: _joined(candidates, scored, scorer, target, conditions.min_probability) for target in TARGETS}
    measured = {target: evaluate(result.matches, task.truth) for target, result in results.items()}
    result = results[TARGET]
    ranked = _ranked(result, task)
    matchable = measured[TARGET].matchable
    published = conditions.paper.of(task, TARGET) if conditions.paper else (None, None)
    perfect = best_recall_at(TARGET, [(score, right) for score, _, right in ranked], matchable)
    estimate = result.precision_estimate
    return {
        "task": task.name,
        "kind": kind,
        "seed": seed,
        "query_rows": len(task.query),
        "joined": measured[TARGET].joined,
        "precision": measured[TARGET].precision,
        "recall": measured[TARGET].recall,
        "perfect_recall": perfect,
        "ranked_first": sum(right for _, _, right in ranked) / matchable if matchable else None,
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "paper_precision": published[0],
        "paper_recall": published[1],
        "reachable": max(perfect, published[1] or 0.0) >= REACHABLE_RECALL,
        "at_targets": [_compared(results[target], measured[target].precision) for target in TARGETS],
        "at_top_shares": [_top(ranked, share) for share in TOP_SHARES],
        "seconds": sum(result.seconds.values()),
    }


def _candidates(task: Task, *, merged: bool) -> Candidates:
    whole, query = key_tables(task.reference, task.query, ("id", "id"), [(column, column) for column in task.columns])
    tables = (whole.distinct() if merged else whole), query
    return Candidates(*tables, scorer_k(len(tables[0])), choose_work(None, None), blocker="cosine")


def _joined(
    candidates: Candidates, scored: ScoredRun, scorer: TrainedScorer, target: float, min_probability: float | None
) -> JoinResult:
    """Join as `fuzzy_join` does; several targets share the candidates and their scores."""
    watch = Stopwatch()
    settings = LearningSettings.of("auto", None, target, negative_rules=False, min_probability=min_probability)
    learned = learn_from_run(scored, candidates, settings, scorer)
    decisions = decide(learned.definition, candidates, {}, watch, scorer, learned.best)
    program = Program(definition=learned.definition, learning_record=learned.learning_record)
    return JoinResult.of(program, decisions, watch)


def _ranked(result: JoinResult, task: Task) -> list[tuple[float, float, bool]]:
    """Return (score, probability, is right) of the best candidate of every query row that has one, best first."""
    right = set(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    probabilities = np.array(result.program.definition.probabilities)
    best = [
        *result.matches[["query_id", "reference_id", "distance"]].itertuples(index=False, name=None),
        *result.unmatched[["query_id", "best_reference_id", "best_distance"]].itertuples(index=False, name=None),
    ]
    found = [
        (1.0 - distance, (query, reference) in right) for query, reference, distance in best if not math.isnan(distance)
    ]
    scores = np.array([unscaled(score) for score, _ in found])
    chances = at(probabilities, scores).tolist()
    ranked = [(score, chance, is_right) for (score, is_right), chance in zip(found, chances, strict=True)]
    return sorted(ranked, key=lambda row: -row[0])


def _compared(result: JoinResult, truth: float | None) -> dict[str, float | None]:
    estimate = result.precision_estimate
    return {
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "truth": truth,
        "joined": len(result.matches),
    }


def _top(ranked: Sequence[tuple[float, float, bool]], share: float) -> tuple[float, float] | None:
    """Return the estimated and the true precision of the best share of the rows."""
    rows = ranked[: max(1, round(share * len(ranked)))]
    if not rows:
        return None
    return sum(chance for _, chance, _ in rows) / len(rows), sum(right for _, _, right in rows) / len(rows)


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the macro figures; seeds count alike. A task where nothing is joined is a miss if some was in reach."""
    joined = [row for row in rows if row["precision"] is not None]
    missed = [row for row in rows if row["precision"] is None and row["reachable"]]
    good = sum(row["precision"] >= TARGET - TOLERANCE - 1e-9 for row in joined)
    trials = [trial for row in rows for trial in row["at_targets"] if trial["truth"] is not None]
    tops = [pair for row in rows for pair in row["at_top_shares"] if pair is not None]
    recall, perfect = mean(row["recall"] for row in rows), mean(row["perfect_recall"] for row in rows)
    estimates, truths = np.array(tops).T
    compared = any(row["paper_recall"] is not None for row in rows)
    worse = [
        row["task"]
        for row in rows
        if row["query_rows"] > MANY_ROWS
        and row["paper_recall"] is not None
        and row["paper_recall"] > (row["recall"] or 0.0) + LOST_RECALL
        and (row["paper_precision"] or 0.0) >= (row["precision"] or 0.0)
    ]
    return {
        "tasks": len({row["task"].split(", seed")[0] for row in rows}),
        "precision": mean(row["precision"] for row in rows),
        "recall": recall,
        "share of tasks with precision >= target - 0.05": good / max(len(joined) + len(missed), 1),
        "lowest precision": min((row["precision"] for row in joined), default=None),
        "tasks where nothing is joined though some could": len(missed),
        "recall under a perfect threshold": perfect,
        "share of that recall": (recall or 0.0) / perfect if perfect else None,
        "ranked first": mean(row["ranked_first"] for row in rows),
        "published method: precision": mean(row["paper_precision"] for row in rows),
        "published method: recall": mean(row["paper_recall"] for row in rows),
        **{
            f"mean |estimate - truth| at {target}": mean(_error(row["at_targets"][place]) for row in rows)
            for place, target in enumerate(TARGETS)
        },
        "mean |estimate - truth| at the targets": mean(_error(trial) for trial in trials),
        "mean |estimate - truth| at top shares": float(np.abs(estimates - truths).mean()),
        "correlation of estimate and truth at top shares": _correlation(estimates, truths),
        "share of intervals that cover the truth": mean(
            float(trial["low"] <= trial["truth"] <= trial["high"]) for trial in trials
        ),
        "median half-width, 100 joined rows or more": _median(
            (trial["high"] - trial["low"]) / 2.0 for trial in trials if trial["joined"] >= MANY_ROWS
        ),
        "published method better by > 0.03 recall on": (", ".join(worse) or "none") if compared else "not measured",
    }


def _correlation(left: np.ndarray, right: np.ndarray) -> float | None:
    return float(np.corrcoef(left, right)[0, 1]) if left.std() > 0.0 and right.std() > 0.0 else None


def _error(trial: Mapping[str, float | None]) -> float | None:
    if trial["truth"] is None or trial["estimate"] is None:
        return None
    return abs(trial["estimate"] - trial["truth"])


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.median(found)) if found else None


def _shown(value: Any) -> str:  # noqa: ANN401 - a figure or words
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    command(main)
