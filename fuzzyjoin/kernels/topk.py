"""Exact top-k over an inverted index, with bounds that spare most of the work.

Sums over shared tokens are first added up as whole numbers that never fall short of the true ones. Only a row whose
number can still reach the k-th best score is scored exactly, from its own tokens. Once that score is known, the lists
of tokens that weigh too little to matter are left out; what they could add counts as added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fuzzyjoin.kernels.csr import sort, widest_step
from fuzzyjoin.kernels.jit import inlined, kernel
from fuzzyjoin.kernels.postings import GROUP, PADDING, block_places, groups_of, place_of

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt16Array, UInt32Array

__all__ = ["Lists", "top_k"]

LARGEST_SUM = 4294967000.0
"""What all tokens of a row add up to in whole numbers: what 32 bits hold, less a little for rounding."""

BELOW = 1.0 - 1e-9
"""Keeps a bound on the safe side of rounding."""

LEFT_OUT = 0.1
"""Share of the least sum that still counts up to which the commonest tokens are left out together.

More would spare more of the lists, but let more rows come to an exact score.
"""


class Lists(NamedTuple):
    """An inverted index: what `top_k` looks up.

    `list_starts` and `postings` are those of `postings.inverted_index`, `row_starts` and `row_tokens` those of
    `occurrences_by_rank`, `most` of `most_in_a_row`. `order` says which reference row has each rank, `scales` are by
    rank, descending, and `group_norms` one over the scale of the first row of every group. `weights` are the tokens'.
    """

    list_starts: Int64Array
    postings: UInt16Array
    row_starts: Int64Array
    row_tokens: Int32Array
    most: Int64Array
    weights: Float64Array
    scales: Float64Array
    group_norms: Float64Array
    order: Int32Array


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


@inlined
def tokens_by_weight(query_ids: Int32Array, list_starts: Int64Array, weights: Float64Array, tokens: Int64Array) -> int:
    """Write the tokens that some row of the block holds and that weigh something, heaviest first; how many there are.

    `list_starts` are those of the block, (vocabulary + 1,).
    """
    size = 0
    for token in query_ids:
        if token < weights.size and weights[token] > 0.0 and list_starts[token + 1] > list_starts[token]:
            tokens[size] = token
            size += 1
    step = widest_step(size)
    while step > 0:
        for end in range(step, size):
            token = tokens[end]
            place = end
            while place >= step and is_worse(
                weights[tokens[place - step]], tokens[place - step], weights[token], token
            ):
                tokens[place] = tokens[place - step]
                place -= step
            tokens[place] = token
        step //= 3
    return size


@inlined
def whole_numbers(
    query_ids: Int32Array,
    tokens: Int64Array,
    most: Int64Array,
    weights: Float64Array,
    units: Int64Array,
    rest: Float64Array,
) -> tuple[float, float]:
    """Write each token's weight as a whole number, rounded up, and what the tokens from each place on add at most.

    Returns how many units are a weight of 1, and how often the row's tokens can occur in a row: a sum of whole numbers
    exceeds the sum of weights, in units, by no more than that.
    """
    occurrences = 0.0
    mass = 0.0
    for token in query_ids:
        if token < weights.size and weights[token] > 0.0:
            occurrences += most[token]
            mass += weights[token] * most[token]
    unit = (LARGEST_SUM - occurrences) / mass
    rest[tokens.size] = 0.0
    for place in range(tokens.size - 1, -1, -1):
        units[place] = np.int64(weights[tokens[place]] * unit) + 1
        rest[place] = rest[place + 1] + float(units[place] * most[tokens[place]])
    return unit, occurrences


@inlined
def add_up(
    tokens: Int64Array, units: Int64Array, list_starts: Int64Array, postings: UInt16Array, sums: UInt32Array
) -> None:
    """Add each token's whole number to the sums of the rows in its list."""
    for place in range(tokens.size):
        step = np.uint32(units[place])
        for posting in postings[list_starts[tokens[place]] : list_starts[tokens[place] + 1]]:
            sums[np.intp(posting)] += step


@inlined
def lay_out(query_ids: Int32Array, weights: Float64Array, weight_of: Float64Array) -> None:
    """Write the weights of a row's tokens to a table that holds 0 for all others."""
    for token in query_ids:
        if token < weights.size:
            weight_of[token] = weights[token]


@inlined
def clear(query_ids: Int32Array, weight_of: Float64Array) -> None:
    """Take a row's tokens from the table again."""
    for token in query_ids:
        if token < weight_of.size:
            weight_of[token] = 0.0


@inlined
def sum_of(tokens: Int32Array, weight_of: Float64Array) -> float:
    """Sum of the weights of some tokens."""
    total = 0.0
    for token in tokens:
        total += weight_of[np.intp(token)]
    return total


@inlined
def keep_best(
    left_out: int,
    sums: UInt32Array,
    largest: UInt32Array,
    rest: float,
    floor: float,
    unit: float,
    norms: Float64Array,
    first: int,
    lists: Lists,
    weight_of: Float64Array,
    scores: Float64Array,
    best: Int32Array,
    size: int,
) -> int:
    """Score the rows of a block exactly that can reach `floor`, and keep the best among the `size` found before.

    `rest` is what the sums lack at most, `floor` a score in units, `norms` one over the scale of the first row of each
    of the block's groups, `first` the rank of its first row, `left_out` a reference row that does not count, or -1.
    Returns how many are kept.
    """
    row_starts, row_tokens, scales, order = lists.row_starts, lists.row_tokens, lists.scales, lists.order
    groups = largest.size - PADDING
    for group in range(norms.size):
        if largest[group] == 0 or float(largest[group]) + rest < floor * norms[group] - 1.0:
            continue
        for offset in range(group * GROUP, min((group + 1) * GROUP, scales.size - first)):
            total = sums[place_of(offset, groups)]
            rank = first + offset
            reference = order[rank]
            if total == 0 or float(total) + rest < floor * norms[group] - 1.0 or reference == left_out:
                continue
            score = sum_of(row_tokens[row_starts[rank] : row_starts[rank + 1]], weight_of) * scales[rank]
            if score > 0.0 and (size < scores.size or is_worse(scores[size - 1], best[size - 1], score, reference)):
                size = insert(scores, best, size, score, reference)
                if size == scores.size:
                    floor = max(floor, scores[size - 1] * unit * BELOW)
    return size


