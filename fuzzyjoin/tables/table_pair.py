"""The two tables of a join, read and checked: the one place where the caller's ids and columns are looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fuzzyjoin.tables.columns import choose_columns, choose_id, identified, numbering, require_column
from fuzzyjoin.tables.frames import as_frame
from fuzzyjoin.tables.key_table import key_table, require_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.tables.columns import IdColumn, On
    from fuzzyjoin.tables.frames import Table
    from fuzzyjoin.tables.key_table import KeyTable

__all__ = ["TablePair", "one_table", "table_pair"]


@dataclass(frozen=True)
class TablePair:
    """Reference and query table as key columns, and what the caller should know of their ids, one sentence each."""

    reference: KeyTable
    query: KeyTable
    warnings: tuple[str, ...] = ()

    def with_reference(self, reference: KeyTable) -> TablePair:
        """The same with another view of the reference table, such as one row a key."""
        return replace(self, reference=reference)


def table_pair(reference: Table, query: Table, on: On, id_column: IdColumn) -> TablePair:
    """Read both tables of a join.

    Parameters
    ----------
    reference, query
        Frames (see `fuzzy_join`).
    on, id_column
        As for `fuzzy_join`.

    Raises
    ------
    UsageError
        If a table is of another type, or a named column does not exist.
    DataError
        If two columns share a name, an id is missing or occurs twice, a key is not valid Unicode, or the reference
        table has no row with text to compare. Of the query table nothing more is asked: a row is decided the same
        whatever rows it comes with.
    """
    frames, warnings = identified(as_frame(reference, "reference"), as_frame(query, "query"), id_column)
    ids, pairs = choose_columns(on, id_column, *frames)
    tables = TablePair(
        key_table(frames[0], role="reference", id_column=ids[0], columns=[left for left, _ in pairs]),
        key_table(frames[1], role="query", id_column=ids[1], columns=[right for _, right in pairs]),
        warnings,
    )
    require_text(tables.reference)
    return tables


def one_table(
    table: Table, role: str, columns: Sequence[str], id_column: str | None
) -> tuple[KeyTable, tuple[str, ...]]:
    """Read the reference or the query table alone, and what the caller should know of its ids; errors as above."""
    frame = as_frame(table, role)
    for column in columns:
        require_column(frame, column, role, "on")
    frame, warnings = numbering(frame, role, id_column)
    return key_table(frame, role=role, id_column=choose_id(frame, role, id_column), columns=columns), warnings
