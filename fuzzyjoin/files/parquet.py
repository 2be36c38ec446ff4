"""Parquet to and from Arrow tables whose columns are all text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["read_parquet", "write_parquet"]

# From here on a float no longer tells neighbouring whole numbers apart, so that writing them out would invent digits.
_EXACT_WHOLE = 2.0**53


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    pyarrow.Table
        All columns large_string: whole numbers without ``.0``, dates as ``2024-01-31``, true and false. Null, not a
        number and the empty text are null.

    Raises
    ------
    DataError
        If the file is no Parquet, or a column is nested or cannot be written as text.
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as raw:
        try:
            # The plain reader, because the one for data sets would add columns that it finds in the folders' names.
            table = pq.ParquetFile(raw).read()
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            reason = str(error).splitlines()[0]
            raise DataError(f"{path}: is no Parquet file that can be read ({reason}); write it again") from None
    if not table.num_columns:
        raise DataError(f"{path}: is empty: it has no columns")
    for position, name in enumerate(table.column_names):
        if name in table.column_names[:position]:
            raise DataError(f"{path}: the column name {name!r} appears twice; rename one")
    columns = [_as_text(path, name, table.column(name)) for name in table.column_names]
    return pa.table(columns, names=table.column_names)


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, types kept."""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


def _as_text(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write a column's values the way they would stand in a CSV file."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        raise DataError(
            f"{path}: column {name!r} is nested ({column.type}); drop it, or write its values as text or as columns"
        )
    try:
        text = _text_of(column)
    except (pa.ArrowException, NotImplementedError):
        raise DataError(
            f"{path}: column {name!r} has the type {column.type}, which does not read as text; drop it, or write it "
            "as text"
        ) from None
    return pc.if_else(pc.equal(text, ""), None, text)


def _text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast to text, without the decimals and midnights that only the type put there."""
    text = column.cast(pa.large_string())
    if pa.types.is_floating(column.type):
        wide = column.cast(pa.float64())
        text = pc.if_else(pc.is_nan(wide), None, text)
        whole = pc.and_(pc.equal(wide, pc.trunc(wide)), pc.less(pc.abs(wide), _EXACT_WHOLE))
        text = pc.if_else(whole, pc.if_else(whole, wide, 0.0).cast(pa.int64()).cast(pa.large_string()), text)
    if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type):
        text = pc.replace_substring_regex(text, r"(\.\d*[1-9])0+(Z|[+-]\d+)?$", r"\1\2")
        text = pc.replace_substring_regex(text, r"\.0+(Z|[+-]\d+)?$", r"\1")
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        text = pc.replace_substring_regex(text, r" 00:00:00$", "")
    return text
