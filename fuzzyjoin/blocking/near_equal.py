"""Nearly equal rows: reference rows that differ in case, spaces and punctuation alone.

They stay separate candidates, since "CNN" and "CNN+" may be two things, but no distance that ignores case and
punctuation can tell them apart. So each row looks at one of them only, the one nearest to it in raw text, and they are
never each other's rivals, neighbours or decoys.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from fuzzyjoin.text import MOST_CHARACTERS, punctuation_to_space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
    from fuzzyjoin.kernels.types import BoolArray, Int64Array, UInt64Array
    from fuzzyjoin.tables import KeyTable

__all__ = ["NearlyEqualRows", "bare"]

SPACE: Final = re.compile(r"(?<!\d) | (?!\d)")
"""Between two digits a space stays: 1.5 and 15 are two numbers."""

BETWEEN_COLUMNS: Final = "\x1f"


@dataclass(frozen=True, eq=False)
class NearlyEqualRows:
    """Which reference rows are nearly equal.

    Attributes
    ----------
    keys
        A 64-bit hash of what is left of a row without case, spaces and punctuation, (rows,); 0 where nothing is.
    """

    keys: UInt64Array

    @classmethod
    def of(cls, columns: Sequence[Sequence[str]]) -> NearlyEqualRows:
        """Find them by one sequence of texts a column, as `fuzzyjoin.text.preprocessing.lower` gives them."""
        rows = zip(*([bare(text) for text in column] for column in columns), strict=True)
        return cls(np.array([_key(row) for row in rows], np.uint64))

    def merged(self, other: NearlyEqualRows, rows: Int64Array) -> NearlyEqualRows:
        """Those of two tables' rows, one table behind the other, in the order of `rows`."""
        return NearlyEqualRows(np.concatenate([self.keys, other.keys])[rows])

    @cached_property
    def shared(self) -> BoolArray:
        """Which rows have another row that nearly equals them, (rows,)."""
        _, places, times = np.unique(self.keys, return_inverse=True, return_counts=True)
        return np.asarray((times[places] > 1) & (self.keys != 0))

    def nearest_only(
        self, pairs: CandidatePairs, asking: KeyTable, reference: KeyTable, *, is_self_join: bool
    ) -> CandidatePairs:
        """The pairs without those that another, nearly equal candidate of the same row is nearer than.

        Nearness is how alike the raw texts are, words in whatever order; ties go to the lower position. In a self-join
        a row's own nearly equal rows go too.
        """
        places = np.flatnonzero(self.shared[pairs.reference])
        if places.size == 0:
            return pairs
        candidates = pairs.reference[places].astype(np.int64)
        rows = np.searchsorted(pairs.indptr, places, side="right").astype(np.int64) - 1
        keys = self.keys[candidates]
        kept = np.ones(len(pairs), np.bool_)
        others = np.ones(places.size, np.bool_)
        if is_self_join:
            others = keys != self.keys[rows]
            kept[places[~others]] = False
        several = _stands_twice(rows, keys) & others
        places, rows, candidates, keys = places[several], rows[several], candidates[several], keys[several]
        # Words are sorted first: of "The Mall at Fox Run" the letters alone are nearer to "FOX RUN MALL".
        texts = (
            [text[:MOST_CHARACTERS] for text in table.texts(of)]
            for table, of in ((asking, rows), (reference, candidates))
        )
        likeness = cpdist(*texts, scorer=fuzz.token_sort_ratio, dtype=np.float64)
        order = np.lexsort((candidates, -likeness, keys, rows))
        first = np.ones(order.size, np.bool_)
        first[1:] = (rows[order][1:] != rows[order][:-1]) | (keys[order][1:] != keys[order][:-1])
        kept[places[order[~first]]] = False
        return pairs.keep(kept)


def bare(text: str) -> str:
    """A text in lower case without spaces and punctuation, save between digits.

    >>> bare("at&t (u.s.)"), bare("vol. 1.5"), bare("+")
    ('attus', 'vol1 5', '')
    """
    return SPACE.sub("", punctuation_to_space(text))


def _key(row: tuple[str, ...]) -> int:
    if not any(row):
        return 0
    digest = hashlib.blake2b(BETWEEN_COLUMNS.join(row).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _stands_twice(rows: Int64Array, keys: UInt64Array) -> BoolArray:
    """Which of some pairs have a key that another pair of the same row has too."""
    order = np.lexsort((keys, rows))
    same = (rows[order][1:] == rows[order][:-1]) & (keys[order][1:] == keys[order][:-1])
    found = np.zeros(rows.size, np.bool_)
    found[order[1:]] = same
    found[order[:-1]] |= same
    return found
