"""CSV and TSV text to and from Arrow tables: strict, everything as text, an empty cell is missing.

Reading is one streaming pass that stops at the first thing wrong. Only then a second, slow pass finds the line.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from fuzzyjoin.errors import DataError
from fuzzyjoin.files.csv_reader import CsvError, csv_reader
from fuzzyjoin.files.layout import (
    AS_FOUND,
    DELIMITERS,
    encoding_name,
    found_text_layout,
    other_delimiters,
    unmarked_remedy,
)
from fuzzyjoin.files.text_streams import opened, opened_text, written_text

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.files.formats import FileFormat
    from fuzzyjoin.files.layout import Layout

__all__ = ["delimited_batches", "line_of_row", "write_delimited"]


class _UnevenRowError(Exception):
    """A line has more or fewer cells than the header."""


def delimited_batches(path: Path, file_format: FileFormat, rows: int, asked: Layout = AS_FOUND) -> Iterator[pa.Table]:
    """Read a CSV or TSV file, so many lines at a time.

    Parameters
    ----------
    path
        The file.
    file_format
        The delimiter that its ending says, and its compression.
    rows
        Lines that are read at a time.
    asked
        Its delimiter and encoding; what is None is found (see `found_text_layout`).

    Yields
    ------
    pyarrow.Table
        One large_string column a header cell, null where a cell is empty. Blank lines are no rows. There is at least
        one table, without rows if the file has none.

    Raises
    ------
    DataError
        If the file is empty, its encoding is not sure or not the one named, it is not gzip, or a line does not fit the
        header.
    OSError
        If the file cannot be opened.
    """
    layout = found_text_layout(path, file_format, asked)
    try:
        with _reader(path, file_format, layout) as reader:
            header = _header(path, reader)
            yield from _body(header, reader, rows)
    except (UnicodeError, CsvError, _UnevenRowError):
        raise _diagnosis(path, file_format, layout) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: is not a complete gzip file ({error}); compress it again, or take .gz off its name"
        ) from None


def line_of_row(path: Path, file_format: FileFormat, position: int, asked: Layout = AS_FOUND) -> int:
    """Find the line, counted from 1, on which a row, counted from 0, begins. A slow pass: for error messages."""
    with _reader(path, file_format, found_text_layout(path, file_format, asked)) as reader:
        rows = (line for line, row in _numbered(reader) if row)
        return next(islice(rows, position + 1, None))


def write_delimited(frames: Callable[[], Iterable[pd.DataFrame]], path: Path, file_format: FileFormat) -> None:
    """Write a table, given in pieces, as CSV or TSV; missing becomes an empty cell.

    The same table gives the same bytes, in however many pieces. They are gone through twice.
    """
    # A carriage return counts as the end of a line to every reader, but the writer does not quote it by itself.
    held = any(
        frame[column].dropna().astype(str).str.contains("\r", regex=False).any()
        for frame in frames()
        for column in frame.columns
    )
    quoting = csv.QUOTE_NONNUMERIC if held else csv.QUOTE_MINIMAL
    with written_text(path, file_format) as text:
        for place, frame in enumerate(frames()):
            frame.to_csv(
                text,
                sep=file_format.separator,
                index=False,
                header=place == 0,
                quoting=quoting,
                lineterminator="\n",
            )


@contextmanager
def _reader(path: Path, file_format: FileFormat, layout: Layout) -> Iterator[Reader]:
    """Open a file for strict reading."""
    with opened_text(path, file_format, str(layout.encoding)) as text:
        yield csv_reader(text, str(layout.delimiter))


def _header(path: Path, reader: Reader) -> list[str]:
    """Take the column names off the first line that is not blank."""
    cells = next((row for row in reader if row), None)
    if cells is None:
        raise DataError(f"{path}: is empty; expected a first line with the column names and a line a row below it")
    if any("\0" in cell for cell in cells):
        raise DataError(
            f"{path}: seems to be UTF-16 without a byte order mark",
            remedy=unmarked_remedy(cells[0].startswith("\0")),
        )
    # A spreadsheet leaves the name of an index or of a trailing column empty.
    names = [cell or f"column {position}" for position, cell in enumerate(cells, start=1)]
    for name in names:
        if names.count(name) > 1:
            positions = [position for position, other in enumerate(names, start=1) if other == name]
            raise DataError(
                f"{path}: line {reader.line_num}: the header has the column name {name!r} {len(positions)} times "
                f"(columns {', '.join(map(str, positions))}); rename all but one"
            )
    return names


def _body(header: list[str], reader: Reader, at_once: int) -> Iterator[pa.Table]:
    """Read the lines below the header."""
    schema = pa.schema([(name, pa.large_string()) for name in header])
    yield schema.empty_table()
    while rows := list(islice(reader, at_once)):
        widths = set(map(len, rows))
        if widths != {len(header)}:
            if widths - {0, len(header)}:
                raise _UnevenRowError
            rows = [row for row in rows if row]
        columns = [pa.array([cell or None for cell in cells], pa.large_string()) for cells in zip(*rows, strict=True)]
        if columns:
            yield pa.table(columns, schema=schema)


def _numbered(reader: Reader) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each begins on."""
    first_line = 1
    for row in reader:
        yield first_line, row
        first_line = reader.line_num + 1


def _diagnosis(path: Path, file_format: FileFormat, layout: Layout) -> DataError:
    """Name the line that stopped the fast pass, and the remedy."""
    first_line = 1
    width = 0
    others = other_delimiters(path, file_format, layout)
    delimiter = others[0] if others else str(layout.delimiter)
    parted = "a tab" if delimiter == "\t" else f"a {delimiter!r}"
    seems = f"the cells seem to be separated by {DELIMITERS[delimiter]}; " if others else ""
    with _reader(path, file_format, replace(layout, delimiter=delimiter)) as reader:
        try:
            for line, row in _numbered(reader):
                first_line = reader.line_num + 1
                width = width or len(row)
                if row and len(row) != width:
                    return DataError(
                        f"{path}: {seems}line {line} has {len(row)} cell{'s' * (len(row) != 1)} where the header has "
                        f"{width}; give every line {width}, and put a cell that contains {parted} in double quotes"
                    )
        except CsvError as error:
            if "unexpected end" in str(error):
                return DataError(
                    f'{path}: {seems}line {first_line}: a double quote (") is opened that the file never closes; '
                    "close it, or write a quote inside a cell twice"
                )
            return DataError(
                f'{path}: {seems}line {reader.line_num}: text follows a closing double quote (") of the row that '
                f"begins on line {first_line}; write a quote inside a quoted cell twice, and see that every quote is "
                "closed"
            )
        except UnicodeError:
            pass
    return _bad_byte(path, file_format, str(layout.encoding))


def _bad_byte(path: Path, file_format: FileFormat, encoding: str) -> DataError:
    """Name the first byte that is not of the encoding."""
    with opened(path, file_format) as raw:
        data = raw.read()
    remedy = "leave the encoding out to have it found, or name another"
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(data[: error.start].decode(encoding, errors="replace").splitlines() or [""])
        return DataError(
            f"{path}: line {line}: the byte 0x{data[error.start]:02X} at offset {error.start:,} is not "
            f"{encoding_name(encoding)}",
            remedy=remedy,
        )
    except UnicodeError as error:
        return DataError(f"{path}: is not {encoding_name(encoding)} ({error})", remedy=remedy)
    return DataError(f"{path}: changed while it was read; try again")
