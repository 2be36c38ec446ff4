"""Training a scorer: features with labels, trees by LightGBM, calibration on scores that the trees never saw.

Everything is computed on one thread and in a fixed order, so that the same tables give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks._copies import generator
from fuzzyjoin.blocking import scorer_k
from fuzzyjoin.compare import Candidates, FeatureTables, column_weights, features_without, sample_rows
from fuzzyjoin.compare.features import MEAN_RANK
from fuzzyjoin.scoring import interval
from fuzzyjoin.scoring.adjustment import RunFeatures, adjusted_run, learn_adjustment
from fuzzyjoin.scoring.calibration import Calibrator, RunScores, between_task_features, run_features
from fuzzyjoin.scoring.decision import lowest_score
from fuzzyjoin.scoring.densities import GRID, at, densities, histogram, smoothed
from fuzzyjoin.scoring.logistic import NotConvergedError, fit_logistic
from fuzzyjoin.scoring.scorer import Trees
from fuzzyjoin.scoring.scores import DECOYS, NEIGHBOURHOOD_FEATURES, best_of_rows, picked
from fuzzyjoin.search.settings import MIN_PROBABILITY
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
LOOKED_AT: Final = 12
"""Candidates of a row that are kept at all: those of the best mean rank; further ones are never scored best."""

KEPT: Final = 6
"""Candidates of a query row that trees are trained on, of these; the others are easy."""

RIDGE: Final = 10.0
"""Runs that the prior of the coefficients, about 0, counts as."""
SCORING_STEPS: Final = 100
SMALLEST_STEP: Final = 1e-6
FIRST_LOG_DEVIATION: Final = -0.5
FEWEST_ROWS: Final = 3
FEWEST_MATCHLESS: Final = 5
MATCHLESS_SHARES: Final = (0.3, 0.55, 0.8, 0.95)
"""Shares of match-less query rows that are drawn from the tables that have some, so that calibration knows them."""

TARGETS: Final = (0.8, 0.9, 0.95)
TOP_SHARES: Final = (0.5, 0.75, 1.0)
LEVEL: Final = 0.9


@dataclass(frozen=True)
class Examples:
    """One pair of tables: features and labels of the candidates, row after row, and the features of its decoys.

    `reference` are the candidates' positions in the reference table of `reference_rows` rows, `sizes` how many each
    query row has here, `found` how many it has in all, `matchable` whether it has a match. `family` keeps together what
    must not be divided between folds.
    """

    name: str
    family: str
    features: Float32Array
    reference: Int64Array
    reference_rows: int
    right: BoolArray
    sizes: Int64Array
    found: Int64Array
    matchable: BoolArray
    decoys: Float32Array
    decoy_sizes: Int64Array


@dataclass(frozen=True)
class Run:
    """The scores of a pair of tables, and the features behind them.

    `right` says whether the best candidate of a query row is, `neighbourhood` how many neighbours it has within
    twice the distance.
    """

    name: str
    family: str
    scores: RunScores
    features: RunFeatures
    right: BoolArray
    matchable: BoolArray
    neighbourhood: Float64Array

    @property
    def kind(self) -> str:
        """Which copy of its task it is, "" for a task that has none."""
        return self.name.partition(", ")[2]


def examples_of(task: Task, *, name: str, family: str, most_queries: int | None = None) -> Examples:
    """Return the examples of a pair of tables; of more query rows than `most_queries` a sample is taken.

    Nearly equal reference rows, of which the tables hold a handful, stay rivals, as in the tables they were learned on.
    """
    query = task.query
    if most_queries is not None and len(query) > most_queries:
        chosen = generator(name, "queries").choice(len(query), most_queries, replace=False)
        query = query.iloc[np.sort(chosen)]
    columns = [(column, column) for column in task.columns]
    tables = key_tables(task.reference, query, ("id", "id"), columns)
    candidates = Candidates(*tables, scorer_k(len(tables[0])), Work(), blocker="cosine")
    compared = FeatureTables(candidates, column_weights(candidates))
    pairs = candidates.query_pairs
    truth = set(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    known = set(tables[0].ids)
    with_match = {row for row, reference in truth if reference in known}
    sizes = np.diff(pairs.indptr)
    rows = np.repeat(tables[1].ids, sizes)
    sample = sample_rows(len(tables[0]), DECOYS)
    neighbours = candidates.neighbours(sample)
    found = compared.features(pairs, np.arange(len(tables[1]), dtype=np.int64))
    right = np.array([pair in truth for pair in zip(rows, tables[0].ids[pairs.reference], strict=True)], np.bool_)
    kept = _best_ranked(found, sizes, LOOKED_AT)
    decoys, decoy_sizes = compared.features(neighbours, sample, is_self_join=True), np.diff(neighbours.indptr)[sample]
    return Examples(
        name=name,
        family=family,
        features=found[kept],
        reference=pairs.reference[kept].astype(np.int64),
        reference_rows=len(tables[0]),
        right=right[kept],
        sizes=np.minimum(sizes, LOOKED_AT),
        found=sizes,
        matchable=np.array([row in with_match for row in tables[1].ids], np.bool_),
        decoys=decoys[_best_ranked(decoys, decoy_sizes, LOOKED_AT)],
        decoy_sizes=np.minimum(decoy_sizes, LOOKED_AT),
    )


def fold_numbers(families: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """Return a fold for every family, at random but of equal sizes."""
    distinct = sorted(set(families))
    order = generator("folds", seed).permutation(len(distinct))
    return {distinct[place]: number % folds for number, place in enumerate(order.tolist())}


def train(tables: Sequence[Examples], *, seed: int = 1) -> tuple[Trees, Calibrator, Calibrator]:
    """Train trees on all tables, and two calibrators on scores by trees that never saw the table's family.

    The first is for the trees' own scores, the second for those that were adjusted to the run by help of the first.
    """
    unadjusted = runs_out_of_fold(tables, seed=seed)
    first = _calibrator(unadjusted)
    runs = [adjusted(first, run) for run in unadjusted]
    folds = fold_numbers([run.family for run in runs], INNER_FOLDS, seed)
    trials = []
    for fold in range(INNER_FOLDS):
        calibrator = _calibrator([run for run in runs if folds[run.family] != fold])
        held_out = [run for run in runs if folds[run.family] == fold]
        trials += [trial for run in held_out for trial in _trials(calibrator, run)]
    calibrator = replace(
        _calibrator(runs),
        between_task_coefficients=_between_task_coefficients(trials),
        neighbourhood_sd=_neighbourhood_sd([t for run in runs for t in _neighbourhood_trials(run)]),
    )
    return train_trees(tables, seed=seed), first, calibrator


def adjusted(first: Calibrator, run: Run) -> Run:
    """Return the run with scores as a program would adjust them."""
    probability = at(first.curve(run.scores).probability, run.scores.best)
    adjustment = learn_adjustment(run.scores, run.features, probability)
    return replace(run, scores=adjusted_run(run.scores, run.features, adjustment))


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

    features, right, weight = [], [], []
    for table in tables:
        kept = _best_ranked(table.features, table.sizes, KEPT)
        features.append(table.features[kept])
        right.append(table.right[kept])
        weight.append(np.full(int(kept.sum()), 1.0 / np.sqrt(table.sizes.size)))
    weights = np.concatenate(weight)
    data = lightgbm.Dataset(
        np.concatenate(features), np.concatenate(right).astype(np.float64), weight=weights / weights.mean()
    )
    booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, ROUNDS)
    return _trees(booster.dump_model())


def _best_ranked(features: Float32Array, sizes: Int64Array, number: int) -> BoolArray:
    """Return which candidates are among the `number` of their row with the best mean rank, ties to the first."""
    rows = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((features[:, MEAN_RANK], rows))
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
    """Return the best scores of a table and of its decoys, candidates taken in order, ties to the first."""
    best, places = best_of_rows(trees.scores(table.features), table.sizes)
    found = picked(table.features, places, 0.0)
    query_decoys, query_decoy_reference, without_best = _query_decoys(trees, table, places)
    reference_decoys, others = best_of_rows(trees.scores(table.decoys), table.decoy_sizes)
    best_reference = picked(table.reference, places, -1)
    run = RunScores(best, best_reference, query_decoys, query_decoy_reference, reference_decoys, table.reference_rows)
    return Run(
        name=table.name,
        family=table.family,
        scores=run,
        features=RunFeatures(found, without_best, picked(table.decoys, others, 0.0)),
        right=picked(table.right, places, 0),
        matchable=table.matchable,
        neighbourhood=found[:, NEIGHBOURHOOD_FEATURES].min(axis=1).astype(np.float64),
    )


def _query_decoys(trees: Trees, table: Examples, best: Int64Array) -> tuple[Float64Array, Int64Array, Float32Array]:
    """Return score, position and features of the best candidate of some query rows whose `best` was taken away."""
    chosen = np.zeros(table.sizes.size, np.bool_)
    chosen[sample_rows(table.sizes.size, DECOYS)] = True
    taken = np.zeros(table.right.size, np.bool_)
    taken[best[best >= 0]] = True
    kept = np.repeat(chosen, table.sizes)
    features, left = features_without(table.features[kept], table.sizes[chosen], taken[kept], found=table.found[chosen])
    scores, places = best_of_rows(trees.scores(features), left)
    return scores, picked(table.reference[kept][~taken[kept]], places, -1), picked(features, places, 0.0)


def _calibrator(runs: Sequence[Run]) -> Calibrator:
    shapes = {name: np.zeros_like(GRID) for name in ("right", "query decoys", "reference decoys")}
    for run in runs:
        number = int(run.right.sum())
        if number:
            shapes["right"] += smoothed(histogram(run.scores.best[run.right])) / np.sqrt(number)
        if run.scores.query_decoys.size:
            shapes["query decoys"] += densities(smoothed(histogram(run.scores.query_decoys)))
        if run.scores.reference_decoys.size:
            shapes["reference decoys"] += densities(smoothed(histogram(run.scores.reference_decoys)))
    right, query_decoys, reference_decoys = (_rounded(densities(shape)) for shape in shapes.values())
    features, labels, weights = [], [], []
    unknown = np.zeros(0)
    empty = Calibrator(right, query_decoys, reference_decoys, unknown, unknown, unknown, unknown, 0.0, 0.0)
    for run in runs:
        for rows, weight in _draws(run):
            scores = run.scores.of_rows(rows)
            features.append(at(run_features(scores, empty.mixtures(scores)), scores.best))
            labels.append(run.right[rows])
            weights.append(np.full(rows.size, weight / np.sqrt(rows.size)))
    x, y, weight = np.concatenate(features), np.concatenate(labels).astype(np.float64), np.concatenate(weights)
    mean, scale = _rounded(x.mean(axis=0)), _rounded(x.std(axis=0) + 1e-6)
    # Rows of a run are alike: together they count as one observation beside the ridge.
    coefficients = fit_logistic((x - mean) / scale, y, weight * (len(features) / weight.sum()), ridge=RIDGE)
    return replace(
        empty,
        mean=mean,
        scale=scale,
        coefficients=_rounded(coefficients[:-1]),
        intercept=round(float(coefficients[-1]), 6),
    )


def _rounded(values: Float64Array) -> Float64Array:
    return np.round(values, 6)


def _draws(run: Run) -> Iterator[tuple[Int64Array, float]]:
    """Yield the whole run, and samples in which more query rows lack a match, each with its weight."""
    everything = np.arange(run.right.size)
    if everything.size >= FEWEST_ROWS:
        yield everything, 1.0
    without, having = everything[~run.matchable], everything[run.matchable]
    if without.size < FEWEST_MATCHLESS or having.size == 0:
        return
    random = generator(run.name, "draws")
    for share in MATCHLESS_SHARES:
        number = max(1, round(without.size * (1.0 - share) / share))
        yield np.concatenate([without, random.permutation(having)[:number]]), 0.5


@dataclass(frozen=True)
class Trial:
    """An estimated precision of so many rows, the true one, and what tells how far off it can be.

    `family` and `kind` say of which tables: a task, and which of its copies.
    """

    family: str
    kind: str
    estimate: float
    truth: float
    rows: int
    features: Float64Array

    @property
    def chance(self) -> float:
        """Variance of the truth's log-odds by chance alone."""
        inside = _inside(self.estimate, self.rows)
        return 1.0 / (self.rows * inside * (1.0 - inside))

    @property
    def miss(self) -> float:
        """Log-odds of the truth less those of the estimate."""
        truth, estimate = (_inside(value, self.rows) for value in (self.truth, self.estimate))
        return float(np.log(truth / (1.0 - truth)) - np.log(estimate / (1.0 - estimate)))


