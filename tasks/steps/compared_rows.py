"""The rows of an input as they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.tables import key_table
from tasks.ingestion import load_snapshot

if TYPE_CHECKING:
    from fuzzyjoin.tables import KeyTable, Missing
    from tasks.handles import InputHandle

__all__ = ["compared_rows"]


def compared_rows(table: InputHandle, missing: Missing) -> KeyTable:
    """The ids and the compared texts of an input, without the placeholders that are read as missing."""
    return key_table(
        load_snapshot(table.table),
        role=table.role,
        id_column=table.id_column,
        columns=table.columns,
        missing=missing,
        equal=table.equal,
    )
