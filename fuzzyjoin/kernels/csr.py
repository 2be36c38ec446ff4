"""Token sets as compressed sparse rows: making them, their weights, merging them.

A row's tokens are sorted by id and unique, with their counts beside them. Ids below the size of the vocabulary are
tokens of the reference table; ids from there on are tokens that it never saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import inlined, kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt32Array

__all__ = [
    "document_frequency",
    "join_rows",
    "ngram_keys",
    "row_weights",
    "rows_of_two",
    "sort",
    "sorted_counts",
    "weighted_counts",
    "widest_step",
]

SHORT = 48
"""Values up to which plain insertion sorts fastest."""


@kernel
def ngram_keys(code_points: UInt32Array, offsets: Int64Array, marker: int) -> tuple[Int64Array, Int64Array]:
    """Character 3-grams of every string, each packed into one integer.

    key = (a << 42) | (b << 21) | c for three consecutive code points of the string with two markers at each end.
    The packing is exact: a code point takes at most 21 bits. A string of n > 0 characters has n + 2 grams; an empty
    string has none. Returns the keys of all strings in order, and where each string's keys begin.
    """
    rows = offsets.size - 1
    indptr = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        length = offsets[row + 1] - offsets[row]
        indptr[row + 1] = indptr[row] + (length + 2 if length > 0 else 0)
    keys = np.empty(indptr[rows], np.int64)
    for row in range(rows):
        if indptr[row + 1] == indptr[row]:
            continue
        first = np.int64(marker)
        second = np.int64(marker)
        place = indptr[row]
        for position in range(offsets[row], offsets[row + 1]):
            third = np.int64(code_points[position])
            keys[place] = (first << 42) | (second << 21) | third
            place += 1
            first = second
            second = third
        keys[place] = (first << 42) | (second << 21) | np.int64(marker)
        keys[place + 1] = (second << 42) | (np.int64(marker) << 21) | np.int64(marker)
    return keys, indptr


@inlined
def widest_step(size: int) -> int:
    """The first of Shell's steps 1, 4, 13, 40, ... for an array of `size` values; 1 for a short one."""
    step = 1
    while size > SHORT and step < size // 9:
        step = 3 * step + 1
    return step


@kernel
def sort(values: Int32Array) -> None:
    """Sort an array in place, by Shell's method: for a few dozen values plain insertion.

    numba's own sort takes twenty times as long to compile.
    """
    step = widest_step(values.size)
    while step > 0:
        for end in range(step, values.size):
            value = values[end]
            place = end
            while place >= step and values[place - step] > value:
                values[place] = values[place - step]
                place -= step
            values[place] = value
        step //= 3


@kernel
def sorted_counts(tokens: Int32Array, indptr: Int64Array) -> tuple[Int32Array, Int32Array, Int64Array]:
    """Sort each row's tokens and fold repeats into counts.

    Returns ids (sorted and unique within a row), counts and row offsets. An empty row stays empty.
    """
    rows = indptr.size - 1
    ids = np.empty(tokens.size, np.int32)
    counts = np.empty(tokens.size, np.int32)
    out_indptr = np.zeros(rows + 1, np.int64)
    place = 0
    for row in range(rows):
        ordered = tokens[indptr[row] : indptr[row + 1]].copy()
        sort(ordered)
        start = place
        for token in ordered:
            if place > start and ids[place - 1] == token:
                counts[place - 1] += 1
            else:
                ids[place] = token
                counts[place] = 1
                place += 1
        out_indptr[row + 1] = place
    return ids[:place].copy(), counts[:place].copy(), out_indptr


@kernel
def document_frequency(ids: Int32Array, vocabulary_size: int) -> Int64Array:
    """Rows in which each token occurs (ids are unique within a row, so occurrences are rows)."""
    frequency = np.zeros(vocabulary_size, np.int64)
    for token in ids:
        frequency[token] += 1
    return frequency


