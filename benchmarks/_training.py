"""Training a scorer: evidence with labels, trees by LightGBM, calibration on scores that the trees never saw.

Everything is computed on one thread and in a fixed order, so that the same tables give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._copies import generator
from fuzzyjoin.blocking import scorer_k
from fuzzyjoin.candidates import Candidates
from fuzzyjoin.scoring.calibration import Calibrator, at, densities, histogram, interval, run_features, smoothed
from fuzzyjoin.scoring.decision import lowest_score
from fuzzyjoin.scoring.evidence import EVIDENCE, EvidenceTables, column_weights, sample_rows
from fuzzyjoin.scoring.scorer import Trees
from fuzzyjoin.scoring.scores import CROWDS, DECOYS, NO_CANDIDATE
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks._data import Task
    from fuzzyjoin.kernels.types import BoolArray, Float32Array, Float64Array, Int64Array

__all__ = ["Examples", "Run", "examples_of", "fold_numbers", "runs_out_of_fold", "train", "train_trees"]

ROUNDS: Final = 150
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.08,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 127,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
}

INNER_FOLDS: Final = 3
MEAN_RANK: Final = EVIDENCE.index("mean rank")
LOOKED_AT: Final = 12
"""Candidates of a row that are kept at all: those of the best mean rank; further ones are never scored best."""

KEPT: Final = 6
"""Candidates of a query row that trees are trained on, of these; the others are easy."""

RIDGE: Final = 1.0
FEWEST_ROWS: Final = 3
FEWEST_MATCHLESS: Final = 5
MATCHLESS_SHARES: Final = (0.55, 0.8, 0.95)
"""Shares of match-less query rows that are drawn from the tables that have some, so that calibration knows them."""

TARGETS: Final = (0.8, 0.9, 0.95)
TOP_SHARES: Final = (0.5, 0.75, 1.0)
LEVEL: Final = 0.9


@dataclass(frozen=True)
class Examples:
    """One pair of tables: evidence and labels of the candidates, row after row, and the evidence of its decoys.

    `sizes` are the candidates of each query row, `matchable` whether it has a match. `family` keeps together what must
    not be divided between folds.
    """

    name: str
    family: str
    evidence: Float32Array
    right: BoolArray
    sizes: Int64Array
    matchable: BoolArray
    decoys: Float32Array
    decoy_sizes: Int64Array


@dataclass(frozen=True)
class Run:
    """The best score of every query row of a pair of tables, and the best scores of its decoys.

    `right` says whether the best candidate is, `crowd` how many siblings it has within twice the distance.
    """

    name: str
    family: str
    scores: Float64Array
    right: BoolArray
    matchable: BoolArray
    crowd: Float64Array
    decoys: Float64Array


def examples_of(task: Task, *, name: str, family: str, most_queries: int | None = None) -> Examples:
    """Return the examples of a pair of tables; of more query rows than `most_queries` a sample is taken."""
    query = task.query
    if most_queries is not None and len(query) > most_queries:
        chosen = generator(name, "queries").choice(len(query), most_queries, replace=False)
        query = query.iloc[np.sort(chosen)]
    columns = [(column, column) for column in task.columns]
    tables = key_tables(task.reference, query, ("id", "id"), columns)
    candidates = Candidates(*tables, scorer_k(len(tables[0])), Work(), blocker="cosine")
    evidence = EvidenceTables(candidates, column_weights(candidates))
    pairs = candidates.query_pairs
    truth = set(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    known = set(tables[0].ids)
    with_match = {row for row, reference in truth if reference in known}
    sizes = np.diff(pairs.indptr)
    rows = np.repeat(tables[1].ids, sizes)
    sample = sample_rows(len(tables[0]), DECOYS)
    neighbours = candidates.neighbours(sample)
    found = evidence.evidence(pairs, np.arange(len(tables[1]), dtype=np.int64))
    right = np.array([pair in truth for pair in zip(rows, tables[0].ids[pairs.reference], strict=True)], np.bool_)
    kept = _best_ranked(found, sizes, LOOKED_AT)
    decoys, decoy_sizes = evidence.evidence(neighbours, sample, own=1), np.diff(neighbours.indptr)[sample]
    return Examples(
        name=name,
        family=family,
        evidence=found[kept],
        right=right[kept],
        sizes=np.minimum(sizes, LOOKED_AT),
        matchable=np.array([row in with_match for row in tables[1].ids], np.bool_),
        decoys=decoys[_best_ranked(decoys, decoy_sizes, LOOKED_AT)],
        decoy_sizes=np.minimum(decoy_sizes, LOOKED_AT),
    )


def fold_numbers(families: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Return a fold for every family, at random but of equal sizes."""
    distinct = sorted(set(families))
    order = generator("folds", seed).permutation(len(distinct))
    return {distinct[place]: number % folds for number, place in enumerate(order.tolist())}


