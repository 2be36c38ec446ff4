"""What was decided, as tables in the caller's ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fuzzyjoin.definition import Scorer
from fuzzyjoin.joining.pair_decisions import SOMEBODY
from fuzzyjoin.text import object_array

if TYPE_CHECKING:
    from fuzzyjoin.compare import Candidates
    from fuzzyjoin.definition import Definition
    from fuzzyjoin.joining.decide import Decisions
    from fuzzyjoin.joining.pair_decisions import DecidedRows
    from fuzzyjoin.kernels.types import Float64Array, Int64Array
    from fuzzyjoin.tables import KeyTable

__all__ = ["join_counts", "match_table", "not_considered", "reference_counts", "row_bands", "unmatched_table"]

A_PERSON = "a person"
"""What stands in the place of a join function where a person decided."""

DECIDED = "a person decided that it has no match"

ACCEPT, REVIEW, REJECT = "accept", "review", "reject"

TOO_UNSURE = "too unsure: the best candidate scores below the decision threshold"
TOO_FAR = "too far: the nearest candidate lies beyond every threshold"


def reference_counts(reference: KeyTable) -> dict[str, int]:
    """How many rows the reference table has, and how many of them repeat the compared values of another."""
    rows = reference.rows_in_all
    return {"reference_rows": rows, "equal_reference_rows": rows - reference.distinct_keys()}


def join_counts(decisions: Decisions) -> dict[str, int]:
    """How many rows there are of each kind, and candidate pairs (see `JoinResult.counts`)."""
    candidates, matched = decisions.candidates, decisions.joined
    to_review = int((row_bands(decisions) == REVIEW).sum())
    decided = np.empty(0, np.int64) if decisions.decided is None else decisions.decided.reference
    pinned, forbidden = int((decided >= 0).sum()), int((decided < 0).sum())
    return {
        **reference_counts(candidates.reference),
        "query_rows": len(candidates.query),
        "matched": matched,
        "unmatched": len(candidates.query) - matched,
        "review": to_review,
        "pinned": pinned,
        "forbidden": forbidden,
        "candidate_pairs": len(candidates.query_pairs),
    }


def _rows(decisions: Decisions, *, joined: bool) -> Int64Array:
    """Positions of the query rows that are joined, or are not, in the order of the caller's table."""
    order: Int64Array = np.argsort(decisions.candidates.query.source_rows, kind="stable")
    rows: Int64Array = order[decisions.matches.joined[order] == joined]
    return rows


def match_table(decisions: Decisions) -> pd.DataFrame:
    """One row a matched query row, in the order of the query table (see `JoinResult.matches`)."""
    rows = _rows(decisions, joined=True)
    query, reference, found = decisions.candidates.query, decisions.candidates.reference, decisions.matches
    names, thresholds = _configurations(decisions.definition)
    # The last of these is -1, a person.
    names, thresholds = np.append(names, A_PERSON), np.append(thresholds, np.nan)
    chosen = found.configuration[rows]
    ids = reference.ids[found.reference[rows]]
    if decisions.decided is not None:
        ids = _ids_as_decided(decisions.decided, rows, ids)
    table = pd.DataFrame(
        {
            "query_id": query.ids[rows],
            "reference_id": ids,
            "precision_estimate": found.probability[rows],
            "configuration": chosen,
            "join_function": names[chosen],
            "distance": _finite_or_nan(found.distance[rows]),
            "threshold": thresholds[chosen],
            "runner_up_id": _ids_or_none(reference, found.runner_up[rows]),
            "runner_up_distance": _finite_or_nan(found.runner_up_distance[rows]),
            "margin": _finite_or_nan(found.runner_up_distance[rows] - found.distance[rows]),
            "equal_reference_rows": reference.equal_rows(found.reference[rows]),
            "query_text": object_array(query.texts(rows)),
            "reference_text": object_array(reference.texts(found.reference[rows])),
        }
    )
    return _with_people(table, decisions.decided, rows)


def unmatched_table(decisions: Decisions) -> pd.DataFrame:
    """One row an unmatched query row, in the order of the query table (see `JoinResult.unmatched`)."""
    rows = _rows(decisions, joined=False)
    query, reference, found = decisions.candidates.query, decisions.candidates.reference, decisions.matches
    _, thresholds = _configurations(decisions.definition)
    nearest = found.configuration[rows]
    near = nearest >= 0
    nearest_thresholds = np.full(rows.size, np.nan)
    nearest_thresholds[near] = thresholds[nearest[near]]
    table = pd.DataFrame(
        {
            "query_id": query.ids[rows],
            "reason": object_array(_reasons(decisions, rows)),
            "band": row_bands(decisions)[rows],
            "best_reference_id": _ids_or_none(reference, found.reference[rows]),
            "best_distance": _finite_or_nan(found.distance[rows]),
            "best_threshold": nearest_thresholds,
            "best_probability": _best_probabilities(decisions, rows),
            "best_configuration": pd.arrays.IntegerArray(nearest.copy(), ~near),
            "query_text": object_array(query.texts(rows)),
            "best_reference_text": object_array(reference.texts(found.reference[rows])),
        }
    )
    return _with_people(table, decisions.decided, rows)


