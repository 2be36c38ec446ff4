"""Logistic regression with a ridge, by Newton's method: the same data give the same coefficients on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.kernels.logistic import newton_step

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["fit_logistic"]

STEPS: Final = 50
SMALLEST_STEP: Final = 1e-9
"""Far below the digits that are kept."""

SHORTEST: Final = 1e-3
"""Part of a step below which no shorter one is tried."""

FREE: Final = 1e-6
"""Ridge of the intercept: it is as good as free."""


def fit_logistic(
    inputs: Float64Array,
    labels: Float64Array,
    weights: Float64Array,
    *,
    ridge: float,
    offset: Float64Array | None = None,
) -> Float64Array:
    """Return the coefficients of `inputs` (rows, k) and, last, the intercept, (k + 1,).

    They minimise the sum of weights · cross-entropy of the labels, plus ridge / 2 · the sum of squared coefficients.

    Parameters
    ----------
    inputs
        What the log-odds are linear in, (rows, k).
    labels
        Probabilities in [0, 1], (rows,).
    weights
        0 or more, (rows,).
    ridge
        Above 0.
    offset
        Log-odds that are added to every row's, (rows,); by default 0.

    Examples
    --------
    >>> fit_logistic(np.array([[-1.0], [1.0]]), np.array([0.0, 1.0]), np.ones(2), ridge=1.0).round(3).tolist()
    [0.675, 0.0]
    """
    design = np.column_stack([inputs, np.ones(inputs.shape[0])])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = FREE
    known = np.zeros(design.shape[0]) if offset is None else offset

    def odds_of(coefficients: Float64Array) -> Float64Array:
        return np.asarray((design * coefficients).sum(axis=1) + known)

    def loss_of(coefficients: Float64Array) -> float:
        odds = odds_of(coefficients)
        entropy = np.logaddexp(0.0, odds) - labels * odds
        return float((weights * entropy).sum() + 0.5 * (penalty * coefficients**2).sum())

    coefficients = np.zeros(design.shape[1])
    loss = loss_of(coefficients)
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-odds_of(coefficients)))
        step = newton_step(
            design, weights * (chance - labels), weights * chance * (1.0 - chance), penalty, coefficients
        )
        # Far from the minimum a whole step can overshoot.
        part = 1.0
        while (found := loss_of(coefficients - part * step)) > loss and part > SHORTEST:
            part *= 0.5
        coefficients, loss = coefficients - part * step, found
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return coefficients
