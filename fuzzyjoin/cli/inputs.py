"""From paths and options to the two tables that the library takes."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fuzzyjoin.cli.columns import chosen_columns
from fuzzyjoin.errors import DataError, FuzzyJoinError
from fuzzyjoin.files import (
    AS_FOUND,
    Layout,
    found_layout,
    layout_note,
    read_table,
    require_file,
    row_name,
    table_batches,
)
from fuzzyjoin.tables import (
    NUMBERED,
    ROW_NUMBER,
    needs_numbers,
    numbered,
    one_table,
    placeholder_notes,
    require_column,
    require_text,
    split_columns,
    table_pair,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.program import Program

__all__ = [
    "FilePair",
    "content_hash",
    "layouts",
    "load_program",
    "query_batches",
    "read_changes",
    "read_decisions",
    "read_file",
    "read_for_batches",
    "read_matches",
    "read_pair",
    "read_result",
]

# Distances between reference rows are what the precision estimate is made of.
_LEAST_REFERENCE_ROWS = 2


@dataclass(frozen=True)
class TableFile:
    """A table and the file that it was read from.

    Parameters
    ----------
    frame
        The table.
    path
        The file.
    asked, layout
        What the user says of how it is laid out in the file, and how it is.
    rows
        Rows of the file, if `frame` holds only its columns; None if it holds all.
    """

    frame: pd.DataFrame
    path: Path
    asked: Layout
    layout: Layout
    rows: int | None = None

    def __len__(self) -> int:
        return len(self.frame) if self.rows is None else self.rows

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the file was read, one sentence each."""
        note = layout_note(self.path, self.asked, self.layout)
        return (note,) if note else ()

    @contextmanager
    def naming_file(self) -> Iterator[None]:
        """Name the file in an error of the library about the reference table, as which this one is given."""
        with _naming(reference=(self.path, self.layout)):
            yield


@dataclass(frozen=True)
class FilePair:
    """The two tables of a join, checked, with the columns that were asked for.

    Parameters
    ----------
    reference, query
        The tables and their files.
    id_columns
        The reference's and the query's id column.
    on
        Pairs of columns to compare; None for all that have the same name.
    ids
        The id column as the user named it; None if the user did not.
    column_notes
        What the user should know of the columns that were chosen, one sentence each.
    equal
        Pairs of columns whose values must be equal; None for none.
    """

    reference: TableFile
    query: TableFile
    id_columns: tuple[str, str]
    on: list[tuple[str, str]] | None
    ids: str | None
    column_notes: tuple[str, ...] = ()
    equal: list[tuple[str, str]] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the files were read, one sentence each."""
        files = ((self.reference, "reference"), (self.query, "query"))
        rows = zip(files, self.id_columns, strict=True)
        numbers = (f"{file.path}: {NUMBERED.format(role)}" for (file, role), ids in rows if ids == ROW_NUMBER)
        read = "; ".join((*self.reference.notes, *self.query.notes))
        return (*([read] if read else []), *numbers, *self.column_notes)

    def placeholder_notes(self, program: Program) -> tuple[str, ...]:
        """What a program reads as missing in these tables, one sentence a pair of columns."""
        definition = program.definition
        pairs = [(column.reference, column.query) for column in definition.columns_read]
        return placeholder_notes(self.reference.frame, self.query.frame, pairs, definition.missing)

    @property
    def layout_options(self) -> list[str]:
        """The options by which the user said how the files are laid out."""
        options = []
        for name in ("delimiter", "encoding", "sheet"):
            left, right = (getattr(file.asked, name) for file in (self.reference, self.query))
            if left or right:
                text = left if left == right else f"{left or ''}={right or ''}"
                options += [f"--{name}", text.replace("\t", "tab")]
        return options

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Name the file and the line in an error of the library, which knows the tables only as its arguments."""
        with _naming_both(self.reference, self.query):
            yield


def layouts(delimiter: str | None, encoding: str | None, sheet: str | None) -> tuple[Layout, Layout]:
    """How the reference and the query file are laid out, of options that name one thing for both, or REF=QUERY.

    An empty side is to be found: `=windows-1250` speaks of the query file alone.

    Raises
    ------
    UsageError
        If a delimiter or an encoding is unknown.
    """
    reference, query = zip(_sides(delimiter), _sides(encoding), _sides(sheet), strict=True)
    return Layout(*reference), Layout(*query)


def _sides(option: str | None) -> tuple[str | None, str | None]:
    if option is None:
        return None, None
    left, equals, right = option.partition("=")
    return (left or None, right or None) if equals else (option, option)


def read_file(path: Path, asked: Layout = AS_FOUND) -> TableFile:
    """Read a table, keeping where it came from."""
    layout = found_layout(path, asked)
    return TableFile(read_table(path, layout), path, asked, layout)


