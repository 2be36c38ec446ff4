"""Scores of candidates: the best and second best reference row of every query row, and the same of decoys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.kernels.neighbours import nearest_two
from fuzzyjoin.scoring.evidence import EVIDENCE, sample_rows
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array
    from fuzzyjoin.scoring.evidence import EvidenceTables
    from fuzzyjoin.scoring.scorer import TrainedScorer

__all__ = ["CROWDS", "NO_CANDIDATE", "BestCandidates", "best_candidates", "best_of_decoys"]

NO_CANDIDATE: Final = -9.0
"""Score that a row without any candidate counts with: below all that is ever joined."""

DECOYS: Final = 500
"""Reference rows that are used as decoys."""

CROWDS: Final = [place for place, name in enumerate(EVIDENCE) if name.startswith("siblings within twice ")]

ROWS_AT_ONCE: Final = 4096
"""Rows whose evidence is kept in memory at a time."""


@dataclass(frozen=True)
class BestCandidates:
    """The best candidates of some rows; arrays of shape (rows,).

    Attributes
    ----------
    first, second
        Positions of the best and second best reference row, -1 where there is none. Ties go to the lower position.
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
    tables: EvidenceTables, scorer: TrainedScorer, pairs: CandidatePairs, rows: Int64Array, *, own: int = 0
) -> BestCandidates:
    """Score the candidates of `rows` and keep the best; with `own` = 1 the rows are reference rows."""
    parts = [
        _best_of_some(tables, scorer, pairs, rows[start : start + ROWS_AT_ONCE], own)
        for start in range(0, rows.size, ROWS_AT_ONCE)
    ]
    return BestCandidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


_FIELDS: Final = ("first", "score", "second", "second_score", "crowd")


def best_of_decoys(tables: EvidenceTables, scorer: TrainedScorer) -> BestCandidates:
    """Best candidates of reference rows used as queries, themselves left out: nothing that they would join is right."""
    rows = sample_rows(len(tables.candidates.reference), DECOYS)
    return best_candidates(tables, scorer, tables.candidates.neighbours(rows), rows, own=1)


def _best_of_some(
    tables: EvidenceTables, scorer: TrainedScorer, pairs: CandidatePairs, rows: Int64Array, own: int
) -> BestCandidates:
    evidence = tables.evidence(pairs, rows, own=own)
    scores = _score(scorer, evidence, tables)
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


def _score(scorer: TrainedScorer, evidence: Float32Array, tables: EvidenceTables) -> Float64Array:
    chunks = map_chunks(
        lambda chunk: scorer.trees.scores(evidence[chunk]),
        np.arange(evidence.shape[0]),
        tables.candidates.work.named("scoring"),
    )
    return np.concatenate(chunks)
