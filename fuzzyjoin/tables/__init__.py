"""The edge of the library: the caller's tables, checked once, as key columns in canonical order."""

from fuzzyjoin.tables.cells import as_text
from fuzzyjoin.tables.column_proposals import ColumnProposal, ColumnProposals, propose_columns
from fuzzyjoin.tables.columns import (
    NUMBERED,
    ROW_NUMBER,
    IdColumn,
    On,
    choose_columns,
    choose_equal,
    choose_id,
    choose_ids,
    identified,
    needs_numbers,
    numbered,
    require_column,
    split_columns,
)
from fuzzyjoin.tables.frames import ArrowStream, Table, as_frame, is_table
from fuzzyjoin.tables.key_table import EqualRows, KeyTable, key_table, key_tables, require_text
from fuzzyjoin.tables.placeholders import Missing, folded, found_placeholders, placeholder_notes
from fuzzyjoin.tables.table_pair import TablePair, one_table, table_pair

__all__ = [
    "NUMBERED",
    "ROW_NUMBER",
    "ArrowStream",
    "ColumnProposal",
    "ColumnProposals",
    "EqualRows",
    "IdColumn",
    "KeyTable",
    "Missing",
    "On",
    "Table",
    "TablePair",
    "as_frame",
    "as_text",
    "choose_columns",
    "choose_equal",
    "choose_id",
    "choose_ids",
    "folded",
    "found_placeholders",
    "identified",
    "is_table",
    "key_table",
    "key_tables",
    "needs_numbers",
    "numbered",
    "one_table",
    "placeholder_notes",
    "propose_columns",
    "require_column",
    "require_text",
    "split_columns",
    "table_pair",
]