def _inside(value: float, rows: int) -> float:
    """A share of so many rows, kept off 0 and 1 by half a row."""
    return min(max(value, 0.5 / (rows + 1.0)), 1.0 - 0.5 / (rows + 1.0))


def _trials(calibrator: Calibrator, run: Run) -> Iterator[Trial]:
    """Yield the estimate and the truth at every target and for the top shares of the query rows."""
    scores = run.scores.best
    curve = calibrator.curve(run.scores)
    probability = at(curve.probability, scores)
    order = np.argsort(-scores, kind="stable")
    chosen = [order[: max(1, round(share * order.size))] for share in TOP_SHARES]
    for target in TARGETS:
        least = lowest_score(scores, probability, target, MIN_PROBABILITY)
        if least is not None:
            chosen.append(np.flatnonzero(scores >= least))
    for rows in chosen:
        features = between_task_features(curve, scores[rows])
        estimate, truth = float(probability[rows].mean()), float(run.right[rows].mean())
        yield Trial(run.family, run.kind, estimate, truth, int(rows.size), features)


def _neighbourhood_trials(run: Run) -> Iterator[Trial]:
    """Yield the neighbourhood estimate and the truth for the top shares of the query rows."""
    order = np.argsort(-run.scores.best, kind="stable")
    for share in TOP_SHARES:
        rows = order[: max(1, round(share * order.size))]
        estimate = float((1.0 / (1.0 + run.neighbourhood[rows])).mean())
        yield Trial(run.family, run.kind, estimate, float(run.right[rows].mean()), int(rows.size), np.ones(1))


