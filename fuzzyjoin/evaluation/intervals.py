"""Exact intervals for the share of right pairs in a population that was sampled band by band.

A count of right pairs that were drawn without replacement is a sum of independent Bernoulli variables, in every band
and so in all together. Its tails are no heavier than those of a binomial count with the same mean (Hoeffding 1956: On
the distribution of the number of successes in independent trials), so the interval of Clopper and Pearson (1934) for a
binomial count holds for it too, and is rather too wide than too narrow. Within one of the mean that theorem says
nothing; there an end fails only where less than one right (or wrong) pair is expected, at most a little more often than
alone it should, while the other end cannot fail: together they keep the level.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["BANDS", "band_rows", "binomial_interval", "labels_needed", "rounding_error", "rows_drawn", "share_interval"]

BANDS: Final = 4
"""Bands of distance. More would make the figures no surer, and rounding costs more the more bands there are."""

_HALVINGS: Final = 50


def band_rows(rows: int) -> tuple[int, ...]:
    """Rows in each band of a population: as equal as whole rows allow.

    >>> band_rows(10)
    (2, 3, 2, 3)
    """
    edges = [band * rows // BANDS for band in range(BANDS + 1)]
    return tuple(edges[band + 1] - edges[band] for band in range(BANDS))


def rows_drawn(rows: int, wanted: int) -> tuple[int, ...]:
    """Rows to draw from each band: the same number, `wanted` in all rounded up; all rows where they are too few.

    >>> rows_drawn(100, 10), rows_drawn(10, 9)
    ((3, 3, 3, 3), (2, 3, 2, 3))
    """
    each = -(-wanted // BANDS)
    sizes = band_rows(rows)
    return sizes if each * BANDS > rows - rows % BANDS else (each,) * BANDS


def binomial_interval(low: int, high: int, drawn: int, level: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson for a binomial share whose count is known to lie in [low, high].

    Parameters
    ----------
    low, high
        The least and the largest count that is possible, 0 <= low <= high <= drawn.
    drawn
        Trials, 0 or more.
    level
        Coverage, in (0, 1).

    Returns
    -------
    tuple of float
        Both ends in [0, 1]; each alone fails with a probability of at most (1 - level) / 2.

    Examples
    --------
    >>> [round(end, 4) for end in binomial_interval(90, 90, 100, 0.9)]
    [0.8363, 0.9447]
    >>> binomial_interval(0, 0, 0, 0.9)
    (0.0, 1.0)
    """
    tail = (1.0 - level) / 2.0
    return _lower_end(low, drawn, tail), 1.0 - _lower_end(drawn - high, drawn, tail)


def share_interval(
    yes: int, unsure: int, *, drawn: Sequence[int], rows: Sequence[int], level: float
) -> tuple[float, float]:
    """An interval for the share of right pairs in a population, from the labels of a sample of every band.

    Parameters
    ----------
    yes
        Pairs labelled right.
    unsure
        Pairs without a label of yes or no: wrong as to the lower end, right as to the upper end.
    drawn, rows
        Pairs drawn from each band and rows that it has.
    level
        Coverage, in (0, 1).

    Returns
    -------
    tuple of float
        Both ends in [0, 1]; equal if every row was drawn and none is unsure. (0, 1) where nothing was drawn.

    Examples
    --------
    >>> share_interval(9, 0, drawn=(3, 3, 2, 2), rows=(3, 3, 2, 2), level=0.9)
    (0.9, 0.9)
    >>> low, high = share_interval(36, 0, drawn=(10,) * 4, rows=(100,) * 4, level=0.9)
    >>> (low, high) == binomial_interval(36, 36, 40, 0.9)
    True
    """
    labelled, population = sum(drawn), sum(rows)
    if not labelled:
        return 0.0, 1.0
    low, high = binomial_interval(yes, yes + unsure, labelled, level)
    rounding = rounding_error(drawn=drawn, rows=rows)
    # What was labelled is certain, whatever the rest is like.
    certain_low, certain_high = yes / population, (population - labelled + yes + unsure) / population
    return max(low - rounding, certain_low), min(high + rounding, certain_high)


def rounding_error(*, drawn: Sequence[int], rows: Sequence[int]) -> float:
    """How far the expected share in a sample can be off, because bands of unequal size give the same number of rows.

    >>> rounding_error(drawn=(5, 5, 5, 5), rows=(10, 10, 10, 10))
    0.0
    >>> round(rounding_error(drawn=(1, 1, 1, 1), rows=(2, 3, 2, 3)), 6)
    0.1
    """
    population, labelled = sum(rows), sum(drawn)
    return sum(max(there / population - taken / labelled, 0.0) for there, taken in zip(rows, drawn, strict=True))


def labels_needed(share: float, rows: int, *, half_width: float, level: float) -> int:
    """How many pairs to label so that the interval for the share reaches no farther than `half_width` to a side.

    Parameters
    ----------
    share
        The share of right pairs, in [0, 1]: measured or guessed.
    rows
        Rows in the population.
    half_width
        Half the length of the interval, in (0, 1).
    level
        Coverage, in (0, 1).

    Returns
    -------
    int
        A multiple of `BANDS`, or all rows. The next smaller sample is not enough.

    Examples
    --------
    >>> labels_needed(0.9, 1_000_000, half_width=0.02, level=0.9)
    660
    >>> labels_needed(0.9, 50, half_width=0.02, level=0.9)
    50
    """

    def enough(each: int) -> bool:
        drawn, sizes = rows_drawn(rows, each * BANDS), band_rows(rows)
        # Of the two counts nearest to the share, that with the wider interval.
        expected = share * sum(drawn)
        yes = math.floor(expected) if share > 0.5 else math.ceil(expected)  # noqa: PLR2004 - a half
        low, high = share_interval(yes, 0, drawn=drawn, rows=sizes, level=level)
        return high - low <= 2.0 * half_width

    # The length falls with the sample but for steps of single labels: find a place where it falls below.
    too_few, plenty, all_rows = 0, 1, -(-rows // BANDS)
    while plenty < all_rows and not enough(plenty):
        too_few, plenty = plenty, min(2 * plenty, all_rows)
    while plenty - too_few > 1:
        middle = (too_few + plenty) // 2
        if enough(middle):
            plenty = middle
        else:
            too_few = middle
    return sum(rows_drawn(rows, plenty * BANDS))


def _lower_end(count: int, drawn: int, tail: float) -> float:
    """The largest share at which `count` or more of `drawn` come up with a probability of at most `tail`."""
    if count == 0:
        return 0.0
    ways = _log_ways(drawn)[count:]
    counts = np.arange(count, drawn + 1, dtype=np.float64)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2.0
        chance = np.exp(ways + counts * np.log(share) + (drawn - counts) * np.log1p(-share)).sum()
        low, high = (share, high) if chance <= tail else (low, share)
    return low


def _log_ways(drawn: int) -> Float64Array:
    """Logarithms of the numbers of ways to choose 0, 1, … of `drawn`."""
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, drawn + 1, dtype=np.float64)))])
    return np.asarray(factorial[-1] - factorial - factorial[::-1])
