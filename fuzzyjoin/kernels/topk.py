"""Exact top-k over an inverted index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array

__all__ = ["top_k"]


@kernel
def is_worse(score: float, row: int, other_score: float, other_row: int) -> bool:
    """Whether (score, row) ranks after the other: a lower score, or the same score and a later row."""
    return score < other_score or (score == other_score and row > other_row)


@kernel
def sift_down(scores: Float64Array, rows: Int32Array, size: int) -> None:
    """Restore the heap (worst entry on top) after its first entry was replaced."""
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            return
        if child + 1 < size and is_worse(scores[child + 1], rows[child + 1], scores[child], rows[child]):
            child += 1
        if is_worse(scores[parent], rows[parent], scores[child], rows[child]):
            return
        scores[parent], scores[child] = scores[child], scores[parent]
        rows[parent], rows[child] = rows[child], rows[parent]
        parent = child


@kernel
def sift_up(scores: Float64Array, rows: Int32Array, place: int) -> None:
    """Restore the heap (worst entry on top) after an entry was added at `place`."""
    while place > 0:
        parent = (place - 1) // 2
        if is_worse(scores[parent], rows[parent], scores[place], rows[place]):
            return
        scores[parent], scores[place] = scores[place], scores[parent]
        rows[parent], rows[place] = rows[place], rows[parent]
        place = parent


@kernel
def top_k(
    rows: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    posting_starts: Int64Array,
    posting_rows: Int32Array,
    posting_values: Float64Array,
    reference_rows: int,
    k: int,
    exclude_self: bool,
) -> tuple[Int64Array, Int32Array]:
    """The k reference rows with the highest Σ posting value over the tokens shared with each query row.

    Equal scores are ordered by reference position, lower first. Only rows with a positive score are candidates. With
    `exclude_self` row i never meets reference row i. Scores add up in token order, so they depend on the two rows only.
    Returns the number of candidates of each of `rows`, and the candidates, each query row's sorted by position.
    """
    vocabulary_size = posting_starts.size - 1
    scores = np.zeros(reference_rows)
    touched = np.empty(reference_rows, np.int32)
    heap_scores = np.empty(k)
    heap_rows = np.empty(k, np.int32)
    sizes = np.zeros(rows.size, np.int64)
    out = np.empty(rows.size * k, np.int32)
    written = 0
    for index in range(rows.size):
        row = rows[index]
        touched_size = 0
        for position in range(query_indptr[row], query_indptr[row + 1]):
            token = query_ids[position]
            if token >= vocabulary_size:
                break
            for posting in range(posting_starts[token], posting_starts[token + 1]):
                value = posting_values[posting]
                if value > 0.0:
                    reference = posting_rows[posting]
                    if scores[reference] == 0.0:
                        touched[touched_size] = reference
                        touched_size += 1
                    scores[reference] += value
        size = 0
        for place in range(touched_size):
            reference = touched[place]
            score = scores[reference]
            scores[reference] = 0.0
            if exclude_self and reference == row:
                continue
            if size < k:
                heap_scores[size] = score
                heap_rows[size] = reference
                size += 1
                sift_up(heap_scores, heap_rows, size - 1)
            elif is_worse(heap_scores[0], heap_rows[0], score, reference):
                heap_scores[0] = score
                heap_rows[0] = reference
                sift_down(heap_scores, heap_rows, size)
        out[written : written + size] = np.sort(heap_rows[:size])
        written += size
        sizes[index] = size
    return sizes, out[:written].copy()
