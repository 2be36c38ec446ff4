"""Parquet to and from Arrow tables whose columns are all text."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["parquet_batches", "typed_parquet_batches", "write_parquet"]

# From here on a float no longer tells neighbouring whole numbers apart, so that writing them out would invent digits.
_EXACT_WHOLE = 2.0**53

_ROWS_A_GROUP = 1 << 17


def parquet_batches(path: Path, rows: int) -> Iterator[pa.Table]:
    """Read a Parquet file as text, at most so many rows at a time.

    Yields
    ------
    pyarrow.Table
        There is at least one, without rows if the file has none. All columns large_string: whole numbers without
        ``.0``, dates as ``2024-01-31``, true and false. Null, not a number and the empty text are null.

    Raises
    ------
    DataError
        If the file is no Parquet, or a column is nested or cannot be written as text.
    OSError
        If the file cannot be opened.
    """
    for table in typed_parquet_batches(path, rows):
        yield _text_table(path, table)


def typed_parquet_batches(path: Path, rows: int) -> Iterator[pa.Table]:
    """Read a Parquet file with its types, at most so many rows at a time; errors and pieces as above."""
    with path.open("rb") as raw, _readable(path):
        # The plain reader, because the one for data sets would add columns that it finds in the folders' names.
        file = pq.ParquetFile(raw)
        schema = file.schema_arrow
        if not schema.names:
            raise DataError(f"{path}: is empty: it has no columns")
        for position, name in enumerate(schema.names):
            if name in schema.names[:position]:
                raise DataError(f"{path}: the column name {name!r} appears twice; rename one")
        plain = pa.schema([(field.name, _plain(field.type)) for field in schema])
        yield plain.empty_table()
        for batch in file.iter_batches(batch_size=rows):
            yield pa.Table.from_batches([batch]).cast(plain)


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type of the same values whose rows can be taken: those of views cannot."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def write_parquet(tables: Callable[[], Iterable[pa.Table]], path: Path) -> None:
    """Write a table, given in pieces, as Parquet, types kept; the same bytes in however many pieces.

    They are gone through twice.
    """
    schema = _common_schema([table.schema for table in tables()])
    with pq.ParquetWriter(path, schema) as writer:
        waiting: list[pa.Table] = []
        for table in tables():
            waiting.append(table.cast(schema))
            whole = pa.concat_tables(waiting)
            full = whole.num_rows // _ROWS_A_GROUP * _ROWS_A_GROUP
            for start in range(0, full, _ROWS_A_GROUP):
                writer.write_table(whole.slice(start, _ROWS_A_GROUP).combine_chunks())
            waiting = [whole.slice(full)]
        for rest in waiting:
            writer.write_table(rest.combine_chunks())


def _common_schema(schemas: list[pa.Schema]) -> pa.Schema:
    """One schema for all pieces: a column of which a piece knows nothing has the type of the others."""
    common = pa.unify_schemas([schema.remove_metadata() for schema in schemas], promote_options="permissive")
    if not schemas[0].metadata:
        return common
    about = json.loads(schemas[0].metadata[b"pandas"])
    for place in range(len(about["columns"])):
        known = [schema for schema in schemas if not pa.types.is_null(schema.field(place).type)]
        if known:
            about["columns"][place] = json.loads(known[0].metadata[b"pandas"])["columns"][place]
    return common.with_metadata({b"pandas": json.dumps(about).encode()})


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the reader says into an error that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: is no Parquet file that can be read ({reason}); write it again") from None


def _text_table(path: Path, table: pa.Table) -> pa.Table:
    columns = [_as_text(path, name, table.column(name)) for name in table.column_names]
    return pa.table(columns, names=table.column_names)


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
