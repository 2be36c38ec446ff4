"""The rows of two tables in every form that features need. Several columns are compared as one text and one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels import csr
from fuzzyjoin.text import Texts, TokenIndex, object_array, on_grid, punctuation_to_space, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int64Array, UInt32Array
    from fuzzyjoin.text import Sets, Vocabulary

__all__ = ["Form", "ReferenceForms", "Sides", "Spellings", "TextForms", "both_sides", "reference_forms"]


@dataclass(frozen=True, eq=False)
class Form:
    """Token sets of one kind for both tables, and in how many reference rows each token of the vocabulary stands."""

    reference: Sets
    query: Sets
    frequency: Int64Array

    def asking(self, *, is_self_join: bool) -> Sets:
        """The token sets of the rows that ask: the query rows, or in a self-join the reference rows themselves."""
        return self.reference if is_self_join else self.query


@dataclass(frozen=True, eq=False)
class TextForms:
    """One table's rows as text: in lower case, with punctuation as spaces, and without spaces at all.

    `lengths` and `joined_lengths` count the letters of the first and the last. `words` are the ids of the words of the
    blocking text in text order, `starts` where each row's begin and, last, where they all end. `present` says which
    columns have a value, (columns, rows).
    """

    lower: np.ndarray | Texts
    spaced: np.ndarray | Texts
    joined: np.ndarray | Texts
    lengths: Int64Array
    joined_lengths: Int64Array
    words: Int64Array
    starts: Int64Array
    present: BoolArray

    def merged(self, other: TextForms, rows: Int64Array, words: tuple[Int64Array, Int64Array]) -> TextForms:
        """The forms of two reference tables' rows (see `TokenIndex.merged`); `words` are the new ids of each one's."""
        starts, ids = csr.rows_of_two(self.starts, words[0][self.words], other.starts, words[1][other.words], rows)
        return TextForms(
            Texts.of(self.lower).merged(Texts.of(other.lower), rows),
            Texts.of(self.spaced).merged(Texts.of(other.spaced), rows),
            Texts.of(self.joined).merged(Texts.of(other.joined), rows),
            np.concatenate([self.lengths, other.lengths])[rows],
            np.concatenate([self.joined_lengths, other.joined_lengths])[rows],
            ids,
            starts,
            np.concatenate([self.present, other.present], axis=1).take(rows, axis=1),
        )


@dataclass(frozen=True, eq=False)
class Spellings:
    """Words letter by letter: code points, where each word's begin and, last, end, and whether it holds a digit."""

    letters: UInt32Array
    starts: Int64Array
    numeric: BoolArray

    @classmethod
    def of(cls, words: Sequence[str]) -> Spellings:
        """Spell words."""
        return cls(
            np.frombuffer("".join(words).encode("utf-32-le"), np.uint32).copy(),
            np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int64),
            np.array([any(letter.isdigit() for letter in word) for word in words], np.bool_),
        )

    @classmethod
    def of_vocabulary(cls, vocabulary: Vocabulary) -> Spellings:
        """Spell all words of a vocabulary."""
        return cls.of([str(word) for word in vocabulary.tolist()])

    def with_more(self, words: Sequence[str]) -> Spellings:
        """The same, with further words behind."""
        if not words:
            return self
        more = Spellings.of(words)
        return Spellings(
            np.concatenate([self.letters, more.letters]),
            np.concatenate([self.starts, more.starts[1:] + self.starts[-1]]),
            np.concatenate([self.numeric, more.numeric]),
        )


