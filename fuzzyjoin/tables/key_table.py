"""The key columns of a table as text in canonical order.

Everything behind this package works on row positions in canonical order (by key text, then by id), so that neither the
order of the rows nor the type of the ids can change a result.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fuzzyjoin.errors import DataError
from fuzzyjoin.tables.cells import as_text
from fuzzyjoin.tables.placeholders import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.kernels.types import BoolArray, Int64Array
    from fuzzyjoin.tables.placeholders import Missing
    from fuzzyjoin.text import Texts

__all__ = ["EqualRows", "KeyTable", "key_table", "key_tables", "require_text"]


@dataclass(frozen=True)
class EqualRows:
    """All rows of a table of which only one a key is compared.

    Attributes
    ----------
    ids, source_rows
        As of a `KeyTable`, of all rows in canonical order.
    starts
        Where the rows of each key begin and, last, where they all end, (keys + 1,).
    """

    ids: np.ndarray | Texts
    source_rows: Int64Array
    starts: Int64Array


@dataclass(frozen=True)
class KeyTable:
    """The key columns of one table as text, in canonical order.

    Attributes
    ----------
    role
        "reference" or "query", for messages.
    id_column
        Name of the id column.
    column_names
        Names of the key columns in the caller's table.
    ids
        The caller's id values, shape (rows,), dtype object; of a table from an index whole numbers, or texts.
    columns
        One sequence of str a key column; "" where the value is missing.
    source_rows
        Row positions in the caller's table, shape (rows,), dtype int64.
    known_fingerprint
        The table's fingerprint, if it was taken before.
    equal
        All rows, if this table holds one row a key (see `distinct`).
    source
        The caller's table, in whose rows `source_rows` counts; None of a table from an index. It shares the caller's
        memory, and what the caller changes later does not show in it.
    rule_names, rule_columns
        The columns whose values must be equal in both rows of a pair, as `column_names` and `columns`, folded: they
        belong to a row's key.
    """

    role: str
    id_column: str
    column_names: tuple[str, ...]
    ids: np.ndarray | Texts
    columns: tuple[Sequence[str], ...]
    source_rows: Int64Array
    known_fingerprint: str | None = None
    equal: EqualRows | None = None
    source: pd.DataFrame | None = None
    rule_names: tuple[str, ...] = ()
    rule_columns: tuple[Sequence[str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows_in_all(self) -> int:
        """Rows of the caller's table, those with a key that stands here already too."""
        return len(self) if self.equal is None else len(self.equal.ids)

    def distinct(self) -> KeyTable:
        """The table with one row a key, which has the smallest id; `find` and `positions` know the ids of all rows.

        Equal rows are one candidate: of two no distance could tell which is meant, and each would be the other's rival.

        >>> frame = pd.DataFrame({"id": [10, 9, 2], "name": ["a", "a", "b"]})
        >>> table = key_table(frame, role="reference", id_column="id", columns=["name"]).distinct()
        >>> table.ids.tolist(), table.columns, table.rows_in_all, table.find(["10"]).tolist()
        ([9, 2], (['a', 'b'],), 3, [0])
        """
        if self.equal is not None:
            return self
        starts = np.append(np.flatnonzero(self._begins_key()), len(self)).astype(np.int64)
        kept = starts[:-1].copy()
        for place in np.flatnonzero(np.diff(starts) > 1).tolist():
            # By number where all are numbers: 9 comes before 10.
            rows = range(starts[place], starts[place + 1])
            texts = {row: as_text(self.ids[row]) for row in rows}
            if all(text.isdecimal() for text in texts.values()):
                kept[place] = min(rows, key=lambda row: (int(texts[row]), texts[row]))
        return replace(
            self.some(kept) if kept.size < len(self) else self,
            known_fingerprint=self.fingerprint(),
            equal=EqualRows(self.ids, self.source_rows, starts),
        )

    def whole(self) -> KeyTable:
        """The table with all rows again, whose keys `distinct` took once."""
        if self.equal is None:
            return self
        rows = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.equal.starts))
        table = replace(self, equal=None) if rows.size == len(self) else replace(self.some(rows), equal=None)
        return replace(
            table,
            ids=self.equal.ids,
            source_rows=self.equal.source_rows,
            known_fingerprint=self.known_fingerprint,
        )

    def equal_ids(self, position: int) -> list[str]:
        """Ids, as text, of the other rows with the key of this one."""
        if self.equal is None:
            return []
        own = as_text(self.ids[position])
        rows = range(self.equal.starts[position], self.equal.starts[position + 1])
        return [text for text in (as_text(self.equal.ids[row]) for row in rows) if text != own]

    def own_id(self, position: int, text: str) -> object:
        """The caller's id value with this text, of the rows with the key of this one."""
        if self.equal is None:
            return self.ids[position]
        rows = range(self.equal.starts[position], self.equal.starts[position + 1])
        return next(value for value in (self.equal.ids[row] for row in rows) if as_text(value) == text)

    def equal_rows(self, positions: Int64Array) -> Int64Array:
        """How many other rows of the caller's table have the key of each of these rows."""
        if self.equal is None:
            return np.zeros(positions.size, np.int64)
        return np.asarray(np.diff(self.equal.starts)[positions] - 1, np.int64)

    def some(self, positions: Int64Array) -> KeyTable:
        """The table of some rows alone, at ascending positions."""
        places = positions.tolist()
        return KeyTable(
            role=self.role,
            id_column=self.id_column,
            column_names=self.column_names,
            ids=self.ids[positions],
            columns=tuple([column[place] for place in places] for column in self.columns),
            source_rows=self.source_rows[positions],
            source=self.source,
            rule_names=self.rule_names,
            rule_columns=tuple([column[place] for place in places] for column in self.rule_columns),
        )

    def texts(self, positions: Int64Array) -> list[str]:
        """The key columns of some rows as one text each, present values parted by " | "; "" for position -1."""
        return [
            " | ".join(filter(None, (column[place] for column in self.columns))) if place >= 0 else ""
            for place in positions.tolist()
        ]

    def distinct_keys(self) -> int:
        """Number of different keys."""
        return len(self) if self.equal is not None else int(self._begins_key().sum())

    def _begins_key(self) -> BoolArray:
        """Which rows have another key than the one before. Equal keys stand side by side in canonical order."""
        new = np.zeros(len(self), np.bool_)
        new[:1] = True
        for column in (*self.columns, *self.rule_columns):
            values = np.array(column, dtype=object)
            new[1:] |= values[1:] != values[:-1]
        return new

    def id_texts(self) -> list[str]:
        """The ids as text; 1 and 1.0 are the same."""
        return [as_text(value) for value in self.ids]

    def frame(self) -> pd.DataFrame:
        """Ids as text in `id` and the key columns, as a user's blocker sees them."""
        names = dict(zip(self.column_names, self.columns, strict=True))
        return pd.DataFrame({"id": self.id_texts(), **names})

    def positions(self, ids: pd.Series, source: str) -> Int64Array:
        """Positions of ids given as text or as the caller's values; `source` says in an error who named them."""
        asked = [as_text(value) for value in ids]
        found = self.find(asked)
        if (found < 0).any():
            unknown = asked[int(np.argmin(found))]
            raise DataError(
                f"{source} names the {self.role} id {unknown!r}, which column {self.id_column!r} does not hold",
                argument=source,
                remedy="give ids of that table",
            )
        return found

    def find(self, ids: Sequence[str]) -> Int64Array:
        """Positions of ids given as text, -1 for those that the table does not hold."""
        places = dict.fromkeys(ids, -1)
        every = self.ids if self.equal is None else self.equal.ids
        for place, value in enumerate(every):
            text = as_text(value)
            if text in places:
                places[text] = place
        found = np.array([places[text] for text in ids], np.int64)
        if self.equal is None:
            return found
        # Before all rows comes -1 again.
        return np.searchsorted(self.equal.starts, found, side="right").astype(np.int64) - 1

    def key(self, row: int) -> tuple[str, ...]:
        """What the canonical order goes by: the texts of a row, then its id."""
        return (*(column[row] for column in (*self.columns, *self.rule_columns)), as_text(self.ids[row]))

    def places_of(self, other: KeyTable) -> Int64Array:
        """Positions before which the rows of another table, in canonical order, belong in this one's order."""
        rows = range(len(self))
        return np.array([bisect_left(rows, other.key(row), key=self.key) for row in range(len(other))], np.int64)

    def fingerprint(self) -> str:
        """SHA-256 of ids and key text; the order of the rows does not enter.

        >>> frame = pd.DataFrame({"id": [1, 2], "name": ["a", "b"]})
        >>> one = key_table(frame, role="query", id_column="id", columns=["name"]).fingerprint()
        >>> two = key_table(frame[::-1], role="query", id_column="id", columns=["name"]).fingerprint()
        >>> one == two
        True
        """
        if self.known_fingerprint is not None:
            return self.known_fingerprint
        digest = hashlib.sha256()
        # Where columns must be equal, a text of its own says where they begin.
        rules = [["equal"], *self.rule_columns] if self.rule_columns else []
        for values in (self.id_texts(), *self.columns, *rules):
            # Lengths beside the text, so that no two tables share one stream of bytes.
            digest.update(np.array([len(value) for value in values], np.int64).tobytes())
            digest.update("".join(values).encode())
        return f"sha256:{digest.hexdigest()}"


