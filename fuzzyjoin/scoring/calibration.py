"""Calibration without labels: what a score means in this run.

A run has the best scores of its query rows and those of its decoys: reference rows used as queries, which have no
match. The scores of wrong matches resemble the decoys', those of right matches what training tasks showed, shifted. How
many are right, and the shift, are estimated from the run under weak priors; a small regression, learned on training
tasks, turns that into the probability that a best candidate of a given score is right. The curve is then frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["GRID", "Calibrator", "RunCurve", "at", "densities", "histogram", "interval", "run_features"]

STEP: Final = 0.25
LARGEST: Final = 7.0
GRID: Final = np.arange(-LARGEST, LARGEST + STEP / 2, STEP)
"""Scores (log-odds) at which curves are kept; beyond them a curve is flat."""

BANDWIDTH: Final = 0.4
FLOOR: Final = 2e-3
"""Probability that a density leaves to every score alike."""

TRAINING_DECOYS: Final = 50.0
"""Decoys that the training tasks' decoys count as beside the run's own."""

MOST_ROWS: Final = 150.0
"""Query rows that the run counts as at most when its share of right matches is estimated: they are not independent."""

SHIFTS: Final = np.arange(-2.5, 1.01, 0.5)
DECOY_SHIFTS: Final = np.arange(-2.0, 1.01, 0.5)
"""How much higher or lower right matches may score than in training, and wrong ones than decoys."""

SHIFT_SPREAD: Final = 0.7
SHARES: Final = np.linspace(0.01, 0.99, 50)
SHARE_PRIOR: Final = (2.0, 1.0)
"""Beta prior of the share of query rows whose best candidate is right."""

SMALLEST_TAIL: Final = 1e-3

_KERNEL: Final = np.exp(-0.5 * ((GRID[:, np.newaxis] - GRID) / BANDWIDTH) ** 2)
_SMOOTHING: Final = _KERNEL / _KERNEL.sum(axis=0)


@dataclass(frozen=True)
class RunCurve:
    """What was estimated of a run.

    Attributes
    ----------
    probability
        Probability that a best candidate is right, ascending, at each of `GRID`.
    share
        Estimated share of query rows whose best candidate is right, in (0, 1).
    shift
        How much lower (negative) or higher right matches score here than in the training tasks.
    """

    probability: Float64Array
    share: float
    shift: float


@dataclass(frozen=True)
class Calibrator:
    """What was learned on the training tasks.

    Attributes
    ----------
    right, decoy
        Densities of the best scores of right matches and of decoys, at `GRID`.
    mean, scale, coefficients, intercept
        The regression on `run_features`, standardised.
    spread, ball_spread
        Standard deviations of the log-odds of the headline estimate, and of the published one, about the truth from
        task to task, beyond chance.
    """

    right: Float64Array
    decoy: Float64Array
    mean: Float64Array
    scale: Float64Array
    coefficients: Float64Array
    intercept: float
    spread: float
    ball_spread: float

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibrator:
        """Read what `as_json` wrote."""
        right, decoy, mean, scale, coefficients = (np.array(content[name], np.float64) for name in _ARRAYS)
        intercept, spread, ball_spread = (float(content[name]) for name in _NUMBERS)
        return cls(right, decoy, mean, scale, coefficients, intercept, spread, ball_spread)

    def as_json(self) -> dict[str, Any]:
        """Lists and numbers, ready for JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {**arrays, **{name: getattr(self, name) for name in _NUMBERS}}

    def curve(self, scores: Float64Array, decoys: Float64Array) -> RunCurve:
        """The probability curve of a run from its best scores and those of its decoys."""
        features, share, shift = run_features(self.right, self.decoy, scores, decoys)
        # Not a matrix product: its rounding would depend on the linear algebra library.
        odds = ((features - self.mean) / self.scale * self.coefficients).sum(axis=1) + self.intercept
        probability = ascending(1.0 / (1.0 + np.exp(-odds)), histogram(scores) + 0.01)
        return RunCurve(probability, share, shift)


