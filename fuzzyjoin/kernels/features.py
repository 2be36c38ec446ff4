"""Features of a candidate: the tokens of the pair, its place among its rivals and its nearest reference neighbours.

A row's tokens are ids; ids from the size of the vocabulary on are tokens that the reference table never saw. Rows that
ask can be reference rows themselves: what such a row adds to the document frequencies is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.bisection import first_above
from fuzzyjoin.kernels.jit import kernel
from fuzzyjoin.kernels.set_distances import cosine, jaccard, one_minus_ratio

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array

__all__ = ["SET_FEATURES", "among_rivals", "nearest_neighbours", "neighbour_features", "set_features"]

SET_FEATURES = ("jaccard", "cosine", "uniform jaccard", "query outside", "reference outside")
"""Rows of `set_features`."""


@kernel
def set_features(
    rows: Int64Array,
    pair_indptr: Int64Array,
    pair_reference: Int32Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    query_counts: Int32Array,
    reference_indptr: Int64Array,
    reference_ids: Int32Array,
    reference_counts: Int32Array,
    frequency: Int64Array,
    weights: Float64Array,
    left_out: int,
) -> Float64Array:
    """Distances of `SET_FEATURES` for each of `rows` and its candidates, (5, pairs of `rows` in order).

    `weights[f]` is the IDF of a token in f reference rows. Every token of a row counts `left_out` rows less: 1 where
    the rows are reference rows themselves, else 0.
    IDF Jaccard and cosine, uniform Jaccard, and the share of each side's IDF mass that the other lacks, each in [0, 1];
    1 where a side weighs nothing.
    """
    vocabulary_size = frequency.size
    total = 0
    for row in rows:
        total += pair_indptr[row + 1] - pair_indptr[row]
    out = np.empty((5, total))
    count_of = np.zeros(vocabulary_size, np.int32)
    place = 0
    for row in rows:
        x = 0.0
        x_square = 0.0
        query_start = query_indptr[row]
        query_end = query_indptr[row + 1]
        for position in range(query_start, query_end):
            token = query_ids[position]
            seen_in = np.int64(0)
            if token < vocabulary_size:
                count_of[token] = query_counts[position]
                seen_in = frequency[token] - left_out
            weight = weights[seen_in]
            x += weight
            x_square += (weight * query_counts[position]) ** 2
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            reference = pair_reference[pair]
            y = 0.0
            y_square = 0.0
            common = 0.0
            dot = 0.0
            shared = 0
            for position in range(reference_indptr[reference], reference_indptr[reference + 1]):
                token = reference_ids[position]
                count = count_of[token]
                if count > 0:
                    weight = weights[frequency[token] - left_out]
                    shared += 1
                    common += weight
                    dot += weight * weight * float(count) * float(reference_counts[position])
                else:
                    weight = weights[frequency[token]]
                y += weight
                y_square += (weight * reference_counts[position]) ** 2
            sizes = query_end - query_start + reference_indptr[reference + 1] - reference_indptr[reference]
            out[0, place] = jaccard(common, x, y)
            out[1, place] = cosine(dot, x_square, y_square)
            out[2, place] = one_minus_ratio(float(shared), float(sizes - shared))
            out[3, place] = one_minus_ratio(common, x)
            out[4, place] = one_minus_ratio(common, y)
            place += 1
        for position in range(query_start, query_end):
            if query_ids[position] < vocabulary_size:
                count_of[query_ids[position]] = 0
    return out


@kernel
def among_rivals(distances: Float64Array, sizes: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Each candidate's lead over its rivals under every distance, and three summaries over the distances.

    `distances` is (distances, pairs), the pairs of one row side by side, `sizes` (rows,) says how many. The lead is the
    smallest distance among the other candidates minus the candidate's own: positive for the nearest, 0 for a tie, 1
    where there is no other. The summaries (3, pairs): the share of distances under which no other is nearer, the mean
    share of other candidates that are nearer, the mean lead.
    """
    kinds, pairs = distances.shape
    leads = np.empty((kinds, pairs))
    summary = np.zeros((3, pairs))
    for kind in range(kinds):
        start = 0
        for size in sizes:
            first = np.inf
            second = np.inf
            for pair in range(start, start + size):
                value = distances[kind, pair]
                if value < first:
                    second = first
                    first = value
                elif value < second:
                    second = value
            for pair in range(start, start + size):
                value = distances[kind, pair]
                if size == 1:
                    lead = 1.0
                elif value == first:
                    lead = second - value
                else:
                    lead = first - value
                leads[kind, pair] = lead
                summary[0, pair] += value == first
                summary[2, pair] += lead
                nearer = 0
                for other in range(start, start + size):
                    nearer += distances[kind, other] < value
                summary[1, pair] += nearer / max(size - 1, 1)
            start += size
    for kind in range(summary.shape[0]):
        for pair in range(pairs):
            summary[kind, pair] /= kinds
    return leads, summary


