"""The program's own estimate of the matches that are audited: the figure that joining them states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fuzzyjoin.compare import Tally
from fuzzyjoin.definition import CustomFunctionName, PrecisionEstimate, Scorer
from fuzzyjoin.errors import DataError
from fuzzyjoin.index import Matcher, query_table, whole_estimate
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzzyjoin.joining import Decisions
    from fuzzyjoin.kernels.types import Float64Array
    from fuzzyjoin.program import Program
    from fuzzyjoin.tables import KeyTable

__all__ = ["BATCH_ROWS", "own_estimate"]

BATCH_ROWS: Final = 50_000
"""Query rows joined at a time, to bound the memory."""


def own_estimate(
    program: Program,
    tables: tuple[KeyTable, KeyTable],
    frames: tuple[pd.DataFrame, pd.DataFrame],
    matches: pd.DataFrame,
) -> tuple[PrecisionEstimate, tuple[str, ...]]:
    """The program's own estimate of some matches, and what the caller should know of it.

    A scorer's estimate is made of the probabilities of the matches. A union's estimate is not their mean: every pair
    that some configuration joins counts, and the matches do not hold those pairs. So their query rows are joined again.

    Parameters
    ----------
    program
        The program that joined.
    tables
        Reference and query table as the program looks at them.
    frames
        The same tables as they were given.
    matches
        Rows of the join's result: all of them, or some.

    Returns
    -------
    PrecisionEstimate
        What joining these query rows states; without a value where that cannot be told.
    tuple of str
        Why it has no value.

    Raises
    ------
    DataError
        If matches holds a probability that is no number.
    """
    probability = _probabilities(matches)
    if isinstance(program.definition.decision, Scorer):
        return (PrecisionEstimate() if probability is None else whole_estimate(program, (), [probability])), ()
    if _needs_own_parts(program):
        return _of_learning(program, tables, matches)
    return _joined_again(program, tables, frames, matches)


def _probabilities(matches: pd.DataFrame) -> Float64Array | None:
    if "precision_estimate" not in matches.columns:
        return None
    probability = np.asarray(pd.to_numeric(matches["precision_estimate"], errors="coerce"), np.float64)
    if np.isnan(probability).any():
        raise DataError(
            "matches: column 'precision_estimate' has a cell that is not a number",
            argument="matches",
            column="precision_estimate",
            remedy="give the table that join or apply wrote",
        )
    return probability


def _needs_own_parts(program: Program) -> bool:
    """Whether the program needs a blocker or a join function of the user's."""
    decision = program.definition.decision
    custom = not isinstance(decision, Scorer) and any(
        isinstance(part.join_function, CustomFunctionName) for part in decision.configurations
    )
    return custom or program.definition.blocking.k is None


def _of_learning(
    program: Program, tables: tuple[KeyTable, KeyTable], matches: pd.DataFrame
) -> tuple[PrecisionEstimate, tuple[str, ...]]:
    """The estimate of learning, where these are the matches that it was made of."""
    record = program.learning_record
    if record and record.query_sample is None and record.joined == len(matches):
        learned_on = [record.reference.fingerprint, record.query.fingerprint]
        if learned_on == [table.fingerprint() for table in tables]:
            return record.precision_estimate, ()
    unknown = (
        "the program needs parts of your own, so its estimate for these matches is not known here: give "
        "precision_estimate, as JoinResult holds it"
    )
    return PrecisionEstimate(), (unknown,)


def _joined_again(
    program: Program,
    tables: tuple[KeyTable, KeyTable],
    frames: tuple[pd.DataFrame, pd.DataFrame],
    matches: pd.DataFrame,
) -> tuple[PrecisionEstimate, tuple[str, ...]]:
    given = {
        as_text(query_id): as_text(reference_id)
        for query_id, reference_id in zip(matches["query_id"], matches["reference_id"], strict=True)
    }
    places = np.sort(tables[1].source_rows[tables[1].positions(pd.Series(list(given), dtype=object), "matches")])
    matcher = Matcher.over(program, frames[0], id=tables[0].id_column)
    tallies, found = [], dict[str, str]()
    for start in range(0, places.size, BATCH_ROWS):
        rows = frames[1].iloc[places[start : start + BATCH_ROWS]]
        table, _ = query_table(program, rows, tables[1].id_column)
        decisions = matcher.decide(table, Stopwatch())
        tallies.append(decisions.matches.tally or Tally(0, 0))
        found.update(_pairs(decisions))
    return _unless_otherwise(whole_estimate(program, tallies, ()), given, found)


def _pairs(decisions: Decisions) -> dict[str, str]:
    query, reference, found = decisions.candidates.query, decisions.candidates.reference, decisions.matches
    joined = np.flatnonzero(found.joined)
    return {
        as_text(query_id): as_text(reference_id)
        for query_id, reference_id in zip(query.ids[joined], reference.ids[found.reference[joined]], strict=True)
    }


def _unless_otherwise(
    estimate: PrecisionEstimate, given: Mapping[str, str], found: Mapping[str, str]
) -> tuple[PrecisionEstimate, tuple[str, ...]]:
    """The estimate, unless the program joins the rows otherwise: then it says nothing of these matches."""
    other = sorted(query_id for query_id, reference_id in given.items() if found.get(query_id) != reference_id)
    if not other:
        return estimate, ()
    unknown = (
        f"the program joins {len(other)} of these {len(given)} query rows otherwise than matches says, such as "
        f"{other[0]!r}, so it has no estimate for them; to compare the labels with one, give the program and the "
        "tables that made the matches"
    )
    return PrecisionEstimate(), (unknown,)
