"""Which columns to compare, with which weights: forward selection (paper, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.distances import WeightedColumns
from fuzzyjoin.search import search_union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.distances import ColumnTexts
    from fuzzyjoin.join_functions import AnyJoinFunction
    from fuzzyjoin.search import UnionFound
    from fuzzyjoin.threads import Work

__all__ = ["select_columns"]

WEIGHTS = np.linspace(0.0, 1.0, 10)[1:-1]
"""Share that the columns chosen so far keep when another is added (paper, section 5.1)."""


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
    weights = np.zeros(len(columns))
    for number in range(len(columns)):
        round_best: UnionFound | None = None
        round_weights = weights
        for trial in _trials(weights, first=number == 0):
            found = search_union(
                WeightedColumns(columns, tuple(trial.tolist())),
                functions,
                query_pairs,
                reference_pairs,
                precision_target=precision_target,
                work=work.named(f"search, column {number + 1} of up to {len(columns)}"),
            )
            if found is not None and (round_best is None or found.reward > round_best.reward):
                round_best, round_weights = found, trial
        if round_best is None or (best is not None and round_best.reward <= best.reward):
            break
        best, weights = round_best, round_weights
    if best is None:
        return tuple([1.0 / len(columns)] * len(columns)), None
    return tuple(weights.tolist()), best


def _trials(weights: np.ndarray, *, first: bool) -> list[np.ndarray]:
    """Weights to try next: each column alone at first, then each unused column at eight shares beside the others."""
    trials = []
    for column in np.flatnonzero(weights == 0.0):
        for share in (0.0,) if first else WEIGHTS[::-1]:
            trial = weights * share
            trial[column] = 1.0 - share
            trials.append(trial)
    return trials
