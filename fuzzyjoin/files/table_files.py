"""Reading and writing a table, whatever its format."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fuzzyjoin.errors import UsageError
from fuzzyjoin.files.delimited import (
    SEPARATORS,
    delimited_batches,
    line_of_row,
    read_delimited,
    separator_of,
    write_delimited,
)
from fuzzyjoin.files.formats import format_of
from fuzzyjoin.files.outputs import Output, write_all
from fuzzyjoin.files.parquet import parquet_batches, read_parquet, typed_parquet_batches, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    from pandas.api.extensions import ExtensionDtype

__all__ = [
    "frames_output",
    "pieces_output",
    "read_table",
    "require_file",
    "row_name",
    "separator_note",
    "table_batches",
    "table_output",
    "typed_batches",
    "write_table",
]


def read_table(path: str | Path) -> pd.DataFrame:
    r"""Read a table, every value as text.

    Parameters
    ----------
    path
        A file ending in .csv, .csv.gz, .tsv, .tsv.gz or .parquet. CSV and TSV are UTF-8, with a header line, cells
        that contain the separator, a quote or a line break in double quotes, and quotes inside them written twice.
        A file whose header and first lines are parted evenly by semicolons, tabs or bars instead is read by these.

    Returns
    -------
    pandas.DataFrame
        Columns of dtype str, one row a data row in the file's order. An empty cell is missing; the texts "NA",
        "null" and "nan" are texts, and numbers keep their leading zeros. A column without a name is called
        "column 3" by its position.

    Raises
    ------
    UsageError
        If there is no such file, it is a folder, cannot be opened, or its ending is unknown.
    DataError
        If the file's content cannot be read; the message names the line or the column.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "towns.csv"
    ...     _ = path.write_text("id,name\n007,Bergen\n008,\n")
    ...     read_table(path)["name"].isna().tolist()
    [False, True]
    """
    path = Path(path)
    file_format = format_of(path)
    require_file(path)
    with _permitted(path):
        table = read_parquet(path) if file_format.separator is None else read_delimited(path, file_format)
    return table.to_pandas(ignore_metadata=True)


def table_batches(path: str | Path, rows: int) -> Iterator[pd.DataFrame]:
    """Read a table as `read_table` does, at most so many rows at a time; the first piece has none.

    Errors are those of `read_table`; some come only with the piece that holds the fault.
    """
    path = Path(path)
    file_format = format_of(path)
    require_file(path)
    pieces = (
        parquet_batches(path, rows) if file_format.separator is None else delimited_batches(path, file_format, rows)
    )
    with _permitted(path):
        for piece in pieces:
            yield piece.to_pandas(ignore_metadata=True)


def typed_batches(path: str | Path, rows: int) -> Iterator[pd.DataFrame]:
    """Read the rows of `table_batches` with the types that the file gives them: text, except from Parquet.

    Yields
    ------
    pandas.DataFrame
        The columns of a Parquet file have a dtype that keeps their type: whole numbers and booleans the nullable one of
        pandas, all others `pandas.ArrowDtype`.
    """
    path = Path(path)
    if format_of(path).separator is not None:
        yield from table_batches(path, rows)
        return
    require_file(path)
    with _permitted(path):
        for piece in typed_parquet_batches(path, rows):
            yield piece.to_pandas(ignore_metadata=True, types_mapper=_keeping)


def _keeping(kind: pa.DataType) -> ExtensionDtype:
    """A dtype of pandas that loses nothing of an Arrow type, missing values included."""
    import pandas as pd  # noqa: PLC0415 - outputs are checked without it

    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pd.array(pa.array([], kind).to_numpy(zero_copy_only=False)).dtype
    return pd.ArrowDtype(kind)


@contextmanager
def _permitted(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None


def require_file(path: Path) -> None:
    """Raise `UsageError` unless there is a regular file at the path."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it")
    if not path.exists():
        raise UsageError(f"{path}: no such file; check the path and its spelling")
    if not path.is_file():
        raise UsageError(f"{path}: is not a regular file; write the data to one first")


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    r"""Write a table; whoever reads the file meanwhile sees the old one or the new one, whole.

    Parameters
    ----------
    frame
        The table; its index is not written. Missing values become empty cells.
    path
        The file, its format given by its ending as for `read_table`.

    Raises
    ------
    UsageError
        If the ending is unknown.
    DataError
        If the file cannot be written.

    Examples
    --------
    >>> import pandas as pd
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "towns.csv"
    ...     write_table(pd.DataFrame({"id": ["007"], "name": ["Bergen"]}), path)
    ...     path.read_text()
    'id,name\n007,Bergen\n'
    """
    write_all([table_output(frame, path)])


def table_output(frame: pd.DataFrame, path: str | Path) -> Output:
    """Make the output that writes a table to a file, for `write_all`."""
    return frames_output(lambda: [frame], path)


def frames_output(frames: Callable[[], Iterable[pd.DataFrame]], path: str | Path) -> Output:
    """Make the output that writes a table in pieces, which are gone through twice, to a file, for `write_all`."""
    file_format = format_of(path)
    if file_format.separator is None:
        return Output(
            Path(path),
            lambda staged: write_parquet(lambda: map(_arrow_table, frames()), staged),
        )
    return Output(Path(path), lambda staged: write_delimited(frames, staged, file_format))


def _arrow_table(frame: pd.DataFrame) -> pa.Table:
    """The frame for a Parquet file, which pandas can read again."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    about = json.loads(table.schema.metadata[b"pandas"])
    for column in about["columns"]:
        if column["numpy_type"].endswith("[pyarrow]"):
            # The type stands in the file; pandas cannot read the name of every dtype that it writes.
            column["numpy_type"] = "object"
    return table.replace_schema_metadata({**table.schema.metadata, b"pandas": json.dumps(about).encode()})


def pieces_output(tables: Callable[[], Iterable[pa.Table]], path: str | Path) -> Output:
    """Make the output that writes a table in pieces, made from pandas frames, to a file, for `write_all`."""
    if format_of(path).separator is None:
        return Output(Path(path), lambda staged: write_parquet(tables, staged))
    return frames_output(lambda: (table.to_pandas() for table in tables()), path)


def separator_note(path: str | Path) -> str | None:
    """Say by which separator a file is read, if that is not the one that its ending says."""
    path = Path(path)
    file_format = format_of(path)
    if file_format.separator is None:
        return None
    with _permitted(path):
        found = separator_of(path, file_format)
    if found == file_format.separator:
        return None
    named = SEPARATORS[file_format.separator]
    return f"{path}: its cells are separated by {SEPARATORS[found]}, not by {named}, and were read so"


def row_name(path: str | Path, position: int) -> str:
    """Say where a row stands in its file.

    Parameters
    ----------
    path
        A file that `read_table` has read.
    position
        The row's position in the table, from 0.

    Returns
    -------
    str
        "line 7" (from 1, the header counted, the row's first line) for CSV and TSV; "row 7" (from 1) for Parquet.
    """
    file_format = format_of(path)
    if file_format.separator is None:
        return f"row {position + 1}"
    return f"line {line_of_row(Path(path), file_format, position)}"