@kernel
def nearest_neighbours(
    distances: Float64Array, rows: Int64Array, pair_indptr: Int64Array, pair_reference: Int32Array, kept: int
) -> tuple[Float64Array, Int32Array]:
    """The `kept` smallest distances of each of `rows` to its neighbours, ascending, and whose they are.

    `distances` is (kinds, pairs of `rows` in order). Results are (rows, kinds, kept); inf and -1 where there are fewer.
    """
    kinds = distances.shape[0]
    nearest = np.full((rows.size, kinds, kept), np.inf)
    names = np.full((rows.size, kinds, kept), -1, np.int32)
    start = 0
    for index in range(rows.size):
        size = pair_indptr[rows[index] + 1] - pair_indptr[rows[index]]
        for kind in range(kinds):
            found = 0
            for offset in range(size):
                value = distances[kind, start + offset]
                if found == kept and value >= nearest[index, kind, kept - 1]:
                    continue
                place = min(found, kept - 1)
                while place > 0 and nearest[index, kind, place - 1] > value:
                    nearest[index, kind, place] = nearest[index, kind, place - 1]
                    names[index, kind, place] = names[index, kind, place - 1]
                    place -= 1
                nearest[index, kind, place] = value
                names[index, kind, place] = pair_reference[pair_indptr[rows[index]] + offset]
                found = min(found + 1, kept)
        start += size
    return nearest, names


@kernel
def neighbour_features(
    distances: Float64Array,
    asked: Int64Array,
    sizes: Int64Array,
    references: Int64Array,
    nearest: Float64Array,
    names: Int32Array,
    usual: Float64Array,
    is_self_join: bool,
) -> Float64Array:
    """How a pair's distance compares with the distances inside the reference table, (3 · kinds, pairs).

    For every kind: distance / (distance + distance of the candidate to its own nearest neighbour, 1 at most); how many
    neighbours of the candidate lie within twice the distance, at most one less than `nearest` keeps, which is how many
    are known without the asking row; the share of reference rows whose nearest neighbour is at most as far as the
    distance. `references` are places in `nearest`, `usual` (kinds, sample) the ascending distances to the nearest
    neighbour. In a self-join the asking rows, themselves reference rows, are nobody's neighbour.
    """
    kinds, pairs = distances.shape
    kept = nearest.shape[2]
    out = np.empty((3 * kinds, pairs))
    pair = 0
    for index in range(asked.size):
        for _ in range(sizes[index]):
            for kind in range(kinds):
                value = distances[kind, pair]
                first = np.inf
                within = 0
                for place in range(kept):
                    if is_self_join and names[references[pair], kind, place] == asked[index]:
                        continue
                    other = nearest[references[pair], kind, place]
                    first = min(first, other)
                    within += other <= 2.0 * value
                first = min(first, 1.0)
                out[3 * kind, pair] = value / (value + first) if value + first > 0.0 else 0.5
                out[3 * kind + 1, pair] = min(within, kept - 1)
                out[3 * kind + 2, pair] = first_above(usual[kind], value) / max(usual.shape[1], 1)
            pair += 1
    return out
