"""Excel workbooks: a sheet read as text the way a person sees it, and a table written with its types."""

from __future__ import annotations

import datetime as dt
import math
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from fuzzyjoin.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from python_calamine import CalamineSheet, CalamineWorkbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["chosen_sheet", "excel_batches", "excel_row", "filled_sheets", "write_excel"]

_DIGITS_SEEN: Final = 15
"""Digits of a number that Excel keeps and shows."""

_EXACT_WHOLE: Final = 10**_DIGITS_SEEN

_MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 16_384
_LONGEST_CELL: Final = 32_767

_FIRST_YEAR: Final = 1900
"""Of dates; the calendar of Excel has none before."""

# The time of writing would make equal tables differ.
_WRITTEN: Final = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - Excel knows no zones


def chosen_sheet(path: Path, asked: str | None) -> str:
    """The sheet to read: the one asked for, else the first that holds anything.

    Raises
    ------
    UsageError
        If there is no such sheet.
    DataError
        If the file is no workbook, or no sheet holds anything.
    """
    with _workbook(path) as book:
        if asked is not None:
            if asked not in book.sheet_names:
                raise UsageError(
                    f"{path}: has no sheet {asked!r}; its sheets are {', '.join(map(repr, book.sheet_names))}"
                )
            return asked
        found = next(_filled(book), None)
    if found is None:
        raise DataError(f"{path}: is empty; expected a first row with the column names and a row below it for each")
    return found


def filled_sheets(path: Path) -> list[str]:
    """The sheets that hold anything."""
    with _workbook(path) as book:
        return list(_filled(book))


def excel_batches(path: Path, rows: int, sheet: str | None) -> Iterator[pa.Table]:
    """Read a sheet, at most so many rows at a time; the first row that is not empty names the columns.

    Yields
    ------
    pyarrow.Table
        There is at least one, without rows if the sheet has none. All columns large_string: whole numbers without
        ``.0``, numbers with the 15 digits that Excel keeps, dates as ``2024-01-31``, true and false. An empty cell, and
        one that holds an error, is null. Empty rows are no rows.

    Raises
    ------
    UsageError
        If there is no such sheet.
    DataError
        If the file is no workbook, the sheet is empty, or two columns share a name.
    OSError
        If the file cannot be opened.
    """
    name = chosen_sheet(path, sheet)
    with _workbook(path) as book:
        found = _rows(book.get_sheet_by_name(name))
        first = next(found, None)
        if first is None:
            raise DataError(f"{path}: the sheet {name!r} is empty; name another")
        names = [cell or f"column {position}" for position, cell in enumerate(first[1], start=1)]
        for column in names:
            if names.count(column) > 1:
                raise DataError(
                    f"{path}: row {first[0]}: the header has the column name {column!r} {names.count(column)} times; "
                    "rename all but one"
                )
        schema = pa.schema([(column, pa.large_string()) for column in names])
        yield schema.empty_table()
        while piece := [cells for _, cells in islice(found, rows)]:
            yield pa.table([pa.array(cells, pa.large_string()) for cells in zip(*piece, strict=True)], schema=schema)


def excel_row(path: Path, position: int, sheet: str | None) -> int:
    """Find the sheet's row, counted from 1, of a table's row, counted from 0."""
    with _workbook(path) as book:
        found = _rows(book.get_sheet_by_name(chosen_sheet(path, sheet)))
        return next(islice(found, position + 1, None))[0]