def _between_task_coefficients(trials: Sequence[Trial]) -> Float64Array:
    """Return the coefficients of the log of the between-task deviation: of highest likelihood, raised to cover."""
    features = np.stack([trial.features for trial in trials])
    miss, chance = (np.array([getattr(trial, name) for trial in trials]) for name in ("miss", "chance"))
    coefficients = np.array([FIRST_LOG_DEVIATION] + [0.0] * (features.shape[1] - 1))
    for _ in range(SCORING_STEPS):
        own = np.exp(2.0 * (features * coefficients).sum(axis=1))
        share = own / (own + chance)
        slope = (features.T * (share * (miss**2 / (own + chance) - 1.0))).sum(axis=1)
        information = np.array([[(2.0 * share**2 * a * b).sum() for b in features.T] for a in features.T])
        step = np.linalg.solve(information + np.eye(features.shape[1]), slope)
        coefficients = coefficients + step
    if np.abs(step).max() > SMALLEST_STEP:
        raise NotConvergedError(f"the between-task standard deviation is not found after {SCORING_STEPS} steps")
    deviations = np.exp((features * coefficients).sum(axis=1))
    coefficients[0] += np.log(_factor(trials, deviations, in_every_kind=True))
    return _rounded(coefficients)


def _neighbourhood_sd(trials: Sequence[Trial]) -> float:
    """Return the one between-task standard deviation with which intervals of the neighbourhood estimate cover."""
    return round(_factor(trials, np.ones(len(trials))), 6)


