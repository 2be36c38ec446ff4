"""Groups of reference rows: those whose values are equal in the columns that must be equal.

A row is compared with the rows of its own group alone. A value that is missing equals nothing, so that a row without it
is in no group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fuzzyjoin.text import Vocabulary, object_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
    from fuzzyjoin.kernels.types import BoolArray, Int64Array

__all__ = ["EqualGroups"]

NO_GROUP = -1


@dataclass(frozen=True, eq=False)
class EqualGroups:
    """Which reference rows have equal values.

    Attributes
    ----------
    values
        The values that there are, several columns' as one text, ascending.
    of_rows
        Position in `values` of every reference row's, (rows,), -1 where one is missing.

    Examples
    --------
    >>> groups = EqualGroups.of([["tx", "", "ca", "tx"]])
    >>> groups.of_rows.tolist(), groups.find([["ca", "il", ""]]).tolist()
    ([1, -1, 0, 1], [0, -1, -1])
    """

    values: Vocabulary
    of_rows: Int64Array

    @classmethod
    def of(cls, columns: Sequence[Sequence[str]]) -> EqualGroups:
        """Group rows by one sequence of folded texts a column, "" where a value is missing."""
        places, distinct = pd.factorize(_keys(columns))
        values = Vocabulary.of(object_array(sorted(key for key in distinct if key)))
        return cls(values, _without_empty(values, distinct)[places])

    def __len__(self) -> int:
        return len(self.values)

    def find(self, columns: Sequence[Sequence[str]]) -> Int64Array:
        """The group that each row of a table belongs to, (rows,), -1 where it is none."""
        places, distinct = pd.factorize(_keys(columns))
        groups: Int64Array = _without_empty(self.values, distinct)[places]
        return groups

    def have_several(self, groups: Int64Array) -> BoolArray:
        """Which of some groups have more than one reference row; -1, no group, has none."""
        sizes = np.bincount(self.of_rows[self.of_rows != NO_GROUP], minlength=len(self))
        # The last is that of no group.
        return np.asarray(np.append(sizes, 0)[groups] > 1)

    def keep(self, pairs: CandidatePairs, asking: Int64Array) -> CandidatePairs:
        """The pairs within a group; `asking` are the groups of the rows that ask."""
        group = np.repeat(asking, np.diff(pairs.indptr))
        return pairs.keep((group != NO_GROUP) & (group == self.of_rows[pairs.reference]))


def _without_empty(values: Vocabulary, keys: np.ndarray) -> Int64Array:
    return np.where(keys == "", NO_GROUP, values.lookup(keys)).astype(np.int64)


def _keys(columns: Sequence[Sequence[str]]) -> np.ndarray:
    """Each row's values as one text, "" if one is missing. Lengths keep "a", "bc" apart from "ab", "c"."""
    if len(columns) == 1:
        return object_array(list(columns[0]))
    rows = zip(*columns, strict=True)
    return object_array(["".join(f"{len(value)} {value}" for value in row) if all(row) else "" for row in rows])