@dataclass(frozen=True, eq=False)
class ReferenceForms:
    """The reference rows in every form.

    Attributes
    ----------
    texts
        Text forms.
    grams
        3-grams of the whole text.
    columns
        3-grams of each column, where there are several; else empty.
    spellings
        Of the vocabulary of the blocking text.
    """

    texts: TextForms
    grams: TokenIndex
    columns: tuple[TokenIndex, ...]
    spellings: Spellings

    def merged(
        self, other: ReferenceForms, rows: Int64Array, words: tuple[Vocabulary, Vocabulary, Vocabulary]
    ) -> ReferenceForms:
        """The forms of two tables' rows (see `TokenIndex.merged`).

        `words` are the vocabularies of the blocking text: of this table, of the other and of the rows together.
        """
        own, more, together = words
        return ReferenceForms(
            self.texts.merged(other.texts, rows, (together.lookup(own.tokens), together.lookup(more.tokens))),
            self.grams.merged(other.grams, rows),
            tuple(index.merged(added, rows) for index, added in zip(self.columns, other.columns, strict=True)),
            Spellings.of_vocabulary(together),
        )

    @cached_property
    def idf(self) -> tuple[Float64Array, Float64Array]:
        """IDF of a token by the number of rows that hold it; of all rows, and of all but one."""
        rows = self.texts.lengths.size
        held = np.arange(rows + 1) + 1.0
        return tuple(
            np.asarray(on_grid(np.maximum(0.0, np.log(max(rows - left_out, 1) / held)))) for left_out in (0, 1)
        )  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
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
    spellings
        Of all words, those beyond the vocabulary too.
    """

    reference: TextForms
    query: TextForms
    grams: Form
    words: Form
    columns: tuple[Form, ...]
    spellings: Spellings

    def asking(self, *, is_self_join: bool) -> TextForms:
        """The rows that ask: the query rows, or in a self-join the reference rows themselves."""
        return self.reference if is_self_join else self.query


def reference_forms(columns: Sequence[Sequence[str]], blocking_texts: list[str], index: TokenIndex) -> ReferenceForms:
    """Derive all forms of the reference rows.

    `columns` are in lower case; `index` is that of the words of the blocking texts.
    """
    whole = _whole(columns)
    texts = _text_forms(columns, whole, blocking_texts, index, {})
    return ReferenceForms(
        texts=replace(
            texts, lower=Texts.of(whole), spaced=Texts.of(list(texts.spaced)), joined=Texts.of(list(texts.joined))
        ),
        grams=TokenIndex.build(whole, "3-gram"),
        columns=tuple(TokenIndex.build(column, "3-gram") for column in columns) if len(columns) > 1 else (),
        spellings=Spellings.of_vocabulary(index.vocabulary),
    )


def both_sides(
    forms: ReferenceForms, columns: Sequence[Sequence[str]], blocking_texts: list[str], index: TokenIndex
) -> Sides:
    """Derive all forms of the query rows and put both tables side by side; arguments as for `reference_forms`."""
    whole = _whole(columns)
    unknown: dict[str, int] = {}
    query = _text_forms(columns, whole, blocking_texts, index, unknown)
    return Sides(
        reference=forms.texts,
        query=query,
        grams=_gram_form(forms.grams, whole),
        words=Form(
            # A row's words in id order are the index's own.
            index.reference.sets,
            _token_sets(query.words, query.starts),
            index.frequency,
        ),
        columns=tuple(_gram_form(known, asked) for known, asked in zip(forms.columns, columns, strict=False)),
        spellings=forms.spellings.with_more(list(unknown)),
    )


def _whole(columns: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def _text_forms(
    columns: Sequence[Sequence[str]], whole: list[str], stemmed: list[str], index: TokenIndex, unknown: dict[str, int]
) -> TextForms:
    """Words that the reference table never saw get the next id of `unknown`."""
    spaced = [punctuation_to_space(text) for text in whole]
    keys, starts = words(stemmed)
    order = index.vocabulary.lookup(keys)
    for position in np.flatnonzero(order < 0).tolist():
        order[position] = unknown.setdefault(keys[position], len(index.vocabulary) + len(unknown))
    joined = [text.replace(" ", "") for text in spaced]
    return TextForms(
        object_array(whole),
        object_array(spaced),
        object_array(joined),
        np.array([len(text) for text in whole], np.int64),
        np.array([len(text) for text in joined], np.int64),
        order,
        starts,
        np.array([[bool(text) for text in column] for column in columns], np.bool_),
    )


def _gram_form(index: TokenIndex, query: Sequence[str]) -> Form:
    return Form(index.reference.sets, index.encode(query).sets, index.frequency)


def _token_sets(tokens: Int64Array, starts: Int64Array) -> Sets:
    ids, counts, indptr = csr.sorted_counts(tokens.astype(np.int32), starts)
    return indptr, ids, counts
