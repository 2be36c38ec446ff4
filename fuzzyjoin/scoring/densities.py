"""Densities of scores on a fixed grid of log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["GRID", "LARGEST", "STEP", "ascending", "at", "densities", "histogram", "places", "shifted", "smoothed"]

STEP: Final = 0.25
LARGEST: Final = 7.0
GRID: Final = np.arange(-LARGEST, LARGEST + STEP / 2, STEP)
"""Scores (log-odds) at which curves are kept; beyond them a curve is flat."""

BANDWIDTH: Final = 0.4
FLOOR: Final = 2e-3
"""Probability that a density leaves to every score alike."""

_KERNEL: Final = np.exp(-0.5 * ((GRID[:, np.newaxis] - GRID) / BANDWIDTH) ** 2)
_SMOOTHING: Final = _KERNEL / _KERNEL.sum(axis=0)


def places(scores: Float64Array) -> Int64Array:
    """Which of `GRID` each score is nearest to; scores beyond it count at its ends."""
    return np.clip(np.round((scores + LARGEST) / STEP), 0, GRID.size - 1).astype(np.int64)


def histogram(scores: Float64Array) -> Float64Array:
    """How many scores lie nearest to each of `GRID`."""
    return np.bincount(places(scores), minlength=GRID.size).astype(np.float64)


def smoothed(counts: Float64Array) -> Float64Array:
    """Counts at `GRID`, spread by a normal kernel; their sum stays."""
    # Not a matrix product: its rounding would depend on the linear algebra library.
    return np.asarray((_SMOOTHING * counts).sum(axis=1))


def densities(counts: Float64Array) -> Float64Array:
    """Counts at `GRID`, smoothed before or not, as probabilities that are nowhere zero."""
    total = counts.sum()
    share = counts / total if total > 0.0 else np.full(GRID.size, 1.0 / GRID.size)
    return np.asarray((1.0 - FLOOR) * share + FLOOR / GRID.size)


def at(curve: Float64Array, scores: Float64Array) -> Float64Array:
    """A curve (or curves, (GRID, k)) read off at some scores, linear between the points of `GRID`."""
    place = np.clip((scores + LARGEST) / STEP, 0, GRID.size - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, GRID.size - 1)
    share = (place - low).reshape(-1, *([1] * (curve.ndim - 1)))
    return np.asarray(curve[low] * (1.0 - share) + curve[high] * share)


def shifted(density: Float64Array, shift: float) -> Float64Array:
    """A density moved along `GRID`."""
    steps = round(shift / STEP)
    moved = np.zeros_like(density)
    if steps >= 0:
        moved[steps:] = density[: density.size - steps]
    else:
        moved[:steps] = density[-steps:]
    return densities(moved)


def ascending(values: Float64Array, weights: Float64Array) -> Float64Array:
    """The ascending sequence nearest to `values` in weighted least squares (pool adjacent violators)."""
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        means.append(value)
        masses.append(weight)
        sizes.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            mean, mass, size = means.pop(), masses.pop(), sizes.pop()
            means[-1] = (means[-1] * masses[-1] + mean * mass) / (masses[-1] + mass)
            masses[-1] += mass
            sizes[-1] += size
    return np.repeat(means, sizes)
