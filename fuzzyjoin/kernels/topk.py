"""Exact top-k over an inverted index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.csr import insertion_sort
from fuzzyjoin.kernels.jit import inlined, kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array, Int64Array

__all__ = ["top_k"]


@inlined
def is_worse(score: float, row: int, other_score: float, other_row: int) -> bool:
    """Whether (score, row) ranks after the other: a lower score, or the same score and a later row."""
    return score < other_score or (score == other_score and row > other_row)


@inlined
def insert(scores: Float64Array, rows: Int32Array, size: int, score: float, row: int) -> int:
    """Put (score, row) in its place among the first `size` entries, best first; a full list loses its last.

    For a few dozen entries shifting beats a heap, whose every step is a branch that cannot be foreseen.
    Returns the new size.
    """
    place = min(size, scores.size - 1)
    while place > 0 and is_worse(scores[place - 1], rows[place - 1], score, row):
        scores[place] = scores[place - 1]
        rows[place] = rows[place - 1]
        place -= 1
    scores[place] = score
    rows[place] = row
    return min(size + 1, scores.size)


@kernel
def top_k(
    asked: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    list_starts: Int64Array,
    list_rows: Int32Array,
    common: BoolArray,
    weights: Float64Array,
    scales: Float64Array,
    k: int,
    exclude_self: bool,
) -> tuple[Int64Array, Int32Array]:
    """The k reference rows with the highest scale · Σ weight(t) · count(t) over the tokens t shared with each row.

    The lists are those of `inverted_index`: a common token's weight is given to all rows at once and taken back from
    the few that lack it. Equal scores are ordered by reference position, lower first. Only rows with a positive score
    are candidates. With `exclude_self` row i never meets reference row i. Weights lie on a grid
    (`fuzzyjoin.tokens.on_grid`), so sums are exact and a score depends on the two rows only.
    Returns the number of candidates of each of the rows `asked` for, and the candidates, each row's by position.
    """
    vocabulary_size = weights.size
    reference_rows = scales.size
    sums = np.zeros(reference_rows)
    touched = np.empty(reference_rows + 1, np.int32)
    best_scores = np.empty(k)
    best_rows = np.empty(k, np.int32)
    sizes = np.zeros(asked.size, np.int64)
    out = np.empty(asked.size * k, np.int32)
    written = 0
    for index in range(asked.size):
        row = asked[index]
        end = query_indptr[row]
        listed = 0
        given_to_all = 0.0
        while end < query_indptr[row + 1] and query_ids[end] < vocabulary_size:
            token = query_ids[end]
            listed += list_starts[token + 1] - list_starts[token]
            if common[token]:
                given_to_all += weights[token]
            end += 1
        many = listed > reference_rows or given_to_all > 0.0
        reached = 0
        for position in range(query_indptr[row], end):
            token = query_ids[position]
            weight = weights[token]
            if many:
                extra = vocabulary_size + token
                for place in range(list_starts[extra], list_starts[extra + 1]):
                    sums[list_rows[place]] += weight
                weight = -weight if common[token] else weight
                for place in range(list_starts[token], list_starts[token + 1]):
                    sums[list_rows[place]] += weight
            else:
                for place in range(list_starts[token], list_starts[token + 1]):
                    reference = list_rows[place]
                    # Written always, kept if the row is new: whether it is new no processor can foresee.
                    touched[reached] = reference
                    reached += sums[reference] == 0.0
                    sums[reference] += weight
        if exclude_self:
            sums[row] = -given_to_all
        size = 0
        for place in range(reference_rows if many else reached):
            reference = place if many else int(touched[place])
            score = (sums[reference] + given_to_all) * scales[reference]
            sums[reference] = 0.0
            if score > 0.0 and (size < k or is_worse(best_scores[k - 1], best_rows[k - 1], score, reference)):
                size = insert(best_scores, best_rows, size, score, reference)
        out[written : written + size] = best_rows[:size]
        insertion_sort(out[written : written + size])
        written += size
        sizes[index] = size
    return sizes, out[:written].copy()
