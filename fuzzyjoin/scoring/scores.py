"""Scores of candidates: the best and second best reference row of every query row, and the same of decoys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.blocking import pair_positions
from fuzzyjoin.compare import FEATURES, NEIGHBOUR_FEATURES, features_without, sample_rows
from fuzzyjoin.kernels.neighbours import nearest_two
from fuzzyjoin.scoring.adjustment import RunFeatures
from fuzzyjoin.scoring.calibration import NO_CANDIDATE, RunScores
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare import FeatureTables
    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array
    from fuzzyjoin.scoring.scorer import TrainedScorer

__all__ = [
    "DECOYS",
    "NEIGHBOURHOOD_FEATURES",
    "BestCandidates",
    "best_candidates",
    "best_of_rows",
    "picked",
    "run_with_decoys",
]

DECOYS: Final = 500
"""Decoys of each kind, at most."""

NEIGHBOURHOOD_FEATURES: Final = [
    place for place, name in enumerate(FEATURES) if name.startswith("neighbours within twice ")
]

ROWS_AT_ONCE: Final = 4096
"""Rows whose features are kept in memory at a time."""


@dataclass(frozen=True)
class BestCandidates:
    """The best candidates of some rows; arrays of shape (rows,).

    Attributes
    ----------
    first, second
        Positions of the best and second best reference row, -1 where there is none, or where the second was not asked
        for. Ties go to the lower position.
    score, second_score
        Their scores, `NO_CANDIDATE` where there is none.
    features
        The features of the best, (rows, features), 0 where there is none.
    pair_scores
        The scores of all candidates of the rows, row after row, (pairs,), if they were asked for.
    """

    first: Int64Array
    score: Float64Array
    second: Int64Array
    second_score: Float64Array
    features: Float32Array
    pair_scores: Float64Array | None = None

    @property
    def neighbourhood(self) -> Float64Array:
        """The paper's 2θ-ball: neighbours of the best within twice its distance, at most 6, (rows,).

        Under the distance that has fewest, as a union of configurations takes the most probable match.
        """
        return np.asarray(self.features[:, NEIGHBOURHOOD_FEATURES].min(axis=1), np.float64)


def best_candidates(
    tables: FeatureTables,
    scorer: TrainedScorer,
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    is_self_join: bool = False,
    runner_up: bool = True,
    pair_scores: bool = False,
) -> BestCandidates:
    """Score the candidates of `rows` and keep the best; in a self-join the rows are reference rows.

    With `pair_scores`, which needs the `runner_up`, the scores of all candidates are kept too. Without the `runner_up`
    only candidates that can be the best are compared with their nearest neighbours, which is much less to do where
    these are not known yet. The best is the same.
    """
    parts, scored = [], []
    for start in range(0, max(rows.size, 1), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        if runner_up:
            features = tables.features(pairs, some, is_self_join=is_self_join)
            scores = _score(scorer, features, tables)
        else:
            features, compared = tables.features_but_neighbours(pairs, some, is_self_join=is_self_join)
            scores = _contenders(tables, scorer, (features, compared), pairs, some, is_self_join=is_self_join)
        parts.append(_best(features, scores, pairs, some))
        if pair_scores:
            scored.append(scores)
    best = BestCandidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))
    if runner_up:
        return replace(best, pair_scores=np.concatenate(scored)) if pair_scores else best
    return replace(best, second=np.full(rows.size, -1), second_score=np.full(rows.size, NO_CANDIDATE))


_FIELDS: Final = ("first", "score", "second", "second_score", "features")


def run_with_decoys(
    tables: FeatureTables, scorer: TrainedScorer, best: BestCandidates
) -> tuple[RunScores, RunFeatures]:
    """The best scores of the query rows with those of both kinds of decoys, and the features of all these candidates.

    Nothing that a decoy would join is right.

    Query decoys are query rows whose best candidate was taken away; reference decoys are reference rows used as
    queries, themselves left out.
    """
    candidates = tables.candidates
    of_query, of_reference = candidates.rows_with_others
    asked = of_query[sample_rows(of_query.size, DECOYS)]
    scores, second_best, features = _without_their_best(tables, scorer, asked, best.first[asked])
    known = of_reference[sample_rows(of_reference.size, DECOYS)]
    reference_decoys = best_candidates(
        tables, scorer, candidates.neighbours(known), known, is_self_join=True, runner_up=False
    )
    run = RunScores(
        best=best.score,
        best_reference=best.first,
        query_decoys=scores,
        query_decoy_reference=second_best,
        reference_decoys=reference_decoys.score,
        reference_rows=len(candidates.reference),
    )
    return run, RunFeatures(best.features, features, reference_decoys.features)


def _without_their_best(
    tables: FeatureTables, scorer: TrainedScorer, rows: Int64Array, best: Int64Array
) -> tuple[Float64Array, Int64Array, Float32Array]:
    """Scores, positions and features of the best candidates of query rows that are left once `best` are taken away."""
    pairs = tables.candidates.query_pairs
    positions = pair_positions(pairs, rows)
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    taken = pairs.reference[positions] == np.repeat(best, sizes)
    features, compared = tables.features_but_neighbours(pairs, rows)
    rest, left = features_without(features, sizes, taken, found=sizes)
    remaining = pairs.of_rows(rows).keep(~taken)
    scores = _contenders(tables, scorer, (rest, compared[:, ~taken]), remaining, np.arange(rows.size))
    best_scores, places = best_of_rows(scores, left)
    return best_scores, picked(remaining.reference.astype(np.int64), places, -1), picked(rest, places, 0.0)


def best_of_rows(scores: Float64Array, sizes: Int64Array) -> tuple[Float64Array, Int64Array]:
    """Score and place of the best of each row's candidates, `NO_CANDIDATE` and -1 where it has none.

    The candidates of a row stand side by side, `sizes` (rows,) says how many; ties go to the first.
    """
    rows = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((np.arange(rows.size), -scores, rows))
    found = sizes > 0
    first = order[(np.cumsum(sizes) - sizes)[found]]
    best, places = np.full(sizes.size, NO_CANDIDATE), np.full(sizes.size, -1, np.int64)
    best[found], places[found] = scores[first], first
    return best, places


def picked(values: np.ndarray, places: Int64Array, nothing: float) -> Any:  # noqa: ANN401 - an array like `values`
    """The values at these places, `nothing` where the place is -1."""
    found = np.full((places.size, *values.shape[1:]), nothing, values.dtype)
    found[places >= 0] = values[places[places >= 0]]
    return found


def _best(features: Float32Array, scores: Float64Array, pairs: CandidatePairs, rows: Int64Array) -> BestCandidates:
    first, distance, second, second_distance = nearest_two(-scores[np.newaxis], pairs.indptr, pairs.reference, rows)
    found = first[0] >= 0
    places = np.full(rows.size, -1, np.int64)
    starts = np.concatenate([[0], np.cumsum(pairs.indptr[rows + 1] - pairs.indptr[rows])])[:-1]
    for index in np.flatnonzero(found).tolist():
        start = pairs.indptr[rows[index]]
        within = np.searchsorted(pairs.reference[start : pairs.indptr[rows[index] + 1]], first[0, index])
        places[index] = starts[index] + within
    return BestCandidates(
        first[0].astype(np.int64),
        np.where(found, -distance[0], NO_CANDIDATE),
        second[0].astype(np.int64),
        np.where(second[0] >= 0, -second_distance[0], NO_CANDIDATE),
        picked(features, places, 0.0),
    )


def _contenders(
    tables: FeatureTables,
    scorer: TrainedScorer,
    found: tuple[Float32Array, Float64Array],
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    is_self_join: bool = False,
) -> Float64Array:
    """Scores of the candidates of `rows`, -inf for those that cannot be a row's best.

    `found` is as `features_but_neighbours` gives it; the other features are added where they are needed. The candidate
    that can score highest, whatever its neighbours, is scored first, then all that can still reach it.
    """
    features, compared = found
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    highest = _in_chunks(lambda chunk: scorer.trees.highest(features[chunk], NEIGHBOUR_FEATURES), features, tables)
    scores = np.full(highest.size, -np.inf)
    row = np.repeat(np.arange(rows.size), sizes)
    first = np.lexsort((-highest, row))[(np.cumsum(sizes) - sizes)[sizes > 0]]
    wanted = np.zeros(highest.size, np.bool_)
    wanted[first] = True
    for _ in range(2):
        tables.add_neighbour_features(features, compared, pairs, rows, wanted, is_self_join=is_self_join)
        scores[wanted] = _score(scorer, features[wanted], tables)
        wanted = (highest >= np.repeat(scores[first], sizes[sizes > 0])) & np.isneginf(scores)
    return scores


def _score(scorer: TrainedScorer, features: Float32Array, tables: FeatureTables) -> Float64Array:
    return _in_chunks(lambda chunk: scorer.trees.scores(features[chunk]), features, tables)


def _in_chunks(
    function: Callable[[Int64Array], Float64Array], features: Float32Array, tables: FeatureTables
) -> Float64Array:
    """What a function gives for every candidate, by all threads."""
    return np.concatenate(map_chunks(function, np.arange(features.shape[0]), tables.candidates.work.named("scoring")))
