"""Logistic regression with a ridge, by Newton's method, damped so that its loss only falls.

The same data give the same coefficients on every run. A regression that does not end in its minimum is an error: its
coefficients mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.kernels.logistic import newton_step

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["NotConvergedError", "fit_logistic"]

STEPS: Final = 200
"""Far more than are needed: on tables about 10, under offsets in the hundreds about 30."""

SMALLEST_STEP: Final = 1e-9
"""Far below the digits that are kept."""

SHORTEST: Final = 1e-18
"""Part of a step below which no shorter one is tried. Where the loss is flat, a whole step can be a million times too
long: the curvature under an offset of 12 is 6e-6."""

LEAST_FALL: Final = 0.1
"""Part of the fall that the slope promises which a step must bring (Armijo's rule)."""

ROUNDING: Final = 1e-14
"""Part of the loss below which a fall is lost in its rounding."""

FREE: Final = 1e-6
"""Ridge of the intercept: it is as good as free."""


class NotConvergedError(FuzzyJoinError):
    """A regression did not end in its minimum."""


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

    Raises
    ------
    NotConvergedError
        If the minimum is not found: an input is no finite number, or values differ too much in size.

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
        with np.errstate(invalid="ignore"):
            entropy = np.logaddexp(0.0, odds) - labels * odds
        return float((weights * entropy).sum() + 0.5 * (penalty * coefficients**2).sum())

    coefficients = np.zeros(design.shape[1])
    loss = loss_of(coefficients)
    for _ in range(STEPS):
        with np.errstate(over="ignore"):  # the exponential of a large number is infinite, and the chance 0
            chance = 1.0 / (1.0 + np.exp(-odds_of(coefficients)))
        pull = weights * (chance - labels)
        step = newton_step(design, pull, weights * chance * (1.0 - chance), penalty, coefficients)
        slope = (design * pull[:, np.newaxis]).sum(axis=0) + penalty * coefficients
        fall = max(0.0, float((slope * step).sum()))
        part = 1.0
        # Far from the minimum a whole step can overshoot. At the minimum the fall is less than the loss's rounding.
        while (found := loss_of(coefficients - part * step)) > loss - LEAST_FALL * part * fall + ROUNDING * loss:
            part *= 0.5
            if part < SHORTEST:
                raise NotConvergedError(_message("no step makes its loss smaller"))
        if not np.isfinite(found):
            raise NotConvergedError(_message("its loss is no finite number"))
        coefficients, loss = coefficients - part * step, found
        if np.abs(step).max() < SMALLEST_STEP:
            return coefficients
    raise NotConvergedError(_message(f"its minimum is not reached after {STEPS} steps"))


def _message(what: str) -> str:
    return f"a logistic regression did not converge: {what}; see that inputs, weights and offset are finite and scaled"