def _with_people(table: pd.DataFrame, decided: DecidedRows | None, rows: Int64Array) -> pd.DataFrame:
    """The table with who decided on each of these query rows, when and why, missing where nobody did."""
    if decided is None:
        return table
    of_row = dict(zip(decided.rows.tolist(), decided.lines, strict=True))
    lines = [of_row.get(row) for row in rows.tolist()]
    told: dict[str, list[Any]] = {
        name: [line and getattr(line, name) for line in lines] for name in ("by", "when", "why")
    }
    # Never empty: in a file that would read as if nobody had decided.
    told["by"] = [line and (line.by or SOMEBODY) for line in lines]
    return table.assign(**{f"decided_{name}": object_array(values) for name, values in told.items()})


def _ids_as_decided(decided: DecidedRows, rows: Int64Array, ids: np.ndarray) -> np.ndarray:
    """The reference ids of these query rows; of equal reference rows a person can mean another than the first."""
    named = dict(zip(decided.rows.tolist(), decided.reference_ids, strict=True))
    found = np.empty(rows.size, object)
    found[:] = [named.get(row, id_) for row, id_ in zip(rows.tolist(), ids, strict=True)]
    return found


def row_bands(decisions: Decisions) -> np.ndarray:
    """The band of every query row: "accept", "review" or "reject"; None for all where a union decides.

    Accepted is what the program joins; bands change nothing of that.
    """
    decision, found = decisions.definition.decision, decisions.matches
    if not isinstance(decision, Scorer):
        return np.full(found.joined.size, None, object)
    likely = (found.reference >= 0) & (found.probability >= decision.review_probability)
    if decisions.decided is not None:
        likely[decisions.decided.rows] = False
    return np.where(found.joined, ACCEPT, np.where(likely, REVIEW, REJECT)).astype(object)


def _best_probabilities(decisions: Decisions, rows: Int64Array) -> Float64Array:
    found = decisions.matches
    known = isinstance(decisions.definition.decision, Scorer) & (found.reference[rows] >= 0)
    return np.where(known, found.probability[rows], np.nan)


def _reasons(decisions: Decisions, rows: Int64Array) -> list[str]:
    before = np.diff(decisions.candidates.query_pairs.indptr)[rows].tolist()
    after = np.diff(decisions.allowed.indptr)[rows].tolist()
    nearest = decisions.matches.configuration[rows].tolist()
    too_far = _too_far(decisions, rows)
    reasons = []
    decided = np.zeros(len(decisions.candidates.query), np.bool_)
    if decisions.decided is not None:
        decided = decisions.decided.mask(decided.size)
    texts, not_considered = decisions.candidates.query.texts(rows), _not_considered(decisions.candidates, rows)
    for row, (text, had, kept, place) in enumerate(zip(texts, before, after, nearest, strict=True)):
        if decided[rows[row]]:
            reasons.append(DECIDED)
        elif not text:
            reasons.append("no text in the key columns")
        elif row in not_considered:
            reasons.append(not_considered[row])
        elif had == 0:
            reasons.append("no candidate: shares nothing that tells reference rows apart")
        elif kept == 0:
            reasons.append("every candidate is ruled out by a negative rule")
        elif place < 0:
            reasons.append("the program joins nothing")
        else:
            reasons.append(too_far[row])
    return reasons


def _not_considered(candidates: Candidates, rows: Int64Array) -> dict[int, str]:
    """What to say, by place in `rows`, of rows that no reference row equals in the columns that must be equal."""
    if candidates.query_groups is None:
        return {}
    alone = np.flatnonzero(candidates.query_groups[rows] < 0).tolist()
    return {place: not_considered(candidates, int(rows[place])) for place in alone}


def not_considered(candidates: Candidates, row: int) -> str:
    """Why a query row has no reference row to be compared with, where columns must be equal."""
    query = candidates.query
    empty = [name for name, column in zip(query.rule_names, query.rule_columns, strict=True) if not column[row]]
    if empty:
        return f"not considered: {' and '.join(empty)} {'is empty' if len(empty) == 1 else 'are empty'}"
    return f"not considered: no reference row has the same {' and '.join(query.rule_names)}"


def _too_far(decisions: Decisions, rows: Int64Array) -> list[str]:
    """What to say of each row that has a candidate and is not joined."""
    decision = decisions.definition.decision
    if not isinstance(decision, Scorer):
        return [TOO_FAR] * rows.size
    unlikely = f"too unsure: the best candidate's match probability is below {decision.floor:g}"
    probability = decisions.matches.probability[rows].tolist()
    return [unlikely if value < decision.floor else TOO_UNSURE for value in probability]


def _configurations(definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Join function name and threshold of each configuration, as arrays; a scorer counts as one configuration."""
    decision = definition.decision
    if isinstance(decision, Scorer):
        threshold = np.nan if decision.threshold is None else decision.threshold
        return object_array([f"scorer {decision.name}"]), np.array([1.0 - threshold])
    parts = decision.configurations
    return object_array([part.function_name for part in parts]), np.array(
        [part.threshold for part in parts], np.float64
    )


def _ids_or_none(reference: KeyTable, positions: Int64Array) -> np.ndarray:
    ids = np.empty(positions.size, dtype=object)
    present = positions >= 0
    ids[present] = reference.ids[positions[present]]
    return ids


def _finite_or_nan(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
