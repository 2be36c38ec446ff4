"""A regression ends in its minimum, whatever the offsets, or says that it did not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.scoring import logistic
from fuzzyjoin.scoring.logistic import NotConvergedError, fit_logistic


def slope_of(coefficients, inputs, labels, weights, offset):
    odds = inputs @ coefficients[:-1] + coefficients[-1] + offset
    return weights * (np.exp(-np.logaddexp(0.0, -odds)) - labels)


@pytest.mark.parametrize("size", [12.0, -12.0, 40.0, 800.0, -800.0])
def test_the_intercept_takes_a_large_offset_back(size):
    labels = np.array([0.0, 1.0] * 20)
    coefficients = fit_logistic(np.zeros((40, 1)), labels, np.ones(40), ridge=1.0, offset=np.full(40, size))
    # A ridge of 1e-6 holds the intercept back by so much.
    assert coefficients == pytest.approx([0.0, -size], abs=1e-3)


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 300.0]), st.sampled_from([1.0, 20.0, 200.0]))
def test_a_regression_ends_where_its_loss_is_level_under_any_offsets(seed, ridge, size):
    random = np.random.default_rng(seed)
    inputs, labels = random.normal(size=(40, 3)), random.uniform(0.0, 1.0, 40)
    weights, offset = random.uniform(0.0, 2.0, 40), size * random.normal(size=40) + random.choice([-size, 0.0, size])
    coefficients = fit_logistic(inputs, labels, weights, ridge=ridge, offset=offset)
    pull = slope_of(coefficients, inputs, labels, weights, offset)
    assert inputs.T @ pull + ridge * coefficients[:-1] == pytest.approx(np.zeros(3), abs=1e-6)
    assert pull.sum() + logistic.FREE * coefficients[-1] == pytest.approx(0.0, abs=1e-6)


def test_inputs_that_are_no_numbers_are_told_and_not_fitted():
    inputs = np.array([[1.0], [np.nan]])
    with pytest.raises(NotConvergedError, match="did not converge"):
        fit_logistic(inputs, np.array([0.0, 1.0]), np.ones(2), ridge=1.0)


def test_a_regression_that_needs_more_steps_says_so(monkeypatch):
    monkeypatch.setattr(logistic, "STEPS", 2)
    with pytest.raises(NotConvergedError, match="after 2 steps"):
        fit_logistic(np.array([[-3.0], [2.0], [1.0]]), np.array([0.0, 1.0, 0.0]), np.ones(3), ridge=0.01)
