"""The edge of the library: from the caller's tables to key text in canonical order.

Everything behind this module works on row positions in canonical order (by key text, then by id), so that neither the
order of the rows nor the type of the ids can change a result.
"""

from __future__ import annotations

import difflib
import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from fuzzyjoin.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from fuzzyjoin.kernels.types import BoolArray, Int64Array
    from fuzzyjoin.text.text_array import Texts

    Table: TypeAlias = pd.DataFrame | pa.Table
    On: TypeAlias = str | Mapping[str, str] | Sequence[str | tuple[str, str]] | None
    IdColumn: TypeAlias = str | tuple[str, str] | None

__all__ = [
    "NUMBERED",
    "ROW_NUMBER",
    "EqualRows",
    "KeyTable",
    "as_frame",
    "choose_columns",
    "identified",
    "key_table",
    "key_tables",
    "needs_numbers",
    "numbered",
    "require_text",
    "split_columns",
]

ROW_NUMBER = "row number"
"""The id column of a table whose rows are numbered, from 1."""

NUMBERED = (
    "{} has no column `id` and no column whose values are present and unique: its rows are numbered from 1, and these "
    "ids name rows of this very table only"
)


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
    """

    role: str
    id_column: str
    column_names: tuple[str, ...]
    ids: np.ndarray | Texts
    columns: tuple[Sequence[str], ...]
    source_rows: Int64Array
    known_fingerprint: str | None = None
    equal: EqualRows | None = None

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
        for column in self.columns:
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
        return (*(column[row] for column in self.columns), as_text(self.ids[row]))

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
        for values in (self.id_texts(), *self.columns):
            # Lengths beside the text, so that no two tables share one stream of bytes.
            digest.update(np.array([len(value) for value in values], np.int64).tobytes())
            digest.update("".join(values).encode())
        return f"sha256:{digest.hexdigest()}"


def as_frame(table: Table, role: str) -> pd.DataFrame:
    """The table as a pandas frame with unique column names.

    Raises
    ------
    UsageError
        If it is neither a pandas frame nor an Arrow table.
    DataError
        If two columns share a name.
    """
    if not isinstance(table, pd.DataFrame):
        import pyarrow as pa  # noqa: PLC0415 - only callers with Arrow tables pay for it

        if not isinstance(table, pa.Table):
            raise UsageError(
                f"{role} is a {type(table).__name__}; expected a pandas DataFrame or a pyarrow Table: convert it first",
                argument=role,
            )
        table = table.to_pandas()
    unnamed = [name for name in table.columns if not isinstance(name, str)]
    if unnamed:
        raise UsageError(
            f"{role} has a column named {unnamed[0]!r}, which is not a string",
            argument=role,
            remedy="rename it, for example with frame.columns.map(str)",
        )
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        name = str(repeated[0])
        raise DataError(f"{role} has two columns named {name!r}", argument=role, column=name, remedy="rename one")
    return table


def choose_columns(
    on: On, id_column: IdColumn, reference: pd.DataFrame, query: pd.DataFrame
) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """The id columns, and the pairs of (reference column, query column) to compare.

    >>> frame = pd.DataFrame(columns=["id", "name", "city"])
    >>> choose_columns("name", None, frame, frame)
    (('id', 'id'), [('name', 'name')])
    >>> choose_columns(None, None, frame, frame)[1]
    [('name', 'name'), ('city', 'city')]
    >>> choose_columns({"name": "city"}, None, frame, frame)[1] == choose_columns("name=city", None, frame, frame)[1]
    True

    Raises
    ------
    UsageError
        If `on` has another form, a named column does not exist, none is left to compare, or a pair is named twice.
    """
    sides = sides_of(id_column)
    ids = choose_id(reference, "reference", sides[0]), choose_id(query, "query", sides[1])
    if on is None:
        shared = [(str(name), str(name)) for name in reference.columns if name in query.columns and name not in ids]
        if not shared:
            raise UsageError(
                f"on is not given and reference and query share no column besides the ids {ids}; name the columns to "
                "compare, as (reference column, query column) where the names differ"
            )
        return ids, shared
    pairs = _column_pairs(on, reference, query)
    if not pairs:
        raise UsageError("on is empty; name at least one column to compare")
    if len(set(pairs)) < len(pairs):
        raise UsageError(f"on names a pair of columns twice: {pairs}; name each once")
    for left, right in pairs:
        require_column(reference, left, "reference", "on")
        require_column(query, right, "query", "on")
    return ids, pairs


def identified(
    reference: pd.DataFrame, query: pd.DataFrame, id_column: IdColumn
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], tuple[str, ...]]:
    """Both tables with an id column each, and what the caller should know: rows without ids are numbered.

    A row's number names it in this table alone: in another version of the table it can name another row.

    Examples
    --------
    >>> reference, query = pd.DataFrame({"id": [7], "name": ["a"]}), pd.DataFrame({"name": ["b", "b"]})
    >>> identified(reference, query, None)[0][1].to_dict("list")
    {'name': ['b', 'b'], 'row number': [1, 2]}
    """
    sides = sides_of(id_column)
    of_reference, of_query = (
        name is None and needs_numbers(frame) for frame, name in zip((reference, query), sides, strict=True)
    )
    notes = [NUMBERED.format(role) for role, needs in (("reference", of_reference), ("query", of_query)) if needs]
    return (numbered(reference) if of_reference else reference, numbered(query) if of_query else query), tuple(notes)


def needs_numbers(frame: pd.DataFrame) -> bool:
    """Whether a table has rows, and no column that can name them."""
    return len(frame) > 0 and "id" not in frame.columns and _unique_column(frame) is None


def numbered(frame: pd.DataFrame, *, first: int = 1) -> pd.DataFrame:
    """The table with the numbers of its rows as its id column; a column of that name, which is none, gives way."""
    return frame.assign(**{ROW_NUMBER: range(first, first + len(frame))})


_ON_FORMS = (
    "give a column name, 'reference column=query column', a dict {reference column: query column}, or a list of names "
    "and (reference column, query column) pairs"
)


def _column_pairs(on: object, reference: pd.DataFrame, query: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of columns that `on` names, in any of its forms."""
    match on:
        case str():
            parts: list[object] = [on]
        case Mapping():
            parts = list(on.items())
        # The columns of a set have no order, and a program depends on it.
        case Iterable() if not isinstance(on, (AbstractSet, bytes)):
            parts = list(on)
        case _:
            raise UsageError(f"on is {on!r}", argument="on", remedy=_ON_FORMS)
    pairs = []
    for part in parts:
        match part:
            case str():
                pairs.append(split_columns(part, reference, query))
            case (str() as left, str() as right):
                pairs.append((left, right))
            case _:
                raise UsageError(f"on holds {part!r}", argument="on", remedy=_ON_FORMS)
    return pairs


