"""The nearest candidates of query rows and the crowd around reference rows, for one group of join functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.neighbours import ball_counts, nearest_two
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.distances import FunctionGroup, WeightedColumns
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt8Array
    from fuzzyjoin.threads import Work

__all__ = ["count_balls", "find_nearest"]


def find_nearest(
    columns: WeightedColumns, group: FunctionGroup, pairs: CandidatePairs, work: Work
) -> tuple[Int32Array, Float64Array, Int32Array, Float64Array]:
    """Nearest and second nearest reference row with their distances, each (functions of the group, query rows).

    -1 and inf where there is none.
    """
    columns.prepare(group)

    def search(chunk: Int64Array) -> tuple[Int32Array, Float64Array, Int32Array, Float64Array]:
        distances = columns.distances(group, pairs, chunk, within_reference=False)
        return nearest_two(distances, pairs.indptr, pairs.reference, chunk)

    found = map_chunks(search, np.arange(pairs.indptr.size - 1), work)
    first, first_distance, second, second_distance = zip(*found, strict=True)
    return (
        np.concatenate(first, axis=1),
        np.concatenate(first_distance, axis=1),
        np.concatenate(second, axis=1),
        np.concatenate(second_distance, axis=1),
    )


def count_balls(  # noqa: PLR0917 - the six things a count is made of
    columns: WeightedColumns,
    group: FunctionGroup,
    pairs: CandidatePairs,
    rows: Int64Array,
    radii: Float64Array,
    work: Work,
) -> UInt8Array:
    """Neighbours of reference `rows` (ascending) within each radius, shape (rows, functions of the group, radii)."""

    def count(chunk: Int64Array) -> UInt8Array:
        distances = columns.distances(group, pairs, chunk, within_reference=True)
        return ball_counts(distances, pairs.indptr, chunk, radii)

    return np.concatenate(map_chunks(count, rows, work))
