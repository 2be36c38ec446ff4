"""The eight set distances of the paper (section 3.1) from one pass over two token sets.

With X and Y the token sets, w a weight a token, I = Σw over X∩Y, x = Σw over X, y = Σw over Y, U = x + y - I, and for
the cosine the vectors w·count with dot product and squared norms. Every distance lies in [0, 1]. A denominator of zero
(an empty set, or tokens that all weigh nothing) gives 1: nothing is known to agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, Pairs, WeightedSets

__all__ = ["SET_DISTANCE_CODES", "bag_distances", "set_distances"]

JACCARD, COSINE, DICE, MAX_INCLUSION, INTERSECT, CONTAIN_JACCARD, CONTAIN_COSINE, CONTAIN_DICE = range(8)

SET_DISTANCE_CODES = {
    "jaccard": JACCARD,
    "cosine": COSINE,
    "dice": DICE,
    "max-inclusion": MAX_INCLUSION,
    "intersect": INTERSECT,
    "contain-jaccard": CONTAIN_JACCARD,
    "contain-cosine": CONTAIN_COSINE,
    "contain-dice": CONTAIN_DICE,
}


@kernel
def one_minus_ratio(numerator: float, denominator: float) -> float:
    """1 - numerator / denominator, kept in [0, 1]; 1 where the denominator is zero."""
    if denominator <= 0.0:
        return 1.0
    return max(0.0, 1.0 - numerator / denominator)


@kernel
def jaccard(common: float, x: float, y: float) -> float:
    """1 - I / U."""
    return one_minus_ratio(common, x + y - common)


@kernel
def dice(common: float, x: float, y: float) -> float:
    """1 - 2I / (I + U); I + U = x + y."""
    return one_minus_ratio(2.0 * common, x + y)


@kernel
def intersect(common: float, x: float, y: float) -> float:
    """1 - I / (I + U): a half at best."""
    return one_minus_ratio(common, x + y)


@kernel
def max_inclusion(common: float, x: float, y: float) -> float:
    """1 - I / min(x, y)."""
    return one_minus_ratio(common, min(x, y))


@kernel
def cosine(dot: float, x_square: float, y_square: float) -> float:
    """1 - dot / (|X| |Y|); one root of the product makes equal vectors exactly 0."""
    return one_minus_ratio(dot, np.sqrt(x_square * y_square))


@kernel
def set_distances(
    pairs: Pairs,
    rows: Int64Array,
    queries: WeightedSets,
    references: WeightedSets,
    weights: Float64Array,
    wanted_weighting: Int64Array,
    wanted_distance: Int64Array,
) -> Float64Array:
    """Distances of each of `rows` to its candidate reference rows, one output row a wanted distance.

    Output columns follow the order of the pairs, row after row. The query row's tokens are laid out in a table once,
    then each candidate's tokens are looked up in it: the same sums in the same order as a merge of the two sorted
    lists, without its branches.
    Assumes ids sorted and unique within a row, and `weights` of shape (weightings, vocabulary of the reference).
    """
    query_indptr, query_ids, query_counts, query_sums, query_squares = queries
    reference_indptr, reference_ids, reference_counts, reference_sums, reference_squares = references
    weightings, vocabulary_size = weights.shape
    total_pairs = 0
    for row in rows:
        total_pairs += pairs.indptr[row + 1] - pairs.indptr[row]
    out = np.empty((wanted_distance.size, total_pairs), np.float64)
    count_of = np.zeros(vocabulary_size, np.int32)
    common = np.zeros(weightings)
    dot = np.zeros(weightings)
    place = 0
    for row in rows:
        query_start = query_indptr[row]
        query_end = query_indptr[row + 1]
        for position in range(query_start, query_end):
            if query_ids[position] < vocabulary_size:
                count_of[query_ids[position]] = query_counts[position]
        for pair in range(pairs.indptr[row], pairs.indptr[row + 1]):
            reference = pairs.reference[pair]
            reference_start = reference_indptr[reference]
            reference_end = reference_indptr[reference + 1]
            shared = 0
            for weighting in range(weightings):
                common[weighting] = 0.0
                dot[weighting] = 0.0
            for position in range(reference_start, reference_end):
                token = reference_ids[position]
                count = count_of[token]
                if count != 0:
                    shared += 1
                    product = float(count) * float(reference_counts[position])
                    for weighting in range(weightings):
                        weight = weights[weighting, token]
                        common[weighting] += weight
                        dot[weighting] += weight * weight * product
            contained = shared == min(query_end - query_start, reference_end - reference_start)
            for index in range(wanted_distance.size):
                weighting = wanted_weighting[index]
                kind = wanted_distance[index]
                x = query_sums[weighting, row]
                y = reference_sums[weighting, reference]
                if kind >= CONTAIN_JACCARD and not contained:
                    distance = 1.0
                elif kind in (JACCARD, CONTAIN_JACCARD):
                    distance = jaccard(common[weighting], x, y)
                elif kind in (COSINE, CONTAIN_COSINE):
                    distance = cosine(
                        dot[weighting], query_squares[weighting, row], reference_squares[weighting, reference]
                    )
                elif kind in (DICE, CONTAIN_DICE):
                    distance = dice(common[weighting], x, y)
                elif kind == MAX_INCLUSION:
                    distance = max_inclusion(common[weighting], x, y)
                else:
                    distance = intersect(common[weighting], x, y)
                out[index, place] = distance
            place += 1
        for position in range(query_start, query_end):
            if query_ids[position] < vocabulary_size:
                count_of[query_ids[position]] = 0
    return out


@kernel
def bag_distances(
    queries: Int64Array,
    references: Int64Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    query_counts: Int32Array,
    reference_indptr: Int64Array,
    reference_ids: Int32Array,
    reference_counts: Int32Array,
) -> tuple[Float64Array, Float64Array]:
    """Two distances of the counted tokens of queries[i] and references[i], each (pairs,).

    With x and y the numbers of tokens and I = Σ min(count, count): 1 - I / (x + y - I) and 1 - I / min(x, y). Assumes
    that ids ascend within a row. A row without tokens is at 1; no pairs give two empty arrays.
    """
    disjoint = np.empty(queries.size)
    outside = np.empty(queries.size)
    for pair in range(queries.size):
        i = query_indptr[queries[pair]]
        j = reference_indptr[references[pair]]
        query_end = query_indptr[queries[pair] + 1]
        reference_end = reference_indptr[references[pair] + 1]
        x = 0.0
        for place in range(i, query_end):
            x += query_counts[place]
        y = 0.0
        for place in range(j, reference_end):
            y += reference_counts[place]
        common = 0.0
        while i < query_end and j < reference_end:
            if query_ids[i] == reference_ids[j]:
                common += min(query_counts[i], reference_counts[j])
                i += 1
                j += 1
            elif query_ids[i] < reference_ids[j]:
                i += 1
            else:
                j += 1
        disjoint[pair] = jaccard(common, x, y)
        outside[pair] = max_inclusion(common, x, y)
    return disjoint, outside
