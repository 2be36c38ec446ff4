"""Places in ascending arrays. numba's `searchsorted` does the same and takes ten times as long to compile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzzyjoin.kernels.jit import inlined

if TYPE_CHECKING:
    import numpy as np

__all__ = ["first_above", "first_not_below"]


@inlined
def first_not_below(values: np.ndarray, value: Any) -> int:  # noqa: ANN401 - a number of the dtype of the values
    """The first place whose value is not below `value`; how many values there are if all are."""
    low = 0
    high = values.size
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def first_above(values: np.ndarray, value: Any) -> int:  # noqa: ANN401 - as above
    """The first place whose value is above `value`; how many values there are if none is."""
    low = 0
    high = values.size
    while low < high:
        middle = (low + high) >> 1
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low