def _factor(trials: Sequence[Trial], deviations: Float64Array, *, in_every_kind: bool = False) -> float:
    """Return the smallest factor of the deviations with which the intervals cover the truth as often as they say.

    With `in_every_kind` they do so, less one standard error, in each kind of copies too: the next tables may be of the
    kind that is hardest to judge, and an average over kinds would not cover them.
    """
    groups = [(np.arange(len(trials)), LEVEL)]
    if in_every_kind:
        kinds = np.array([trial.kind for trial in trials])
        for kind in dict.fromkeys(kinds.tolist()):
            here = np.flatnonzero(kinds == kind)
            # Trials of a task are alike: tasks count, not trials.
            tasks = len({trials[place].family for place in here.tolist()})
            groups.append((here, LEVEL - math.sqrt(LEVEL * (1.0 - LEVEL) / tasks)))
    factors = np.arange(0.02, 4.0, 0.02)
    for factor in factors.tolist():
        bounds = [
            interval(trial.estimate, trial.rows, factor * deviation, LEVEL)
            for trial, deviation in zip(trials, deviations.tolist(), strict=True)
        ]
        covered = np.array([low <= trial.truth <= high for trial, (low, high) in zip(trials, bounds, strict=True)])
        if all(covered[group].mean() >= least for group, least in groups):
            return float(factor)
    return float(factors[-1])
