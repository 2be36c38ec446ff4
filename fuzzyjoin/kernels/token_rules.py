"""Negative rules: pairs of tokens that tell two rows apart (paper, section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.bisection import first_not_below
from fuzzyjoin.kernels.jit import inlined, kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Int32Array, Int64Array

__all__ = ["differing_token_pairs", "forbidden_pairs"]


@kernel
def difference(left: Int32Array, right: Int32Array, left_only: Int32Array, right_only: Int32Array) -> tuple[int, int]:
    """Write the tokens found on one side only; both inputs sorted. Returns how many there are on each side."""
    i = 0
    j = 0
    lefts = 0
    rights = 0
    while i < left.size and j < right.size:
        if left[i] == right[j]:
            i += 1
            j += 1
        elif left[i] < right[j]:
            left_only[lefts] = left[i]
            lefts += 1
            i += 1
        else:
            right_only[rights] = right[j]
            rights += 1
            j += 1
    while i < left.size:
        left_only[lefts] = left[i]
        lefts += 1
        i += 1
    while j < right.size:
        right_only[rights] = right[j]
        rights += 1
        j += 1
    return lefts, rights


@kernel
def longest_row(indptr: Int64Array) -> int:
    """Tokens in the longest row; 0 for no rows."""
    longest = 0
    for row in range(indptr.size - 1):
        longest = max(longest, indptr[row + 1] - indptr[row])
    return longest


@kernel
def differing_token_pairs(
    pair_indptr: Int64Array, pair_reference: Int32Array, indptr: Int64Array, ids: Int32Array, vocabulary_size: int
) -> Int64Array:
    """Token pairs (a, b), a < b, as a * vocabulary_size + b, of reference pairs that differ in just these two.

    Only rows of more than one token speak: two one-word names that differ are simply two names.
    """
    longest = longest_row(indptr)
    left_only = np.empty(longest, np.int32)
    right_only = np.empty(longest, np.int32)
    out = np.empty(pair_reference.size, np.int64)
    size = 0
    for row in range(pair_indptr.size - 1):
        left = ids[indptr[row] : indptr[row + 1]]
        if left.size < 2:  # noqa: PLR2004 - a row of one token
            continue
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            other = pair_reference[pair]
            right = ids[indptr[other] : indptr[other + 1]]
            if right.size != left.size:
                continue
            lefts, rights = difference(left, right, left_only, right_only)
            if lefts == 1 and rights == 1:
                low = np.int64(min(left_only[0], right_only[0]))
                high = np.int64(max(left_only[0], right_only[0]))
                out[size] = low * vocabulary_size + high
                size += 1
    return out[:size].copy()


@inlined
def mark(tokens: Int32Array, size: int, marked: BoolArray, value: int) -> None:
    """Mark those of the first `size` tokens that are in the vocabulary with 1, or unmark them with 0."""
    for i in range(size):
        if tokens[i] < marked.size:
            marked[tokens[i]] = bool(value)


@kernel
def forbidden_pairs(
    pair_indptr: Int64Array,
    pair_reference: Int32Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    reference_indptr: Int64Array,
    reference_ids: Int32Array,
    rules: Int64Array,
    vocabulary_size: int,
) -> BoolArray:
    """Whether any two differing tokens of a query-reference pair stand in `rules` (sorted, as above)."""
    longest = max(longest_row(query_indptr), longest_row(reference_indptr))
    query_only = np.empty(longest, np.int32)
    reference_only = np.empty(longest, np.int32)
    lacked = np.zeros((2, vocabulary_size), np.bool_)
    out = np.zeros(pair_reference.size, np.bool_)
    for row in range(pair_indptr.size - 1):
        query = query_ids[query_indptr[row] : query_indptr[row + 1]]
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            other = pair_reference[pair]
            reference = reference_ids[reference_indptr[other] : reference_indptr[other + 1]]
            queries, references = difference(query, reference, query_only, reference_only)
            # Looked up pair by pair, or for long texts one rule after the other: whichever are fewer.
            if queries * references > rules.size:
                mark(query_only, queries, lacked[0], 1)
                mark(reference_only, references, lacked[1], 1)
                for rule in rules:
                    low = rule // vocabulary_size
                    high = rule % vocabulary_size
                    if (lacked[0, low] and lacked[1, high]) or (lacked[1, low] and lacked[0, high]):
                        out[pair] = True
                        break
                mark(query_only, queries, lacked[0], 0)
                mark(reference_only, references, lacked[1], 0)
                continue
            for i in range(queries):
                if query_only[i] >= vocabulary_size:
                    break
                for j in range(references):
                    low = np.int64(min(query_only[i], reference_only[j]))
                    high = np.int64(max(query_only[i], reference_only[j]))
                    rule = low * vocabulary_size + high
                    found = first_not_below(rules, rule)
                    if found < rules.size and rules[found] == rule:
                        out[pair] = True
                        break
                if out[pair]:
                    break
    return out