def split_columns(text: str, reference: pd.DataFrame, query: pd.DataFrame) -> tuple[str, str]:
    """Take "name" or "reference column=query column" apart.

    A name may itself contain "=": the text as a whole wins if both tables have such a column, then the first "=" that
    parts it into two columns that there are.

    >>> left, right = pd.DataFrame(columns=["a=b", "c"]), pd.DataFrame(columns=["a=b", "d"])
    >>> [split_columns(text, left, right) for text in ("a=b", "a=b=d", "c=d", "c")]
    [('a=b', 'a=b'), ('a=b', 'd'), ('c', 'd'), ('c', 'c')]
    """
    pieces = text.split("=")
    splits = [("=".join(pieces[:place]), "=".join(pieces[place:])) for place in range(1, len(pieces))]
    for left, right in ((text, text), *splits):
        if left in reference.columns and right in query.columns:
            return left, right
    return splits[0] if splits else (text, text)


def sides_of(id_column: IdColumn) -> tuple[str | None, str | None]:
    """The id columns asked for of the reference and the query table; one name stands for both."""
    return (None, None) if id_column is None else _pair(id_column, "id")


def _pair(columns: object, argument: str) -> tuple[str, str]:
    """A column name, or the names of a reference and a query column, as a pair."""
    if isinstance(columns, str):
        return columns, columns
    match columns:
        case (str() as left, str() as right):
            return left, right
    raise UsageError(f"{argument} holds {columns!r}; expected a column name or (reference column, query column)")


