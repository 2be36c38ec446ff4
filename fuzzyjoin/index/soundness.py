"""Whether what was read from an index fits together: nothing that kernels walk with leads out of another array.

Kernels check no position, so an array with a wrong one makes them read, or write, elsewhere in memory. Opening an index
must not read all of it: of a long array a bounded number of blocks is looked at, its ends among them; with `whole` all
of it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from fuzzyjoin.blocking import (
    BLOCKERS,
    EqualGroups,
    GroupedIndex,
    InvertedIndex,
    LexicalBlocking,
    NearlyEqualRows,
)
from fuzzyjoin.compare import DiscriminativeTokens, ReferenceColumn, ReferenceForms, Spellings, TextForms
from fuzzyjoin.kernels.postings import GROUP, block_places, groups_of
from fuzzyjoin.tables import EqualRows, KeyTable
from fuzzyjoin.text import TOKENISERS, WEIGHTINGS, Texts, TokenIndex, TokenSets, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fuzzyjoin.kernels.types import Int64Array

__all__ = ["Inspection"]

Kind = TypeVar("Kind")

ROWS_AT_ONCE: Final = 256
BLOCKS: Final = 16
"""Rows of a block, and blocks of a long array, that are looked at."""

LAST_CODE_POINT: Final = 0x10FFFF


@dataclass(frozen=True)
class Inspection:
    """A look at the parts of an index of so many rows; every method raises a ValueError that names what is wrong.

    Attributes
    ----------
    rows
        Rows of the reference table.
    whole
        Whether to look at all of every array.
    """

    rows: int
    whole: bool

    @classmethod
    def of(cls, table: object, parts: Mapping[str, Any], *, whole: bool) -> None:
        """Look at the table of an index, and at the parts of its reference side, as far as they are there."""
        held = _of_kind(table, KeyTable, "table")
        look = cls(len(held.columns[0]) if held.columns else 0, whole)
        look.key_table(held)
        columns = len(held.columns)
        if "columns" in parts:
            _require(
                isinstance(parts["columns"], tuple) and len(parts["columns"]) == columns, "columns are others in number"
            )
            for place, column in enumerate(parts["columns"]):
                look.column(column, f"column {place}")
        if "blocking_texts" in parts:
            look.texts(parts["blocking_texts"], look.rows, "blocking_texts")
        words = look.blocking(parts["index"]) if "index" in parts else 0
        if "forms" in parts:
            look.forms(parts["forms"], columns, words)
        if "discriminative_tokens" in parts:
            look.discriminative_tokens(parts["discriminative_tokens"], words)
        if "nearest_neighbours" in parts:
            look.nearest_neighbours(parts["nearest_neighbours"])
        if "nearly_equal" in parts:
            look.nearly_equal(parts["nearly_equal"])

    def key_table(self, table: KeyTable) -> None:
        """Look at ids, texts and row numbers."""
        named = (table.id_column, table.role, *table.column_names, *table.rule_names)
        _require(all(isinstance(name, str) for name in named), "table: a name is no text")
        _require(isinstance(table.known_fingerprint, str), "table: has no fingerprint")
        _require(len(table.columns) == len(table.column_names) and self.rows > 0, "table: has other columns or no rows")
        _require(len(table.rule_columns) == len(table.rule_names), "table: has other columns that must be equal")
        for place, column in enumerate((*table.columns, *table.rule_columns)):
            self.texts(column, self.rows, f"table: column {place}")
        if isinstance(table.ids, Texts):
            self.texts(table.ids, self.rows, "table: ids")
        else:
            self.array(table.ids, np.int64, (self.rows,), "table: ids")
        every = self.rows if table.equal is None else self.equal_rows(table.equal, table.ids)
        self.numbers(table.source_rows, np.int64, (self.rows,), (0, every - 1), "table: source_rows")

    def equal_rows(self, equal: object, ids: object) -> int:
        """Look at all rows of a table that holds one row a key; how many there are."""
        name = "table: equal rows"
        held = _of_kind(equal, EqualRows, name)
        every = int(held.source_rows.size)
        self.offsets(held.starts, every, self.rows, name)
        for start, stop in self._parts(self.rows):
            _require(bool((np.diff(held.starts[start : stop + 1]) > 0).all()), f"{name}: a key has no row")
        if isinstance(ids, Texts):
            self.texts(held.ids, every, f"{name}: ids")
        else:
            self.array(held.ids, np.int64, (every,), f"{name}: ids")
        self.numbers(held.source_rows, np.int64, (every,), (0, every - 1), f"{name}: source_rows")
        return every

    def nearly_equal(self, rows: object) -> None:
        """Look at what is known of rows that differ in case, spaces and punctuation alone."""
        held = _of_kind(rows, NearlyEqualRows, "nearly_equal")
        self.array(held.keys, np.uint64, (self.rows,), "nearly_equal: keys")
        self.array(held.shared, np.bool_, (self.rows,), "nearly_equal: shared")

    def column(self, column: object, name: str) -> None:
        """Look at a key column and what was derived from it."""
        held = _of_kind(column, ReferenceColumn, name)
        for part, texts in (("raw", held.raw), ("lower", held.lower), *held.forms.items()):
            self.texts(texts, self.rows, f"{name}: {part}")
        for part, index in held.indexes.items():
            self.token_index(index, part.rpartition("/")[2], f"{name}: {part}")

    def texts(self, texts: object, count: int, name: str) -> None:
        """Look at so many texts: each begins where the last ended, and is UTF-8."""
        held = _of_kind(texts, Texts, name)
        self.array(held.content, np.uint8, (held.content.size,), name)
        self.offsets(held.offsets, held.content.size, count, name)
        for start, stop in self._parts(count):
            ends = held.offsets[start : stop + 1]
            content = held.content[ends[0] : ends[-1]]
            # A text begins where a letter does, or at the end of all.
            first = ends[:-1][ends[:-1] < held.content.size]
            _require(not ((held.content[first] & 0xC0) == 0x80).any(), f"{name}: a text begins within a letter")  # noqa: PLR2004
            str(content.data, "utf-8", "surrogatepass")

    def vocabulary(self, vocabulary: object, tokeniser: str, name: str) -> int:
        """Look at the tokens that there are; how many."""
        held = _of_kind(vocabulary, Vocabulary, name)
        size = len(held)
        _require(isinstance(held.tokens, Texts) == (tokeniser == "word"), f"{name}: holds tokens of another kind")
        if not isinstance(held.tokens, Texts):
            self.ascending(held.tokens, np.int64, size, name)
            return size
        self.texts(held.tokens, size, name)
        slots = held.table.size
        self.numbers(held.table, np.int32, (slots,), (-1, size - 1), name)
        # Whoever looks for a word stops at the first free slot.
        _require(slots >= 2 * max(size, 1) and slots & (slots - 1) == 0, f"{name}: the table has {slots} slots")
        free = all((held.table[start:stop] < 0).any() for start, stop in self._parts(slots, least=1 << 12))
        _require(free, f"{name}: the table has no free slot")
        return size

    def token_index(self, index: object, tokeniser: str, name: str) -> int:
        """Look at the token sets of the rows; how many tokens there are."""
        held = _of_kind(index, TokenIndex, name)
        _require(tokeniser in TOKENISERS and held.tokeniser == tokeniser, f"{name}: its tokens are {held.tokeniser!r}")
        size = self.vocabulary(held.vocabulary, tokeniser, f"{name}: vocabulary")
        sets = _of_kind(held.reference, TokenSets, name)
        self.offsets(sets.indptr, sets.ids.size, self.rows, name)
        self.numbers(sets.ids, np.int32, (sets.ids.size,), (0, size - 1), name)
        self.ascending_in_rows(sets.indptr, sets.ids, name)
        self.numbers(sets.counts, np.int32, (sets.ids.size,), (1, None), f"{name}: counts")
        for sums in (sets.sums, sets.squares):
            self.numbers(sums, np.float64, (len(WEIGHTINGS), self.rows), (0, None), f"{name}: sums")
        self.numbers(held.frequency, np.int64, (size,), (0, self.rows), f"{name}: frequency")
        self.numbers(held.weights, np.float64, (len(WEIGHTINGS), size), (0, None), f"{name}: weights")
        self.numbers(held.unseen, np.float64, (len(WEIGHTINGS),), (0, None), f"{name}: unseen")
        return size

    def blocking(self, index: object) -> int:
        """Look at the inverted index; how many words there are."""
        held = _of_kind(index, LexicalBlocking, "index")
        _require(held.blocker in BLOCKERS, f"index: its blocker is {held.blocker!r}")
        words = self.token_index(held.words, "word", "index: words")
        grams = self.token_index(held.grams, "3-gram", "index: grams")
        if held.groups is not None:
            self.groups(held.groups)
        lists = held.__dict__.get("lists")
        if lists is None:
            return words
        tokens = grams + words
        if held.groups is not None:
            self.grouped(_of_kind(lists, GroupedIndex, "index: lists"), tokens, len(held.groups))
            return words
        self.lists(_of_kind(lists, InvertedIndex, "index: lists"), tokens)
        return words

    def groups(self, groups: object) -> None:
        """Look at the groups of rows that are looked at alone."""
        held = _of_kind(groups, EqualGroups, "index: groups")
        values = self.vocabulary(held.values, "word", "index: groups")
        self.numbers(held.of_rows, np.int64, (self.rows,), (-1, values - 1), "index: groups")

    def grouped(self, index: GroupedIndex, tokens: int, groups: int) -> None:
        """Look at the rows by group."""
        rows = index.order.size
        self.offsets(index.starts, rows, groups, "index: groups")
        self.offsets(index.row_starts, index.row_tokens.size, rows, "index: rows")
        self.numbers(index.row_tokens, np.int32, (index.row_tokens.size,), (0, tokens - 1), "index: tokens of rows")
        self.numbers(index.weights, np.float64, (tokens,), (0, None), "index: weights")
        self.numbers(index.scales, np.float64, (rows,), (0, None), "index: scales")
        self.numbers(index.order, np.int32, (rows,), (0, self.rows - 1), "index: order")

    def lists(self, lists: InvertedIndex, tokens: int) -> None:
        """Look at the lists of rows by token."""
        groups = groups_of(self.rows)
        blocks = -(-self.rows // (GROUP * groups))
        places = (0, block_places(groups) - 1)
        self.offsets(lists.list_starts, lists.postings.size, blocks * tokens, "index: lists")
        self.numbers(lists.postings, np.uint16, (lists.postings.size,), places, "index: postings")
        self.offsets(lists.row_starts, lists.row_tokens.size, self.rows, "index: rows")
        self.numbers(lists.row_tokens, np.int32, (lists.row_tokens.size,), (0, tokens - 1), "index: tokens of rows")
        self.numbers(lists.most, np.int64, (tokens,), (0, None), "index: most")
        self.numbers(lists.weights, np.float64, (tokens,), (0, None), "index: weights")
        self.numbers(lists.scales, np.float64, (self.rows,), (0, None), "index: scales")
        if "group_norms" in lists.__dict__:
            # A row without tokens has scale 0.
            norms = (-(-self.rows // GROUP),)
            self.numbers(lists.group_norms, np.float64, norms, (0, np.inf), "index: group norms")
        self.numbers(lists.order, np.int32, (self.rows,), (0, self.rows - 1), "index: order")

    def forms(self, forms: object, columns: int, words: int) -> None:
        """Look at the forms that a scorer compares."""
        held = _of_kind(forms, ReferenceForms, "forms")
        texts = _of_kind(held.texts, TextForms, "forms")
        for part in ("lower", "spaced", "joined"):
            self.texts(getattr(texts, part), self.rows, f"forms: {part}")
        for lengths, text in ((texts.lengths, texts.lower), (texts.joined_lengths, texts.joined)):
            self.numbers(lengths, np.int64, (self.rows,), (0, Texts.of(text).content.size), "forms: lengths")
        self.offsets(texts.starts, texts.words.size, self.rows, "forms: words")
        self.numbers(texts.words, np.int64, (texts.words.size,), (0, words - 1), "forms: words")
        self.array(texts.present, np.bool_, (columns, self.rows), "forms: present")
        self.token_index(held.grams, "3-gram", "forms: grams")
        _require(len(held.columns) == (columns if columns > 1 else 0), "forms: columns are others in number")
        for place, column in enumerate(held.columns):
            self.token_index(column, "3-gram", f"forms: column {place}")
        for idf in held.__dict__.get("idf", ()):
            self.numbers(idf, np.float64, (self.rows + 1,), (0, None), "forms: idf")
        spellings = _of_kind(held.spellings, Spellings, "forms: spellings")
        self.offsets(spellings.starts, spellings.letters.size, words, "forms: spellings")
        letters = (spellings.letters.size,)
        self.numbers(spellings.letters, np.uint32, letters, (0, LAST_CODE_POINT), "forms: letters")
        self.array(spellings.numeric, np.bool_, (words,), "forms: numeric")

    def discriminative_tokens(self, tokens: object, words: int) -> None:
        """Look at what is known of words that tell rows apart."""
        name = "discriminative_tokens"
        held = _of_kind(tokens, DiscriminativeTokens, name)
        for counts in (held.contexts, held.additions):
            self.numbers(counts, np.int64, (words,), (0, None), name)
        self.array(held.hashes, np.uint64, (words,), name)
        self.ascending(held.opposites, np.uint64, held.opposites.size, name)
        # Each stands for two words.
        self.numbers(held.opposites, np.uint64, (held.opposites.size,), (0, words * words - 1), f"{name}: opposites")
        self.numbers(held.opposite_contexts, np.int64, (held.opposites.size,), (0, None), name)
        self.ascending(held.keys, np.uint64, held.keys.size, name)
        self.offsets(held.starts, held.words.size, held.keys.size, name)
        self.numbers(held.words, np.int32, (held.words.size,), (0, words - 1), name)
        self.numbers(held.rows, np.int32, (held.words.size,), (0, None), name)
        self.ascending(held.whole, np.uint64, held.whole.size, name)
        self.numbers(held.whole_rows, np.int64, (held.whole.size,), (0, None), name)

    def nearest_neighbours(self, nearest_neighbours: object) -> None:
        """Look at the nearest neighbours of the rows."""
        from fuzzyjoin.compare import room_for_neighbours  # noqa: PLC0415 - unions do without its kernels

        held = _of_kind(nearest_neighbours, tuple, "nearest_neighbours")
        _require(len(held) == 3, "nearest_neighbours: are no three arrays")  # noqa: PLR2004
        nearest, names, known = held
        shape = (self.rows, *room_for_neighbours(0)[0].shape[1:])
        # Where there are fewer neighbours than room, the distance is infinite.
        self.numbers(nearest, np.float64, shape, (0, np.inf), "nearest_neighbours")
        self.numbers(names, np.int32, shape, (-1, self.rows - 1), "nearest_neighbours")
        self.array(known, np.bool_, (self.rows,), "nearest_neighbours")

    def array(self, array: object, kind: type, shape: tuple[int, ...], name: str) -> None:
        """Look at the dtype and the shape of an array."""
        _require(isinstance(array, np.ndarray), f"{name}: holds no array where one belongs")
        held: np.ndarray = array  # type: ignore[assignment]
        _require(
            held.dtype == np.dtype(kind) and held.shape == shape,
            f"{name}: an array has dtype {held.dtype} and shape {held.shape}; expected {np.dtype(kind)} and {shape}",
        )

    def numbers(
        self, array: np.ndarray, kind: type, shape: tuple[int, ...], bounds: tuple[int, float | None], name: str
    ) -> None:
        """Look at numbers that lie between two bounds, these included; floats are finite if no bound is infinite."""
        self.array(array, kind, shape, name)
        flat = array.reshape(-1)
        for start, stop in self._parts(flat.size, least=1 << 12):
            least, most = flat[start:stop].min(), flat[start:stop].max()
            # Not a number is neither.
            within = least >= bounds[0] and most <= (np.finfo(np.float64).max if bounds[1] is None else bounds[1])
            _require(bool(within), f"{name}: has numbers from {least} to {most}, which is out of range")

    def offsets(self, offsets: np.ndarray, total: int, count: int, name: str) -> None:
        """Look at offsets of so many rows: from 0 to the end of what they part, none before the one ahead of it."""
        self.array(offsets, np.int64, (count + 1,), f"{name}: offsets")
        _require(offsets[0] == 0 and offsets[-1] == total, f"{name}: offsets end at {offsets[-1]} of {total}")
        last = 0
        for start, stop in self._parts(count):
            part = offsets[start : stop + 1]
            _require(part[0] >= last and bool((np.diff(part) >= 0).all()), f"{name}: offsets go back")
            last = part[-1]
        _require(last <= total, f"{name}: offsets go back")

    def ascending(self, array: np.ndarray, kind: type, size: int, name: str) -> None:
        """Look at numbers each of which is larger than the one before."""
        self.array(array, kind, (size,), name)
        for start, stop in self._parts(size, least=1 << 12):
            part = array[start : stop + 1]
            _require(bool((part[1:] > part[:-1]).all()), f"{name}: numbers do not ascend")

    def ascending_in_rows(self, offsets: Int64Array, values: np.ndarray, name: str) -> None:
        """Look at rows, parted by sound offsets, within each of which every number is larger than the one before."""
        for start, stop in self._parts(self.rows):
            ends = offsets[start : stop + 1]
            part = values[ends[0] : ends[-1]]
            larger = part[1:] > part[:-1]
            begins = ends[1:-1] - ends[0]
            larger[begins[(begins > 0) & (begins < part.size)] - 1] = True
            _require(bool(larger.all()), f"{name}: numbers of a row do not ascend")

    def _parts(self, size: int, *, least: int = ROWS_AT_ONCE) -> Iterator[tuple[int, int]]:
        """Where the parts of an array begin and end that are looked at: all, or some of `least` each."""
        if self.whole or size <= least * BLOCKS:
            for start in range(0, size, 1 << 20):
                yield start, min(start + (1 << 20), size)
            return
        for place in range(BLOCKS):
            start = (size - least) * place // (BLOCKS - 1)
            yield start, start + least


def _of_kind(value: object, kind: type[Kind], name: str) -> Kind:
    _require(isinstance(value, kind), f"{name}: is a {type(value).__name__}, where a {kind.__name__} belongs")
    return value  # type: ignore[return-value]


def _require(sound: bool, message: str) -> None:  # noqa: FBT001 - what must hold
    if not sound:
        raise ValueError(message)
