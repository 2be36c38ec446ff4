"""Program search on given column weights: nearest rows, ball counts, greedy union (paper, section 3).

Two passes over the groups of join functions. The first finds each query row's nearest reference row under every
function and so the range of thresholds; the second counts how crowded the reference table is around those nearest rows
only. Distances live for one chunk; what stays is one byte a query row and configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.distances import group_functions
from fuzzyjoin.kernels.greedy import greedy_union
from fuzzyjoin.neighbourhoods import count_balls, find_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.distances import WeightedColumns
    from fuzzyjoin.join_functions import AnyJoinFunction
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, UInt8Array
    from fuzzyjoin.threads import Work

__all__ = ["THRESHOLDS", "UnionFound", "search_union"]

THRESHOLDS = 50
"""Thresholds tried for each join function (paper, section 5.1)."""

PATIENCE = 0.05
"""How far below the target the union's precision may fall before the search gives up."""


@dataclass(frozen=True)
class UnionFound:
    """What the search chose for one set of column weights.

    Attributes
    ----------
    configurations
        (position of the join function in the space, threshold), in the order in which they were added.
    precision_estimate
        Estimated precision of the union, in (target, 1].
    joined
        Query rows joined.
    """

    configurations: tuple[tuple[int, float], ...]
    precision_estimate: float
    joined: int

    @property
    def reward(self) -> float:
        """Expected true matches: what forward selection of columns maximises (paper, section 4)."""
        return self.precision_estimate * self.joined


def search_union(
    columns: WeightedColumns,
    functions: Sequence[AnyJoinFunction],
    query_pairs: CandidatePairs,
    reference_pairs: CandidatePairs,
    *,
    precision_target: float,
    work: Work,
) -> UnionFound | None:
    """The union of configurations that joins most at the target, or None if no union reaches it.

    `query_pairs` are the candidates of the query rows, `reference_pairs` the neighbours of the reference rows.
    """
    rows = query_pairs.indptr.size - 1
    nearest = np.full((rows, len(functions)), -1, np.int32)
    first_step = np.full((rows, len(functions)), THRESHOLDS, np.uint8)
    balls = np.zeros((rows, len(functions), THRESHOLDS), np.uint8)
    thresholds = np.zeros((len(functions), THRESHOLDS))
    if len(query_pairs) == 0:
        return None
    for group in group_functions(functions):
        positions = list(group.positions)
        nearest_rows, distances = find_nearest(columns, group, query_pairs, work)[:2]
        joined = nearest_rows[0] >= 0
        for index, position in enumerate(positions):
            reached = distances[index][joined]
            thresholds[position] = np.linspace(reached.min(), reached.max(), THRESHOLDS)
            steps = np.searchsorted(thresholds[position], reached)
            first_step[joined, position] = steps
        nearest[:, positions] = nearest_rows.T
        crowded = np.unique(nearest_rows[:, joined]).astype(np.int64)
        counts = count_balls(columns, group, reference_pairs, crowded, 2.0 * thresholds[positions], work)
        places = np.searchsorted(crowded, nearest_rows[:, joined])
        for index, position in enumerate(positions):
            balls[joined, position] = counts[places[index], index]
    return _greedy(nearest, first_step, balls, thresholds, precision_target)


def _greedy(
    nearest: Int32Array, first_step: UInt8Array, balls: UInt8Array, thresholds: Float64Array, target: float
) -> UnionFound | None:
    functions, steps, precisions, joined = greedy_union(nearest, first_step, balls, target - PATIENCE)
    reached = np.flatnonzero(precisions > target)
    if reached.size == 0:
        return None
    last = int(reached[-1])
    chosen = zip(functions[: last + 1].tolist(), steps[: last + 1].tolist(), strict=True)
    return UnionFound(
        tuple((function, float(thresholds[function, step])) for function, step in chosen),
        float(precisions[last]),
        int(joined[last]),
    )