def read_pair(
    reference_path: Path,
    query_path: Path,
    *,
    on: Sequence[str | tuple[str, str]] | None,
    ids: str | None,
    equal: Sequence[str] | None = None,
    yes: bool = False,
    layouts: tuple[Layout, Layout] = (AS_FOUND, AS_FOUND),
) -> FilePair:
    """Read the reference and the query table and check what can be checked before the work begins.

    Parameters
    ----------
    reference_path, query_path
        The files.
    on
        Columns to compare, each a name or REFCOL=QUERYCOL, or a pair; None or empty for all that both tables have, or
        what the values suggest (see `chosen_columns`).
    ids
        The id column, a name or REFCOL=QUERYCOL; None if the user gave none. Then rows of a table without a column
        that names them are numbered.
    equal
        Columns whose values must be equal, each a name or REFCOL=QUERYCOL; they are not proposed to be compared.
    yes
        Whether to take what the values suggest without asking.
    layouts
        What the user says of how both are laid out.

    Raises
    ------
    UsageError
        If a file or a column does not exist.
    DataError
        If a file cannot be read, an id is missing or repeated, or a column is empty.
    """
    reference, query = read_file(reference_path, layouts[0]), read_file(query_path, layouts[1])
    pairs = [_column_pair(columns, reference, query) for columns in on] if on else None
    must_equal = [_column_pair(columns, reference, query) for columns in equal] if equal else None
    id_pair = None if ids is None else _column_pair(ids, reference, query)
    reference, query = _with_numbers(reference, id_pair), _with_numbers(query, id_pair)
    notes: tuple[str, ...] = ()
    with _naming_both(reference, query):
        _require_rows(reference)
        if pairs is None and len(query):
            pairs, notes = chosen_columns(reference.frame, query.frame, id_pair, must_equal or (), yes=yes)
        # The library looks at them as well, but only after compiled kernels are loaded.
        tables = table_pair(reference.frame, query.frame, pairs, id_pair, equal=must_equal)
        if len(query):
            require_text(tables.query)
    id_columns = tables.reference.id_column, tables.query.id_column
    return FilePair(reference, query, id_columns, pairs, ids, notes, must_equal)


def read_for_batches(
    reference_path: Path,
    query_path: Path,
    *,
    on: Sequence[tuple[str, str]],
    equal: Sequence[tuple[str, str]],
    ids: str | None,
    rows: int,
    layouts: tuple[Layout, Layout] = (AS_FOUND, AS_FOUND),
) -> FilePair:
    """Read the reference table and go through the query table once, so many rows at a time.

    Checks and errors are those of `read_pair`; of the query table only the columns are kept.
    """
    reference = read_file(reference_path, layouts[0])
    layout = found_layout(query_path, layouts[1])
    seen = _look_through(query_path, layout, rows)
    query = TableFile(seen.columns, query_path, layouts[1], layout, rows=seen.rows)
    id_pair = None if ids is None else _column_pair(ids, reference, query)
    reference = _with_numbers(reference, id_pair)
    asked = id_pair[1] if id_pair else next(iter({"id"} & set(seen.columns)), None)
    able = [column for column in seen.ids if asked in {None, column}]
    if not able and asked is None:
        able = [ROW_NUMBER]
    compared = [query_column for _, query_column in on]
    with _naming_both(reference, query):
        _require_rows(reference)
        columns, must_equal = ([column for column, _ in pairs] for pairs in (on, equal))
        left, _ = one_table(reference.frame, "reference", columns, id_pair and id_pair[0], equal=must_equal)
        require_text(left)
        for _, column in equal:
            require_column(seen.columns, column, "query", "equal")
        if not able or (seen.rows and not seen.filled.issuperset(compared)):
            # Whatever does not look right is looked at closely, in the whole table, which names the fault by its line.
            right, _ = one_table(read_table(query_path, layout), "query", compared, asked)
            require_text(right)
    return FilePair(reference, query, (left.id_column, able[0]), list(on), ids)


@dataclass(frozen=True)
class _Seen:
    """What is known of a table that was gone through.

    Parameters
    ----------
    columns
        A table of its columns, without rows.
    rows
        How many rows it has.
    ids
        Columns whose values are all present and differ, in order.
    filled
        Columns in which some row has text.
    """

    columns: pd.DataFrame
    rows: int
    ids: list[str]
    filled: set[str]


