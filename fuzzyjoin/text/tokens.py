"""Tokenising: text to token sets in compressed sparse rows, against the vocabulary of the reference table.

Only the reference table makes the vocabulary and the weights. A query row's token that it does not hold gets an id
beyond the vocabulary, so a query row means the same whatever other rows stand in its batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from fuzzyjoin.kernels import csr
from fuzzyjoin.kernels.types import WeightedSets
from fuzzyjoin.kernels.words import find_words, word_table
from fuzzyjoin.text.text_array import Texts, object_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array, Int64Array

__all__ = ["TOKENISERS", "WEIGHTINGS", "Sets", "TokenIndex", "TokenSets", "Vocabulary"]

GRAM_MARKER = 0x110000
"""One more than the last Unicode code point: pads a string for its 3-grams and occurs in none."""

GRID = 2.0**16

WEIGHTINGS = ("uniform", "idf")

ROWS_AT_ONCE = 1 << 12
"""Rows whose tokens are held as they are spelled at a time."""


def on_grid(weights: Float64Array | float) -> Float64Array | float:
    """Round weights to multiples of 2**-16.

    Their sums and products are then exact in float64, so that distances which are equal on paper are equal here, in
    whatever order they were added up, and ties are broken by rule and not by rounding.
    """
    return np.round(weights * GRID) / GRID


Sets: TypeAlias = "tuple[Int64Array, Int32Array, Int32Array]"
"""Token sets of some rows: row offsets, ids, counts, ids sorted and unique within a row."""


@dataclass(frozen=True)
class TokenSets:
    """The token sets of some rows.

    Row i holds tokens ids[indptr[i]:indptr[i + 1]] (int32, sorted, unique) with their counts (int32). `sums` and
    `squares` are (2, rows) float64: Σw and Σ(w·count)² under each of `WEIGHTINGS`.
    """

    indptr: Int64Array
    ids: Int32Array
    counts: Int32Array
    sums: Float64Array
    squares: Float64Array

    @property
    def sets(self) -> Sets:
        """The tokens without their weights."""
        return self.indptr, self.ids, self.counts

    @property
    def weighted(self) -> WeightedSets:
        """The tokens with their sums, as kernels take them."""
        return WeightedSets(self.indptr, self.ids, self.counts, self.sums, self.squares)


def grams(texts: Sequence[str]) -> tuple[Int64Array, Int64Array]:
    """Character 3-grams as packed integers, and where each text's begin."""
    code_points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return csr.ngram_keys(code_points, offsets, GRAM_MARKER)


def words(texts: Sequence[str]) -> tuple[np.ndarray, Int64Array]:
    """Words as an object array of str, and where each text's begin; one space between words, as preprocessing gives."""
    indptr = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([text.count(" ") + 1 if text else 0 for text in texts], out=indptr[1:])
    return object_array(" ".join(filter(None, texts)).split()), indptr


TOKENISERS: dict[str, Callable[[Sequence[str]], tuple[np.ndarray, Int64Array]]] = {"3-gram": grams, "word": words}


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens of the reference table in ascending order; a token's position is its id.

    Attributes
    ----------
    tokens
        3-grams as packed integers, or words.
    table
        Where words are found (see `kernels.words`); empty for 3-grams, which are found by halving.
    """

    tokens: Int64Array | Texts
    table: Int32Array

    @classmethod
    def of(cls, tokens: np.ndarray) -> Vocabulary:
        """Lay out distinct ascending tokens."""
        if tokens.dtype != object:
            return cls(tokens.astype(np.int64), np.empty(0, np.int32))
        words = Texts.of(tokens.tolist())
        return cls(words, word_table(words.content, words.offsets))

    @classmethod
    def of_lots(cls, lots: Sequence[np.ndarray], also: Sequence[str]) -> Vocabulary:
        """Lay out the tokens of several lots, and the words in `also`."""
        tokens = np.concatenate([np.array(also, object), *lots]) if also else np.concatenate(lots)
        return cls.of(object_array(sorted(set(tokens))) if tokens.dtype == object else np.unique(tokens))

    def __len__(self) -> int:
        return len(self.tokens)

    def tolist(self) -> list[int] | list[str]:
        """All tokens."""
        return self.tokens.tolist()

    def lookup(self, tokens: np.ndarray | Texts) -> Int64Array:
        """Ids of tokens, -1 for those that the reference table never saw."""
        if isinstance(self.tokens, Texts):
            asked = tokens if isinstance(tokens, Texts) else Texts.of(tokens.tolist())
            return find_words(self.table, self.tokens.content, self.tokens.offsets, asked.content, asked.offsets)
        if len(self) == 0:
            return np.full(len(tokens), -1, np.int64)
        places = np.minimum(np.searchsorted(self.tokens, tokens), len(self) - 1)
        return np.where(self.tokens[places] == tokens, places, -1)

    def merged(self, other: Vocabulary, kept: BoolArray) -> Vocabulary:
        """The tokens of this vocabulary that are `kept`, (tokens,), and all of another's."""
        if not isinstance(self.tokens, Texts):
            return Vocabulary.of(np.union1d(self.tokens[kept], other.tokens))
        own = self.tokens[np.flatnonzero(kept)].tolist()
        known = set(own)
        # Two ascending runs, which sorting merges.
        return Vocabulary.of(object_array(sorted(own + [word for word in other.tokens if word not in known])))


