"""Table files: CSV, TSV and Parquet in and out, everything as text, with errors that name file, column and row."""

from __future__ import annotations

from fuzzyjoin.files.csv_reader import CsvError, csv_reader
from fuzzyjoin.files.delimited import SEPARATORS, line_of_row, read_delimited
from fuzzyjoin.files.durable import sync_file, sync_folder
from fuzzyjoin.files.formats import FileFormat, format_of
from fuzzyjoin.files.locks import locked
from fuzzyjoin.files.outputs import Output, check_outputs, write_all, write_file, write_text_file
from fuzzyjoin.files.parquet import write_parquet
from fuzzyjoin.files.table_files import (
    frames_output,
    pieces_output,
    read_table,
    require_file,
    row_name,
    separator_note,
    table_batches,
    table_output,
    typed_batches,
    write_table,
)

__all__ = [
    "SEPARATORS",
    "CsvError",
    "FileFormat",
    "Output",
    "check_outputs",
    "csv_reader",
    "format_of",
    "frames_output",
    "line_of_row",
    "locked",
    "pieces_output",
    "read_delimited",
    "read_table",
    "require_file",
    "row_name",
    "separator_note",
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
