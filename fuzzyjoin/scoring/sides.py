"""The rows of two tables in every form that evidence needs. Several columns are compared as one text and one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels import csr
from fuzzyjoin.text import punctuation_to_space
from fuzzyjoin.tokens import TokenIndex, object_array, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.candidates import Candidates
    from fuzzyjoin.kernels.types import BoolArray, Int32Array, Int64Array, UInt32Array

__all__ = ["Form", "Sides", "TextForms", "sides_of_candidates"]


@dataclass(frozen=True)
class Form:
    """Token sets of one kind for both tables, and in how many reference rows each token of the vocabulary stands.

    `query` and `reference` are (row offsets, ids, counts), ids sorted and unique within a row.
    """

    reference: tuple[Int64Array, Int32Array, Int32Array]
    query: tuple[Int64Array, Int32Array, Int32Array]
    frequency: Int64Array

    def asking(self, own: int) -> tuple[Int64Array, Int32Array, Int32Array]:
        """The token sets of the rows that ask: the query rows, or with `own` the reference rows themselves."""
        return self.reference if own else self.query


@dataclass(frozen=True)
class TextForms:
    """One table's rows as text: in lower case, with punctuation as spaces, and without spaces at all.

    `lengths` and `joined_lengths` count the letters of the first and the last. `words` are the ids of the words of the
    blocking text in text order, `starts` where each row's begin and, last, where they all end.
    """

    lower: np.ndarray
    spaced: np.ndarray
    joined: np.ndarray
    lengths: Int64Array
    joined_lengths: Int64Array
    words: Int64Array
    starts: Int64Array


@dataclass(frozen=True)
class Sides:
    """Both tables.

    Attributes
    ----------
    reference, query
        Text forms of both tables.
    grams, words
        3-grams of the whole text, words of the blocking text.
    columns
        3-grams of each column, where there are several; else empty.
    present
        Which columns have a value, (columns, rows), of the reference and the query table.
    letters, letter_starts, numeric
        Code points of every word, those beyond the vocabulary too, and whether it holds a digit.
    """

    reference: TextForms
    query: TextForms
    grams: Form
    words: Form
    columns: tuple[Form, ...]
    present: tuple[BoolArray, BoolArray]
    letters: UInt32Array
    letter_starts: Int64Array
    numeric: BoolArray

    def asking(self, own: int) -> TextForms:
        """The rows that ask: the query rows, or with `own` the reference rows themselves."""
        return self.reference if own else self.query


def sides_of_candidates(candidates: Candidates) -> Sides:
    """Derive all forms; the words are those of the blocking index."""
    columns = candidates.columns
    lower = _whole([column.reference_lower for column in columns]), _whole([column.query_lower for column in columns])
    index = candidates.index.words
    unknown: dict[str, int] = {}
    reference = _text_forms(lower[0], candidates.reference_texts, index, unknown)
    query = _text_forms(lower[1], candidates.query_texts, index, unknown)
    texts = [*index.vocabulary.tolist(), *unknown]
    several = columns if len(columns) > 1 else ()
    return Sides(
        reference=reference,
        query=query,
        grams=_gram_form(*lower),
        words=Form(
            _token_sets(reference.words, reference.starts),
            _token_sets(query.words, query.starts),
            csr.document_frequency(index.reference.ids, len(index.vocabulary)),
        ),
        columns=tuple(_gram_form(column.reference_lower, column.query_lower) for column in several),
        present=(
            np.array([[bool(text) for text in column.reference_lower] for column in columns], np.bool_),
            np.array([[bool(text) for text in column.query_lower] for column in columns], np.bool_),
        ),
        letters=np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32),
        letter_starts=np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64),
        numeric=np.array([any(letter.isdigit() for letter in text) for text in texts], np.bool_),
    )


def _whole(columns: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def _text_forms(lower: list[str], stemmed: list[str], index: TokenIndex, unknown: dict[str, int]) -> TextForms:
    """Words that the reference table never saw get the next id of `unknown`, the same for both tables."""
    spaced = [punctuation_to_space(text) for text in lower]
    keys, starts = words(stemmed)
    order = index.lookup(keys)
    for position in np.flatnonzero(order < 0).tolist():
        order[position] = unknown.setdefault(keys[position], len(index.vocabulary) + len(unknown))
    joined = [text.replace(" ", "") for text in spaced]
    return TextForms(
        object_array(lower),
        object_array(spaced),
        object_array(joined),
        np.array([len(text) for text in lower], np.int64),
        np.array([len(text) for text in joined], np.int64),
        order,
        starts,
    )


def _gram_form(reference: Sequence[str], query: Sequence[str]) -> Form:
    index = TokenIndex.build(reference, "3-gram")
    asked = index.encode(query)
    rows = index.reference
    return Form(
        (rows.indptr, rows.ids, rows.counts),
        (asked.indptr, asked.ids, asked.counts),
        csr.document_frequency(rows.ids, len(index.vocabulary)),
    )


def _token_sets(tokens: Int64Array, starts: Int64Array) -> tuple[Int64Array, Int32Array, Int32Array]:
    ids, counts, indptr = csr.sorted_counts(tokens, starts)
    return indptr, ids, counts
