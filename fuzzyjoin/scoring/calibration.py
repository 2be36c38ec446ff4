"""Calibration without labels: what a score means in this run.

A run has the best scores of its query rows and those of two kinds of decoys, which have no match: query rows whose best
candidate was taken away, and reference rows used as queries. The scores of wrong matches resemble the decoys', those of
right matches what training tasks showed, shifted. How many are right, and the shift, are estimated from the run under
weak priors, by each kind of decoys; contested matches tell more. A small regression, learned on training tasks,
turns that into the probability that a best candidate of a given score is right. The curve is then frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.scoring.contested_matches import contested_matches
from fuzzyjoin.scoring.densities import GRID, LARGEST, ascending, at, densities, histogram, smoothed
from fuzzyjoin.scoring.mixture import Mixture, fit_mixture

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["NO_CANDIDATE", "Calibrator", "RunCurve", "RunScores", "between_task_features", "interval", "run_features"]

NO_CANDIDATE: Final = -9.0
"""Score that a row without any candidate counts with: below all that is ever joined."""

SMALLEST_TAIL: Final = 1e-3

FEW_ROWS: Final = 0.01
"""Rows that are taken to have every score, so that a curve ascends where no row is."""

LOWEST_THRESHOLD: Final = -3.0
HIGHEST_THRESHOLD: Final = 5.0
MOST_APART: Final = 4.0
"""Bounds of `between_task_features`: beyond them nothing was learned."""


@dataclass(frozen=True)
class RunScores:
    """The best scores of a run and of its decoys.

    Attributes
    ----------
    best, best_reference
        Score and position of the best candidate of every query row, (query rows,).
    query_decoys, query_decoy_reference
        The same of some query rows once their best candidate was taken away.
    reference_decoys
        Best scores of some reference rows used as queries, themselves left out.
    reference_rows
        Rows of the reference table.
    """

    best: Float64Array
    best_reference: Int64Array
    query_decoys: Float64Array
    query_decoy_reference: Int64Array
    reference_decoys: Float64Array
    reference_rows: int

    def of_rows(self, rows: Int64Array) -> RunScores:
        """The run as if only these query rows had been asked; the decoys stay."""
        return replace(self, best=self.best[rows], best_reference=self.best_reference[rows])


@dataclass(frozen=True)
class RunCurve:
    """What was estimated of a run.

    Attributes
    ----------
    probability
        Probability that a best candidate is right, ascending, at each of `GRID`.
    share
        Estimated share of query rows whose best candidate is right, in (0, 1).
    by_decoys
        The calibration signals: the probability by each kind of decoys alone, ascending, (GRID, 2).
    """

    probability: Float64Array
    share: float
    by_decoys: Float64Array


@dataclass(frozen=True)
class Calibrator:
    """What was learned on the training tasks.

    Attributes
    ----------
    right, query_decoys, reference_decoys
        Densities of the best scores of right matches and of both kinds of decoys, at `GRID`.
    mean, scale, coefficients, intercept
        The regression on `run_features`, standardised.
    between_task_coefficients
        Three coefficients of the log of the between-task standard deviation: that of the headline estimate's log-odds
        about the truth, beyond chance (see `between_task_features`).
    neighbourhood_sd
        The between-task standard deviation of the neighbourhood estimate.
    """

    right: Float64Array
    query_decoys: Float64Array
    reference_decoys: Float64Array
    mean: Float64Array
    scale: Float64Array
    coefficients: Float64Array
    between_task_coefficients: Float64Array
    intercept: float
    neighbourhood_sd: float

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibrator:
        """Read what `as_json` wrote."""
        parts: dict[str, Any] = {name: np.array(content[key], np.float64) for name, key in _ARRAYS.items()}
        parts |= {name: float(content[key]) for name, key in _NUMBERS.items()}
        return cls(**parts)

    def as_json(self) -> dict[str, Any]:
        """Lists and numbers, ready for JSON."""
        arrays = {key: getattr(self, name).tolist() for name, key in _ARRAYS.items()}
        return {**arrays, **{key: getattr(self, name) for name, key in _NUMBERS.items()}}

    def curve(self, run: RunScores) -> RunCurve:
        """The probability curve of a run."""
        mixtures = self.mixtures(run)
        features = run_features(run, mixtures)
        # Not a matrix product: its rounding would depend on the linear algebra library.
        odds = ((features - self.mean) / self.scale * self.coefficients).sum(axis=1) + self.intercept
        there = histogram(run.best)
        probability = ascending(1.0 / (1.0 + np.exp(-odds)), there + FEW_ROWS)
        by_decoys = np.column_stack([ascending(mixture.right, there + FEW_ROWS) for mixture in mixtures])
        return RunCurve(probability, mixtures[0].share, by_decoys)

    def between_task_sd_of(self, curve: RunCurve, joined: Float64Array) -> float:
        """The between-task standard deviation of the headline estimate for the rows of these scores, in log-odds."""
        return float(np.exp((self.between_task_coefficients * between_task_features(curve, joined)).sum()))

    def mixtures(self, run: RunScores) -> tuple[Mixture, Mixture]:
        """The run's scores as mixtures of right and wrong ones, by query decoys and by reference decoys."""
        return (
            fit_mixture(run.best, run.query_decoys, right=self.right, decoy=self.query_decoys),
            fit_mixture(run.best, run.reference_decoys, right=self.right, decoy=self.reference_decoys),
        )