def write_excel(tables: Callable[[], Iterable[pa.Table]], path: Path, *, named: Path) -> None:
    """Write a table, given in pieces, as the only sheet of a workbook; they are gone through twice.

    Numbers, dates and truth values keep their types. Whole numbers of more than 15 digits become text, because Excel
    would round them, and so do dates before 1900 and times with a zone. The same table gives the same bytes.

    Parameters
    ----------
    tables
        The pieces, at least one.
    path
        Where to write.
    named
        What an error calls the file.

    Raises
    ------
    DataError
        If the table has more rows or columns than a sheet, or a text is longer than a cell can hold.
    """
    import xlsxwriter  # noqa: PLC0415 - an extra

    sizes = [(table.num_rows, table.num_columns) for table in tables()]
    rows = sum(size[0] for size in sizes) + 1
    if rows > _MOST_ROWS or sizes[0][1] > _MOST_COLUMNS:
        raise DataError(
            f"{named}: has {rows:,} rows with the header and {sizes[0][1]:,} columns; a sheet of Excel holds "
            f"{_MOST_ROWS:,} rows and {_MOST_COLUMNS:,} columns: write .csv or .parquet"
        )
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": _WRITTEN})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        day, moment = (book.add_format({"num_format": f"yyyy-mm-dd{time}"}) for time in ("", " hh:mm:ss"))
        cells = _SheetWriter(sheet, day, moment, named)
        place = 0
        for table in tables():
            if place == 0:
                for column, name in enumerate(table.column_names):
                    sheet.write_string(0, column, name)
            for batch in table.to_batches():
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    place += 1
                    for column, value in enumerate(values):
                        cells.write(place, column, value)


@dataclass(frozen=True)
class _SheetWriter:
    """Writes cells by their types: a sheet, its formats of dates and times, and what an error calls the file."""

    sheet: Worksheet
    day: Format
    moment: Format
    named: Path

    def write(self, row: int, column: int, value: Any) -> None:  # noqa: ANN401 - a cell
        match value:
            case None | "":
                return
            case bool():
                self.sheet.write_boolean(row, column, value)
            case float() if math.isnan(value):
                return
            case int() | float() if math.isfinite(value) and (isinstance(value, float) or abs(value) < _EXACT_WHOLE):
                self.sheet.write_number(row, column, value)
            case dt.datetime() if value.tzinfo is None and value.year >= _FIRST_YEAR:
                self.sheet.write_datetime(row, column, value, self.moment)
            case dt.date() if not isinstance(value, dt.datetime) and value.year >= _FIRST_YEAR:
                self.sheet.write_datetime(row, column, value, self.day)
            case _:
                self._write_text(row, column, str(value))

    def _write_text(self, row: int, column: int, text: str) -> None:
        if len(text) > _LONGEST_CELL:
            raise DataError(
                f"{self.named}: row {row + 1} has a text of {len(text):,} characters; a cell of Excel holds "
                f"{_LONGEST_CELL:,}: write .csv or .parquet"
            )
        # Written as text whatever it looks like: a formula would be computed when the file is opened.
        self.sheet.write_string(row, column, text)


@contextmanager
def _workbook(path: Path) -> Iterator[CalamineWorkbook]:
    """Open a workbook; what the reader says becomes an error that names the file."""
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - an extra

    with path.open("rb"):
        pass
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            yield book
    except CalamineError as error:
        raise DataError(
            f"{path}: is no workbook of Excel that can be read ({error}); save it as .xlsx again, without a password"
        ) from None


def _filled(book: CalamineWorkbook) -> Iterator[str]:
    return (name for name in book.sheet_names if next(_rows(book.get_sheet_by_name(name)), None) is not None)


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str | None]]]:
    """The rows that are not empty, as text, with their numbers; columns without name and values are left out."""
    rows = [(number, [_text(value) for value in row]) for number, row in enumerate(sheet.iter_rows(), start=1)]
    rows = [(number, row) for number, row in rows if any(row)]
    used = [place for place in range(len(rows[0][1])) if any(row[place] for _, row in rows)] if rows else []
    return ((number, [row[place] for place in used]) for number, row in rows)


def _text(value: Any) -> str | None:  # noqa: ANN401 - a cell
    """A cell the way a person sees it.

    >>> [_text(value) for value in (1.0, 0.1 + 0.2, True, dt.datetime(2024, 1, 31), dt.timedelta(hours=30), "007", "")]
    ['1', '0.3', 'true', '2024-01-31', '30:00:00', '007', None]
    """
    match value:
        case str():
            text = value
        case bool():
            text = str(value).lower()
        case int() | float():
            whole = float(value).is_integer() and abs(value) < _EXACT_WHOLE
            text = str(int(value)) if whole else f"{value:.{_DIGITS_SEEN}g}"
        case dt.datetime():
            text = value.isoformat(" ").removesuffix(" 00:00:00")
            text = text.rstrip("0") if value.microsecond else text
        case dt.timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            text = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            text = str(value)
    return text or None
