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
    from fuzzyjoin.kernels.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt8Array

__all__ = ["highest_scores", "lay_out", "path_contributions", "tree_scores"]


TOGETHER = 16
"""Rows that go down a tree in step: while one waits for a node to arrive the others go on."""


@kernel
def lay_out(
    roots: Int64Array,
    feature: Int64Array,
    threshold: Float64Array,
    left: Int64Array,
    right: Int64Array,
    value: Float64Array,
) -> tuple[Int64Array, Int64Array, UInt8Array, Float32Array, Int32Array, Float64Array]:
    """The same trees with both children of a node side by side, for `tree_scores`.

    Returns roots, depths, and for every node: feature, threshold, left child, value. A threshold becomes the largest
    32-bit number that is not above it, which tells 32-bit values apart as the threshold did. A leaf is its own left
    child and has an infinite threshold, so that a row that has come to it stays. Assumes at most 256 features, and
    children behind their parent.
    """
    nodes = feature.size
    place = np.zeros(nodes, np.int64)
    level = np.zeros(nodes, np.int64)
    new_roots = np.empty(roots.size, np.int64)
    depths = np.zeros(roots.size, np.int64)
    new_feature = np.zeros(nodes, np.uint8)
    new_threshold = np.full(nodes, np.inf, np.float32)
    first = np.empty(nodes, np.int32)
    for node in range(nodes):
        first[node] = node
    new_value = np.zeros(nodes)
    waiting = np.empty(nodes, np.int64)
    free = 0
    for tree in range(roots.size):
        waiting[0] = roots[tree]
        place[roots[tree]] = free
        level[roots[tree]] = 0
        new_roots[tree] = free
        free += 1
        known = 1
        taken = 0
        while taken < known:
            node = waiting[taken]
            taken += 1
            here = place[node]
            new_value[here] = value[node]
            depths[tree] = max(depths[tree], level[node])
            if feature[node] < 0:
                continue
            new_feature[here] = feature[node]
            below = np.float32(threshold[node])
            new_threshold[here] = np.nextafter(below, np.float32(-np.inf)) if below > threshold[node] else below
            first[here] = free
            for child in (left[node], right[node]):
                place[child] = free
                level[child] = level[node] + 1
                waiting[known] = child
                known += 1
                free += 1
    return new_roots, depths, new_feature, new_threshold, first, new_value


@kernel
def tree_scores(
    rows: Float32Array,
    roots: Int64Array,
    depths: Int64Array,
    feature: UInt8Array,
    threshold: Float32Array,
    first: Int32Array,
    value: Float64Array,
) -> Float64Array:
    """Σ over the trees of the value of the leaf that each row (rows, features) falls into; 0 without trees.

    The trees are as `lay_out` gives them; `rows` hold numbers.
    """
    scores = np.zeros(rows.shape[0])
    block = np.zeros((TOGETHER, rows.shape[1]), np.float32)
    nodes = np.zeros(TOGETHER, np.int32)
    totals = np.zeros(TOGETHER)
    for start in range(0, rows.shape[0], TOGETHER):
        size = min(TOGETHER, rows.shape[0] - start)
        for row in range(size):
            for column in range(rows.shape[1]):
                block[row, column] = rows[start + row, column]
        totals[:] = 0.0
        for tree in range(roots.size):
            nodes[:] = roots[tree]
            for _ in range(depths[tree]):
                for row in range(TOGETHER):
                    node = np.intp(nodes[row])
                    nodes[row] = first[node] + np.int32(block[row, np.intp(feature[node])] > threshold[node])
            for row in range(TOGETHER):
                totals[row] += value[np.intp(nodes[row])]
        for row in range(size):
            scores[start + row] = totals[row]
    return scores


@kernel
def highest_scores(
    rows: Float32Array,
    unknown: BoolArray,
    roots: Int64Array,
    depths: Int64Array,
    feature: UInt8Array,
    threshold: Float32Array,
    first: Int32Array,
    value: Float64Array,
) -> Float64Array:
    """Σ over the trees of the highest value of a leaf that each row (rows, features) can fall into; 0 without trees.

    Which child a row goes to is open where it depends on a feature that is `unknown`, (features,). The trees are as
    `lay_out` gives them; they are added up in the order of `tree_scores`, so that rounding cannot make a bound too low.
    """
    scores = np.zeros(rows.shape[0])
    deepest = np.int64(0)
    for depth in depths:
        deepest = max(deepest, depth)
    waiting = np.empty(deepest + 1, np.int64)
    for row in range(rows.shape[0]):
        for root in roots:
            highest = -np.inf
            waiting[0] = root
            size = 1
            while size > 0:
                size -= 1
                node = waiting[size]
                if first[node] == node:
                    highest = max(highest, value[node])
                elif unknown[feature[node]]:
                    waiting[size] = first[node]
                    waiting[size + 1] = first[node] + 1
                    size += 2
                else:
                    waiting[size] = first[node] + (rows[row, feature[node]] > threshold[node])
                    size += 1
            scores[row] += highest
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
