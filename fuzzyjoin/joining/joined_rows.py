"""The joined table: the rows of both tables side by side, with the match probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.tables import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["MATCH_PROBABILITY", "SUFFIX", "How", "JoinedRows", "id_places", "joined_pieces", "joined_table"]

How: TypeAlias = Literal["left", "inner", "anti", "full"]
"""Which rows a joined table has: see `JoinResult.joined`."""

HOWS: Final = ("left", "inner", "anti", "full")

MATCH_PROBABILITY: Final = "match_probability"
"""The column that a joined table has beside those of both tables."""

SUFFIX: Final = "_reference"
"""What a name gets that the query table has already."""


@dataclass(frozen=True)
class JoinedRows:
    """Which reference row each query row is joined to, in positions of the caller's tables.

    Attributes
    ----------
    reference_rows
        Position of the reference row, -1 for a query row that is not joined; shape (query rows,), dtype int64.
    probability
        The match's probability, in [0, 1]; nan for a query row that is not joined; shape (query rows,).
    """

    reference_rows: Int64Array
    probability: Float64Array

    @classmethod
    def of(cls, matches: pd.DataFrame, query_ids: pd.Series, places: pd.Index) -> JoinedRows:
        """Find the rows that matches name.

        Parameters
        ----------
        matches
            Columns query_id, reference_id and precision_estimate.
        query_ids
            The id of each query row.
        places
            Where each id of the reference table stands (see `id_places`).

        Raises
        ------
        DataError
            If a match names an id that a table does not hold.
        """
        of_query = id_places(query_ids)
        rows = _found(of_query, matches["query_id"], "query")
        reference_rows = np.full(of_query.size, -1, np.int64)
        reference_rows[rows] = _found(places, matches["reference_id"], "reference")
        probability = np.full(of_query.size, np.nan)
        probability[rows] = matches["precision_estimate"]
        return cls(reference_rows, probability)

    def some(self, start: int, stop: int) -> JoinedRows:
        """Those of some query rows that follow one another."""
        return JoinedRows(self.reference_rows[start:stop], self.probability[start:stop])


def id_places(ids: pd.Series) -> pd.Index:
    """Where each id of a table stands: ids are compared as text, as everywhere."""
    return pd.Index([as_text(value) for value in ids.to_numpy(dtype=object)], dtype=object)


def _found(places: pd.Index, ids: pd.Series, role: str) -> Int64Array:
    texts = id_places(ids)
    found: Int64Array = places.get_indexer(texts).astype(np.int64, copy=False)
    if (found < 0).any():
        raise DataError(
            f"a match names the {role} id {texts[int(np.argmin(found))]!r}, which the {role} table does not hold",
            argument=role,
            remedy="give the table that was joined",
        )
    return found


def joined_table(
    query: pd.DataFrame, reference: pd.DataFrame, rows: JoinedRows, how: How, suffix: str = SUFFIX
) -> pd.DataFrame:
    """Both tables side by side (see `JoinResult.joined`)."""
    pieces = list(joined_pieces([(query, rows)], reference, how, suffix))
    return pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)


def joined_pieces(
    queries: Iterable[tuple[pd.DataFrame, JoinedRows]], reference: pd.DataFrame, how: How, suffix: str = SUFFIX
) -> Iterator[pd.DataFrame]:
    """Put both tables side by side, one piece of the query table after the other.

    Parameters
    ----------
    queries
        Pieces of the query table, at least one, in order, with what their rows are joined to.
    reference
        The whole reference table.
    how, suffix
        As for `JoinResult.joined`.

    Yields
    ------
    pandas.DataFrame
        A piece of the joined table for each of the query table, and under `full` one more, the reference rows that no
        query row is joined to. All have the same columns with the same dtypes, whether or not a piece has missing rows.
    """
    if how not in HOWS:
        raise UsageError(f"how is {how!r}", argument="how", remedy=f"give one of {', '.join(HOWS)}")
    wide = _nullable(reference) if how in {"left", "full"} else reference
    unmatched = np.ones(len(reference), np.bool_)
    names: list[str] = []
    columns = None
    for query, rows in queries:
        joined = rows.reference_rows >= 0
        if how == "anti":
            yield query.take(np.flatnonzero(~joined)).reset_index(drop=True)
            continue
        names = names or _names(query.columns.tolist(), reference.columns.tolist(), suffix)
        if how == "inner":
            taken = np.flatnonzero(joined)
            beside = wide.take(rows.reference_rows[taken]).reset_index(drop=True)
            yield _named(query.take(taken).reset_index(drop=True), beside, rows.probability[taken], names)
            continue
        unmatched[rows.reference_rows[joined]] = False
        kept = query.reset_index(drop=True) if how == "left" else _nullable(query)
        columns = kept[:0]
        yield _named(kept, _rows_or_missing(wide, rows.reference_rows), rows.probability, names)
    if how == "full" and columns is not None:
        rest = np.flatnonzero(unmatched)
        missing = _rows_or_missing(columns, np.full(rest.size, -1, np.int64))
        yield _named(missing, _rows_or_missing(wide, rest), np.full(rest.size, np.nan), names)


def _nullable(table: pd.DataFrame) -> pd.DataFrame:
    """The table with dtypes that can hold a missing value: whole numbers and booleans of numpy cannot."""
    dtypes = {
        name: pd.array(column.to_numpy()[:0]).dtype
        for name, column in table.items()
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub"
    }
    return table.astype(dtypes).reset_index(drop=True)


def _rows_or_missing(table: pd.DataFrame, positions: Int64Array) -> pd.DataFrame:
    """The rows of a table, whose index counts them, at some positions; at position -1 a row that is missing."""
    return table.reindex(positions).reset_index(drop=True)


def _named(
    query: pd.DataFrame, reference: pd.DataFrame, probability: Float64Array, names: Sequence[str]
) -> pd.DataFrame:
    # Columns are renamed before they meet: beside each other two may have one name.
    *of_reference, of_probability = names
    beside = reference.set_axis(of_reference, axis=1)
    return pd.concat([query, beside, pd.DataFrame({of_probability: probability})], axis=1)


def _names(query: Sequence[str], reference: Sequence[str], suffix: str) -> list[str]:
    """What the columns beside the query table's are called: the reference table's, and the match probability.

    >>> _names(["id", "name"], ["id", "town"], "_reference")
    ['id_reference', 'town', 'match_probability']
    >>> _names(["name", "name_reference"], ["name", "match_probability"], "_reference")
    ['name_reference_reference', 'match_probability_reference', 'match_probability']
    """
    if not suffix:
        raise UsageError(
            f"suffix is {suffix!r}", argument="suffix", remedy=f"give the text to append to a name, such as {SUFFIX!r}"
        )
    taken = set(query)
    probability = _free(MATCH_PROBABILITY, taken, suffix)
    taken |= {probability}
    kept = {name for name in reference if name not in taken}
    names = []
    for name in reference:
        free = name if name in kept else _free(name, taken | kept, suffix)
        taken.add(free)
        names.append(free)
    return [*names, probability]


def _free(name: str, taken: set[str], suffix: str) -> str:
    """The name with the suffix, as often as it takes until nothing has it."""
    while name in taken:
        name += suffix
    return name
