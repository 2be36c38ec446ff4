"""Blocking: the candidate reference rows of each row (ALGORITHM of the paper, section 3.2).

The built-in blockers score a reference row by the 3-grams and words that it shares with a row, and keep the exact top k
through an inverted index. "lexical" is the paper's score, "cosine" finds more matches with as many pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
from fuzzyjoin.blocking.inverted_index import GroupedIndex, InvertedIndex
from fuzzyjoin.kernels import csr
from fuzzyjoin.text import TokenIndex, TokenSets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking.equal_groups import EqualGroups
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array
    from fuzzyjoin.threads import Work

__all__ = [
    "BLOCKERS",
    "BlockerName",
    "LexicalBlocking",
    "default_k",
    "scorer_k",
]

MOST_CANDIDATES = 50
FEWEST_CANDIDATES = 20
SMALLEST_SQUARE = 1e-9
"""What the squared norm of a row without any weight counts as."""

BlockerName: TypeAlias = Literal["lexical", "cosine"]
BLOCKERS: Final[tuple[BlockerName, ...]] = ("lexical", "cosine")
"""Names of the built-in blockers (see `LexicalBlocking`)."""


def default_k(reference_rows: int) -> int:
    """Candidates a row: min(⌊√rows⌋, 50), at least 1 (paper, section 5.1).

    >>> default_k(200), default_k(10_000)
    (14, 50)
    """
    return max(1, min(math.isqrt(reference_rows), MOST_CANDIDATES))


def scorer_k(reference_rows: int) -> int:
    """Candidates a row where a scorer decides: as `default_k`, but at least 20 of a small table.

    >>> scorer_k(100), scorer_k(10_000)
    (20, 50)
    """
    return max(default_k(reference_rows), FEWEST_CANDIDATES)


@dataclass(frozen=True)
class LexicalBlocking:
    """The reference table's inverted index over 3-grams and words of the blocking text.

    score(reference row) = Σ weight(t) · count(t) · scale(reference row), over the tokens t shared with the other row:
    "lexical", the paper's, weighs by IDF and scales by 1 / tokens in the row; "cosine" weighs by IDF² and scales by
    1 / √Σ IDF² · count, which does not prefer short rows so much.

    With `groups`, only rows of a row's own group are its candidates. Weights and scales stay those of the whole table.
    """

    words: TokenIndex
    grams: TokenIndex
    blocker: BlockerName = "lexical"
    groups: EqualGroups | None = None

    @classmethod
    def build(
        cls,
        texts: Sequence[str],
        *,
        also: Sequence[str] = (),
        blocker: BlockerName = "lexical",
        groups: EqualGroups | None = None,
    ) -> LexicalBlocking:
        """Index the blocking text of the reference table; the words in `also` enter the vocabulary in any case."""
        return cls(TokenIndex.build(texts, "word", also=also), TokenIndex.build(texts, "3-gram"), blocker, groups)

    def merged(self, other: LexicalBlocking, rows: Int64Array, groups: EqualGroups | None = None) -> LexicalBlocking:
        """The index of two tables' rows (see `TokenIndex.merged`), which are in these groups."""
        words, grams = self.words.merged(other.words, rows), self.grams.merged(other.grams, rows)
        return LexicalBlocking(words, grams, self.blocker, groups)

    @cached_property
    def lists(self) -> InvertedIndex | GroupedIndex:
        """3-grams and words of every reference row, laid out for the search."""
        grams, words = self._weights(self.grams), self._weights(self.words)
        left, right = self.grams.reference.sets, self.words.reference.sets
        if self.blocker == "cosine":
            squares = csr.weighted_counts(*left, grams) + csr.weighted_counts(*right, words)
            scales = 1.0 / np.sqrt(np.maximum(squares, SMALLEST_SQUARE))
        else:
            sizes = csr.weighted_counts(*left, np.ones_like(grams)) + csr.weighted_counts(*right, np.ones_like(words))
            scales = 1.0 / np.maximum(sizes, 1.0)
        weights = np.concatenate([grams, words])
        if self.groups is not None:
            return GroupedIndex.build(left, right, grams.size, weights, scales, self.groups)
        return InvertedIndex.build(left, right, grams.size, weights, scales)

    def _weights(self, index: TokenIndex) -> Float64Array:
        """What each token weighs. A product of two weights on the grid is a multiple of 2**-32: sums are exact too."""
        idf: Float64Array = index.weights[1]
        return idf * idf if self.blocker == "cosine" else idf

    def _side_by_side(
        self, grams: TokenSets, words: TokenSets, rows: Int64Array
    ) -> tuple[Int64Array, Int32Array, Int32Array]:
        """3-grams and words of each of `rows`; tokens that the reference never saw go past both vocabularies."""
        gram_size, word_size = len(self.grams.vocabulary), len(self.words.vocabulary)
        return csr.join_rows(
            rows, grams.indptr, grams.ids, grams.counts, gram_size, words.indptr, words.ids, words.counts, word_size
        )

    def self_pairs(self, rows: Int64Array, k: int, work: Work) -> CandidatePairs:
        """The k best other reference rows of each of `rows` (ascending); rows not asked for have none."""
        groups = self.groups.of_rows if self.groups is not None else None
        return self._top_k(self.grams.reference, self.words.reference, rows, groups, k, work, left_out=rows)

    def query_pairs(
        self, grams: TokenSets, words: TokenSets, k: int, work: Work, groups: Int64Array | None = None
    ) -> CandidatePairs:
        """The k best reference rows of every query row; `groups` (rows,) are those of the query rows, if there are."""
        rows = np.arange(grams.indptr.size - 1)
        return self._top_k(grams, words, rows, groups, k, work, left_out=np.full(rows.size, -1))

    def _top_k(  # noqa: PLR0917 - the rows that ask, in which groups, and for how many
        self,
        grams: TokenSets,
        words: TokenSets,
        asked: Int64Array,
        groups: Int64Array | None,
        k: int,
        work: Work,
        *,
        left_out: Int64Array,
    ) -> CandidatePairs:
        indptr, ids, _ = self._side_by_side(grams, words, asked)
        index = self.lists
        if isinstance(index, GroupedIndex):
            if groups is None:
                raise TypeError("rows are in groups, but those of the rows that ask are not given")
            found = index.top_k(asked, groups[asked], indptr, ids, k, left_out, work)
        else:
            found = index.top_k(asked, indptr, ids, k, left_out, work)
        sizes = np.zeros(indptr.size - 1, np.int64)
        sizes[asked] = found[0]
        return CandidatePairs(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), found[1])
