"""Program search on given column weights: nearest rows, neighbour counts, greedy union (paper, section 3).

Two passes over the groups of join functions. The first finds each query row's nearest reference row under every
function and so the range of thresholds; the second counts the reference rows that lie near those nearest rows, and near
no others. Distances live for one chunk; what stays is one byte a query row and configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.compare import count_neighbourhoods, find_nearest, group_functions
from fuzzyjoin.kernels.greedy import greedy_union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare import AnyJoinFunction, Nearest, WeightedColumns
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt8Array
    from fuzzyjoin.threads import Work

__all__ = ["THRESHOLDS", "UnionFound", "search_unions"]

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


@dataclass(frozen=True)
class Landscape:
    """What the greedy union needs to know under one weighting of the columns.

    `nearest` and `first_step` are (query rows, functions), `neighbours` (query rows, functions, thresholds),
    `thresholds` (functions, thresholds); see `greedy_union`.
    """

    nearest: Int32Array
    first_step: UInt8Array
    neighbours: UInt8Array
    thresholds: Float64Array

    @classmethod
    def empty(cls, rows: int, functions: int) -> Landscape:
        """Nothing known yet: no row has a nearest neighbour."""
        return cls(
            np.full((rows, functions), -1, np.int32),
            np.full((rows, functions), THRESHOLDS, np.uint8),
            np.zeros((rows, functions, THRESHOLDS), np.uint8),
            np.zeros((functions, THRESHOLDS)),
        )

    def set_nearest(self, positions: Sequence[int], nearest: Nearest) -> None:
        """Take in what a group of functions found nearest, and spread its thresholds over the distances."""
        for index, position in enumerate(positions):
            reached = nearest.first[index] >= 0
            distances = nearest.first_distance[index][reached]
            self.thresholds[position] = np.linspace(distances.min(), distances.max(), THRESHOLDS)
            self.nearest[:, position] = nearest.first[index]
            self.first_step[reached, position] = np.searchsorted(self.thresholds[position], distances)

    def set_neighbourhoods(self, positions: Sequence[int], centres: Int64Array, counts: UInt8Array) -> None:
        """Take in the neighbours of the reference rows `centres` (ascending), for a group of functions."""
        for index, position in enumerate(positions):
            reached = self.nearest[:, position] >= 0
            places = np.searchsorted(centres, self.nearest[reached, position])
            self.neighbours[reached, position] = counts[places, index]


def search_unions(
    columns: WeightedColumns,
    functions: Sequence[AnyJoinFunction],
    query_pairs: CandidatePairs,
    reference_pairs: CandidatePairs,
    *,
    precision_target: float,
    work: Work,
) -> list[UnionFound | None]:
    """For each weighting of the columns the union that joins most at the target, or None if no union reaches it.

    `query_pairs` are the candidates of the query rows, `reference_pairs` the neighbours of the reference rows.
    """
    if len(query_pairs) == 0:
        return [None] * len(columns.weightings)
    rows = query_pairs.indptr.size - 1
    landscapes = [Landscape.empty(rows, len(functions)) for _ in columns.weightings]
    for group in group_functions(functions):
        found = find_nearest(columns, group, query_pairs, work)
        for landscape, nearest in zip(landscapes, found, strict=True):
            landscape.set_nearest(group.positions, nearest)
        centres = np.unique(np.concatenate([nearest.first.ravel() for nearest in found])).astype(np.int64)
        centres = centres[centres >= 0]
        radii = [2.0 * landscape.thresholds[list(group.positions)] for landscape in landscapes]
        counts = count_neighbourhoods(columns, group, reference_pairs, centres, radii, work)
        for landscape, count in zip(landscapes, counts, strict=True):
            landscape.set_neighbourhoods(group.positions, centres, count)
    return [_best_union(landscape, precision_target) for landscape in landscapes]


def _best_union(landscape: Landscape, target: float) -> UnionFound | None:
    functions, steps, precisions, joined = greedy_union(
        landscape.nearest, landscape.first_step, landscape.neighbours, target - PATIENCE
    )
    reached = np.flatnonzero(precisions > target)
    if reached.size == 0:
        return None
    last = int(reached[-1])
    chosen = zip(functions[: last + 1].tolist(), steps[: last + 1].tolist(), strict=True)
    return UnionFound(
        tuple((function, float(landscape.thresholds[function, step])) for function, step in chosen),
        float(precisions[last]),
        int(joined[last]),
    )