def key_tables(  # noqa: PLR0917 - the tables, and what is taken of them
    reference: pd.DataFrame,
    query: pd.DataFrame,
    ids: tuple[str, str],
    pairs: Sequence[tuple[str, str]],
    missing: Missing = (),
    equal: Sequence[tuple[str, str]] = (),
) -> tuple[KeyTable, KeyTable]:
    """Both tables' ids, key columns and columns that must be equal, in canonical order; errors as for `key_table`."""
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    equal_left, equal_right = ([pair[side] for pair in equal] for side in (0, 1))
    return (
        key_table(reference, role="reference", id_column=ids[0], columns=left, missing=missing, equal=equal_left),
        key_table(query, role="query", id_column=ids[1], columns=right, missing=missing, equal=equal_right),
    )


def key_table(
    frame: pd.DataFrame,
    *,
    role: str,
    id_column: str,
    columns: Sequence[str],
    missing: Missing = (),
    equal: Sequence[str] = (),
) -> KeyTable:
    """Check the ids and take the key columns as text, in canonical order; placeholders in `missing` become "".

    So are the columns that must be `equal` taken, folded. `missing` holds those of the key columns, then theirs.

    Raises
    ------
    DataError
        If an id is missing or occurs twice, or a key is not valid Unicode.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [7, 3], "name": ["b", "a"]})
    >>> table = key_table(frame, role="query", id_column="id", columns=["name"])
    >>> table.ids.tolist(), table.columns
    ([3, 7], (['a', 'b'],))
    """
    ids = frame[id_column].to_numpy(dtype=object)
    id_texts = [as_text(value) for value in ids]
    _check_ids(id_texts, role, id_column)
    named = (*columns, *equal)
    texts = [[as_text(value) for value in frame[column].to_numpy(dtype=object)] for column in named]
    if missing:
        texts = [_without(values, words) for values, words in zip(texts, missing, strict=True)]
    for column, values in zip(named, texts, strict=True):
        _check_unicode(values, role, column)
    texts[len(columns) :] = map(_folded, texts[len(columns) :])
    order = sorted(range(len(frame)), key=id_texts.__getitem__)
    for values in reversed(texts):
        order.sort(key=values.__getitem__)
    return KeyTable(
        role=role,
        id_column=id_column,
        column_names=tuple(columns),
        ids=ids[order],
        columns=tuple([values[row] for row in order] for values in texts[: len(columns)]),
        source_rows=np.array(order, np.int64),
        source=frame.copy(deep=False),
        rule_names=tuple(equal),
        rule_columns=tuple([values[row] for row in order] for values in texts[len(columns) :]),
    )