def train(tables: Sequence[Examples], *, seed: int = 1) -> tuple[Trees, Calibrator]:
    """Train trees on all tables, and a calibrator on scores by trees that never saw the table's family."""
    runs = runs_out_of_fold(tables, seed=seed)
    folds = fold_numbers([run.family for run in runs], INNER_FOLDS, seed)
    checked = [
        (_calibrator([run for run in runs if folds[run.family] != fold]), run)
        for fold in range(INNER_FOLDS)
        for run in runs
        if folds[run.family] == fold
    ]
    spreads = (
        _spread([trial for calibrator, run in checked for trial in _trials(calibrator, run)]),
        _spread([trial for run in runs for trial in _ball_trials(run)]),
    )
    return train_trees(tables, seed=seed), _calibrator(runs, spreads)


def runs_out_of_fold(tables: Sequence[Examples], *, seed: int) -> list[Run]:
    """Return the best scores of every table by trees trained on the other folds' families."""
    folds = fold_numbers([table.family for table in tables], INNER_FOLDS, seed)
    runs = []
    for fold in range(INNER_FOLDS):
        trees = train_trees([table for table in tables if folds[table.family] != fold], seed=seed)
        runs += [run_of(trees, table) for table in tables if folds[table.family] == fold]
    return runs


def train_trees(tables: Sequence[Examples], *, seed: int = 1) -> Trees:
    """Train the trees; every table weighs as the square root of its query rows."""
    import lightgbm  # noqa: PLC0415 - only those who train need it

    evidence, right, weight = [], [], []
    for table in tables:
        kept = _best_ranked(table.evidence, table.sizes, KEPT)
        evidence.append(table.evidence[kept])
        right.append(table.right[kept])
        weight.append(np.full(int(kept.sum()), 1.0 / np.sqrt(table.sizes.size)))
    weights = np.concatenate(weight)
    data = lightgbm.Dataset(
        np.concatenate(evidence), np.concatenate(right).astype(np.float64), weight=weights / weights.mean()
    )
    booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
    return _trees(booster.dump_model())


def _best_ranked(evidence: Float32Array, sizes: Int64Array, number: int) -> BoolArray:
    """Return which candidates are among the `number` of their row with the best mean rank, ties to the first."""
    rows = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((evidence[:, MEAN_RANK], rows))
    starts = np.cumsum(sizes) - sizes
    kept = np.zeros(rows.size, np.bool_)
    kept[order] = np.arange(rows.size) - starts[rows[order]] < number
    return kept


def _trees(dumped: dict[str, Any]) -> Trees:
    """Flatten LightGBM's dump; values are rounded, so that the file stays small."""
    nodes: dict[str, list[float]] = {name: [] for name in ("feature", "threshold", "left", "right", "value")}

    def add(node: dict[str, Any]) -> int:
        place = len(nodes["feature"])
        leaf = "leaf_value" in node
        nodes["feature"].append(-1 if leaf else node["split_feature"])
        # Evidence is float32: rounding the threshold down to it changes no decision.
        nodes["threshold"].append(0.0 if leaf else _round_down(node["threshold"]))
        nodes["value"].append(round(node["leaf_value" if leaf else "internal_value"], 6))
        nodes["left"].append(0)
        nodes["right"].append(0)
        if not leaf:
            nodes["left"][place] = add(node["left_child"])
            nodes["right"][place] = add(node["right_child"])
        return place

    roots = [add(tree["tree_structure"]) for tree in dumped["tree_info"]]
    return Trees.from_json({"roots": roots, **nodes})


def _round_down(threshold: float) -> float:
    near = np.float32(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))


def run_of(trees: Trees, table: Examples) -> Run:
    """Return the best scores of a table, its candidates taken in order, ties to the first."""
    scores, best = _best(trees.scores(table.evidence), table.sizes)
    decoys, _ = _best(trees.scores(table.decoys), table.decoy_sizes)
    right, crowd = np.zeros(table.sizes.size, np.bool_), np.zeros(table.sizes.size)
    found = best >= 0
    right[found] = table.right[best[found]]
    crowd[found] = table.evidence[best[found]][:, CROWDS].min(axis=1)
    return Run(table.name, table.family, scores, right, table.matchable, crowd, decoys)


def _best(scores: Float64Array, sizes: Int64Array) -> tuple[Float64Array, Int64Array]:
    best = np.full(sizes.size, -1, np.int64)
    top = np.full(sizes.size, NO_CANDIDATE)
    start = 0
    for row, size in enumerate(sizes.tolist()):
        if size:
            best[row] = start + int(np.argmax(scores[start : start + size]))
            top[row] = scores[best[row]]
        start += size
    return top, best


