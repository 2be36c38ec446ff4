"""Which columns to compare, with which weights: forward selection (paper, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.compare import WeightedColumns
from fuzzyjoin.search.union_search import THRESHOLDS, search_unions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare import AnyJoinFunction, ColumnTexts
    from fuzzyjoin.search.union_search import UnionFound
    from fuzzyjoin.threads import Work

__all__ = ["select_columns"]

WEIGHTS = np.linspace(0.0, 1.0, 10)[1:-1]
"""Share that the columns chosen so far keep when another is added (paper, section 5.1)."""

MOST_BYTES = 1 << 29
"""Memory that the neighbour counts of one batch of weightings may take."""


def select_columns(
    columns: tuple[ColumnTexts, ...],
    functions: Sequence[AnyJoinFunction],
    query_pairs: CandidatePairs,
    reference_pairs: CandidatePairs,
    *,
    precision_target: float,
    work: Work,
) -> tuple[tuple[float, ...], UnionFound | None]:
    """Add the column and weight that raise the expected true matches most, until none does.

    Returns one weight a column (they sum to 1; 0 for a column left out) and the union found under them, None if no
    column reaches the target (the weights are then even). Ties go to the earlier column, then to the weight that
    leaves the new column less.
    """
    best: UnionFound | None = None
    weights = (0.0,) * len(columns)
    for number in range(len(columns)):
        stage = work.named(f"search, column {number + 1} of up to {len(columns)}")
        round_best: UnionFound | None = None
        round_weights = weights
        for trials in _trials(weights, query_pairs.indptr.size * len(functions)):
            unions = search_unions(
                WeightedColumns(columns, trials),
                functions,
                query_pairs,
                reference_pairs,
                precision_target=precision_target,
                work=stage,
            )
            for trial, union in zip(trials, unions, strict=True):
                if union is not None and (round_best is None or union.reward > round_best.reward):
                    round_best, round_weights = union, trial
        if round_best is None or (best is not None and round_best.reward <= best.reward):
            break
        best, weights = round_best, round_weights
    if best is None:
        return (1.0 / len(columns),) * len(columns), None
    return weights, best


def _trials(weights: tuple[float, ...], size: int) -> Iterator[tuple[tuple[float, ...], ...]]:
    """Weightings to try next, in batches that share distances: each unused column alone, or beside the others.

    `size` is query rows times join functions: a batch is as large as memory allows, down to one weighting.
    """
    shares = WEIGHTS[::-1] if any(weights) else np.zeros(1)
    batch = max(1, MOST_BYTES // (size * THRESHOLDS))
    for column, weight in enumerate(weights):
        if weight > 0.0:
            continue
        trials = [
            tuple(float(1.0 - share if place == column else old * share) for place, old in enumerate(weights))
            for share in shares
        ]
        for start in range(0, len(trials), batch):
            yield tuple(trials[start : start + batch])