def interval(value: float, rows: int, between_task_sd: float, level: float) -> tuple[float, float]:
    """An interval about an estimated precision of so many joined rows; `between_task_sd` is in log-odds.

    Half a row is added at each end: a share of n rows moves in steps of 1 / n, and can be 1.
    """
    inside = min(max(value, 0.5 / (rows + 1.0)), 1.0 - 0.5 / (rows + 1.0))
    reach = QUANTILES[level] * np.sqrt(between_task_sd**2 + 1.0 / (rows * inside * (1.0 - inside)))
    centre = np.log(inside / (1.0 - inside))
    low, high = 1.0 / (1.0 + np.exp(reach - centre)), 1.0 / (1.0 + np.exp(-reach - centre))
    step = 0.5 / rows
    return float(min(max(low - step, 0.0), value)), float(max(min(high + step, 1.0), value))


QUANTILES: Final = {0.9: 1.6448536269514722}
"""Half-widths of central intervals of the normal distribution, by level."""

_ARRAYS: Final = {
    **{name: name for name in ("right", "query_decoys", "reference_decoys", "mean", "scale", "coefficients")},
    "between_task_coefficients": "spread",
}
_NUMBERS: Final = {"intercept": "intercept", "neighbourhood_sd": "ball_spread"}
"""Parts of a calibrator and their keys in a scorer file, which stay: programs name it by the hash of its bytes."""


def between_task_features(curve: RunCurve, joined: Float64Array) -> Float64Array:
    """What tells how far off the headline estimate can be for some joined rows, (3,).

    One; the lowest score that is joined; how far the two kinds of decoys disagree, in log-odds.
    """
    both = np.clip(at(curve.by_decoys, joined).mean(axis=0), SMALLEST_TAIL, 1.0 - SMALLEST_TAIL)
    apart = float(np.abs(np.diff(_log_odds(both)))[0])
    return np.array([1.0, min(max(float(joined.min()), LOWEST_THRESHOLD), HIGHEST_THRESHOLD), min(apart, MOST_APART)])


def run_features(run: RunScores, mixtures: tuple[Mixture, Mixture]) -> Float64Array:
    """What the regression sees at each of `GRID`, (GRID, 17).

    The score; the log of the share of query rows that score at least so; by each mixture the log-odds of being right,
    the log of the share of wrong matches that score at least so, the share of right matches, and both shifts; of
    contested matches their contrast, what they tell of being right, how many there are, how many query rows
    come to a reference row, and the share of those that are matched.
    """
    there = histogram(run.best)
    columns = [GRID, _log_tail(densities(smoothed(there)))]
    for mixture in mixtures:
        # A share itself, not its log-odds: near 0 or 1 those would outweigh all else.
        whole = mixture.share, mixture.shift, mixture.decoy_shift
        right = _log_odds(ascending(mixture.right, there + FEW_ROWS))
        columns += [np.clip(right, -LARGEST, LARGEST), _log_tail(mixture.wrong)]
        columns += [np.full(GRID.size, value) for value in whole]
    matches = contested_matches(run.best, run.best_reference, run.query_decoy_reference, run.reference_rows)
    columns += [matches.contrast, matches.contrast * _log_odds(matches.right), np.log(matches.matched)]
    columns += [np.full(GRID.size, value) for value in (matches.contested, np.log(matches.rows_each + 1e-3))]
    return np.column_stack(columns)


def _log_odds(share: Any) -> Any:  # noqa: ANN401 - a number or an array
    return np.log(share / (1.0 - share))


def _log_tail(density: Float64Array) -> Float64Array:
    return np.asarray(np.log(density[::-1].cumsum()[::-1] + SMALLEST_TAIL))