def _calibrator(runs: Sequence[Run], spreads: tuple[float, float] = (0.0, 0.0)) -> Calibrator:
    right, decoy = np.zeros_like(densities(histogram(np.zeros(1)))), 0.0
    for run in runs:
        number = int(run.right.sum())
        if number:
            right = right + smoothed(run.scores[run.right]) / np.sqrt(number)
        if run.decoys.size:
            decoy = decoy + densities(smoothed(run.decoys))
    right, decoys = _rounded(densities(right)), _rounded(densities(np.asarray(decoy)))
    features, labels, weights = [], [], []
    for run in runs:
        for rows, weight in _draws(run):
            scores = run.scores[rows]
            curves, _, _ = run_features(right, decoys, scores, run.decoys)
            features.append(at(curves, scores))
            labels.append(run.right[rows])
            weights.append(np.full(rows.size, weight / np.sqrt(rows.size)))
    x = np.concatenate(features)
    mean, scale = _rounded(x.mean(axis=0)), _rounded(x.std(axis=0) + 1e-6)
    coefficients = _logistic((x - mean) / scale, np.concatenate(labels), np.concatenate(weights))
    return Calibrator(
        right, decoys, mean, scale, _rounded(coefficients[:-1]), round(float(coefficients[-1]), 6), *spreads
    )


def _rounded(values: Float64Array) -> Float64Array:
    return np.round(values, 6)


def _draws(run: Run) -> Iterator[tuple[Int64Array, float]]:
    """Yield the whole run, and samples in which more query rows lack a match, each with its weight."""
    everything = np.arange(run.scores.size)
    if run.scores.size >= FEWEST_ROWS:
        yield everything, 1.0
    without, having = everything[~run.matchable], everything[run.matchable]
    if without.size < FEWEST_MATCHLESS or having.size == 0:
        return
    random = generator(run.name, "draws")
    for share in MATCHLESS_SHARES:
        number = max(1, round(without.size * (1.0 - share) / share))
        yield np.concatenate([without, random.permutation(having)[:number]]), 0.5


def _logistic(x: Float64Array, y: BoolArray, weights: Float64Array) -> Float64Array:
    """Fit a logistic regression with a weak ridge by Newton's method; the last coefficient is the intercept.

    Sums are written out: a matrix product's rounding depends on the linear algebra library and its threads.
    """
    design = np.column_stack([x, np.ones(x.shape[0])])
    weights = weights * (weights.size / weights.sum())
    penalty = np.full(design.shape[1], RIDGE)
    penalty[-1] = 0.0
    coefficients = np.zeros(design.shape[1])
    for _ in range(25):
        odds = (design * coefficients).sum(axis=1)
        chance = 1.0 / (1.0 + np.exp(-odds))
        gradient = (design * (weights * (y - chance))[:, np.newaxis]).sum(axis=0) - penalty * coefficients
        curvature = weights * chance * (1.0 - chance)
        hessian = np.array([[(a * b * curvature).sum() for a in design.T] for b in design.T]) + np.diag(penalty)
        coefficients = coefficients + np.linalg.solve(hessian, gradient)
    return coefficients


def _trials(calibrator: Calibrator, run: Run) -> Iterator[tuple[float, float, int]]:
    """Yield (estimate, truth, rows) at every target and for the top shares of the query rows."""
    probability = at(calibrator.curve(run.scores, run.decoys).probability, run.scores)
    order = np.argsort(-run.scores, kind="stable")
    chosen = [order[: max(1, round(share * order.size))] for share in TOP_SHARES]
    for target in TARGETS:
        least = lowest_score(run.scores, probability, target)
        if least is not None:
            chosen.append(np.flatnonzero(run.scores >= least))
    for rows in chosen:
        yield float(probability[rows].mean()), float(run.right[rows].mean()), int(rows.size)


def _ball_trials(run: Run) -> Iterator[tuple[float, float, int]]:
    """Yield the published estimate, the truth and the rows, for the top shares of the query rows."""
    order = np.argsort(-run.scores, kind="stable")
    for share in TOP_SHARES:
        rows = order[: max(1, round(share * order.size))]
        yield float((1.0 / (1.0 + run.crowd[rows])).mean()), float(run.right[rows].mean()), int(rows.size)


def _spread(trials: Sequence[tuple[float, float, int]]) -> float:
    """Return the smallest spread between tasks with which the intervals cover the truth as often as they say."""
    estimates, truths, rows = (np.array(values, np.float64) for values in zip(*trials, strict=True))
    for step in range(200):
        bounds = [interval(value, int(size), step / 50.0, LEVEL) for value, size in zip(estimates, rows, strict=True)]
        covered = [low <= truth <= high for (low, high), truth in zip(bounds, truths, strict=True)]
        if np.mean(covered) >= LEVEL:
            return step / 50.0
    return 4.0
