"""CSV and TSV text to and from Arrow tables: strict, everything as text, an empty cell is missing.

Reading is one streaming pass that stops at the first thing wrong. Only then a second, slow pass finds the line.
"""

from __future__ import annotations

import csv
import gzip
import io
import shlex
import zlib
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import pyarrow as pa

from fuzzyjoin.errors import DataError
from fuzzyjoin.files.csv_reader import CsvError, csv_reader

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.files.formats import FileFormat

__all__ = ["SEPARATORS", "delimited_batches", "line_of_row", "read_delimited", "separator_of", "write_delimited"]

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What parts the cells of a line, with its name."""

_FOUND_BY_ITSELF: Final = (";", "\t", "|")
"""Separators that a file is seen to have instead of the one that its ending says. Commas are too common in texts."""

_LINES_LOOKED_AT: Final = 100

# Bounds the Python strings alive at one time; the Arrow columns they become are several times smaller.
_ROWS_A_BATCH = 65_536

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_UNMARKED_UTF_16: Final = tuple(
    ("is UTF-16 text without a byte order mark", encoding) for encoding in ("UTF-16LE", "UTF-16BE")
)
"""What to say of it, by whether the zero comes first: the first letter of a header hardly ever needs both bytes."""


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
        Its separator and compression. A file that is surely parted by another separator is read by that one (see
        `separator_of`).
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
    except (UnicodeDecodeError, CsvError, _UnevenRowError):
        raise _diagnosis(path, file_format) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: is not a complete gzip file ({error}); compress it again, or take .gz off its name"
        ) from None


def separator_of(path: Path, file_format: FileFormat) -> str:
    """Tell what parts the cells of a CSV or TSV file.

    That is what its ending says, unless the header has one cell by that, and another separator parts the header and
    the first lines into as many cells each, two or more.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    named = file_format.separator or ","
    others = _others_in_header(path, file_format)
    fitting = [other for other in others if _parts_evenly(path, file_format, other)]
    return fitting[0] if len(fitting) == 1 else named


def _others_in_header(path: Path, file_format: FileFormat) -> list[str]:
    """Separators that part the header where the one that the ending says does not."""
    named = file_format.separator or ","
    if _cells_in_header(path, file_format, named) > 1:
        return []
    others = (separator for separator in _FOUND_BY_ITSELF if separator != named)
    return [other for other in others if _cells_in_header(path, file_format, other) > 1]


def _cells_in_header(path: Path, file_format: FileFormat, separator: str) -> int:
    try:
        with _reader(path, file_format, separator) as reader:
            return len(next((row for row in reader if row), []))
    except (CsvError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        return 0


def _parts_evenly(path: Path, file_format: FileFormat, separator: str) -> bool:
    try:
        with _reader(path, file_format, separator) as reader:
            return len({len(row) for row in islice(reader, _LINES_LOOKED_AT) if row}) == 1
    except (CsvError, ValueError, EOFError, gzip.BadGzipFile, zlib.error):
        return False


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
def _reader(path: Path, file_format: FileFormat, separator: str | None = None) -> Iterator[Reader]:
    """Open a file for strict reading, by the separator that it is found to have unless one is named."""
    separator = separator or separator_of(path, file_format)
    with path.open("rb") as raw:
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb")) if file_format.gzipped else raw
        with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            yield csv_reader(text, separator)


def _header(path: Path, reader: Reader) -> list[str]:
    """Take the column names off the first line that is not blank."""
    cells = next((row for row in reader if row), None)
    if cells is None:
        raise DataError(f"{path}: is empty; expected a first line with the column names and a line a row below it")
    if any("\0" in cell for cell in cells):
        raise DataError(_not_utf_8(path, 1, *_UNMARKED_UTF_16[cells[0].startswith("\0")]))
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
    others = _others_in_header(path, file_format)
    separator = others[0] if others else separator_of(path, file_format)
    parted = "a tab" if separator == "\t" else f"a {separator!r}"
    seems = f"the cells seem to be separated by {SEPARATORS[separator]}; " if others else ""
    with _reader(path, file_format, separator) as reader:
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
    if 0 in data[:2]:
        return _not_utf_8(path, 1, *_UNMARKED_UTF_16[data[0] == 0])
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        what = f"the byte 0x{data[error.start]:02X} at offset {error.start:,} is not UTF-8"
        return _not_utf_8(path, before.count(b"\n") + 1, what, _one_byte_encoding(data))
    return f"{path}: changed while it was read; try again"


def _one_byte_encoding(data: bytes) -> str:
    """Name the encoding to try: five bytes mean nothing in Windows-1252."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "ISO-8859-1"
    return "WINDOWS-1252"


def _not_utf_8(path: Path, line: int, what: str, encoding: str) -> str:
    """Say what is wrong with an encoding, and how to convert it."""
    told = f"iconv -f {encoding} -t UTF-8"
    name = f"utf8_{path.name}"
    if path.name.lower().endswith(".gz"):
        told = f"gunzip -c {shlex.quote(str(path))} | {told} | gzip"
    else:
        told += f" {shlex.quote(str(path))}"
    return f"{path}: line {line}: {what}; save the file as UTF-8, for example with `{told} > {shlex.quote(name)}`"
