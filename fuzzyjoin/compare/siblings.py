"""Room for the nearest siblings of reference rows: how close other rows of the reference table lie to each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array

__all__ = ["COMPARED", "SIBLINGS_KEPT", "room_for_siblings"]

SIBLINGS_KEPT: Final = 7
"""Nearest siblings of a row that are kept: one more than are counted, because a row that asks is nobody's sibling."""

COMPARED: Final = ("3-gram jaccard", "3-gram cosine", "word jaccard", "edit")
"""Distances that are compared with those inside the reference table."""


def room_for_siblings(rows: int) -> tuple[Float64Array, Int32Array, BoolArray]:
    """Room for the distances to the nearest siblings of so many reference rows, whose they are, and whether known."""
    shape = rows, len(COMPARED), SIBLINGS_KEPT
    return np.zeros(shape), np.zeros(shape, np.int32), np.zeros(rows, np.bool_)
