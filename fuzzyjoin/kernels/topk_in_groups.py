"""Exact top-k within small groups of rows: every row of the group is scored, from its own tokens.

For some hundreds of rows this is faster than looking up lists of rows by token, and needs no lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fuzzyjoin.kernels.jit import kernel
from fuzzyjoin.kernels.topk import clear, in_order, insert, is_worse, lay_out, sum_of

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array

__all__ = ["GroupedRows", "renumbered", "top_k_in_groups"]


class GroupedRows(NamedTuple):
    """Rows side by side with those of their group.

    Group i's rows have the places starts[i] to starts[i + 1]. `row_starts` and `row_tokens` are those of
    `postings.occurrences_by_rank`, by place; `scales` and `order`, which says which reference row stands there, too.
    `weights` are the tokens'.
    """

    starts: Int64Array
    row_starts: Int64Array
    row_tokens: Int32Array
    weights: Float64Array
    scales: Float64Array
    order: Int32Array


@kernel
def top_k_in_groups(
    asked: Int64Array,
    groups: Int64Array,
    left_out: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    grouped: GroupedRows,
    k: int,
) -> tuple[Int64Array, Int32Array]:
    """The k rows of a group with the highest scale · Σ weight(t) · count(t) over the tokens t shared with each row.

    `groups` (asked,) says in which group each of the rows `asked` for looks, `left_out` (asked,) which reference row
    does not count, or -1. Scores, ties and results are those of `topk.top_k` over the rows of the group alone.
    """
    starts, row_starts, row_tokens = grouped.starts, grouped.row_starts, grouped.row_tokens
    weights, scales, order = grouped.weights, grouped.scales, grouped.order
    weight_of = np.zeros(weights.size)
    best_scores = np.zeros((asked.size, k))
    best_rows = np.empty((asked.size, k), np.int32)
    sizes = np.zeros(asked.size, np.int64)
    for index in range(asked.size):
        ids = query_ids[query_indptr[asked[index]] : query_indptr[asked[index] + 1]]
        scores = best_scores[index]
        best = best_rows[index]
        size = 0
        lay_out(ids, weights, weight_of)
        for place in range(starts[groups[index]], starts[groups[index] + 1]):
            reference = order[place]
            if reference == left_out[index]:
                continue
            score = sum_of(row_tokens[row_starts[place] : row_starts[place + 1]], weight_of) * scales[place]
            if score > 0.0 and (size < k or is_worse(scores[size - 1], best[size - 1], score, reference)):
                size = insert(scores, best, size, score, reference)
        clear(ids, weight_of)
        sizes[index] = size
    return sizes, in_order(sizes, best_rows)


@kernel
def renumbered(
    rows: Int64Array, indptr: Int64Array, ids: Int32Array, number_of: Int32Array
) -> tuple[Int64Array, Int32Array]:
    """The tokens of some rows by other numbers, in their order; those whose number is -1, or beyond all, are left out.

    Row i's tokens are ids[indptr[i]:indptr[i + 1]]. Returns row offsets and numbers.
    """
    starts = np.zeros(rows.size + 1, np.int64)
    room = np.int64(0)
    for row in rows:
        room += indptr[row + 1] - indptr[row]
    numbers = np.empty(room, np.int32)
    size = np.int64(0)
    for index in range(rows.size):
        for place in range(indptr[rows[index]], indptr[rows[index] + 1]):
            if ids[place] < number_of.size and number_of[ids[place]] >= 0:
                numbers[size] = number_of[ids[place]]
                size += 1
        starts[index + 1] = size
    return starts, numbers[:size].copy()
