"""A step of Newton's method agrees with the linear algebra library's solution."""

from __future__ import annotations

import numpy as np
import pytest

from fuzzyjoin.kernels.logistic import newton_step


@pytest.mark.parametrize(("rows", "size"), [(0, 1), (1, 3), (7, 4), (200, 30)])
def test_the_step_solves_its_equations(rows, size):
    random = np.random.default_rng(rows)
    inputs, coefficients = random.normal(size=(rows, size)), random.normal(size=size)
    slopes, curvatures = random.normal(size=rows), random.uniform(0.0, 1.0, rows)
    ridge = random.uniform(0.1, 2.0, size)
    step = newton_step(inputs, slopes, curvatures, ridge, coefficients)
    matrix = inputs.T @ (curvatures[:, np.newaxis] * inputs) + np.diag(ridge)
    assert step == pytest.approx(np.linalg.solve(matrix, inputs.T @ slopes + ridge * coefficients), rel=1e-9, abs=1e-9)
