"""CSV and TSV text to and from Arrow tables: strict, everything as text, an empty cell is missing.

Reading is one streaming pass that stops at the first thing wrong. Only then a second, slow pass finds the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.files.formats import FileFormat

__all__ = ["delimited_batches", "line_of_row", "read_delimited", "write_delimited"]

# Bounds the Python strings alive at one time; the Arrow columns they become are several times smaller.
_ROWS_A_BATCH = 65_536

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _UnevenRowError(Exception):
    """A line has more or fewer cells than the header."""


def read_delimited(path: Path, file_format: FileFormat) -> pa.Table:
    """Read a CSV or TSV file; parameters, columns and errors as for `delimited_batches`."""
    return pa.concat_tables(delimited_batches(path, file_format, _ROWS_A_BATCH))


def delimited_batches(path: Path, file_format: FileFormat, rows: int) -> Iterator[pa.Table]:
    """Read a CSV or TSV file, so many lines at a time.

    Parameters
    ----------
    path
        The file, in UTF-8 with or without a byte order mark.
    file_format
        Its separator and compression.
    rows
        Lines that are read at a time.

    Yields
    ------
    pyarrow.Table
        One large_string column a header cell, null where a cell is empty. Blank lines are no rows. There is at least
        one table, without rows if the file has none.

    Raises
    ------
    DataError
        If the file is empty, is not UTF-8, not gzip, or a line does not fit the header.
    OSError
        If the file cannot be opened.
    """
    try:
        with _reader(path, file_format) as reader:
            header = _header(path, reader)
            yield from _body(header, reader, rows)
    except (UnicodeDecodeError, csv.Error, _UnevenRowError):
        raise _diagnosis(path, file_format) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: is not a complete gzip file ({error}); compress it again, or take .gz off its name"
        ) from None


def line_of_row(path: Path, file_format: FileFormat, position: int) -> int:
    """Find the line, counted from 1, on which a row, counted from 0, begins. A slow pass: for error messages."""
    with _reader(path, file_format) as reader:
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
    with path.open("wb") as raw:
        # gzip's own name and time of writing would make equal tables differ.
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if file_format.gzipped else None
        with io.TextIOWrapper(cast("BinaryIO", packed or raw), encoding="utf-8", newline="") as text:
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
def _reader(path: Path, file_format: FileFormat) -> Iterator[Reader]:
    """Open a file for strict reading."""
    with path.open("rb") as raw:
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb")) if file_format.gzipped else raw
        with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            # The module's limit would refuse a long text in a column that nobody joins on.
            limit = csv.field_size_limit(sys.maxsize)
            try:
                yield csv.reader(text, delimiter=file_format.separator or ",", strict=True)
            finally:
                csv.field_size_limit(limit)


def _header(path: Path, reader: Reader) -> list[str]:
    """Take the column names off the first line that is not blank."""
    cells = next((row for row in reader if row), None)
    if cells is None:
        raise DataError(f"{path}: is empty; expected a first line with the column names and a line a row below it")
    if any("\0" in cell for cell in cells):
        raise DataError(_not_utf_8(path, 1, "is UTF-16 text without a byte order mark", "UTF-16LE"))
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


def _diagnosis(path: Path, file_format: FileFormat) -> DataError:
    """Name the line that stopped the fast pass, and the remedy."""
    first_line = 1
    width = 0
    with _reader(path, file_format) as reader:
        try:
            for line, row in _numbered(reader):
                first_line = reader.line_num + 1
                width = width or len(row)
                if row and len(row) != width:
                    separator = "tab" if file_format.separator == "\t" else repr(file_format.separator)
                    return DataError(
                        f"{path}: line {line} has {len(row)} cell{'s' * (len(row) != 1)} where the header has {width}; "
                        f"give every line {width}, and put a cell that contains a {separator} in double quotes"
                    )
        except csv.Error as error:
            if "unexpected end" in str(error):
                return DataError(
                    f'{path}: line {first_line}: a double quote (") is opened that the file never closes; '
                    "close it, or write a quote inside a cell twice"
                )
            return DataError(
                f'{path}: line {reader.line_num}: text follows a closing double quote (") of the row that begins on '
                f"line {first_line}; write a quote inside a quoted cell twice, and see that every quote is closed"
            )
        except UnicodeDecodeError:
            pass
    return DataError(_bad_byte(path, file_format))


def _bad_byte(path: Path, file_format: FileFormat) -> str:
    """Name the first byte that is not UTF-8."""
    data = path.read_bytes()
    if file_format.gzipped:
        data = gzip.decompress(data)
    if data.startswith(_UTF_16_MARKS):
        return _not_utf_8(path, 1, "is UTF-16 text, not UTF-8", "UTF-16")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        what = f"the byte 0x{data[error.start]:02X} at offset {error.start:,} is not UTF-8"
        return _not_utf_8(path, before.count(b"\n") + 1, what, "WINDOWS-1252")
    return f"{path}: changed while it was read; try again"


def _not_utf_8(path: Path, line: int, what: str, encoding: str) -> str:
    """Say what is wrong with an encoding, and how to convert it."""
    return (
        f"{path}: line {line}: {what}; save the file as UTF-8, for example with "
        f"`iconv -f {encoding} -t UTF-8 {path.name} > utf8_{path.name}`"
        + (" after gunzip" if path.name.lower().endswith(".gz") else "")
    )
