"""The nearest candidates of query rows and the neighbourhoods of reference rows, for one group of join functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fuzzyjoin.kernels.neighbours import nearest_two, neighbourhood_counts
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare.distances import FunctionGroup, WeightedColumns
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt8Array
    from fuzzyjoin.threads import Work

__all__ = ["Nearest", "count_neighbourhoods", "find_nearest"]


class Nearest(NamedTuple):
    """Nearest and second nearest reference row and their distances, each (functions of the group, query rows).

    -1 and inf where there is none.
    """

    first: Int32Array
    first_distance: Float64Array
    second: Int32Array
    second_distance: Float64Array


def find_nearest(columns: WeightedColumns, group: FunctionGroup, pairs: CandidatePairs, work: Work) -> list[Nearest]:
    """What lies nearest to every query row, for each weighting of the columns."""
    columns.prepare(group)

    def search(chunk: Int64Array) -> list[Nearest]:
        return [
            Nearest(*nearest_two(distances, pairs.indptr, pairs.reference, chunk))
            for distances in columns.distances(group, pairs, chunk, within_reference=False)
        ]

    chunks = map_chunks(search, np.arange(pairs.indptr.size - 1), work)
    return [
        Nearest(*(np.concatenate(parts, axis=1) for parts in zip(*weighting, strict=True)))
        for weighting in zip(*chunks, strict=True)
    ]


def count_neighbourhoods(  # noqa: PLR0917 - the six things a count is made of
    columns: WeightedColumns,
    group: FunctionGroup,
    pairs: CandidatePairs,
    rows: Int64Array,
    radii: Sequence[Float64Array],
    work: Work,
) -> list[UInt8Array]:
    """Neighbours of reference `rows` (ascending) within each radius, for each weighting of the columns.

    `radii` are one array (functions of the group, steps) a weighting; the results are (rows, functions, steps).
    """

    def count(chunk: Int64Array) -> list[UInt8Array]:
        weighted = columns.distances(group, pairs, chunk, within_reference=True)
        return [
            neighbourhood_counts(distances, pairs.indptr, chunk, steps)
            for distances, steps in zip(weighted, radii, strict=True)
        ]

    return [np.concatenate(parts) for parts in zip(*map_chunks(count, rows, work), strict=True)]
