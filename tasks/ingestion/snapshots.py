"""Snapshots: tables of text as Parquet files named by their content, and the handles that travel instead of them."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import Output, read_table, write_all
from fuzzyjoin.tables import as_frame, as_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    import pandas as pd

    from fuzzyjoin.kernels.types import Int64Array

__all__ = [
    "SnapshotMissingError",
    "TableHandle",
    "content_hash",
    "content_hash_of",
    "delete_old_snapshots",
    "distinct_rows",
    "is_content_hash",
    "leftovers_in",
    "load_rows",
    "load_snapshot",
    "snapshot_path",
    "snapshots_in",
    "write_ordered_snapshot",
    "write_snapshot",
]

_PREFIX = "sha256:"
# So that a few rows can be read without the others.
_GROUP_ROWS = 1 << 16
_FILE = re.compile(r"[0-9a-f]{64}\.parquet")
_HASH = re.compile(_PREFIX + "[0-9a-f]{64}")
# What `fuzzyjoin.files` leaves behind if the process is killed while it writes.
_LEFTOVER = re.compile(r"\.fuzzyjoin-[0-9a-f]+\.tmp")


class SnapshotMissingError(DataError):
    """The snapshot that a handle names is no longer there."""


@dataclass(frozen=True)
class TableHandle:
    """Names a snapshot; small enough to travel between tasks.

    Attributes
    ----------
    path
        The snapshot file.
    content_hash
        ``sha256:`` and 64 digits (see `content_hash`).
    rows
        Number of rows.
    columns
        Names of the columns.
    """

    path: str
    content_hash: str
    rows: int
    columns: tuple[str, ...]


def content_hash(table: pd.DataFrame) -> str:
    """SHA-256 of column names and cells as text; the order of the rows does not enter.

    Parameters
    ----------
    table
        Any table, also one whose ids are missing or repeated.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.

    Raises
    ------
    UsageError
        If a column's name is no text.
    DataError
        If two columns share a name, or a cell is not valid Unicode.

    Examples
    --------
    >>> import pandas as pd
    >>> towns = pd.DataFrame({"id": ["1", "2"], "name": ["Bergen", None]})
    >>> content_hash(towns) == content_hash(towns[::-1])
    True
    """
    return _hash(_canonical(table)[0])


def write_snapshot(table: pd.DataFrame, folder: str | Path) -> TableHandle:
    """Keep a table as a Parquet file named by its content; the file appears at once and whole.

    Parameters
    ----------
    table
        The table. Its cells are written as text, its rows in canonical order, so that the same rows give the same
        file whatever order they come in.
    folder
        Where snapshots are kept; made if it does not exist.

    Returns
    -------
    TableHandle

    Raises
    ------
    UsageError
        If the folder cannot be made.
    DataError
        If the file cannot be written, or as for `content_hash`.

    Examples
    --------
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     handle = write_snapshot(pd.DataFrame({"id": [2, 1], "name": ["b", "a"]}), folder)
    ...     load_snapshot(handle).to_dict("list")
    {'id': ['1', '2'], 'name': ['a', 'b']}
    """
    return write_ordered_snapshot(table, folder)[0]


def write_ordered_snapshot(table: pd.DataFrame, folder: str | Path) -> tuple[TableHandle, Int64Array]:
    """Write a snapshot, and tell where its rows stand in the table.

    Parameters and errors are those of `write_snapshot`.

    Returns
    -------
    handle, places
        The snapshot; and of each of its rows the position in the table, counted from 0, (rows,).

    Examples
    --------
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_ordered_snapshot(pd.DataFrame({"id": [2, 3, 1]}), folder)[1].tolist()
    [2, 0, 1]
    """
    rows, places = _canonical(table)
    name = _hash(rows)
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"folder: {place} cannot be made ({error.strerror or error}); name a folder that can be written to"
        ) from None
    path = snapshot_path(place, name)
    # Written even where it exists: that mends a damaged file, and makes the snapshot as young as its last use.
    options = {"row_group_size": _GROUP_ROWS, "write_page_checksum": True}
    write_all([Output(path, lambda staged: pq.write_table(rows, staged, **options))])
    return TableHandle(str(path), name, rows.num_rows, tuple(rows.column_names)), places


def load_snapshot(handle: TableHandle) -> pd.DataFrame:
    """Read a snapshot back and check that it is what the handle names.

    Parameters
    ----------
    handle
        As `write_snapshot` returned it.

    Returns
    -------
    pandas.DataFrame
        Columns of dtype str, rows in canonical order.

    Raises
    ------
    SnapshotMissingError
        If the file is gone.
    DataError
        If its content is not what the handle names.
    """
    path = _present(handle)
    table = read_table(path)
    found = content_hash(table)
    if found != handle.content_hash:
        raise DataError(
            f"{path}: the snapshot was changed after it was written: its content is {found}, expected "
            f"{handle.content_hash}; ingest the source again"
        )
    return table


def distinct_rows(handle: TableHandle, columns: Sequence[str]) -> int:
    """How many rows of a snapshot differ in some columns; nothing else of it is read.

    Parameters
    ----------
    handle
        As `write_snapshot` returned it.
    columns
        Names of the columns.

    Raises
    ------
    SnapshotMissingError
        If the file is gone.
    DataError
        If it is damaged.

    Examples
    --------
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> towns = pd.DataFrame({"id": [1, 2, 3, 4], "name": ["Bergen", "Bergen", None, " "]})
    >>> with TemporaryDirectory() as folder:
    ...     distinct_rows(write_snapshot(towns, folder), ["name"])
    2
    """
    path = _present(handle)
    names = list(dict.fromkeys(columns))
    try:
        table = pq.read_table(path, columns=names, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise _changed(path, error) from None
    return int(table.group_by(names).aggregate([]).num_rows)


def load_rows(handle: TableHandle, start: int, stop: int) -> pd.DataFrame:
    """Read some rows of a snapshot without the others.

    Damage is noticed where it lies in what is read; whether all of it is what the handle names only `load_snapshot`
    tells.

    Parameters
    ----------
    handle
        As `write_snapshot` returned it.
    start, stop
        Positions in canonical order, 0 <= start <= stop <= handle.rows; the last is left out.

    Returns
    -------
    pandas.DataFrame
        As `load_snapshot` gives it, these rows alone.

    Raises
    ------
    SnapshotMissingError
        If the file is gone.
    DataError
        If it is damaged.

    Examples
    --------
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     handle = write_snapshot(pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "c"]}), folder)
    ...     load_rows(handle, 1, 3).to_dict("list")
    {'id': ['2', '3'], 'name': ['b', 'c']}
    """
    path = _present(handle)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            groups: list[int] = []
            first = seen = 0
            for place in range(file.num_row_groups):
                rows = file.metadata.row_group(place).num_rows
                if seen < stop and seen + rows > start:
                    first = first if groups else seen
                    groups.append(place)
                seen += rows
            table = file.read_row_groups(groups)
    except (OSError, pa.ArrowException) as error:
        raise _changed(path, error) from None
    if seen != handle.rows:
        raise DataError(
            f"{path}: the snapshot was changed after it was written: it has {seen} rows, expected {handle.rows}; "
            "ingest the source again"
        )
    return table.slice(start - first, stop - start).to_pandas(ignore_metadata=True)


def is_content_hash(text: str) -> bool:
    """Whether a text is a table's content hash, and not a fingerprint of another kind.

    >>> is_content_hash("sha256:" + 64 * "0"), is_content_hash("sha256:0")
    (True, False)
    """
    return _HASH.fullmatch(text) is not None


def snapshot_path(folder: str | Path, content_hash: str) -> Path:
    """Where a snapshot of this content is kept, whether it is there or not.

    Raises
    ------
    UsageError
        If it is no content hash.

    Examples
    --------
    >>> snapshot_path("snapshots", "sha256:" + 64 * "0").name[60:]
    '0000.parquet'
    """
    if not is_content_hash(content_hash):
        raise UsageError(f"content_hash is {content_hash!r}; expected {_PREFIX} and 64 hexadecimal digits")
    return Path(folder) / f"{content_hash.removeprefix(_PREFIX)}.parquet"


def content_hash_of(path: Path) -> str:
    """The content hash that a snapshot's file is named by.

    >>> content_hash_of(snapshot_path("snapshots", "sha256:" + 64 * "0")) == "sha256:" + 64 * "0"
    True
    """
    return f"{_PREFIX}{path.stem}"


def snapshots_in(folder: str | Path) -> list[Path]:
    """The snapshots in a folder, sorted; none if it does not exist.

    Raises
    ------
    OSError
        If it cannot be looked into.
    """
    return [path for path in _files(folder) if _FILE.fullmatch(path.name)]


def leftovers_in(folder: str | Path) -> list[Path]:
    """What processes that were killed left half-written in a folder; as for `snapshots_in`."""
    return [path for path in _files(folder) if _LEFTOVER.fullmatch(path.name)]


def delete_old_snapshots(folder: str | Path, *, older_than: dt.timedelta, keep: Collection[str]) -> tuple[str, ...]:
    """Delete the snapshots that were last written longer ago than an age.

    Parameters
    ----------
    folder
        Where snapshots are kept. Files of other names are left alone.
    older_than
        The age; more than zero.
    keep
        Content hashes that stay whatever their age, such as those that kept runs were made from.

    Returns
    -------
    tuple of str
        Content hashes of the snapshots deleted, sorted.

    Raises
    ------
    UsageError
        If the age is not more than zero, or `keep` holds something else than content hashes.
    DataError
        If a file cannot be deleted.
    """
    if older_than.total_seconds() <= 0:
        raise UsageError(f"older_than is {older_than}; expected more than zero, or every snapshot would go")
    for name in keep:
        if not is_content_hash(name):
            raise UsageError(f"keep holds {name!r}; expected content hashes, {_PREFIX} and 64 hexadecimal digits")
    place = Path(folder)
    last = time.time() - older_than.total_seconds()
    deleted = []
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        name = f"{_PREFIX}{path.stem}"
        snapshot = _FILE.fullmatch(path.name) is not None
        if not (snapshot or _LEFTOVER.fullmatch(path.name)) or name in keep:
            continue
        if _deleted(path, last) and snapshot:
            deleted.append(name)
    return tuple(deleted)


def _changed(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: the snapshot was changed after it was written ({error}); ingest the source again")


def _files(folder: str | Path) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir())
    except FileNotFoundError:
        return []


def _present(handle: TableHandle) -> Path:
    path = Path(handle.path)
    if not path.exists():
        raise SnapshotMissingError(
            f"{path}: the snapshot {handle.content_hash} ({handle.rows} rows) is gone; it was older than the "
            "retention, or its folder was moved: put the folder back, or ingest the source again"
        )
    return path


def _deleted(path: Path, last: float) -> bool:
    """Delete a file last written before a moment; whether it was."""
    try:
        if path.stat().st_mtime >= last:
            return False
        path.unlink()
    except FileNotFoundError:
        # Another clean-up was faster.
        return False
    except OSError as error:
        raise DataError(
            f"{path}: cannot be deleted ({error.strerror or error}); check the permissions of its folder"
        ) from None
    return True


def _canonical(table: pd.DataFrame) -> tuple[pa.Table, Int64Array]:
    """The table as text columns, its rows sorted by all of them, and where each was; null where a cell is missing."""
    frame = as_frame(table, "table")
    columns = []
    for name in frame.columns:
        texts = [as_text(cell) or None for cell in frame[name].to_numpy(dtype=object)]
        try:
            columns.append(pa.array(texts, pa.large_string()))
        except UnicodeEncodeError:
            raise DataError(
                f"table: column {name!r} has half a character (a lone surrogate); mend the text, or read it again in "
                "its true encoding"
            ) from None
    rows = pa.table(columns, names=[str(name) for name in frame.columns])
    if not rows.num_columns:
        raise DataError("table: has no columns; there is nothing to keep")
    order = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in rows.column_names])
    return rows.take(order), np.asarray(order, np.int64)


def _hash(rows: pa.Table) -> str:
    digest = hashlib.sha256(json.dumps([rows.column_names, rows.num_rows]).encode())
    for column in rows.columns:
        texts = pc.fill_null(column, "")
        # Lengths beside the text, so that no two tables share one stream of bytes.
        digest.update(np.asarray(pc.binary_length(texts), np.int64).tobytes())
        digest.update("".join(texts.to_pylist()).encode())
    return f"{_PREFIX}{digest.hexdigest()}"
