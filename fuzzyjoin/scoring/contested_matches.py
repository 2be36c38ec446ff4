"""Contested claims: what several query rows with the same best candidate say about how many of them are right.

A query row claims its best candidate; the claim is contested if a row with a better score claims the same one. Where
every reference row has at most one match, all contested claims are wrong. Where several query rows may share a match,
right claims are contested too, and the best scored rows, most of which are right, show how often. Wrong claims are as
often contested as those of query decoys, whose best candidate was taken away. So the share of contested claims at a
score tells which part of the claims is right, the better the farther those two shares lie apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.scoring.densities import GRID, histogram, places, smoothed

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["ContestedClaims", "contested_claims"]

BEST_SHARE: Final = 0.25
"""Share of the rows, best scores first, that are taken to be right as to how often their claims are contested."""

REPEATS: Final = np.concatenate([np.arange(1.0, 8.0, 0.1), np.arange(8.0, 200.0)])
"""Query rows to a match, on average, that are thought of."""

PRIOR_ROWS: Final = 2.0
PRIOR_RIGHT: Final = 0.7
"""Rows that are taken to have been seen at every score, and the part of them that is right."""

LEAST_CONTRAST: Final = 0.02
FEWEST_CLAIMED: Final = 1e-4


@dataclass(frozen=True)
class ContestedClaims:
    """What contested claims tell, at each of `GRID` or of the whole run.

    Attributes
    ----------
    contrast
        How much more often a wrong claim is contested than a right one, in [0, 1].
    right
        The part of the claims at a score that is right by their contested share, in (0, 1).
    claimed
        Share of the reference rows that are claimed at a score or above, in (0, 1].
    contested
        Share of all claims that are contested, in (0, 1).
    rows_each
        Query rows to a reference row.
    """

    contrast: Float64Array
    right: Float64Array
    claimed: Float64Array
    contested: float
    rows_each: float


def contested_claims(
    scores: Float64Array, claims: Int64Array, decoy_claims: Int64Array, reference_rows: int
) -> ContestedClaims:
    """Compare how often claims are contested: at every score, among the best rows, and by query decoys.

    `claims` are the positions of the best candidates of the rows, `decoy_claims` those of query decoys, -1 for none.
    """
    rows = scores.size
    contested = _contested(scores, claims)
    there = histogram(scores)
    disputed = np.bincount(places(scores), contested, minlength=GRID.size).astype(np.float64)
    # By score, not by rank: rows of equal score are all in or all out, in whatever order they come.
    best = scores >= np.sort(scores)[-max(1, round(BEST_SHARE * rows))] if rows else np.zeros(0, np.bool_)
    repeats = _repeats(_share_of(contested[best]), float(best.sum()) / rows) if rows else 1.0
    above = np.minimum(_tail(there) / max(rows, 1), 0.999)
    by_right = 1.0 - (1.0 - above) ** (repeats - 1.0)
    highest = np.full(reference_rows + 1, -np.inf)
    np.maximum.at(highest, np.where(claims >= 0, claims, reference_rows), scores)
    highest[reference_rows] = -np.inf
    asked = np.sort(highest[decoy_claims])
    by_wrong = (asked.size - np.searchsorted(asked, GRID)) / max(asked.size, 1)
    contrast = np.maximum(by_wrong - by_right, 0.0)
    near, near_disputed = smoothed(there), smoothed(disputed)
    right = (by_wrong * near - near_disputed + PRIOR_ROWS * PRIOR_RIGHT * contrast) / (
        np.maximum(contrast, LEAST_CONTRAST) * (near + PRIOR_ROWS)
    )
    claimed = _tail(smoothed(there - disputed)) / max(reference_rows, 1)
    return ContestedClaims(
        contrast=contrast,
        right=np.where(contrast > LEAST_CONTRAST, np.clip(right, 0.03, 0.97), PRIOR_RIGHT),
        claimed=np.clip(claimed, FEWEST_CLAIMED, 1.0),
        contested=_share_of(contested),
        rows_each=rows / max(reference_rows, 1),
    )


def _contested(scores: Float64Array, claims: Int64Array) -> Float64Array:
    """1 for rows whose claim a row with a better score makes too, else 0; of equal scores one stands."""
    order = np.lexsort((-scores, claims))
    ranked = claims[order]
    contested = np.zeros(scores.size)
    contested[order[1:]] = (ranked[1:] == ranked[:-1]) & (ranked[1:] >= 0)
    return contested


def _share_of(contested: Float64Array) -> float:
    """The share of ones, as if one row more had been seen, a tenth of which is contested; never 0 or 1."""
    return (float(contested.sum()) + 0.1) / (contested.size + 1.0)


def _repeats(contested: float, share: float) -> float:
    """Query rows to a match, if among a `share` of them so many claims are contested.

    With m rows to each match, of which a share f is seen, (1 - (1 - f) ** m) / (f m) of the claims stand.
    """
    standing = (1.0 - (1.0 - share) ** REPEATS) / (share * REPEATS)
    return float(REPEATS[np.argmin(np.abs(1.0 - standing - contested))])


def _tail(counts: Float64Array) -> Float64Array:
    """Counts at each of `GRID` and above."""
    return np.asarray(counts[::-1].cumsum()[::-1])
