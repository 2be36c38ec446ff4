"""What kernels take and give: names of array types, and arrays that belong together."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BoolArray",
    "Float32Array",
    "Float64Array",
    "Int32Array",
    "Int64Array",
    "Pairs",
    "RowTokens",
    "UInt8Array",
    "UInt16Array",
    "UInt32Array",
    "UInt64Array",
    "WeightedSets",
]

BoolArray: TypeAlias = NDArray[np.bool_]
UInt8Array: TypeAlias = NDArray[np.uint8]
UInt16Array: TypeAlias = NDArray[np.uint16]
UInt32Array: TypeAlias = NDArray[np.uint32]
UInt64Array: TypeAlias = NDArray[np.uint64]
Int32Array: TypeAlias = NDArray[np.int32]
Int64Array: TypeAlias = NDArray[np.int64]
Float32Array: TypeAlias = NDArray[np.float32]
Float64Array: TypeAlias = NDArray[np.float64]


class Pairs(NamedTuple):
    """Candidate pairs: row i's candidates are reference[indptr[i]:indptr[i + 1]]."""

    indptr: Int64Array
    reference: Int32Array


class RowTokens(NamedTuple):
    """Token sets: row i's tokens are ids[indptr[i]:indptr[i + 1]], ascending and distinct."""

    indptr: Int64Array
    ids: Int32Array


class WeightedSets(NamedTuple):
    """Token sets with how often a row holds each token, and each row's sums of weights and of squares.

    `counts` stand beside `ids`; `sums` and `squares` are (weightings, rows).
    """

    indptr: Int64Array
    ids: Int32Array
    counts: Int32Array
    sums: Float64Array
    squares: Float64Array
