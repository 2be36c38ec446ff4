"""Table files in and out: CSV, TSV, JSON lines, Parquet and Excel.

Everything is read as text, and errors name file, column and row.
"""

from __future__ import annotations

from fuzzyjoin.files.csv_reader import CsvError, csv_reader
from fuzzyjoin.files.delimited import delimited_batches, line_of_row
from fuzzyjoin.files.durable import sync_file, sync_folder
from fuzzyjoin.files.formats import FileFormat, format_of
from fuzzyjoin.files.layout import AS_FOUND, DELIMITERS, Delimiter, Layout
from fuzzyjoin.files.locks import locked
from fuzzyjoin.files.outputs import Output, check_outputs, write_all, write_file, write_text_file
from fuzzyjoin.files.parquet import write_parquet
from fuzzyjoin.files.table_files import (
    found_layout,
    frames_output,
    layout_note,
    pieces_output,
    read_table,
    require_file,
    row_name,
    table_batches,
    table_output,
    typed_batches,
    write_table,
)

__all__ = [
    "AS_FOUND",
    "DELIMITERS",
    "CsvError",
    "Delimiter",
    "FileFormat",
    "Layout",
    "Output",
    "check_outputs",
    "csv_reader",
    "delimited_batches",
    "format_of",
    "found_layout",
    "frames_output",
    "layout_note",
    "line_of_row",
    "locked",
    "pieces_output",
    "read_table",
    "require_file",
    "row_name",
    "sync_file",
    "sync_folder",
    "table_batches",
    "table_output",
    "typed_batches",
    "write_all",
    "write_file",
    "write_parquet",
    "write_table",
    "write_text_file",
]
