"""The nearest candidate of each row, and how many reference rows lie near it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.bisection import first_not_below
from fuzzyjoin.kernels.jit import kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt8Array

__all__ = ["LARGEST_NEIGHBOURHOOD", "ONE", "nearest_two", "neighbourhood_counts"]

LARGEST_NEIGHBOURHOOD = 254
"""Where counts stop, so that one byte holds them: a match with so many neighbours is hopeless anyhow."""

ONE = 1 << 40
"""Probability 1. As integers in these units probabilities add up exactly, in whatever order."""


@kernel
def nearest_two(
    distances: Float64Array, pair_indptr: Int64Array, pair_reference: Int32Array, rows: Int64Array
) -> tuple[Int32Array, Float64Array, Int32Array, Float64Array]:
    """The nearest and second nearest reference row of each of `rows`, for every row of `distances`.

    `distances` is (functions, pairs of `rows` in order). Candidates are sorted by position, so equal distances go to
    the lower position. Results are (functions, rows): position and distance, -1 and inf where there is no
    such candidate.
    """
    functions = distances.shape[0]
    first = np.full((functions, rows.size), -1, np.int32)
    second = np.full((functions, rows.size), -1, np.int32)
    first_distance = np.full((functions, rows.size), np.inf)
    second_distance = np.full((functions, rows.size), np.inf)
    for function in range(functions):
        place = 0
        for index in range(rows.size):
            start = pair_indptr[rows[index]]
            end = pair_indptr[rows[index] + 1]
            for pair in range(start, end):
                distance = distances[function, place]
                place += 1
                if distance < first_distance[function, index]:
                    second[function, index] = first[function, index]
                    second_distance[function, index] = first_distance[function, index]
                    first[function, index] = pair_reference[pair]
                    first_distance[function, index] = distance
                elif distance < second_distance[function, index]:
                    second[function, index] = pair_reference[pair]
                    second_distance[function, index] = distance
    return first, first_distance, second, second_distance


@kernel
def neighbourhood_counts(
    distances: Float64Array, pair_indptr: Int64Array, rows: Int64Array, radii: Float64Array
) -> UInt8Array:
    """How many reference neighbours of each of `rows` lie within each radius (distance <= radius).

    `distances` is (functions, reference-reference pairs of `rows` in order), `radii` (functions, steps), ascending.
    The result is (rows, functions, steps); counts stop at `LARGEST_NEIGHBOURHOOD`. A row without neighbours gives 0.
    """
    functions, steps = radii.shape
    counts = np.zeros((rows.size, functions, steps), np.uint8)
    histogram = np.zeros(steps + 1, np.int64)
    for function in range(functions):
        place = 0
        for index in range(rows.size):
            histogram[:] = 0
            for _ in range(pair_indptr[rows[index]], pair_indptr[rows[index] + 1]):
                histogram[first_not_below(radii[function], distances[function, place])] += 1
                place += 1
            total = 0
            for step in range(steps):
                total += histogram[step]
                counts[index, function, step] = min(total, LARGEST_NEIGHBOURHOOD)
    return counts
