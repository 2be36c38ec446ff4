"""Candidate pairs: which reference rows each row of a table is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Int32Array, Int64Array
    from fuzzyjoin.text import Texts

__all__ = ["CandidatePairs", "pair_positions", "pair_texts"]


@dataclass(frozen=True)
class CandidatePairs:
    """Candidate reference rows of each row of a table.

    Row i's candidates are reference[indptr[i]:indptr[i + 1]], int32 positions in ascending order.
    """

    indptr: Int64Array
    reference: Int32Array

    def __len__(self) -> int:
        return int(self.reference.size)

    def keep(self, kept: BoolArray) -> CandidatePairs:
        """The pairs for which `kept` (pairs,) is true."""
        sizes = np.concatenate([[0], np.cumsum(kept)])
        return CandidatePairs(sizes[self.indptr].astype(np.int64), self.reference[kept])

    def of_rows(self, rows: Int64Array) -> CandidatePairs:
        """The pairs of some rows alone, at ascending positions.

        >>> pairs = CandidatePairs(np.array([0, 2, 3, 5]), np.array([1, 4, 0, 2, 3], np.int32))
        >>> some = pairs.of_rows(np.array([0, 2]))
        >>> some.indptr.tolist(), some.reference.tolist()
        ([0, 2, 4], [1, 4, 2, 3])
        """
        sizes = np.diff(self.indptr)
        asked = np.zeros(sizes.size, np.bool_)
        asked[rows] = True
        indptr = np.concatenate([[0], np.cumsum(sizes[rows])]).astype(np.int64)
        return CandidatePairs(indptr, self.reference[np.repeat(asked, sizes)])


def pair_positions(pairs: CandidatePairs, rows: Int64Array) -> Int64Array:
    """Positions in `pairs.reference` of the pairs of `rows`, row after row."""
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    ends = np.cumsum(sizes)
    within_rows: Int64Array = np.arange(ends[-1] if ends.size else 0)
    starts: Int64Array = np.repeat(pairs.indptr[rows] - (ends - sizes), sizes)
    return within_rows + starts


def pair_texts(
    asking: np.ndarray | Texts, references: np.ndarray | Texts, pairs: CandidatePairs, rows: Int64Array
) -> tuple[np.ndarray, np.ndarray]:
    """Both texts of every pair of `rows`. Rows ascend, and chunks of consecutive rows are one slice of the pairs."""
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    positions = pair_positions(pairs, rows)
    return np.repeat(asking[rows], sizes), references[pairs.reference[positions]]
