"""Scoring by an ensemble of binary trees, and what each feature adds to a score.

Trees stand one after the other in flat arrays; `roots` says where each begins. A node with `feature` -1 is a leaf.
Otherwise rows with feature value <= threshold go `left`, the others `right` (positions in the arrays). `value` is a
leaf's contribution to the score, and an inner node's the mean of the leaves below it over the training rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array

__all__ = ["path_contributions", "tree_scores"]


@kernel
def tree_scores(
    rows: Float32Array,
    roots: Int64Array,
    feature: Int64Array,
    threshold: Float64Array,
    left: Int64Array,
    right: Int64Array,
    value: Float64Array,
) -> Float64Array:
    """Σ over the trees of the value of the leaf that each row (rows, features) falls into; 0 without trees."""
    scores = np.zeros(rows.shape[0])
    for row in range(rows.shape[0]):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if rows[row, feature[node]] <= threshold[node] else right[node]
            total += value[node]
        scores[row] = total
    return scores


@kernel
def path_contributions(
    rows: Float32Array,
    roots: Int64Array,
    feature: Int64Array,
    threshold: Float64Array,
    left: Int64Array,
    right: Int64Array,
    value: Float64Array,
) -> Float64Array:
    """What each feature adds to each row's score, (rows, features + 1); the last is the mean score.

    Along a path every split moves the mean of the leaves below; the move is the split feature's. A row's contributions
    sum to its score up to rounding.
    """
    features = rows.shape[1]
    out = np.zeros((rows.shape[0], features + 1))
    for row in range(rows.shape[0]):
        for root in roots:
            node = root
            out[row, features] += value[node]
            while feature[node] >= 0:
                child = left[node] if rows[row, feature[node]] <= threshold[node] else right[node]
                out[row, feature[node]] += value[child] - value[node]
                node = child
    return out
