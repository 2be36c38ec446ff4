"""The match probabilities of all candidates of a row, and of no match: together they make 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.scoring.densities import at

if TYPE_CHECKING:
    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["CandidateProbabilities", "candidate_probabilities"]

SECOND: Final = 1.8
FALL: Final = 0.6
"""How much likelier a candidate behind the best is than its own score says, once the best is wrong: SECOND at rank 2,
falling with a power of the rank. A wrong best one often looks like the right one, which then is seldom far behind. Two
numbers, fitted to where the right rows of AutoFJ-50 stand (`benchmarks.candidate_probabilities`)."""

SUREST: Final = 1.0 - 1e-6


@dataclass(frozen=True)
class CandidateProbabilities:
    """What each candidate pair is worth.

    Attributes
    ----------
    probability
        The chance that this pair, and no other of its row, is right, in [0, 1], (pairs,).
    rank
        Its place among the row's candidates, best score first, from 1, (pairs,).
    no_match
        The chance that none of the row's candidates is right, in [0, 1], (query rows,); 1 without a candidate.
    """

    probability: Float64Array
    rank: Int64Array
    no_match: Float64Array


def candidate_probabilities(pairs: CandidatePairs, scores: Float64Array, curve: Float64Array) -> CandidateProbabilities:
    """Share out what the best candidate's probability leaves among the others and no match.

    The best keeps its calibrated probability p. Of the other 1 - p each candidate gets a part in proportion to its own
    odds times a factor of its rank, no match one in proportion to 1. No candidate gets more than the best.

    Parameters
    ----------
    pairs
        The candidate pairs.
    scores
        Their scores, adjusted, (pairs,). Ties go to the lower reference position.
    curve
        The match probability of a best candidate at each of `GRID`, ascending.
    """
    sizes = np.diff(pairs.indptr)
    row = np.repeat(np.arange(sizes.size), sizes)
    rank = np.empty(row.size, np.int64)
    rank[np.lexsort((pairs.reference, -scores, row))] = np.arange(row.size) - pairs.indptr[row] + 1
    chance = at(curve, scores)
    behind = rank > 1
    best = np.zeros(sizes.size)
    best[row[~behind]] = chance[~behind]
    likely = np.minimum(chance, SUREST)
    weight = np.zeros(row.size)
    weight[behind] = likely[behind] / (1.0 - likely[behind]) * SECOND * (rank[behind] - 1.0) ** -FALL
    whole = 1.0 + np.bincount(row, weight, minlength=sizes.size)
    first = best[row]
    probability = np.where(behind, np.minimum((1.0 - first) * weight / whole[row], first), first)
    no_match = np.maximum(1.0 - np.bincount(row, probability, minlength=sizes.size), 0.0)
    return CandidateProbabilities(probability, rank, no_match)