def require_column(frame: pd.DataFrame, name: str, role: str, argument: str) -> None:
    """Raise a UsageError that suggests the nearest name if the frame has no such column."""
    if name in frame.columns:
        return
    names = [str(column) for column in frame.columns]
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"its columns are {', '.join(names[:12])}"
    raise UsageError(f"{argument}: {role} has no column {name!r}", argument=role, column=name, remedy=remedy)


def choose_id(frame: pd.DataFrame, role: str, name: str | None) -> str:
    """The id column: as named, else `id`, else the first column whose values are present and unique.

    >>> choose_id(pd.DataFrame({"name": ["a", "a"], "code": [7, 9]}), "query", None)
    'code'
    """
    if name is not None:
        require_column(frame, name, role, "id")
        return name
    if "id" in frame.columns:
        return "id"
    found = _unique_column(frame)
    if found is not None:
        return found
    raise DataError(
        f"{role} has no column `id` and no column whose values are present and unique",
        argument=role,
        remedy="name an id column",
    )


def _unique_column(frame: pd.DataFrame) -> str | None:
    """The first column that names every row."""
    columns = (str(column) for column in frame.columns)
    return next((column for column in columns if frame[column].notna().all() and frame[column].is_unique), None)


def key_tables(
    reference: pd.DataFrame, query: pd.DataFrame, ids: tuple[str, str], pairs: Sequence[tuple[str, str]]
) -> tuple[KeyTable, KeyTable]:
    """Both tables' ids and key columns in canonical order; errors as for `key_table`."""
    return (
        key_table(reference, role="reference", id_column=ids[0], columns=[left for left, _ in pairs]),
        key_table(query, role="query", id_column=ids[1], columns=[right for _, right in pairs]),
    )


def key_table(frame: pd.DataFrame, *, role: str, id_column: str, columns: Sequence[str]) -> KeyTable:
    """Check the ids and take the key columns as text, in canonical order.

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
    texts = [[as_text(value) for value in frame[column].to_numpy(dtype=object)] for column in columns]
    for column, values in zip(columns, texts, strict=True):
        _check_unicode(values, role, column)
    order = sorted(range(len(frame)), key=id_texts.__getitem__)
    for values in reversed(texts):
        order.sort(key=values.__getitem__)
    return KeyTable(
        role=role,
        id_column=id_column,
        column_names=tuple(columns),
        ids=ids[order],
        columns=tuple([values[row] for row in order] for values in texts),
        source_rows=np.array(order, np.int64),
    )


def require_text(table: KeyTable) -> None:
    """Raise a DataError if there are no rows, or a key column is empty in all: nothing can be learned from it."""
    if len(table) == 0:
        raise DataError(f"{table.role} has no rows; there is nothing to join", argument=table.role)
    for column, values in zip(table.column_names, table.columns, strict=True):
        if not any(values):
            raise DataError(
                f"{table.role} column {column!r} is empty in every row",
                argument=table.role,
                column=column,
                remedy="choose another column with on",
            )


def as_text(value: Any) -> str:  # noqa: ANN401 - a table's cell can be anything
    """A cell as text, "" if it is missing. Whole numbers lose their ".0", which a missing neighbour gave them.

    >>> as_text(None), as_text(float("nan")), as_text(1997.0), as_text("nan")
    ('', '', '1997', 'nan')
    """
    if isinstance(value, str):
        return "" if value.isspace() else value
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else str(float(value))
    return str(value)


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
