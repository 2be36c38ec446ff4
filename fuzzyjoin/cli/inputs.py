"""From paths and options to the two tables that the library takes."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fuzzyjoin.errors import DataError, FuzzyJoinError
from fuzzyjoin.files import (
    Source,
    read_table,
    require_column,
    require_file,
    require_filled,
    require_ids,
    require_rows,
    require_text,
    table_batches,
)
from fuzzyjoin.tables import NUMBERED, ROW_NUMBER, choose_id, needs_numbers, numbered, split_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.program import Program

__all__ = [
    "TablePair",
    "content_hash",
    "load_program",
    "query_batches",
    "read_changes",
    "read_for_batches",
    "read_matches",
    "read_pair",
    "read_result",
    "read_source",
]

# Distances between reference rows are what the precision estimate is made of.
_LEAST_REFERENCE_ROWS = 2


@dataclass(frozen=True)
class TablePair:
    """The two tables, checked, with the columns that were asked for.

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
    """

    reference: Source
    query: Source
    id_columns: tuple[str, str]
    on: list[tuple[str, str]] | None
    ids: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the files were read, one sentence each."""
        sources = ((self.reference, "reference"), (self.query, "query"))
        rows = zip(sources, self.id_columns, strict=True)
        numbers = (f"{source.label}: {NUMBERED.format(role)}" for (source, role), ids in rows if ids == ROW_NUMBER)
        return (*self.reference.notes, *self.query.notes, *numbers)

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Name the file in an error of the library, which knows the tables only as its arguments."""
        with _naming(reference=self.reference.label, query=self.query.label):
            yield


def read_source(path: Path) -> Source:
    """Read a table, keeping where it came from."""
    return Source(read_table(path), str(path), path)


def read_pair(
    reference_path: Path,
    query_path: Path,
    *,
    on: Sequence[str | tuple[str, str]] | None,
    ids: str | None,
    least_query_rows: int = 1,
) -> TablePair:
    """Read the reference and the query table and check what can be checked before the work begins.

    Parameters
    ----------
    reference_path, query_path
        The files.
    on
        Columns to compare, each a name or REFCOL=QUERYCOL, or a pair; None or empty for all that both tables have.
    ids
        The id column, a name or REFCOL=QUERYCOL; None if the user gave none. Then rows of a table without a column
        that names them are numbered.
    least_query_rows
        0 where a query table with a header alone will do.

    Raises
    ------
    UsageError
        If a file or a column does not exist.
    DataError
        If a file cannot be read, an id is missing or repeated, or a column is empty.
    """
    reference = read_source(reference_path)
    query = read_source(query_path)
    require_rows(reference, _LEAST_REFERENCE_ROWS)
    require_rows(query, least_query_rows)
    pairs = [_column_pair(columns, reference, query) for columns in on] if on else None
    id_pair = None if ids is None else _column_pair(ids, reference, query)
    for reference_column, query_column in [*(pairs or []), *([id_pair] if id_pair else [])]:
        require_column(reference, reference_column)
        require_column(query, query_column)
    reference, query = _with_numbers(reference, id_pair), _with_numbers(query, id_pair)
    pair = TablePair(
        reference,
        query,
        (
            _id_column(reference, "reference", id_pair and id_pair[0]),
            _id_column(query, "query", id_pair and id_pair[1]),
        ),
        pairs,
        ids,
    )
    for reference_column, query_column in pairs or []:
        require_text(reference, reference_column)
        if len(query):
            require_text(query, query_column)
    return pair


def read_for_batches(
    reference_path: Path, query_path: Path, *, on: Sequence[tuple[str, str]], ids: str | None, rows: int
) -> TablePair:
    """Read the reference table and go through the query table once, so many rows at a time.

    Checks and errors are those of `read_pair`; of the query table only the columns are kept.
    """
    reference = read_source(reference_path)
    require_rows(reference, _LEAST_REFERENCE_ROWS)
    seen = _look_through(query_path, rows)
    query = Source(seen.columns, str(query_path), query_path, rows=seen.rows)
    id_pair = None if ids is None else _column_pair(ids, reference, query)
    for reference_column, query_column in [*on, *([id_pair] if id_pair else [])]:
        require_column(reference, reference_column)
        require_column(query, query_column)
    asked = id_pair[1] if id_pair else next(iter({"id"} & set(seen.columns)), None)
    able = [column for column in seen.ids if asked in {None, column}]
    if not able and asked is None:
        able = [ROW_NUMBER]
    # Whatever does not look right is looked at closely, in the whole table, which names the fault by its line.
    id_column = able[0] if able else _id_column(read_source(query_path), "query", asked)
    reference = _with_numbers(reference, id_pair)
    id_columns = _id_column(reference, "reference", id_pair and id_pair[0]), id_column
    pair = TablePair(reference, query, id_columns, list(on), ids)
    for reference_column, query_column in on:
        require_text(reference, reference_column)
        if seen.rows and query_column not in seen.filled:
            require_text(read_source(query_path), query_column)
    return pair


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


def _look_through(path: Path, rows: int) -> _Seen:
    import numpy as np  # noqa: PLC0415 - only those who read in batches need it
    import pandas as pd  # noqa: PLC0415 - as above

    pieces = table_batches(path, rows)
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


def query_batches(tables: TablePair, path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """Read the query table that `read_for_batches` went through, so many rows at a time; the first piece has none."""
    first = 1
    for piece in table_batches(path, rows):
        yield _numbered_as_text(piece, first) if tables.id_columns[1] == ROW_NUMBER else piece
        first += len(piece)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def read_matches(matches_path: Path, truth_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a join's output and the true matches, for `evaluate`."""
    from fuzzyjoin.evaluation import MATCH_COLUMNS, truth_columns  # noqa: PLC0415 - of the other commands none needs it

    matches = read_source(matches_path)
    truth = read_source(truth_path)
    for column in MATCH_COLUMNS:
        require_column(matches, column)
    require_ids(matches, MATCH_COLUMNS[0])
    require_filled(matches, MATCH_COLUMNS[1])
    require_rows(truth, 1)
    with _naming(truth=truth.label):
        query_column, _ = truth_columns(truth.frame)
    require_filled(truth, query_column)
    return matches.frame, truth.frame


