"""Reading and writing a table, whatever its format."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fuzzyjoin.errors import UsageError
from fuzzyjoin.files.delimited import delimited_batches, line_of_row, write_delimited
from fuzzyjoin.files.excel import chosen_sheet, excel_batches, excel_row, filled_sheets, write_excel
from fuzzyjoin.files.formats import format_of
from fuzzyjoin.files.json_lines import json_line_of_row, json_lines_batches, write_json_lines
from fuzzyjoin.files.layout import AS_FOUND, encoding_name, found_text_layout, require_encoding
from fuzzyjoin.files.outputs import Output, write_all
from fuzzyjoin.files.parquet import parquet_batches, typed_parquet_batches, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    from pandas.api.extensions import ExtensionDtype

    from fuzzyjoin.files.formats import FileFormat
    from fuzzyjoin.files.layout import Layout

__all__ = [
    "found_layout",
    "frames_output",
    "layout_note",
    "pieces_output",
    "read_table",
    "require_file",
    "row_name",
    "table_batches",
    "table_output",
    "typed_batches",
    "write_table",
]

# Bounds the Python strings alive at one time; the Arrow columns they become are several times smaller.
_ROWS_A_BATCH = 65_536


def read_table(path: str | Path, layout: Layout = AS_FOUND) -> pd.DataFrame:
    r"""Read a table, every value as text.

    Parameters
    ----------
    path
        A file whose ending is one of `fuzzyjoin.files.formats.ENDINGS`. CSV and TSV have a header line, cells that
        contain the delimiter, a quote or a line break in double quotes, and quotes inside them written twice.
    layout
        What the caller knows of the file; the rest is found (see `found_layout`).

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
    ...     _ = path.write_text("id;name\n007;Malm\xf6\n008;\n", encoding="windows-1252")
    ...     read_table(path)["name"].fillna("missing").tolist()
    ['Malmö', 'missing']
    """
    path = Path(path)
    file_format = format_of(path)
    require_file(path)
    with _permitted(path):
        table = pa.concat_tables(_pieces(path, file_format, _ROWS_A_BATCH, layout))
    return table.to_pandas(ignore_metadata=True)


def table_batches(path: str | Path, rows: int, layout: Layout = AS_FOUND) -> Iterator[pd.DataFrame]:
    """Read a table as `read_table` does, at most so many rows at a time; the first piece has none.

    Errors are those of `read_table`; some come only with the piece that holds the fault.
    """
    path = Path(path)
    file_format = format_of(path)
    require_file(path)
    with _permitted(path):
        for piece in _pieces(path, file_format, rows, layout):
            yield piece.to_pandas(ignore_metadata=True)


def typed_batches(path: str | Path, rows: int) -> Iterator[pd.DataFrame]:
    """Read the rows of a Parquet file as `table_batches` does, with the types that the file gives them.

    Yields
    ------
    pandas.DataFrame
        The columns have a dtype that keeps their type: whole numbers and booleans the nullable one of pandas, all
        others `pandas.ArrowDtype`.
    """
    path = Path(path)
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


def found_layout(path: str | Path, asked: Layout = AS_FOUND) -> Layout:
    """Find how a table is laid out in its file, as far as it is not asked for, where that is sure.

    Raises
    ------
    UsageError
        If there is no such file or sheet, it is a folder, cannot be opened, or its ending is unknown.
    DataError
        If its encoding is not sure, or surely not the one asked for; if it is no workbook.
    """
    path = Path(path)
    file_format = format_of(path)
    require_file(path)
    with _permitted(path):
        if file_format.kind == "delimited":
            if asked.encoding is not None:
                require_encoding(path, file_format, asked.encoding)
            return found_text_layout(path, file_format, asked)
        if file_format.kind == "excel":
            return replace(asked, sheet=chosen_sheet(path, asked.sheet))
    return asked


def layout_note(path: str | Path, asked: Layout, found: Layout) -> str | None:
    """Say what was found of a file, if it is not what one would expect of its ending.

    >>> from fuzzyjoin.files.layout import Layout
    >>> layout_note("towns.csv", AS_FOUND, Layout(";", "windows-1252"))
    "towns.csv: read as Windows-1252 with ';' between fields"
    """
    file_format = format_of(path)
    if file_format.kind == "excel" and asked.sheet is None:
        others = [repr(name) for name in filled_sheets(Path(path)) if name != found.sheet]
        return f"{path}: read from the sheet {found.sheet!r}; not from {', '.join(others)}" if others else None
    if file_format.kind != "delimited":
        return None
    encoding = f" as {encoding_name(str(found.encoding))}" if asked.encoding is None else ""
    delimiter = "a tab" if found.delimiter == "\t" else repr(found.delimiter)
    other = asked.delimiter is None and found.delimiter != file_format.separator
    encoding = encoding if found.encoding != "utf-8-sig" else ""
    if not encoding and not other:
        return None
    return f"{path}: read{encoding}{f' with {delimiter} between fields' if other else ''}"


def _pieces(path: Path, file_format: FileFormat, rows: int, layout: Layout) -> Iterator[pa.Table]:
    match file_format.kind:
        case "delimited":
            return delimited_batches(path, file_format, rows, layout)
        case "json lines":
            return json_lines_batches(path, file_format, rows)
        case "excel":
            return excel_batches(path, rows, layout.sheet)
        case "parquet":
            return parquet_batches(path, rows)


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
    if file_format.kind == "delimited":
        return Output(Path(path), lambda staged: write_delimited(frames, staged, file_format))
    return pieces_output(lambda: map(_arrow_table, frames()), path)


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
    path = Path(path)
    file_format = format_of(path)

    def write(staged: Path) -> None:
        match file_format.kind:
            case "delimited":
                write_delimited(lambda: (table.to_pandas() for table in tables()), staged, file_format)
            case "json lines":
                write_json_lines(tables, staged, file_format)
            case "excel":
                write_excel(tables, staged, named=path)
            case "parquet":
                write_parquet(tables, staged)

    return Output(path, write)


def row_name(path: str | Path, position: int, layout: Layout = AS_FOUND) -> str:
    """Say where a row stands in its file.

    Parameters
    ----------
    path
        A file that `read_table` has read.
    position
        The row's position in the table, from 0.
    layout
        As for `read_table`.

    Returns
    -------
    str
        "line 7" (from 1, the header counted, the row's first line) for text; "row 7" (from 1) for Parquet, and as the
        sheet counts for Excel.
    """
    file_format = format_of(path)
    if file_format.kind == "delimited":
        return f"line {line_of_row(Path(path), file_format, position, layout)}"
    if file_format.kind == "json lines":
        return f"line {json_line_of_row(Path(path), file_format, position)}"
    if file_format.kind == "excel":
        return f"row {excel_row(Path(path), position, layout.sheet)}"
    return f"row {position + 1}"
