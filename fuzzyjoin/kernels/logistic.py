"""One step of Newton's method for a regression with a ridge, summed in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array

__all__ = ["newton_step"]


@kernel
def newton_step(
    inputs: Float64Array,
    slopes: Float64Array,
    curvatures: Float64Array,
    ridge: Float64Array,
    coefficients: Float64Array,
) -> Float64Array:
    """What is to be taken off the coefficients: (X' C X + R) step = X' slopes + R coefficients.

    `inputs` X is (rows, k), `slopes` and `curvatures` (the diagonal C, 0 or more) are (rows,), `ridge` (the diagonal R,
    above 0) and `coefficients` are (k,). Solved by Cholesky's method. Sums run over rows in order: a linear algebra
    library's would depend on its threads.
    """
    rows, size = inputs.shape
    step = np.empty(size)
    matrix = np.zeros((size, size))
    for i in range(size):
        step[i] = ridge[i] * coefficients[i]
        matrix[i, i] = ridge[i]
    for row in range(rows):
        for i in range(size):
            step[i] += slopes[row] * inputs[row, i]
            scaled = curvatures[row] * inputs[row, i]
            for j in range(i + 1):
                matrix[i, j] += scaled * inputs[row, j]
    for i in range(size):
        for j in range(i + 1):
            left = matrix[i, j]
            for k in range(j):
                left -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(left) if i == j else left / matrix[j, j]
    for i in range(size):
        for k in range(i):
            step[i] -= matrix[i, k] * step[k]
        step[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            step[i] -= matrix[k, i] * step[k]
        step[i] /= matrix[i, i]
    return step
