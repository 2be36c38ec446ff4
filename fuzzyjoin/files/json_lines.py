"""JSON lines to and from Arrow tables: one object a line, every value read as text, null is missing."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from fuzzyjoin.errors import DataError
from fuzzyjoin.files.text_streams import opened_text, written_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fuzzyjoin.files.formats import FileFormat

__all__ = ["json_line_of_row", "json_lines_batches", "write_json_lines"]

_POINT_ZERO: Final = re.compile(r"\.0+$")


def json_lines_batches(path: Path, file_format: FileFormat, rows: int) -> Iterator[pa.Table]:
    """Read a file of JSON lines, at most so many rows at a time; it is gone through twice.

    Yields
    ------
    pyarrow.Table
        There is at least one, without rows if the file has none. One large_string column a key, in the order in which
        the keys appear first; a row without a key is missing there. Numbers stay as they are written, without ``.0``;
        true and false are texts; null and the empty text are null.

    Raises
    ------
    DataError
        If the file is empty, is not UTF-8 or not gzip, a line is no object, names a key twice, or a value is nested.
    OSError
        If the file cannot be opened.
    """
    names: dict[str, None] = {}
    for _, row in _objects(path, file_format):
        names.update(dict.fromkeys(row))
    if not names:
        raise DataError(f'{path}: is empty; expected a JSON object a line, such as {{"id": "1", "name": "Bergen"}}')
    schema = pa.schema([(name, pa.large_string()) for name in names])
    yield schema.empty_table()
    found = (row for _, row in _objects(path, file_format))
    while piece := list(islice(found, rows)):
        columns = [pa.array([row.get(name) for row in piece], pa.large_string()) for name in names]
        yield pa.table(columns, schema=schema)


def json_line_of_row(path: Path, file_format: FileFormat, position: int) -> int:
    """Find the line, counted from 1, of a row, counted from 0. A slow pass: for error messages."""
    return next(islice(_objects(path, file_format), position, None))[0]


def write_json_lines(tables: Callable[[], Iterable[pa.Table]], path: Path, file_format: FileFormat) -> None:
    """Write a table, given in pieces, as JSON lines, types kept; missing is null, dates and times are ISO text."""
    with written_text(path, file_format) as text:
        for table in tables():
            for batch in table.to_batches():
                text.writelines(f"{json.dumps(_plain(row), ensure_ascii=False)}\n" for row in batch.to_pylist())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: not a number is null."""
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:  # noqa: ANN401 - a cell
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - not a number
            return None
        return value if abs(value) != float("inf") else str(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _objects(path: Path, file_format: FileFormat) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The rows with their lines, values as text."""
    with _readable(path), opened_text(path, file_format, "utf-8-sig") as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                yield number, _row(path, number, line)


def _row(path: Path, number: int, line: str) -> dict[str, str | None]:
    where = f"{path}: line {number}: "
    try:
        found = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}is not JSON ({error.msg}); write one object on every line") from None
    except RecursionError:
        raise DataError(f"{where}is nested too deeply; write its values as text or as keys of their own") from None
    if not isinstance(found, _Pairs):
        raise DataError(f"{where}holds {_kind(found)}; expected one object, with a key for every column")
    row: dict[str, str | None] = {}
    for name, value in found:
        if name in row:
            raise DataError(f"{where}has the key {name!r} twice; rename one")
        if isinstance(value, list):
            raise DataError(
                f"{where}the value of {name!r} is {_kind(value)}; write it as text, or its parts as keys of their own"
            )
        row[name] = {True: "true", False: "false"}[value] if isinstance(value, bool) else value or None
    return row


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object."""


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_int=str,
    parse_float=lambda digits: _POINT_ZERO.sub("", digits),
    parse_constant=lambda name: None if name == "NaN" else name,
)


def _kind(value: object) -> str:
    return "an object" if isinstance(value, _Pairs) else "a list" if isinstance(value, list) else "a single value"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the reader says into an error that names the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the byte 0x{error.object[error.start]:02X} is not UTF-8, as JSON must be; save it as UTF-8"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: is not a complete gzip file ({error}); compress it again, or take .gz off its name"
        ) from None