def interval(value: float, rows: int, spread: float, level: float) -> tuple[float, float]:
    """An interval about an estimated precision of so many joined rows; `spread` is the estimate's from task to task.

    Half a row is added at each end: a share of n rows moves in steps of 1 / n, and can be 1.
    """
    inside = min(max(value, 0.5 / (rows + 1.0)), 1.0 - 0.5 / (rows + 1.0))
    reach = QUANTILES[level] * np.sqrt(spread**2 + 1.0 / (rows * inside * (1.0 - inside)))
    centre = np.log(inside / (1.0 - inside))
    low, high = 1.0 / (1.0 + np.exp(reach - centre)), 1.0 / (1.0 + np.exp(-reach - centre))
    step = 0.5 / rows
    return float(min(max(low - step, 0.0), value)), float(max(min(high + step, 1.0), value))


QUANTILES: Final = {0.9: 1.6448536269514722}
"""Half-widths of central intervals of the normal distribution, by level."""

_ARRAYS: Final = ("right", "decoy", "mean", "scale", "coefficients")
_NUMBERS: Final = ("intercept", "spread", "ball_spread")


def histogram(scores: Float64Array) -> Float64Array:
    """How many scores lie nearest to each of `GRID`; scores beyond it count at its ends."""
    places = np.clip(np.round((scores + LARGEST) / STEP), 0, GRID.size - 1).astype(np.int64)
    return np.bincount(places, minlength=GRID.size).astype(np.float64)


def densities(counts: Float64Array) -> Float64Array:
    """Counts at `GRID`, smoothed before or not, as probabilities that are nowhere zero."""
    total = counts.sum()
    share = counts / total if total > 0.0 else np.full(GRID.size, 1.0 / GRID.size)
    return np.asarray((1.0 - FLOOR) * share + FLOOR / GRID.size)


def smoothed(scores: Float64Array) -> Float64Array:
    """The histogram of scores, spread by a normal kernel."""
    # Not a matrix product: its rounding would depend on the linear algebra library.
    return np.asarray((_SMOOTHING * histogram(scores)).sum(axis=1))


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


def run_features(
    right: Float64Array, decoy: Float64Array, scores: Float64Array, decoys: Float64Array
) -> tuple[Float64Array, float, float]:
    """What the regression sees at each of `GRID`, the share of right matches and their shift.

    Share and the shifts of both parts are estimated by their means under the posterior of the mixture
    share · right(score - shift) + (1 - share) · decoys(score - other shift). The features: the score; the log-odds of
    being right under that posterior; the logs of the shares of wrong matches and of query rows that score at least so;
    the log-odds of the share of right matches; both shifts.
    """
    counts = histogram(scores)
    rights = np.stack([shifted(right, shift) for shift in SHIFTS])[:, np.newaxis, np.newaxis]
    wrong = densities(smoothed(decoys) + TRAINING_DECOYS * decoy)
    wrongs = np.stack([shifted(wrong, shift) for shift in DECOY_SHIFTS])[:, np.newaxis]
    shares = SHARES[:, np.newaxis]
    mixture = shares * rights + (1.0 - shares) * wrongs
    weights = _posterior(mixture, counts)
    odds = ((shares * rights / mixture) * weights[..., np.newaxis]).sum(axis=(0, 1, 2))
    share = float((weights.sum(axis=(0, 1)) * SHARES).sum())
    shift = float((weights.sum(axis=(1, 2)) * SHIFTS).sum())
    other = weights.sum(axis=(0, 2))
    expected = (other[:, np.newaxis] * wrongs[:, 0]).sum(axis=0)
    tails = (np.log(part[::-1].cumsum()[::-1] + SMALLEST_TAIL) for part in (expected, densities(smoothed(scores))))
    whole = np.log(share / (1.0 - share)), shift, float((other * DECOY_SHIFTS).sum())
    flat = [np.full(GRID.size, value) for value in whole]
    return np.column_stack([GRID, np.clip(np.log(odds / (1.0 - odds)), -LARGEST, LARGEST), *tails, *flat]), share, shift


def _posterior(mixture: Float64Array, counts: Float64Array) -> Float64Array:
    """Weights of (shift, other shift, share) given how many query rows have which score."""
    rows = counts.sum()
    logs = min(1.0, MOST_ROWS / max(float(rows), 1.0)) * (np.log(mixture) * counts).sum(axis=3)
    logs += (SHARE_PRIOR[0] - 1.0) * np.log(SHARES) + (SHARE_PRIOR[1] - 1.0) * np.log(1.0 - SHARES)
    logs -= 0.5 * (SHIFTS[:, np.newaxis, np.newaxis] / SHIFT_SPREAD) ** 2
    logs -= 0.5 * (DECOY_SHIFTS[:, np.newaxis] / SHIFT_SPREAD) ** 2
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


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
