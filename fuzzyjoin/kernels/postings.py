"""An inverted index laid out for scoring every row of a table by the tokens that it shares with another row.

Rows are ranked by their scale, largest first. `GROUP` ranks in a row are a group, `groups_of(rows)` groups a block, and
the sums of a block stay in the processor's cache. A row's place among them is such that the same step through all
groups is one pass over neighbouring places (`place_of`): the largest sum of every group is then found many at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import inlined, kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Int32Array, Int64Array, UInt16Array

__all__ = [
    "GROUP",
    "block_places",
    "groups_of",
    "inverted_index",
    "most_in_a_row",
    "occurrences_by_rank",
    "place_of",
]

GROUP = 32

MOST_GROUPS = 2016
"""Groups of a block, at most: the places of its rows fit into 16 bits."""

PADDING = 16
"""Places left free after one row of each group, without which the rows of a group would share one line of the cache."""


@inlined
def groups_of(rows: int) -> int:
    """Groups of a block of a table of so many rows: all, in multiples of 32, or `MOST_GROUPS`."""
    return min(MOST_GROUPS, max(1, -(-rows // (32 * GROUP))) * 32)


@inlined
def place_of(offset: int, groups: int) -> int:
    """Place of the row that stands so many ranks after the first of its block."""
    return (offset % GROUP) * (groups + PADDING) + offset // GROUP


@inlined
def block_places(groups: int) -> int:
    """Places of a block."""
    return GROUP * (groups + PADDING)


@kernel
def occurrences_by_rank(
    order: Int32Array,
    left_indptr: Int64Array,
    left_ids: Int32Array,
    left_counts: Int32Array,
    left_size: int,
    right_indptr: Int64Array,
    right_ids: Int32Array,
    right_counts: Int32Array,
) -> tuple[Int64Array, Int32Array]:
    """The tokens of the rows in the given order, each as often as it occurs: row offsets and tokens.

    A row's tokens are two sets; those of the right vocabulary go behind the left one, of `left_size` tokens. An empty
    row stays empty.
    """
    starts = np.zeros(order.size + 1, np.int64)
    for rank in range(order.size):
        row = order[rank]
        size = np.int64(0)
        for position in range(left_indptr[row], left_indptr[row + 1]):
            size += left_counts[position]
        for position in range(right_indptr[row], right_indptr[row + 1]):
            size += right_counts[position]
        starts[rank + 1] = starts[rank] + size
    tokens = np.empty(starts[order.size], np.int32)
    place = 0
    for row in order:
        for position in range(left_indptr[row], left_indptr[row + 1]):
            for _ in range(left_counts[position]):
                tokens[place] = left_ids[position]
                place += 1
        for position in range(right_indptr[row], right_indptr[row + 1]):
            for _ in range(right_counts[position]):
                tokens[place] = right_ids[position] + left_size
                place += 1
    return starts, tokens


@kernel
def inverted_index(starts: Int64Array, tokens: Int32Array, vocabulary_size: int) -> tuple[Int64Array, UInt16Array]:
    """Turn rows of tokens, sorted within a row, into lists of places, each in row order.

    List block · vocabulary_size + token names every row of the block that holds the token, once for every time that it
    occurs. Returns the offsets of the lists and the places in them; without rows there is no list.
    """
    rows = starts.size - 1
    groups = groups_of(rows)
    block_rows = GROUP * groups
    blocks = -(-rows // block_rows)
    list_starts = np.zeros(blocks * vocabulary_size + 1, np.int64)
    for row in range(rows):
        first = row // block_rows * vocabulary_size
        for position in range(starts[row], starts[row + 1]):
            list_starts[first + tokens[position] + 1] += 1
    for place in range(blocks * vocabulary_size):
        list_starts[place + 1] += list_starts[place]
    free = list_starts[:-1].copy()
    postings = np.empty(tokens.size, np.uint16)
    for row in range(rows):
        first = row // block_rows * vocabulary_size
        for position in range(starts[row], starts[row + 1]):
            listed = first + tokens[position]
            postings[free[listed]] = place_of(row % block_rows, groups)
            free[listed] += 1
    return list_starts, postings


@kernel
def most_in_a_row(starts: Int64Array, tokens: Int32Array, vocabulary_size: int) -> Int64Array:
    """The largest number of times that each token occurs in one row; tokens are sorted within a row."""
    most = np.zeros(vocabulary_size, np.int64)
    for row in range(starts.size - 1):
        times = 0
        for position in range(starts[row], starts[row + 1]):
            again = position > starts[row] and tokens[position] == tokens[position - 1]
            times = times + 1 if again else 1
            most[tokens[position]] = max(most[tokens[position]], times)
    return most
