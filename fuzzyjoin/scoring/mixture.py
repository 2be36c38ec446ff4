"""How many best candidates of a run are right: its scores as a mixture of right ones and wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.scoring.densities import densities, histogram, shifted, smoothed

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["Mixture", "fit_mixture"]

TRAINING_DECOYS: Final = 20.0
"""Decoys that the training tasks' decoys count as beside the run's own."""

MOST_ROWS: Final = 150.0
"""Query rows that the run counts as at most: they are not independent."""

SHIFTS: Final = np.arange(-5.0, 1.51, 0.5)
SHIFT_SPREAD: Final = 1.5
"""How much higher or lower right matches may score than in training, and how far they usually do."""

DECOY_SHIFTS: Final = np.arange(-2.0, 1.01, 0.5)
DECOY_SHIFT_SPREAD: Final = 0.5
"""The same of wrong matches, compared with decoys."""

SHARES: Final = np.linspace(0.01, 0.99, 50)
SHARE_PRIOR: Final = (2.0, 1.0)
"""Beta prior of the share of query rows whose best candidate is right."""


@dataclass(frozen=True)
class Mixture:
    """Means under the posterior of share · right(score - shift) + (1 - share) · decoys(score - decoy shift).

    Attributes
    ----------
    right
        Probability that a best candidate is right, at each of `GRID`, in (0, 1).
    wrong
        Density of the scores of wrong best candidates, at `GRID`.
    share
        Share of query rows whose best candidate is right, in (0, 1).
    shift, decoy_shift
        How much higher right matches score than in training, and wrong ones than decoys.
    """

    right: Float64Array
    wrong: Float64Array
    share: float
    shift: float
    decoy_shift: float


def fit_mixture(scores: Float64Array, decoys: Float64Array, *, right: Float64Array, decoy: Float64Array) -> Mixture:
    """Estimate the share of right matches and both shifts from the best scores of a run and those of its decoys.

    `right` and `decoy` are the densities of the training tasks' right matches and decoys at `GRID`.
    """
    counts = histogram(scores)
    rights = np.stack([shifted(right, shift) for shift in SHIFTS])[:, np.newaxis, np.newaxis]
    wrong = densities(smoothed(histogram(decoys)) + TRAINING_DECOYS * decoy)
    wrongs = np.stack([shifted(wrong, shift) for shift in DECOY_SHIFTS])[:, np.newaxis]
    shares = SHARES[:, np.newaxis]
    mixture = shares * rights + (1.0 - shares) * wrongs
    weights = _posterior(mixture, counts)
    by_decoy_shift = weights.sum(axis=(0, 2))
    return Mixture(
        right=((shares * rights / mixture) * weights[..., np.newaxis]).sum(axis=(0, 1, 2)),
        wrong=(by_decoy_shift[:, np.newaxis] * wrongs[:, 0]).sum(axis=0),
        share=float((weights.sum(axis=(0, 1)) * SHARES).sum()),
        shift=float((weights.sum(axis=(1, 2)) * SHIFTS).sum()),
        decoy_shift=float((by_decoy_shift * DECOY_SHIFTS).sum()),
    )


def _posterior(mixture: Float64Array, counts: Float64Array) -> Float64Array:
    """Weights of (shift, decoy shift, share) given how many query rows have which score."""
    rows = counts.sum()
    logs = min(1.0, MOST_ROWS / max(float(rows), 1.0)) * (np.log(mixture) * counts).sum(axis=3)
    logs += (SHARE_PRIOR[0] - 1.0) * np.log(SHARES) + (SHARE_PRIOR[1] - 1.0) * np.log(1.0 - SHARES)
    logs -= 0.5 * (SHIFTS[:, np.newaxis, np.newaxis] / SHIFT_SPREAD) ** 2
    logs -= 0.5 * (DECOY_SHIFTS[:, np.newaxis] / DECOY_SHIFT_SPREAD) ** 2
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
