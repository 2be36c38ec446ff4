"""The greedy union of configurations (paper, Algorithm 1), with its totals kept up to date instead of recomputed.

A configuration is (function, step): a join function and one of its thresholds. A query row that a configuration joins
is true with probability 1 / (1 + neighbours within twice the threshold). Probabilities are integers in units of
1 / ONE, so sums are exact: they depend neither on the order of the rows nor on the way the totals were reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel
from fuzzyjoin.kernels.neighbours import ONE

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt8Array

__all__ = ["greedy_union"]


@kernel
def add_row(
    row: int,
    sign: int,
    nearest: Int32Array,
    first_step: UInt8Array,
    neighbours: UInt8Array,
    counted: UInt8Array,
    best: Int64Array,
    gain: Int64Array,
    new_pairs: Int64Array,
) -> None:
    """Add (sign 1) or take away (sign -1) what one query row contributes to every configuration's gain."""
    functions = nearest.shape[1]
    steps = neighbours.shape[2]
    for function in range(functions):
        new_pair = sign * (1 - np.int64(counted[row, function]))
        for step in range(np.int64(first_step[row, function]), steps):
            value = ONE // (1 + np.int64(neighbours[row, function, step]))
            if value > best[row]:
                gain[function, step] += sign * (value - best[row])
            new_pairs[function, step] += new_pair


@kernel
def best_configuration(
    true_total: np.int64, pairs_total: np.int64, gain: Int64Array, new_pairs: Int64Array
) -> tuple[int, int]:
    """The configuration whose addition gives the union the largest TP / FP, among those that join something new.

    Ties go to the larger TP, then to the earlier function, then to the smaller threshold. (-1, -1) if nothing is new.
    """
    best_function = -1
    best_step = -1
    best_ratio = -1.0
    best_true = np.int64(-1)
    functions, steps = gain.shape
    for function in range(functions):
        for step in range(steps):
            if new_pairs[function, step] == 0:
                continue
            true = true_total + gain[function, step]
            false = (pairs_total + new_pairs[function, step]) * ONE - true
            ratio = np.inf if false == 0 else float(true) / float(false)
            if ratio > best_ratio or (ratio == best_ratio and true > best_true):
                best_function = function
                best_step = step
                best_ratio = ratio
                best_true = true
    return best_function, best_step


@kernel
def greedy_union(
    nearest: Int32Array, first_step: UInt8Array, neighbours: UInt8Array, stop_below: float
) -> tuple[Int64Array, Int64Array, Float64Array, Int64Array]:
    """Add configurations one by one until nothing new is joined or the union's precision falls below `stop_below`.

    nearest (rows, functions): reference position; first_step (rows, functions): the first threshold that joins the row,
    `steps` if none does; neighbours (rows, functions, steps): neighbours within twice the threshold.
    When two configurations join a row to different reference rows, the match with the higher probability stands and
    the other stays counted as a pair, hence as false.
    Returns, for each addition: function, step, estimated precision of the union, query rows joined by it.
    """
    rows, functions, steps = neighbours.shape
    gain = np.zeros((functions, steps), np.int64)
    new_pairs = np.zeros((functions, steps), np.int64)
    counted = np.zeros((rows, functions), np.uint8)
    best = np.zeros(rows, np.int64)
    for row in range(rows):
        add_row(row, 1, nearest, first_step, neighbours, counted, best, gain, new_pairs)
    chosen_functions = np.empty(functions * steps, np.int64)
    chosen_steps = np.empty(functions * steps, np.int64)
    precisions = np.empty(functions * steps, np.float64)
    joined_rows = np.empty(functions * steps, np.int64)
    size = 0
    true_total = np.int64(0)
    pairs_total = np.int64(0)
    joined = 0
    while size < functions * steps:
        function, step = best_configuration(true_total, pairs_total, gain, new_pairs)
        if function < 0:
            break
        true_total += gain[function, step]
        pairs_total += new_pairs[function, step]
        for row in range(rows):
            if first_step[row, function] > step:
                continue
            value = ONE // (1 + np.int64(neighbours[row, function, step]))
            if counted[row, function] == 1 and value <= best[row]:
                continue
            add_row(row, -1, nearest, first_step, neighbours, counted, best, gain, new_pairs)
            if best[row] == 0:
                joined += 1
            best[row] = max(best[row], value)
            for other in range(functions):
                if nearest[row, other] == nearest[row, function]:
                    counted[row, other] = 1
            add_row(row, 1, nearest, first_step, neighbours, counted, best, gain, new_pairs)
        precision = float(true_total) / (float(pairs_total) * float(ONE))
        chosen_functions[size] = function
        chosen_steps[size] = step
        precisions[size] = precision
        joined_rows[size] = joined
        size += 1
        if precision < stop_below:
            break
    return chosen_functions[:size], chosen_steps[:size], precisions[:size], joined_rows[:size]
