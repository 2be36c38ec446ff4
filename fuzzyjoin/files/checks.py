"""Checks of a table that was read from a file: each names the file, the column, the row and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files.delimited import SEPARATORS
from fuzzyjoin.files.table_files import row_name, separator_note

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["Source", "require_column", "require_filled", "require_ids", "require_rows", "require_text"]

_NAMES_SHOWN = 20


@dataclass(frozen=True)
class Source:
    """A table and where it came from.

    Parameters
    ----------
    frame
        The table.
    label
        What messages call it: the file's path, or a name.
    path
        The file, through which rows are named by line; None for a table that was made in memory.
    rows
        Rows of the file, if `frame` holds only its columns; None if it holds all.
    """

    frame: pd.DataFrame
    label: str
    path: Path | None = None
    rows: int | None = None

    def __len__(self) -> int:
        return len(self.frame) if self.rows is None else self.rows

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the file was read, one sentence each."""
        note = None if self.path is None else separator_note(self.path)
        return (note,) if note else ()

    def row_name(self, position: int) -> str:
        """Say where the row at a position stands, in the file's own count."""
        return f"row {position + 1}" if self.path is None else row_name(self.path, position)


def require_column(source: Source, column: str) -> None:
    """Raise `UsageError` unless the table has the column; similar names are suggested."""
    names = [str(name) for name in source.frame.columns]
    if column in names:
        return
    folded = {name.strip().casefold(): name for name in reversed(names)}
    near = [folded[match] for match in get_close_matches(column.strip().casefold(), folded, n=3, cutoff=0.6)]
    shown = ", ".join(map(repr, names[:_NAMES_SHOWN])) + (", …" if len(names) > _NAMES_SHOWN else "")
    message = f"{source.label}: has no column {column!r}"
    separator = _other_separator(names)
    if separator:
        remedy = (
            f"its only column is {names[0]!r}: the cells seem to be separated by {separator}, but not as many on every "
            "line; give every line as many cells as the header, or save it with commas (.csv) or tabs (.tsv)"
        )
    elif near:
        remedy = f"did you mean {' or '.join(map(repr, near))}? (columns: {shown})"
    else:
        remedy = f"name one of its columns: {shown}"
    raise UsageError(message, argument=source.label, column=column, remedy=remedy)


def require_rows(source: Source, at_least: int) -> None:
    """Raise `DataError` if the table has fewer rows."""
    rows = len(source.frame)
    if rows >= at_least:
        return
    if not rows:
        raise DataError(
            f"{source.label}: has column names but no rows; at least {at_least} must follow", argument=source.label
        )
    raise DataError(
        f"{source.label}: has {rows} row{'s' * (rows != 1)}; a reference table needs at least {at_least}, because "
        "the distances between its rows tell how near is near enough",
        argument=source.label,
    )


def require_filled(source: Source, column: str) -> None:
    """Raise `DataError` if a cell of an id column is empty or blank."""
    ids = source.frame[column]
    missing = (ids.isna() | (ids.str.strip() == "")).to_numpy().nonzero()[0]
    if len(missing):
        raise DataError(
            f"{source.label}: {source.row_name(int(missing[0]))}: the id column {column!r} is empty"
            f"{_and_others(len(missing) - 1)}",
            argument=source.label,
            column=column,
            row=int(missing[0]) + 1,
            remedy="give every row an id, or name another id column",
        )


def require_ids(source: Source, column: str) -> None:
    """Raise `DataError` unless the column has a value in every row, and no value twice."""
    require_filled(source, column)
    ids = source.frame[column]
    repeated = ids.duplicated().to_numpy().nonzero()[0]
    if len(repeated):
        second = int(repeated[0])
        value = ids.iloc[second]
        first = int((ids == value).to_numpy().nonzero()[0][0])
        raise DataError(
            f"{source.label}: the id column {column!r} has {value!r} on {source.row_name(first)} and again on "
            f"{source.row_name(second)}{_and_others(len(repeated) - 1)}",
            argument=source.label,
            column=column,
            row=second + 1,
            remedy="make the ids unique, or name another id column",
        )


def require_text(source: Source, column: str) -> None:
    """Raise `DataError` if all cells of the column are empty or blank."""
    cells = source.frame[column].dropna()
    if not (cells.str.strip() != "").any():
        raise DataError(
            f"{source.label}: column {column!r} is empty in all {len(source.frame)} rows",
            argument=source.label,
            column=column,
            remedy="fill it, or join on another column",
        )


def _and_others(count: int) -> str:
    return f" (and {count} more)" if count > 0 else ""


def _other_separator(names: list[str]) -> str | None:
    """Guess the separator that a file of one column really has."""
    if len(names) != 1:
        return None
    return next((word for separator, word in SEPARATORS.items() if separator in names[0]), None)