@inlined
def in_order(sizes: Int64Array, rows: Int32Array) -> Int32Array:
    """The first sizes[i] of the rows of each line i, sorted, line after line."""
    total = np.int64(0)
    for size in sizes:
        total += size
    out = np.empty(total, np.int32)
    written = 0
    for index in range(sizes.size):
        for place in range(sizes[index]):
            out[written + place] = rows[index, place]
        sort(out[written : written + sizes[index]])
        written += sizes[index]
    return out


@kernel
def largest_sums(sums: UInt32Array, largest: UInt32Array) -> None:
    """The largest sum of every group, and of the padding."""
    groups = largest.size
    for group in range(groups):
        largest[group] = sums[group]
    for step in range(1, GROUP):
        # Always written to, so that it is compiled into a choice: a branch could not be foreseen.
        for group in range(groups):
            value = sums[step * groups + group]
            largest[group] = max(largest[group], value)


@inlined
def least_of_best(
    largest: UInt32Array, scales: Float64Array, groups: int, occurrences: float, wanted: int, room: Float64Array
) -> float:
    """A score that at least `wanted` of the rows reach, in units of the whole numbers, from the best row of each group.

    `scales` are those of the block's rows. A whole number exceeds the sum it stands for by at most `occurrences`.
    0 where there are fewer groups.
    """
    if groups < wanted:
        return 0.0
    for group in range(groups):
        last = min((group + 1) * GROUP, scales.size) - 1
        score = max(0.0, float(largest[group]) - occurrences) * scales[last]
        if group >= wanted and score <= room[wanted - 1]:
            continue
        place = min(group, wanted - 1)
        while place > 0 and room[place - 1] < score:
            room[place] = room[place - 1]
            place -= 1
        room[place] = score
    return float(room[wanted - 1]) * BELOW


@kernel
def top_k(
    asked: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    lists: Lists,
    k: int,
    left_out: Int64Array,
) -> tuple[Int64Array, Int32Array]:
    """The k reference rows with the highest scale · Σ weight(t) · count(t) over the tokens t shared with each row.

    Equal scores are ordered by reference position, lower first. Only rows with a positive score are candidates.
    `left_out` (asked,) names a reference row that each must not meet, such as itself, or is -1. Weights lie on a grid
    (`text.tokens.on_grid`), so sums are exact and a score depends on the two rows only.
    Returns the number of candidates of each of the rows `asked` for, and the candidates, each row's by position.
    """
    list_starts, postings, group_norms = lists.list_starts, lists.postings, lists.group_norms
    most, weights, scales = lists.most, lists.weights, lists.scales
    vocabulary_size = weights.size
    rows = scales.size
    block_groups = groups_of(rows)
    block_rows = GROUP * block_groups
    longest = 0
    for row in asked:
        longest = max(longest, query_indptr[row + 1] - query_indptr[row])
    tokens = np.empty(longest, np.int64)
    units = np.empty(longest, np.int64)
    rest = np.empty(longest + 1)
    weight_of = np.zeros(vocabulary_size)
    sums = np.zeros(block_places(block_groups), np.uint32)
    largest = np.empty(block_groups + PADDING, np.uint32)
    room = np.empty(k + 1)
    best_scores = np.zeros((asked.size, k))
    best_rows = np.empty((asked.size, k), np.int32)
    sizes = np.zeros(asked.size, np.int64)
    for block in range(-(-rows // block_rows)):
        first = block * block_rows
        last = min(first + block_rows, rows)
        starts = list_starts[block * vocabulary_size : (block + 1) * vocabulary_size + 1]
        groups = -(-(last - first) // GROUP)
        norms = group_norms[block * block_groups : block * block_groups + groups]
        # All rows meet one block before any meets the next: its lists stay near the processor.
        for index in range(asked.size):
            row = asked[index]
            ids = query_ids[query_indptr[row] : query_indptr[row + 1]]
            shared = tokens_by_weight(ids, starts, weights, tokens)
            if shared == 0:
                continue
            unit, occurrences = whole_numbers(ids, tokens[:shared], most, weights, units, rest)
            size = sizes[index]
            scores = best_scores[index]
            # The score to reach, in units; a row needs a sum of at least that times its norm.
            floor = scores[k - 1] * unit * BELOW if size == k else 0.0
            if rest[0] < floor * norms[0] - 1.0:
                continue
            used = shared
            while used > 0 and rest[used - 1] < LEFT_OUT * (floor * norms[0] - 1.0):
                used -= 1
            left = rest[used]
            add_up(tokens[:used], units, starts, postings, sums)
            largest_sums(sums, largest)
            if size < k:
                wanted = k + 1 if left_out[index] >= 0 else k
                floor = least_of_best(largest, scales[first:last], groups, occurrences, wanted, room)
            lay_out(ids, weights, weight_of)
            sizes[index] = keep_best(
                left_out[index],
                sums,
                largest,
                left,
                floor,
                unit,
                norms,
                first,
                lists,
                weight_of,
                scores,
                best_rows[index],
                size,
            )
            sums[:] = 0
            clear(ids, weight_of)
    return sizes, in_order(sizes, best_rows)
