"""Contested matches: what several query rows with the same best candidate say about how many of them are right.

A row's match is its best candidate here; it is contested if a row with a better score has the same one. Where every
reference row has at most one match, all contested matches are wrong. Where several query rows may share a match, right
ones are contested too, and the best scored rows, most of which are right, show how often. Wrong matches are as often
contested as those of query decoys, whose best candidate was taken away. So the share of contested matches at a score
tells which part of the matches is right, the better the farther those two shares lie apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.scoring.densities import GRID, histogram, places, smoothed

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["ContestedMatches", "contested_matches"]

BEST_SHARE: Final = 0.25
"""Share of the rows, best scores first, that are taken to be right as to how often their matches are contested."""

REPEATS: Final = np.concatenate([np.arange(1.0, 8.0, 0.1), np.arange(8.0, 200.0)])
"""Query rows to a match, on average, that are thought of."""

PRIOR_ROWS: Final = 2.0
PRIOR_RIGHT: Final = 0.7
"""Rows that are taken to have been seen at every score, and the part of them that is right."""

LEAST_CONTRAST: Final = 0.02
FEWEST_MATCHED: Final = 1e-4


@dataclass(frozen=True)
class ContestedMatches:
    """What contested matches tell, at each of `GRID` or of the whole run.

    Attributes
    ----------
    contrast
        How much more often a wrong match is contested than a right one, in [0, 1].
    right
        The part of the matches at a score that is right by their contested share, in (0, 1).
    matched
        Share of the reference rows that are matched at a score or above, in (0, 1].
    contested
        Share of all matches that are contested, in (0, 1).
    rows_each
        Query rows to a reference row.
    """

    contrast: Float64Array
    right: Float64Array
    matched: Float64Array
    contested: float
    rows_each: float


def contested_matches(
    scores: Float64Array, matches: Int64Array, decoy_matches: Int64Array, reference_rows: int
) -> ContestedMatches:
    """Compare how often matches are contested: at every score, among the best rows, and by query decoys.

    `matches` are the positions of the best candidates of the rows, `decoy_matches` those of query decoys, -1 for none.
    """
    rows = scores.size
    contested = _contested(scores, matches)
    there = histogram(scores)
    disputed = np.bincount(places(scores), contested, minlength=GRID.size).astype(np.float64)
    # By score, not by rank: rows of equal score are all in or all out, in whatever order they come.
    best = scores >= np.sort(scores)[-max(1, round(BEST_SHARE * rows))] if rows else np.zeros(0, np.bool_)
    repeats = _repeats(_share_of(contested[best]), float(best.sum()) / rows) if rows else 1.0
    above = np.minimum(_tail(there) / max(rows, 1), 0.999)
    by_right = 1.0 - (1.0 - above) ** (repeats - 1.0)
    highest = np.full(reference_rows + 1, -np.inf)
    np.maximum.at(highest, np.where(matches >= 0, matches, reference_rows), scores)
    highest[reference_rows] = -np.inf
    asked = np.sort(highest[decoy_matches])
    by_wrong = (asked.size - np.searchsorted(asked, GRID)) / max(asked.size, 1)
    contrast = np.maximum(by_wrong - by_right, 0.0)
    near, near_disputed = smoothed(there), smoothed(disputed)
    right = (by_wrong * near - near_disputed + PRIOR_ROWS * PRIOR_RIGHT * contrast) / (
        np.maximum(contrast, LEAST_CONTRAST) * (near + PRIOR_ROWS)
    )
    matched = _tail(smoothed(there - disputed)) / max(reference_rows, 1)
    return ContestedMatches(
        contrast=contrast,
        right=np.where(contrast > LEAST_CONTRAST, np.clip(right, 0.03, 0.97), PRIOR_RIGHT),
        matched=np.clip(matched, FEWEST_MATCHED, 1.0),
        contested=_share_of(contested),
        rows_each=rows / max(reference_rows, 1),
    )


def _contested(scores: Float64Array, matches: Int64Array) -> Float64Array:
    """1 for rows whose match a row with a better score has too, else 0; of equal scores one stands."""
    order = np.lexsort((-scores, matches))
    ranked = matches[order]
    contested = np.zeros(scores.size)
    contested[order[1:]] = (ranked[1:] == ranked[:-1]) & (ranked[1:] >= 0)
    return contested


def _share_of(contested: Float64Array) -> float:
    """The share of ones, as if one row more had been seen, a tenth of which is contested; never 0 or 1."""
    return (float(contested.sum()) + 0.1) / (contested.size + 1.0)


def _repeats(contested: float, share: float) -> float:
    """Query rows to a match, if among a `share` of them so many matches are contested.

    With m rows to each match, of which a share f is seen, (1 - (1 - f) ** m) / (f m) of the matches stand.
    """
    standing = (1.0 - (1.0 - share) ** REPEATS) / (share * REPEATS)
    return float(REPEATS[np.argmin(np.abs(1.0 - standing - contested))])


def _tail(counts: Float64Array) -> Float64Array:
    """Counts at each of `GRID` and above."""
    return np.asarray(counts[::-1].cumsum()[::-1])
