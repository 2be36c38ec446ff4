"""The result of a join, in the caller's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fuzzyjoin.definition.definition import Scorer
from fuzzyjoin.text.text_array import object_array

if TYPE_CHECKING:
    from fuzzyjoin.joining.decide import Decisions
    from fuzzyjoin.kernels.types import Float64Array, Int64Array
    from fuzzyjoin.definition.definition import PrecisionEstimate, Program
    from fuzzyjoin.stopwatch import Stopwatch
    from fuzzyjoin.tables.key_table import KeyTable

__all__ = ["JoinResult", "reference_counts", "result_of"]

TOO_UNSURE = "too unsure: the best candidate scores below the decision threshold"
TOO_FAR = "too far: the nearest candidate lies beyond every threshold"


@dataclass(frozen=True)
class JoinResult:
    """A finished join.

    Attributes
    ----------
    matches
        One row a matched query row, in the order of the query table. `precision_estimate` is the estimated probability
        that this match is right; `configuration` the position in the program of the configuration that joined it, with
        its join function, distance and threshold; `runner_up_id` the second nearest candidate under that join function
        and `margin` how much farther it is. `equal_reference_rows` says how many other reference rows have the very
        values of this one, which has the smallest id of them. `query_text` and `reference_text` are the compared
        values. Where a scorer decides it stands as configuration 0; distance and threshold are then 1 - score and
        1 - cut, scores in (0, 1).
    unmatched
        One row an unmatched query row, with the reason and the candidate that came nearest to being joined.
        `best_probability` is the match probability of that candidate, in [0, 1]; nan where there is none, or where a
        union decides, which estimates it of joined rows alone.
    program
        The program that decided.
    precision_estimate
        Estimated precision of these matches.
    id_columns
        The id columns taken from the reference and the query table.
    counts
        reference_rows, equal_reference_rows (those whose compared values a row before them has too), query_rows,
        matched, unmatched, candidate_pairs.
    seconds
        Seconds a stage.
    warnings
        What the caller should know, one sentence each.
    """

    matches: pd.DataFrame
    unmatched: pd.DataFrame
    program: Program
    precision_estimate: PrecisionEstimate
    id_columns: tuple[str, str]
    counts: dict[str, int]
    seconds: dict[str, float]
    warnings: tuple[str, ...]


def result_of(decisions: Decisions, watch: Stopwatch, warnings: tuple[str, ...] = ()) -> JoinResult:
    """Turn decisions on positions into tables with the caller's ids, in the order of the query table."""
    candidates, found = decisions.candidates, decisions.matches
    with watch.stage("result"):
        order = np.argsort(candidates.query.source_rows, kind="stable")
        matched, unmatched = order[found.joined[order]], order[~found.joined[order]]
        matches = _match_frame(decisions, matched)
        rest = _unmatched_frame(decisions, unmatched)
    return JoinResult(
        matches=matches,
        unmatched=rest,
        program=decisions.program,
        precision_estimate=decisions.estimate,
        id_columns=(candidates.reference.id_column, candidates.query.id_column),
        counts={
            **reference_counts(candidates.reference),
            "query_rows": len(candidates.query),
            "matched": int(matched.size),
            "unmatched": int(unmatched.size),
            "candidate_pairs": len(candidates.query_pairs),
        },
        seconds=dict(watch.seconds),
        warnings=warnings,
    )


def reference_counts(reference: KeyTable) -> dict[str, int]:
    """How many rows the reference table has, and how many of them repeat the compared values of another."""
    rows = reference.rows_in_all
    return {"reference_rows": rows, "equal_reference_rows": rows - reference.distinct_keys()}


def _match_frame(decisions: Decisions, rows: Int64Array) -> pd.DataFrame:
    query, reference, found = decisions.candidates.query, decisions.candidates.reference, decisions.matches
    names, thresholds = _configurations(decisions.program)
    chosen = found.configuration[rows]
    return pd.DataFrame(
        {
            "query_id": query.ids[rows],
            "reference_id": reference.ids[found.reference[rows]],
            "precision_estimate": found.probability[rows],
            "configuration": chosen,
            "join_function": names[chosen],
            "distance": found.distance[rows],
            "threshold": thresholds[chosen],
            "runner_up_id": _ids_or_none(reference, found.runner_up[rows]),
            "runner_up_distance": _finite_or_nan(found.runner_up_distance[rows]),
            "margin": _finite_or_nan(found.runner_up_distance[rows] - found.distance[rows]),
            "equal_reference_rows": reference.equal_rows(found.reference[rows]),
            "query_text": object_array(query.texts(rows)),
            "reference_text": object_array(reference.texts(found.reference[rows])),
        }
    )


def _unmatched_frame(decisions: Decisions, rows: Int64Array) -> pd.DataFrame:
    query, reference, found = decisions.candidates.query, decisions.candidates.reference, decisions.matches
    _, thresholds = _configurations(decisions.program)
    nearest = found.configuration[rows]
    near = nearest >= 0
    nearest_thresholds = np.full(rows.size, np.nan)
    nearest_thresholds[near] = thresholds[nearest[near]]
    return pd.DataFrame(
        {
            "query_id": query.ids[rows],
            "reason": object_array(_reasons(decisions, rows)),
            "best_reference_id": _ids_or_none(reference, found.reference[rows]),
            "best_distance": _finite_or_nan(found.distance[rows]),
            "best_threshold": nearest_thresholds,
            "best_probability": _best_probabilities(decisions, rows),
            "best_configuration": pd.arrays.IntegerArray(nearest.copy(), ~near),
            "query_text": object_array(query.texts(rows)),
            "best_reference_text": object_array(reference.texts(found.reference[rows])),
        }
    )


def _best_probabilities(decisions: Decisions, rows: Int64Array) -> Float64Array:
    found = decisions.matches
    known = isinstance(decisions.program.definition.decision, Scorer) & (found.reference[rows] >= 0)
    return np.where(known, found.probability[rows], np.nan)


def _reasons(decisions: Decisions, rows: Int64Array) -> list[str]:
    before = np.diff(decisions.candidates.query_pairs.indptr)[rows].tolist()
    after = np.diff(decisions.allowed.indptr)[rows].tolist()
    nearest = decisions.matches.configuration[rows].tolist()
    too_far = _too_far(decisions, rows)
    reasons = []
    texts = decisions.candidates.query.texts(rows)
    for row, (text, had, kept, place) in enumerate(zip(texts, before, after, nearest, strict=True)):
        if not text:
            reasons.append("no text in the key columns")
        elif had == 0:
            reasons.append("no candidate: shares nothing that tells reference rows apart")
        elif kept == 0:
            reasons.append("every candidate is ruled out by a negative rule")
        elif place < 0:
            reasons.append("the program joins nothing")
        else:
            reasons.append(too_far[row])
    return reasons


def _too_far(decisions: Decisions, rows: Int64Array) -> list[str]:
    """What to say of each row that has a candidate and is not joined."""
    decision = decisions.program.definition.decision
    if not isinstance(decision, Scorer):
        return [TOO_FAR] * rows.size
    unlikely = f"too unsure: the best candidate's match probability is below {decision.floor:g}"
    probability = decisions.matches.probability[rows].tolist()
    return [unlikely if value < decision.floor else TOO_UNSURE for value in probability]


def _configurations(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """Join function name and threshold of each configuration, as arrays; a scorer counts as one configuration."""
    decision = program.definition.decision
    if isinstance(decision, Scorer):
        cut = np.nan if decision.cut is None else decision.cut
        return object_array([f"scorer {decision.name}"]), np.array([1.0 - cut])
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
