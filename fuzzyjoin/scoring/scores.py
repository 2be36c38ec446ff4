"""Scores of candidates: the best and second best reference row of every query row, and the same of decoys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.distances import pair_positions
from fuzzyjoin.kernels.neighbours import nearest_two
from fuzzyjoin.scoring.calibration import RunScores
from fuzzyjoin.scoring.evidence import EVIDENCE, SIBLINGS, evidence_without, sample_rows
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array
    from fuzzyjoin.scoring.evidence import EvidenceTables
    from fuzzyjoin.scoring.scorer import TrainedScorer

__all__ = ["CROWDS", "DECOYS", "NO_CANDIDATE", "BestCandidates", "best_candidates", "run_scores"]

NO_CANDIDATE: Final = -9.0
"""Score that a row without any candidate counts with: below all that is ever joined."""

DECOYS: Final = 500
"""Decoys of each kind, at most."""

CROWDS: Final = [place for place, name in enumerate(EVIDENCE) if name.startswith("siblings within twice ")]

ROWS_AT_ONCE: Final = 4096
"""Rows whose evidence is kept in memory at a time."""


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
    crowd
        The paper's ball: siblings of the best within twice its distance, at most 6; under the distance that has fewest,
        as a union of configurations takes the most probable match.
    """

    first: Int64Array
    score: Float64Array
    second: Int64Array
    second_score: Float64Array
    crowd: Float64Array


def best_candidates(
    tables: EvidenceTables,
    scorer: TrainedScorer,
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    own: int = 0,
    runner_up: bool = True,
) -> BestCandidates:
    """Score the candidates of `rows` and keep the best; with `own` = 1 the rows are reference rows.

    Without the `runner_up` only candidates that can be the best are compared with their siblings, which is much less
    to do where siblings are not known yet. The best is the same.
    """
    parts = []
    for start in range(0, rows.size, ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        if runner_up:
            evidence = tables.evidence(pairs, some, own=own)
            scores = _score(scorer, evidence, tables)
        else:
            evidence, compared = tables.evidence_but_siblings(pairs, some, own=own)
            scores = _contenders(tables, scorer, (evidence, compared), pairs, some, own=own)
        parts.append(_best(evidence, scores, pairs, some))
    best = BestCandidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))
    if runner_up:
        return best
    return replace(best, second=np.full(rows.size, -1), second_score=np.full(rows.size, NO_CANDIDATE))


_FIELDS: Final = ("first", "score", "second", "second_score", "crowd")


def run_scores(tables: EvidenceTables, scorer: TrainedScorer, best: BestCandidates) -> RunScores:
    """The best scores of the query rows with those of both kinds of decoys: nothing that a decoy would join is right.

    Query decoys are query rows whose best candidate was taken away; reference decoys are reference rows used as
    queries, themselves left out.
    """
    candidates = tables.candidates
    asked = sample_rows(len(candidates.query), DECOYS)
    query_decoys = _without_their_best(tables, scorer, asked, best.first[asked])
    known = sample_rows(len(candidates.reference), DECOYS)
    reference_decoys = best_candidates(tables, scorer, candidates.neighbours(known), known, own=1, runner_up=False)
    return RunScores(
        best=best.score,
        claims=best.first,
        query_decoys=query_decoys[0],
        query_decoy_claims=query_decoys[1],
        reference_decoys=reference_decoys.score,
        reference_rows=len(candidates.reference),
    )


def _without_their_best(
    tables: EvidenceTables, scorer: TrainedScorer, rows: Int64Array, best: Int64Array
) -> tuple[Float64Array, Int64Array]:
    """Scores and positions of the best candidates of query rows that are left once `best` are taken away."""
    pairs = tables.candidates.query_pairs
    positions = pair_positions(pairs, rows)
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    taken = pairs.reference[positions] == np.repeat(best, sizes)
    evidence, compared = tables.evidence_but_siblings(pairs, rows)
    rest, left = evidence_without(evidence, sizes, taken, found=sizes)
    remaining = pairs.of_rows(rows).keep(~taken)
    scores = _contenders(tables, scorer, (rest, compared[:, ~taken]), remaining, np.arange(rows.size))
    return best_of_rows(scores, remaining.reference.astype(np.int64), left)


def best_of_rows(scores: Float64Array, references: Int64Array, sizes: Int64Array) -> tuple[Float64Array, Int64Array]:
    """Score and position of the best of each row's candidates, `NO_CANDIDATE` and -1 where it has none.

    The candidates of a row stand side by side, `sizes` (rows,) says how many; ties go to the first.
    """
    rows = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((np.arange(rows.size), -scores, rows))
    found = sizes > 0
    first = order[(np.cumsum(sizes) - sizes)[found]]
    best, claims = np.full(sizes.size, NO_CANDIDATE), np.full(sizes.size, -1, np.int64)
    best[found], claims[found] = scores[first], references[first]
    return best, claims


def _best(evidence: Float32Array, scores: Float64Array, pairs: CandidatePairs, rows: Int64Array) -> BestCandidates:
    first, distance, second, second_distance = nearest_two(-scores[np.newaxis], pairs.indptr, pairs.reference, rows)
    found = first[0] >= 0
    starts = np.concatenate([[0], np.cumsum(pairs.indptr[rows + 1] - pairs.indptr[rows])])[:-1]
    crowd = np.zeros(rows.size)
    for index in np.flatnonzero(found).tolist():
        start = pairs.indptr[rows[index]]
        place = np.searchsorted(pairs.reference[start : pairs.indptr[rows[index] + 1]], first[0, index])
        crowd[index] = evidence[starts[index] + place, CROWDS].min()
    return BestCandidates(
        first[0].astype(np.int64),
        np.where(found, -distance[0], NO_CANDIDATE),
        second[0].astype(np.int64),
        np.where(second[0] >= 0, -second_distance[0], NO_CANDIDATE),
        crowd,
    )


def _contenders(
    tables: EvidenceTables,
    scorer: TrainedScorer,
    found: tuple[Float32Array, Float64Array],
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    own: int = 0,
) -> Float64Array:
    """Scores of the candidates of `rows`, -inf for those that cannot be a row's best.

    `found` is as `evidence_but_siblings` gives it; siblings are added where they are needed. The candidate that can
    score highest, whatever its siblings, is scored first, then all that can still reach it.
    """
    evidence, compared = found
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    highest = _in_chunks(lambda chunk: scorer.trees.highest(evidence[chunk], SIBLINGS), evidence, tables)
    scores = np.full(highest.size, -np.inf)
    row = np.repeat(np.arange(rows.size), sizes)
    first = np.lexsort((-highest, row))[(np.cumsum(sizes) - sizes)[sizes > 0]]
    wanted = np.zeros(highest.size, np.bool_)
    wanted[first] = True
    for _ in range(2):
        tables.add_siblings(evidence, compared, pairs, rows, wanted, own=own)
        scores[wanted] = _score(scorer, evidence[wanted], tables)
        wanted = (highest >= np.repeat(scores[first], sizes[sizes > 0])) & np.isneginf(scores)
    return scores


def _score(scorer: TrainedScorer, evidence: Float32Array, tables: EvidenceTables) -> Float64Array:
    return _in_chunks(lambda chunk: scorer.trees.scores(evidence[chunk]), evidence, tables)


def _in_chunks(
    function: Callable[[Int64Array], Float64Array], evidence: Float32Array, tables: EvidenceTables
) -> Float64Array:
    """What a function gives for every candidate, by all threads."""
    return np.concatenate(map_chunks(function, np.arange(evidence.shape[0]), tables.candidates.work.named("scoring")))
