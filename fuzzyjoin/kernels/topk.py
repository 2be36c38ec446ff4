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
def offer(scores: Float64Array, rows: Int32Array, size: int, score: float, row: int) -> int:
    """Put (score, row) into a heap of `size` entries, in place of the worst if it is full. Returns the new size."""
    if size < scores.size:
        scores[size] = score
        rows[size] = row
        sift_up(scores, rows, size)
        return size + 1
    scores[0] = score
    rows[0] = row
    sift_down(scores, rows, size)
    return size


@kernel
def top_k(
    asked: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    posting_starts: Int64Array,
    posting_rows: Int32Array,
    weights: Float64Array,
    scales: Float64Array,
    k: int,
    exclude_self: bool,
) -> tuple[Int64Array, Int32Array]:
    """The k reference rows with the highest scale · Σ weight(t) · count(t) over the tokens t shared with each row.

    A posting list names a row once for every time that the token occurs in it. Equal scores are ordered by reference
    position, lower first. Only rows with a positive score are candidates. With `exclude_self` row i never meets
    reference row i. Sums run in token order, so a score depends on the two rows only.
    Returns the number of candidates of each of the rows `asked` for, and the candidates, each row's by position.
    """
    vocabulary_size = weights.size
    reference_rows = scales.size
    sums = np.zeros(reference_rows)
    heap_scores = np.empty(k)
    heap_rows = np.empty(k, np.int32)
    sizes = np.zeros(asked.size, np.int64)
    out = np.empty(asked.size * k, np.int32)
    written = 0
    for index in range(asked.size):
        row = asked[index]
        postings = 0
        for position in range(query_indptr[row], query_indptr[row + 1]):
            token = query_ids[position]
            if token >= vocabulary_size:
                break
            weight = weights[token]
            if weight > 0.0:
                postings += posting_starts[token + 1] - posting_starts[token]
                for posting in range(posting_starts[token], posting_starts[token + 1]):
                    sums[posting_rows[posting]] += weight
        if exclude_self:
            sums[row] = 0.0
        size = 0
        if postings > reference_rows:
            for reference in range(reference_rows):
                score = sums[reference] * scales[reference]
                sums[reference] = 0.0
                # Asked here and not in `offer`: most rows fail, and a call costs more than the question.
                if score > 0.0 and (size < k or is_worse(heap_scores[0], heap_rows[0], score, reference)):
                    size = offer(heap_scores, heap_rows, size, score, reference)
        else:
            for position in range(query_indptr[row], query_indptr[row + 1]):
                token = query_ids[position]
                if token >= vocabulary_size:
                    break
                for posting in range(posting_starts[token], posting_starts[token + 1]):
                    reference = posting_rows[posting]
                    score = sums[reference] * scales[reference]
                    sums[reference] = 0.0
                    if score > 0.0 and (size < k or is_worse(heap_scores[0], heap_rows[0], score, reference)):
                        size = offer(heap_scores, heap_rows, size, score, reference)
        out[written : written + size] = np.sort(heap_rows[:size])
        written += size
        sizes[index] = size
    return sizes, out[:written].copy()
