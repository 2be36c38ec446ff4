"""True precision and recall of a join, measured against known matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.tables import as_text, require_column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "evaluate", "truth_columns"]

MATCH_COLUMNS = ("query_id", "reference_id")
# The second pair is how the AutoFJ-50 tasks name them: right is the query table, left the reference.
_TRUTH_COLUMNS = (MATCH_COLUMNS, ("id_r", "id_l"))


@dataclass(frozen=True)
class Evaluation:
    """How well a join did.

    Parameters
    ----------
    joined
        Query rows that were joined.
    correct
        Of these, those joined to a right reference row.
    matchable
        Query rows that have a right reference row.
    """

    joined: int
    correct: int
    matchable: int

    @property
    def precision(self) -> float | None:
        """Share of the joined rows that are right, in [0, 1]; None when nothing was joined."""
        return self.correct / self.joined if self.joined else None

    @property
    def recall(self) -> float | None:
        """Share of the query rows with a match that were joined to it, in [0, 1]; None when none has a match."""
        return self.correct / self.matchable if self.matchable else None


def truth_columns(truth: pd.DataFrame) -> tuple[str, str]:
    """Find the query ids' and the reference ids' column in a table of true matches.

    Parameters
    ----------
    truth
        A table with the columns query_id and reference_id, or id_r and id_l.

    Returns
    -------
    tuple of str
        The names of the query ids' and the reference ids' columns.

    Raises
    ------
    UsageError
        If it has neither pair.
    """
    for pair in _TRUTH_COLUMNS:
        if set(pair) <= set(truth.columns):
            return pair
    found = ", ".join(map(repr, truth.columns))
    raise UsageError(
        f"truth needs the columns 'query_id' and 'reference_id' (or 'id_r' and 'id_l'); it has {found}",
        argument="truth",
    )


def evaluate(matches: pd.DataFrame, truth: pd.DataFrame) -> Evaluation:
    """Measure a join against the truth.

    A query row with several right reference rows counts once, and any of them is right. A joined query row that the
    truth does not list has no match: joining it was wrong.

    Parameters
    ----------
    matches
        One row a joined query row, with the columns query_id and reference_id. Ids are compared as everywhere: 1, 1.0
        and "1" are the same, and a blank one is missing.
    truth
        One row a true match, with the columns query_id and reference_id, or id_r (query) and id_l (reference).
        Rows without a reference id say that the query row has no match.

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError
        If a column is missing.
    DataError
        If a query row is joined twice, or an id is missing in the matches or a query id in the truth.

    Examples
    --------
    >>> import pandas as pd
    >>> matches = pd.DataFrame({"query_id": ["a", "b"], "reference_id": ["1", "9"]})
    >>> truth = pd.DataFrame({"query_id": ["a", "a", "b", "c"], "reference_id": ["1", "2", "3", "4"]})
    >>> result = evaluate(matches, truth)
    >>> result.precision, round(result.recall, 3)
    (0.5, 0.333)
    """
    for column in MATCH_COLUMNS:
        require_column(matches, column, "matches")
    query_ids, reference_ids = (
        _ids(matches, column, "matches", "give every match a query id and a reference id") for column in MATCH_COLUMNS
    )
    seen: dict[str, int] = {}
    for row, value in enumerate(query_ids, start=1):
        first = seen.setdefault(value, row)
        if first != row:
            raise DataError(
                f"matches joins the query row {value!r} in rows {first} and {row}; a query row has one match at most",
                argument="matches",
                column=MATCH_COLUMNS[0],
                row=row,
                remedy="take one of the two out",
            )
    query_column, reference_column = truth_columns(truth)
    true_query_ids = _ids(truth, query_column, "truth", "name the query row of every true match")
    true_reference_ids = [as_text(value) for value in truth[reference_column].to_numpy(dtype=object)]
    # A row without a reference id says that its query row has no match.
    pairs = {pair for pair in zip(true_query_ids, true_reference_ids, strict=True) if pair[1]}
    return Evaluation(
        joined=len(matches),
        correct=sum(pair in pairs for pair in zip(query_ids, reference_ids, strict=True)),
        matchable=len({query_id for query_id, _ in pairs}),
    )


def _ids(table: pd.DataFrame, column: str, role: str, remedy: str) -> list[str]:
    """The ids of a column that must have one in every row."""
    ids = [as_text(value) for value in table[column].to_numpy(dtype=object)]
    if not all(ids):
        row = ids.index("") + 1
        message = f"{role} column {column!r} has no value in row {row}"
        raise DataError(message, argument=role, column=column, row=row, remedy=remedy)
    return ids
