"""The joined table as an output: the columns of both files side by side, written in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fuzzyjoin.cli.inputs import query_batches
from fuzzyjoin.files import format_of, frames_output, typed_batches
from fuzzyjoin.joining import JoinedRows, id_places, joined_pieces
from fuzzyjoin.tables import ROW_NUMBER, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fuzzyjoin.cli.inputs import FilePair, TableFile
    from fuzzyjoin.files import Output
    from fuzzyjoin.index import JoinedParts
    from fuzzyjoin.joining import How

__all__ = ["joined_output", "joined_parts_output", "no_rows_joined"]

ROWS: Final = 1 << 17
"""Query rows that are put beside their matches at a time."""


def joined_output(matches: pd.DataFrame, tables: FilePair, path: Path, how: How) -> Output:
    """The output of a join whose query table is at hand."""
    query = _shown(tables.query, path, tables.id_columns[1])
    rows = JoinedRows.of(matches, tables.query.frame[tables.id_columns[1]], _places(tables))

    def pieces() -> Iterator[tuple[pd.DataFrame, JoinedRows]]:
        # Of no rows there is one piece too, for the header.
        for start in range(0, max(len(query), 1), ROWS):
            yield query[start : start + ROWS], rows.some(start, start + ROWS)

    return _output(pieces, tables, path, how)


def joined_parts_output(joined: JoinedParts, tables: FilePair, batch_rows: int, path: Path, how: How) -> Output:
    """The output of a join in parts, whose query table is read again, so many rows at a time."""
    places, of_query = _places(tables), tables.id_columns[1]
    ranges = [tuple(part["rows"]) for part in joined.parts]

    def pieces() -> Iterator[tuple[pd.DataFrame, JoinedRows]]:
        texts = _cut(query_batches(tables, batch_rows), ranges)
        both: Iterable[tuple[pd.DataFrame, pd.DataFrame]] = ((piece, piece) for piece in texts)
        if _keeps_types(tables.query, path):
            both = zip(texts, _cut(_typed_query(tables, batch_rows), ranges), strict=True)
        for (text, piece), matches in zip(both, joined.tables("matches"), strict=True):
            yield piece, JoinedRows.of(matches.to_pandas(), text[of_query], places)

    return _output(pieces, tables, path, how)


def no_rows_joined(tables: FilePair, path: Path, how: How) -> Output:
    """The output of a join of a query table without rows."""
    matches = pd.DataFrame({"query_id": [], "reference_id": [], "precision_estimate": []})
    return joined_output(matches, tables, path, how)


def _output(
    pieces: Callable[[], Iterable[tuple[pd.DataFrame, JoinedRows]]], tables: FilePair, path: Path, how: How
) -> Output:
    reference = _shown(tables.reference, path, tables.id_columns[0])
    with_digits = format_of(path).kind == "delimited" and how != "anti"

    def frames() -> Iterator[pd.DataFrame]:
        for piece in joined_pieces(pieces(), reference, how):
            yield _four_digits(piece) if with_digits else piece

    return frames_output(frames, path)


def _four_digits(piece: pd.DataFrame) -> pd.DataFrame:
    """The piece with its last column, the match probability, as text of four significant digits."""
    name = piece.columns[-1]
    texts = [None if np.isnan(value) else f"{value:.4g}" for value in piece[name].tolist()]
    return piece.assign(**{name: pd.array(texts, dtype="str")})


def _places(tables: FilePair) -> pd.Index:
    return id_places(tables.reference.frame[tables.id_columns[0]])


def _keeps_types(file: TableFile, path: Path) -> bool:
    """Whether a table's columns have types, and the output's format can show them."""
    return format_of(file.path).kind == "parquet" and format_of(path).kind != "delimited"


def _shown(file: TableFile, path: Path, id_column: str) -> pd.DataFrame:
    """A whole table as the output shows it: as text, or with its types."""
    if not _keeps_types(file, path):
        return file.frame
    table = pd.concat(list(typed_batches(file.path, ROWS)), ignore_index=True)
    return numbered(table) if id_column == ROW_NUMBER else table


def _typed_query(tables: FilePair, rows: int) -> Iterator[pd.DataFrame]:
    first = 1
    for piece in typed_batches(tables.query.path, rows):
        yield numbered(piece, first=first) if tables.id_columns[1] == ROW_NUMBER else piece
        first += len(piece)


def _cut(batches: Iterable[pd.DataFrame], ranges: Iterable[tuple[int, int]]) -> Iterator[pd.DataFrame]:
    """The rows of ranges that follow one another, from batches that are cut elsewhere."""
    rest = iter(batches)
    waiting = next(rest)
    for start, stop in ranges:
        while len(waiting) < stop - start:
            waiting = pd.concat([waiting, next(rest)], ignore_index=True)
        yield waiting[: stop - start]
        waiting = waiting[stop - start :]