def _lots(texts: Sequence[str], tokeniser: str) -> Iterator[tuple[np.ndarray, Int64Array, Int64Array]]:
    """Yield the tokens of `ROWS_AT_ONCE` rows at a time: distinct ones, each token's place there, where rows begin."""
    for start in range(0, max(len(texts), 1), ROWS_AT_ONCE):
        keys, indptr = TOKENISERS[tokeniser](texts[start : start + ROWS_AT_ONCE])
        places, tokens = pd.factorize(keys)
        yield tokens, places, indptr


@dataclass(frozen=True)
class TokenIndex:
    """A tokenisation of the reference table: vocabulary, token sets, rows that hold each token, weights.

    Examples
    --------
    >>> index = TokenIndex.build(["red apple", "green apple"], "word")
    >>> index.vocabulary.tolist()
    ['apple', 'green', 'red']
    >>> index.encode(["apple pie apple"]).ids.tolist()
    [0, 3]
    """

    tokeniser: str
    vocabulary: Vocabulary
    reference: TokenSets
    frequency: Int64Array
    weights: Float64Array
    unseen: Float64Array

    @classmethod
    def build(cls, texts: Sequence[str], tokeniser: str, *, also: Sequence[str] = ()) -> TokenIndex:
        """Tokenise the reference texts and weigh every token; words in `also` enter the vocabulary in any case.

        Weights are (2, vocabulary): uniform 1, and IDF max(0, log(n / (df + 1))) with log(n) for a token that the
        reference table never saw (paper, section 2.2).
        """
        # Tokenised twice, some rows at a time: as they are spelled, all rows' tokens take several times the memory.
        distinct, room = [], 0
        for tokens, places, _ in _lots(texts, tokeniser):
            distinct.append(tokens)
            room += places.size
        vocabulary = Vocabulary.of_lots(distinct, also)
        ids, counts, indptr = np.empty(room, np.int32), np.empty(room, np.int32), np.zeros(len(texts) + 1, np.int64)
        row = 0
        for tokens, places, starts in _lots(texts, tokeniser):
            lot = csr.sorted_counts(vocabulary.lookup(tokens).astype(np.int32)[places], starts)
            end = row + starts.size - 1
            indptr[row : end + 1] = indptr[row] + lot[2]
            ids[indptr[row] : indptr[end]], counts[indptr[row] : indptr[end]] = lot[0], lot[1]
            row = end
        return cls._weighed(tokeniser, vocabulary, indptr, ids[: indptr[-1]], counts[: indptr[-1]])

    def merged(self, other: TokenIndex, rows: Int64Array) -> TokenIndex:
        """The index of two tables' rows in the order of `rows`, which are positions in the two, one below the other.

        It is that of their texts: tokens of rows that are left out are gone, all weights are those of the rows
        together. All tokens of `other` enter the vocabulary, so that words that it holds in any case stay there.
        """
        own, sets = len(self.vocabulary), (self.reference, other.reference)
        indptr, ids = csr.rows_of_two(sets[0].indptr, sets[0].ids, sets[1].indptr, sets[1].ids + np.int32(own), rows)
        _, counts = csr.rows_of_two(sets[0].indptr, sets[0].counts, sets[1].indptr, sets[1].counts, rows)
        held = csr.document_frequency(ids, own + len(other.vocabulary)) > 0
        vocabulary = self.vocabulary.merged(other.vocabulary, held[:own])
        places = np.concatenate([vocabulary.lookup(index.vocabulary.tokens) for index in (self, other)])
        # Both vocabularies ascend, so that a row's ids still do.
        return self._weighed(self.tokeniser, vocabulary, indptr, places.astype(np.int32)[ids], counts)

    @classmethod
    def _weighed(
        cls, tokeniser: str, vocabulary: Vocabulary, indptr: Int64Array, ids: Int32Array, counts: Int32Array
    ) -> TokenIndex:
        frequency = csr.document_frequency(ids, len(vocabulary))
        size = max(indptr.size - 1, 1)
        weights = np.ones((len(WEIGHTINGS), frequency.size))
        weights[1] = on_grid(np.maximum(0.0, np.log(size / (frequency + 1.0))))
        unseen = np.array([1.0, on_grid(math.log(size))])
        sums, squares = csr.row_weights(indptr, ids, counts, weights, unseen)
        return cls(tokeniser, vocabulary, TokenSets(indptr, ids, counts, sums, squares), frequency, weights, unseen)

    def encode(self, texts: Sequence[str]) -> TokenSets:
        """Tokenise query texts; tokens that the reference never saw get ids from len(vocabulary) on."""
        keys, indptr = TOKENISERS[self.tokeniser](texts)
        codes = self.vocabulary.lookup(keys)
        unseen = codes < 0
        strange = pd.factorize(keys[unseen], sort=True)[0]
        codes[unseen] = strange + len(self.vocabulary)
        ids, counts, indptr = csr.sorted_counts(codes.astype(np.int32), indptr)
        sums, squares = csr.row_weights(indptr, ids, counts, self.weights, self.unseen)
        return TokenSets(indptr, ids, counts, sums, squares)
