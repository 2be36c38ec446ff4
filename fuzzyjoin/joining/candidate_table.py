"""The best candidates of every query row with their match probabilities, as a table in the caller's ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fuzzyjoin.errors import UsageError
from fuzzyjoin.joining.result_tables import row_bands
from fuzzyjoin.text import object_array

if TYPE_CHECKING:
    from fuzzyjoin.joining.decide import Decisions
    from fuzzyjoin.scoring import CandidateProbabilities

__all__ = ["CANDIDATE_COLUMNS", "candidate_table", "pair_probabilities", "require_top"]


CANDIDATE_COLUMNS: Final = (
    "query_id",
    "rank",
    "reference_id",
    "probability",
    "no_match_probability",
    "band",
    "equal_reference_rows",
    "query_text",
    "reference_text",
)


def require_top(top: int | None, *, by_scorer: bool) -> None:
    """Check how many candidates a row the caller wants listed.

    Raises
    ------
    UsageError
        If it is no whole number of 1 or more, or where a union of configurations decides.
    """
    if top is None:
        return
    # A bool is a number too.
    if type(top) is not int or top < 1:
        raise UsageError(f"top is {top!r}; expected how many candidates a row to list, 1 or more")
    if not by_scorer:
        raise UsageError(
            f"top is {top}, but a union of configurations decides, which has no match probabilities; leave top out, or "
            "learn with method auto without a space"
        )


def pair_probabilities(decisions: Decisions) -> CandidateProbabilities:
    """The match probabilities of all candidate pairs; the scores must have been kept."""
    from fuzzyjoin.scoring import Adjustment, candidate_probabilities  # noqa: PLC0415 - unions do without its kernels

    best, definition = decisions.best, decisions.definition
    if best is None or best.pair_scores is None:
        raise TypeError("the scores of the pairs were not kept; decide with pair_scores")
    added = Adjustment.from_json(definition.adjustment).of(best.features, best.score)
    scores = best.pair_scores + np.repeat(added, np.diff(decisions.allowed.indptr))
    return candidate_probabilities(decisions.allowed, scores, np.array(definition.probabilities))


def candidate_table(decisions: Decisions, top: int) -> pd.DataFrame:
    """One row a candidate, at most `top` a query row, best first, in the order of the query table."""
    found, pairs = pair_probabilities(decisions), decisions.allowed
    query, reference = decisions.candidates.query, decisions.candidates.reference
    row = np.repeat(np.arange(len(query)), np.diff(pairs.indptr))
    listed = np.flatnonzero(found.rank <= top)
    listed = listed[np.lexsort((found.rank[listed], query.source_rows[row[listed]]))]
    row, candidate = row[listed], pairs.reference[listed].astype(np.int64)
    columns = (
        query.ids[row],
        found.rank[listed],
        reference.ids[candidate],
        found.probability[listed],
        found.no_match[row],
        row_bands(decisions)[row],
        reference.equal_rows(candidate),
        object_array(query.texts(row)),
        object_array(reference.texts(candidate)),
    )
    return pd.DataFrame(dict(zip(CANDIDATE_COLUMNS, columns, strict=True)))
