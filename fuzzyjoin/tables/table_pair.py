"""The two tables of a join, read and checked: the one place where the caller's ids and columns are looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fuzzyjoin.tables.columns import choose_columns, choose_equal, choose_id, identified, numbering, require_column
from fuzzyjoin.tables.frames import as_frame
from fuzzyjoin.tables.key_table import key_table, key_tables, require_text
from fuzzyjoin.tables.placeholders import found_placeholders, placeholder_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.tables.columns import IdColumn, On
    from fuzzyjoin.tables.frames import Table
    from fuzzyjoin.tables.key_table import KeyTable
    from fuzzyjoin.tables.placeholders import Missing

__all__ = ["TablePair", "one_table", "table_pair"]


@dataclass(frozen=True)
class TablePair:
    """Reference and query table as key columns, without placeholders, and what to know of them, one sentence each."""

    reference: KeyTable
    query: KeyTable
    warnings: tuple[str, ...] = ()
    missing: Missing = ()

    def with_reference(self, reference: KeyTable) -> TablePair:
        """The same with another view of the reference table, such as one row a key."""
        return replace(self, reference=reference)


def table_pair(  # noqa: PLR0917 - the tables, and what the caller names of them
    reference: Table, query: Table, on: On, id_column: IdColumn, missing: Missing | None = (), equal: On = None
) -> TablePair:
    """Read both tables of a join.

    Parameters
    ----------
    reference, query
        Frames (see `fuzzy_join`).
    on, id_column, equal
        As for `fuzzy_join`.
    missing
        The placeholders in the compared columns, then in those that must be equal, by default none; None to find them
        (see `found_placeholders`).

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
    must_equal = choose_equal(equal, *frames)
    ids, pairs = choose_columns(on, id_column, *frames, but=must_equal)
    if missing is None:
        read = [*pairs, *must_equal]
        missing = found_placeholders(*frames, read)
        warnings = (*warnings, *placeholder_notes(*frames, read, missing))
    tables = TablePair(*key_tables(*frames, ids, pairs, missing, must_equal), warnings, missing)
    require_text(tables.reference)
    return tables


def one_table(  # noqa: PLR0917 - the table, and what is asked of it
    table: Table,
    role: str,
    columns: Sequence[str],
    id_column: str | None,
    missing: Missing = (),
    equal: Sequence[str] = (),
) -> tuple[KeyTable, tuple[str, ...]]:
    """Read the reference or the query table alone, and what the caller should know of its ids; errors as above."""
    frame = as_frame(table, role)
    for column in columns:
        require_column(frame, column, role, "on")
    for column in equal:
        require_column(frame, column, role, "equal")
    frame, warnings = numbering(frame, role, id_column)
    ids = choose_id(frame, role, id_column)
    return key_table(frame, role=role, id_column=ids, columns=columns, missing=missing, equal=equal), warnings