def _look_through(path: Path, layout: Layout, rows: int) -> _Seen:
    import numpy as np  # noqa: PLC0415 - only those who read in batches need it
    import pandas as pd  # noqa: PLC0415 - as above

    pieces = table_batches(path, rows, layout)
    columns = next(pieces)
    # Values are compared by their hashes: differing hashes come from differing values.
    hashes: dict[str, list[Any]] = {str(column): [np.empty(0, np.uint64)] for column in columns}
    filled: set[str] = set()
    seen = 0
    for piece in pieces:
        seen += len(piece)
        for column in piece.columns:
            blank = piece[column].isna() | (piece[column].str.strip() == "")
            if not blank.all():
                filled.add(column)
            if column in hashes and blank.any():
                del hashes[column]
            if column in hashes:
                hashes[column].append(pd.util.hash_array(piece[column].to_numpy(object), categorize=False))
    ids = [column for column, parts in hashes.items() if np.unique(np.concatenate(parts)).size == seen]
    return _Seen(columns, seen, ids, filled)


def query_batches(tables: FilePair, rows: int) -> Iterator[pd.DataFrame]:
    """Read the query table that `read_for_batches` went through, so many rows at a time; the first piece has none."""
    first = 1
    for piece in table_batches(tables.query.path, rows, tables.query.layout):
        yield _numbered_as_text(piece, first) if tables.id_columns[1] == ROW_NUMBER else piece
        first += len(piece)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def read_matches(matches: Path, truth: Path) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Read a join's output and the true matches; within the block, an error of the library names their files."""
    with _read_given(matches=matches, truth=truth) as frames:
        if frames["truth"].empty:
            raise DataError("truth has no rows", argument="truth", remedy="give at least one true match")
        yield frames["matches"], frames["truth"]


@contextmanager
def read_result(matches: Path, unmatched: Path | None) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
    """Read what a join wrote; errors as above."""
    with _read_given(matches=matches, unmatched=unmatched) as frames:
        yield frames["matches"], frames.get("unmatched")


@contextmanager
def read_changes(append: Path | None, delete: Path | None) -> Iterator[dict[str, pd.DataFrame]]:
    """Read rows to append and rows to delete, as far as given, by the name of the argument; errors as above."""
    with _read_given(append=append, delete=delete) as frames:
        yield frames


@contextmanager
def read_decisions(path: Path | None) -> Iterator[pd.DataFrame | None]:
    """Read what people decided on pairs, if they did; errors as above."""
    if path is None:
        yield None
        return
    with _read_given(decisions=path) as frames:
        yield frames["decisions"]


@contextmanager
def _read_given(**paths: Path | None) -> Iterator[dict[str, pd.DataFrame]]:
    given = {argument: path for argument, path in paths.items() if path is not None}
    frames = {argument: read_table(path) for argument, path in given.items()}
    with _naming(**{argument: (path, AS_FOUND) for argument, path in given.items()}):
        yield frames


def load_program(path: Path) -> Program:
    """Load a program; every error names its file."""
    from fuzzyjoin.program import Program  # noqa: PLC0415 - of the other commands none needs it

    require_file(path)
    try:
        return Program.load(path)
    except RecursionError:
        raise DataError(
            f"{path}: is nested too deeply to be a program", remedy="give a file that learn wrote"
        ) from None


@contextmanager
def _naming(**files: tuple[Path, Layout]) -> Iterator[None]:
    """Name the file that the argument at fault was read from, and where in it the row stands."""
    try:
        yield
    except FuzzyJoinError as error:
        file = files.get(error.argument or "")
        if file is not None and error.file is None:
            error.file = str(file[0])
            if error.row is not None:
                error.place = row_name(file[0], error.row - 1, file[1])
        raise


def _naming_both(reference: TableFile, query: TableFile) -> AbstractContextManager[None]:
    return _naming(reference=(reference.path, reference.layout), query=(query.path, query.layout))


def _column_pair(text: str | tuple[str, str], reference: TableFile, query: TableFile) -> tuple[str, str]:
    """Take NAME or REFCOL=QUERYCOL apart; a name may itself contain "="."""
    if isinstance(text, tuple):
        return text
    return split_columns(text, reference.frame, query.frame)


def _with_numbers(file: TableFile, id_pair: tuple[str, str] | None) -> TableFile:
    """Number the rows of a table that has no column to name them, unless the user names one."""
    numbers = id_pair is None and needs_numbers(file.frame)
    return replace(file, frame=_numbered_as_text(file.frame, 1)) if numbers else file


def _numbered_as_text(frame: pd.DataFrame, first: int) -> pd.DataFrame:
    return numbered(frame, first=first).astype({ROW_NUMBER: str})


def _require_rows(reference: TableFile) -> None:
    rows = len(reference)
    if rows < _LEAST_REFERENCE_ROWS:
        raise DataError(
            f"reference has {rows or 'no'} row{'s' * (rows != 1)}; a reference table needs at least "
            f"{_LEAST_REFERENCE_ROWS}, because the distances between its rows tell how near is near enough",
            argument="reference",
        )
