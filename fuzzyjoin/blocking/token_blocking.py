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
from fuzzyjoin.kernels import csr
from fuzzyjoin.kernels.postings import GROUP, inverted_index, most_in_a_row, occurrences_by_rank
from fuzzyjoin.kernels.topk import Lists, top_k
from fuzzyjoin.text import TokenIndex, TokenSets
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt16Array
    from fuzzyjoin.text import Sets
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
class InvertedIndex:
    """The reference rows by token, laid out for `top_k`.

    Attributes
    ----------
    list_starts, postings
        Places of the rows that hold each token (see `postings.inverted_index`).
    row_starts, row_tokens
        Tokens of each row, each as often as it occurs, by rank.
    most
        How often each token occurs in one row at most, (tokens,).
    weights
        What each token weighs, (tokens,).
    scales, order
        What a row's sum is multiplied by, descending, and the position of the row, (rows,), both by rank.
    """

    list_starts: Int64Array
    postings: UInt16Array
    row_starts: Int64Array
    row_tokens: Int32Array
    most: Int64Array
    weights: Float64Array
    scales: Float64Array
    order: Int32Array

    @classmethod
    def build(
        cls, left: Sets, right: Sets, left_size: int, weights: Float64Array, scales: Float64Array
    ) -> InvertedIndex:
        """Lay out rows of two token sets each, the right ones' tokens behind; `scales` are by position."""
        order = np.argsort(-scales, kind="stable").astype(np.int32)
        rows = occurrences_by_rank(order, *left, left_size, *right)
        lists = inverted_index(*rows, weights.size)
        most = most_in_a_row(*rows, weights.size)
        return cls(*lists, *rows, most, weights, scales[order], order)

    @cached_property
    def group_norms(self) -> Float64Array:
        """One over the scale of the first row of every group of ranks."""
        return 1.0 / self.scales[::GROUP]

    def top_k(
        self, asked: Int64Array, indptr: Int64Array, ids: Int32Array, k: int, *, exclude_self: bool
    ) -> tuple[Int64Array, Int32Array]:
        """How many candidates each of the rows `asked` for has, and the candidates (see `topk.top_k`)."""
        lists = Lists(*(getattr(self, name) for name in Lists._fields))
        return top_k(asked, indptr, ids, lists, k, exclude_self)


@dataclass(frozen=True)
class LexicalBlocking:
    """The reference table's inverted index over 3-grams and words of the blocking text.

    score(reference row) = Σ weight(t) · count(t) · scale(reference row), over the tokens t shared with the other row:
    "lexical", the paper's, weighs by IDF and scales by 1 / tokens in the row; "cosine" weighs by IDF² and scales by
    1 / √Σ IDF² · count, which does not prefer short rows so much.
    """

    words: TokenIndex
    grams: TokenIndex
    blocker: BlockerName = "lexical"

    @classmethod
    def build(
        cls, texts: Sequence[str], *, also: Sequence[str] = (), blocker: BlockerName = "lexical"
    ) -> LexicalBlocking:
        """Index the blocking text of the reference table; the words in `also` enter the vocabulary in any case."""
        return cls(TokenIndex.build(texts, "word", also=also), TokenIndex.build(texts, "3-gram"), blocker)

    def merged(self, other: LexicalBlocking, rows: Int64Array) -> LexicalBlocking:
        """The index of two tables' rows (see `TokenIndex.merged`)."""
        return LexicalBlocking(self.words.merged(other.words, rows), self.grams.merged(other.grams, rows), self.blocker)

    @cached_property
    def lists(self) -> InvertedIndex:
        """3-grams and words of every reference row, laid out for the search."""
        grams, words = self._weights(self.grams), self._weights(self.words)
        left, right = self.grams.reference.sets, self.words.reference.sets
        if self.blocker == "cosine":
            squares = csr.weighted_counts(*left, grams) + csr.weighted_counts(*right, words)
            scales = 1.0 / np.sqrt(np.maximum(squares, SMALLEST_SQUARE))
        else:
            sizes = csr.weighted_counts(*left, np.ones_like(grams)) + csr.weighted_counts(*right, np.ones_like(words))
            scales = 1.0 / np.maximum(sizes, 1.0)
        return InvertedIndex.build(left, right, grams.size, np.concatenate([grams, words]), scales)

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
        return self._top_k(self.grams.reference, self.words.reference, rows, k, work, exclude_self=True)

    def query_pairs(self, grams: TokenSets, words: TokenSets, k: int, work: Work) -> CandidatePairs:
        """The k best reference rows of every query row."""
        return self._top_k(grams, words, np.arange(grams.indptr.size - 1), k, work, exclude_self=False)

    def _top_k(
        self, grams: TokenSets, words: TokenSets, asked: Int64Array, k: int, work: Work, *, exclude_self: bool
    ) -> CandidatePairs:
        indptr, ids, _ = self._side_by_side(grams, words, asked)
        index = self.lists

        _ = index.group_norms

        def search(chunk: Int64Array) -> tuple[Int64Array, Int32Array]:
            return index.top_k(chunk, indptr, ids, k, exclude_self=exclude_self)

        found = map_chunks(search, asked, work)
        sizes = np.zeros(indptr.size - 1, np.int64)
        sizes[asked] = np.concatenate([part[0] for part in found])
        return CandidatePairs(
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), np.concatenate([part[1] for part in found])
        )
