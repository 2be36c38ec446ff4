"""Room for the nearest neighbours of reference rows: how close other rows of the reference table lie to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array

__all__ = ["COMPARED", "NEIGHBOURS_KEPT", "room_for_neighbours"]

NEIGHBOURS_KEPT: Final = 7
"""Nearest neighbours of a row that are kept: one more than are counted, because a row that asks is nobody's."""

COMPARED: Final = ("3-gram jaccard", "3-gram cosine", "word jaccard", "edit")
"""Distances that are compared with those inside the reference table."""


def room_for_neighbours(rows: int) -> tuple[Float64Array, Int32Array, BoolArray]:
    """Room for distances to the nearest neighbours of so many reference rows, which those are, and whether known."""
    shape = rows, len(COMPARED), NEIGHBOURS_KEPT
    return np.zeros(shape), np.zeros(shape, np.int32), np.zeros(rows, np.bool_)