@contextmanager
def read_result(matches_path: Path, unmatched_path: Path | None) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
    """Read what a join wrote; within the block, an error of the library about either of them names its file."""
    with _read_given(matches=matches_path, unmatched=unmatched_path) as frames:
        yield frames["matches"], frames.get("unmatched")


@contextmanager
def read_changes(append: Path | None, delete: Path | None) -> Iterator[dict[str, pd.DataFrame]]:
    """Read rows to append and rows to delete, as far as given, by the name of the argument; errors as above."""
    with _read_given(append=append, delete=delete) as frames:
        yield frames


@contextmanager
def _read_given(**paths: Path | None) -> Iterator[dict[str, pd.DataFrame]]:
    sources = {argument: read_source(path) for argument, path in paths.items() if path is not None}
    with _naming(**{argument: source.label for argument, source in sources.items()}):
        yield {argument: source.frame for argument, source in sources.items()}


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
def _naming(**files: str) -> Iterator[None]:
    """Name the file that the argument at fault was read from."""
    try:
        yield
    except FuzzyJoinError as error:
        error.file = error.file or files.get(error.argument or "")
        raise


def _column_pair(text: str | tuple[str, str], reference: Source, query: Source) -> tuple[str, str]:
    """Take NAME or REFCOL=QUERYCOL apart; a name may itself contain "="."""
    if isinstance(text, tuple):
        return text
    return split_columns(text, reference.frame, query.frame)


def _with_numbers(source: Source, id_pair: tuple[str, str] | None) -> Source:
    """Number the rows of a table that has no column to name them, unless the user names one."""
    numbers = id_pair is None and needs_numbers(source.frame)
    return replace(source, frame=_numbered_as_text(source.frame, 1)) if numbers else source


def _numbered_as_text(frame: pd.DataFrame, first: int) -> pd.DataFrame:
    return numbered(frame, first=first).astype({ROW_NUMBER: str})


def _id_column(source: Source, role: str, name: str | None) -> str:
    """Choose the id column as the library does, and check it, so that a wrong id is named by its line."""
    with _naming(**{role: source.label}):
        column = choose_id(source.frame, role, name)
    require_ids(source, column)
    return column