def _folded(texts: list[str]) -> list[str]:
    known = {text: folded(text) for text in set(texts)}
    return [known[text] for text in texts]


def _without(texts: list[str], placeholders: tuple[str, ...]) -> list[str]:
    return ["" if folded(text) in placeholders else text for text in texts] if placeholders else texts


def require_text(table: KeyTable) -> None:
    """Raise a DataError if there are no rows, or a key column is empty in all: nothing can be learned from it."""
    if len(table) == 0:
        raise DataError(f"{table.role} has no rows; there is nothing to join", argument=table.role)
    named = ((table.column_names, table.columns, "on"), (table.rule_names, table.rule_columns, "equal"))
    for names, columns, argument in named:
        for column, values in zip(names, columns, strict=True):
            if not any(values):
                raise DataError(
                    f"{table.role} column {column!r} is empty in all {len(table):,} rows",
                    argument=table.role,
                    column=column,
                    remedy=f"choose another column with {argument}",
                )


def _check_unicode(texts: list[str], role: str, column: str) -> None:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        row = next(row for row, text in enumerate(texts) if any("\ud800" <= letter <= "\udfff" for letter in text))
        raise DataError(
            f"{role} column {column!r} has half a character (a lone surrogate) in row {row + 1}",
            argument=role,
            column=column,
            row=row + 1,
            remedy="correct the text, or read the file again in its true encoding",
        ) from None


def _check_ids(texts: list[str], role: str, id_column: str) -> None:
    seen: dict[str, int] = {}
    for row, text in enumerate(texts):
        if not text:
            raise DataError(
                f"{role} column {id_column!r} has no value in row {row + 1}",
                argument=role,
                column=id_column,
                row=row + 1,
                remedy="give every row an id",
            )
        first = seen.setdefault(text, row)
        if first != row:
            raise DataError(
                f"{role} column {id_column!r} has the id {text!r} in rows {first + 1} and {row + 1}; "
                "ids must be unique",
                argument=role,
                column=id_column,
                row=row + 1,
                remedy="drop one of the rows or name another id column",
            )