@kernel
def row_weights(
    indptr: Int64Array, ids: Int32Array, counts: Int32Array, weights: Float64Array, unseen: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Sum of weights Σw and sum of squares Σ(w·count)² of each row, for every weighting.

    `weights` is (weightings, vocabulary); `unseen` (weightings,) is the weight of ids beyond the vocabulary. Sums run
    in id order, the order in which `set_distances` meets the same tokens, so that equal sets give equal sums.
    Both results are (weightings, rows); an empty row gives 0.
    """
    weightings, vocabulary_size = weights.shape
    rows = indptr.size - 1
    sums = np.zeros((weightings, rows))
    squares = np.zeros((weightings, rows))
    for weighting in range(weightings):
        for row in range(rows):
            total = 0.0
            square = 0.0
            for place in range(indptr[row], indptr[row + 1]):
                token = ids[place]
                weight = weights[weighting, token] if token < vocabulary_size else unseen[weighting]
                weighted = weight * counts[place]
                total += weight
                square += weighted * weighted
            sums[weighting, row] = total
            squares[weighting, row] = square
    return sums, squares


@kernel
def weighted_counts(indptr: Int64Array, ids: Int32Array, counts: Int32Array, weights: Float64Array) -> Float64Array:
    """Σ weight·count of each row, of tokens within the vocabulary; an empty row gives 0."""
    sums = np.zeros(indptr.size - 1)
    for row in range(sums.size):
        for place in range(indptr[row], indptr[row + 1]):
            sums[row] += weights[ids[place]] * counts[place]
    return sums


@kernel
def join_rows(
    rows: Int64Array,
    left_indptr: Int64Array,
    left_ids: Int32Array,
    left_counts: Int32Array,
    left_size: int,
    right_indptr: Int64Array,
    right_ids: Int32Array,
    right_counts: Int32Array,
    right_size: int,
) -> tuple[Int64Array, Int32Array, Int32Array]:
    """Merge the two token sets of each of `rows` (ascending) into one, in id order; all other rows come out empty.

    The right vocabulary, of `right_size` tokens, goes behind the left one, of `left_size`, and tokens beyond the left
    one go behind both. Assumes that no id stands on both sides then. Returns row offsets, ids, counts.
    """
    indptr = np.zeros(left_indptr.size, np.int64)
    for row in rows:
        indptr[row + 1] = left_indptr[row + 1] - left_indptr[row] + right_indptr[row + 1] - right_indptr[row]
    for row in range(indptr.size - 1):
        indptr[row + 1] += indptr[row]
    ids = np.empty(indptr[-1], np.int32)
    counts = np.empty(indptr[-1], np.int32)
    for row in rows:
        place = indptr[row]
        i = left_indptr[row]
        j = right_indptr[row]
        while i < left_indptr[row + 1] or j < right_indptr[row + 1]:
            left = right = np.int32(0)
            if i < left_indptr[row + 1]:
                left = left_ids[i] if left_ids[i] < left_size else left_ids[i] + np.int32(right_size)
            if j < right_indptr[row + 1]:
                right = right_ids[j] + np.int32(left_size)
            if j == right_indptr[row + 1] or (i < left_indptr[row + 1] and left < right):
                ids[place] = left
                counts[place] = left_counts[i]
                i += 1
            else:
                ids[place] = right
                counts[place] = right_counts[j]
                j += 1
            place += 1
    return indptr, ids, counts


@kernel
def rows_of_two(
    indptr: Int64Array, values: np.ndarray, other_indptr: Int64Array, other_values: np.ndarray, rows: Int64Array
) -> tuple[Int64Array, np.ndarray]:
    """Rows of two tables, one below the other, in the order of `rows`: positions in the first, then in the second.

    A row is values[indptr[i]:indptr[i + 1]]; both tables' values have one dtype. Returns row offsets and values. A row
    can be left out or taken twice; an empty row stays empty.
    """
    own = indptr.size - 1
    out_indptr = np.zeros(rows.size + 1, np.int64)
    for place in range(rows.size):
        row = rows[place]
        size = indptr[row + 1] - indptr[row] if row < own else other_indptr[row - own + 1] - other_indptr[row - own]
        out_indptr[place + 1] = out_indptr[place] + size
    out = np.empty(out_indptr[rows.size], values.dtype)
    for place in range(rows.size):
        row = rows[place]
        start = out_indptr[place]
        if row < own:
            for position in range(indptr[row], indptr[row + 1]):
                out[start] = values[position]
                start += 1
        else:
            for position in range(other_indptr[row - own], other_indptr[row - own + 1]):
                out[start] = other_values[position]
                start += 1
    return out_indptr, out
