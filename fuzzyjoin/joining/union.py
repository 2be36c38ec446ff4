"""Matching by a union of configurations: the decision rule, on positions and arrays.

Each query row is decided from the program, the reference table and that row alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.compare import Matches, Tally, count_neighbourhoods, find_nearest, group_functions
from fuzzyjoin.kernels.neighbours import ONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare import AnyJoinFunction, Candidates, WeightedColumns
    from fuzzyjoin.kernels.types import Float64Array, Int64Array

__all__ = ["Matches", "Tally", "match_scaled", "match_union"]


SMALLEST_THRESHOLD = 1e-9
"""What a threshold of 0 counts as when a shortfall is measured against it."""


@dataclass(frozen=True)
class Neighbourhood:
    """What one join function finds for every query row, and the neighbours within twice each of its thresholds."""

    nearest: Int64Array
    distance: Float64Array
    second: Int64Array
    second_distance: Float64Array
    counts: dict[float, Int64Array]


def match_union(
    columns: WeightedColumns,
    configurations: Sequence[tuple[AnyJoinFunction, float]],
    pairs: CandidatePairs,
    candidates: Candidates,
) -> Matches:
    """Join each query row by the configuration that gives it the most probable match, the earliest on ties."""
    found = _neighbourhoods(columns, configurations, pairs, candidates)
    return _decide(found, configurations, pairs.indptr.size - 1, candidates)


def match_scaled(
    columns: WeightedColumns,
    configurations: Sequence[tuple[AnyJoinFunction, float]],
    factors: Sequence[float],
    pairs: CandidatePairs,
    candidates: Candidates,
) -> list[Matches]:
    """What the union would decide with all its thresholds multiplied by each factor; distances are computed once."""
    scaled = [[(function, threshold * factor) for function, threshold in configurations] for factor in factors]
    found = _neighbourhoods(columns, [part for union in scaled for part in union], pairs, candidates)
    return [_decide(found, union, pairs.indptr.size - 1, candidates) for union in scaled]


def _decide(
    found: dict[str, Neighbourhood],
    configurations: Sequence[tuple[AnyJoinFunction, float]],
    rows: int,
    candidates: Candidates,
) -> Matches:
    best = np.zeros(rows, np.int64)
    chosen = np.full(rows, -1, np.int64)
    shortfall = np.full(rows, np.inf)
    nearly = np.full(rows, -1, np.int64)
    joined_pairs = []
    for place, (function, threshold) in enumerate(configurations):
        near = found[function.name]
        joined = np.flatnonzero(near.distance <= threshold)
        value = ONE // (1 + near.counts[threshold][joined])
        better = value > best[joined]
        best[joined[better]] = value[better]
        chosen[joined[better]] = place
        joined_pairs.append(joined * len(candidates.reference) + near.nearest[joined])
        # Relative, because join functions measure on different scales.
        excess = (near.distance - threshold) / max(threshold, SMALLEST_THRESHOLD)
        closer = excess < shortfall
        shortfall[closer] = excess[closer]
        nearly[closer] = place
    total_pairs = np.unique(np.concatenate(joined_pairs)).size if joined_pairs else 0
    joined_rows = chosen >= 0
    return _collect(
        [found[function.name] for function, _ in configurations],
        joined_rows,
        np.where(joined_rows, chosen, nearly),
        best / ONE,
        Tally(int(best.sum()), int(total_pairs)),
    )


def _collect(
    found: Sequence[Neighbourhood],
    joined: np.ndarray,
    configuration: Int64Array,
    probability: Float64Array,
    tally: Tally,
) -> Matches:
    rows = joined.size
    reference, runner_up = np.full(rows, -1, np.int64), np.full(rows, -1, np.int64)
    distance, runner_up_distance = np.full(rows, np.inf), np.full(rows, np.inf)
    for place in np.unique(configuration[configuration >= 0]):
        here = np.flatnonzero(configuration == place)
        near = found[place]
        reference[here] = near.nearest[here]
        distance[here] = near.distance[here]
        runner_up[here] = near.second[here]
        runner_up_distance[here] = near.second_distance[here]
    return Matches(joined, reference, distance, configuration, runner_up, runner_up_distance, probability, tally)


def _neighbourhoods(
    columns: WeightedColumns,
    configurations: Sequence[tuple[AnyJoinFunction, float]],
    pairs: CandidatePairs,
    candidates: Candidates,
) -> dict[str, Neighbourhood]:
    work = candidates.work.named("matching")
    functions = {function.name: function for function, _ in configurations}
    thresholds = {
        name: sorted({threshold for function, threshold in configurations if function.name == name})
        for name in functions
    }
    groups = group_functions(list(functions.values()))
    nearest = [find_nearest(columns, group, pairs, work)[0] for group in groups]
    radii = [_radii([thresholds[function.name] for function in group.functions]) for group in groups]
    within = [near.first_distance <= steps[:, -1:] for near, steps in zip(nearest, radii, strict=True)]
    centres = [np.unique(near.first[joined]) for near, joined in zip(nearest, within, strict=True)]
    neighbours = candidates.neighbours(np.unique(np.concatenate([[], *centres])).astype(np.int64))
    found: dict[str, Neighbourhood] = {}
    for group, near, steps, joined, rows in zip(groups, nearest, radii, within, centres, strict=True):
        (counts,) = count_neighbourhoods(columns, group, neighbours, rows.astype(np.int64), [2.0 * steps], work)
        for index, function in enumerate(group.functions):
            places = np.searchsorted(rows, near.first[index][joined[index]])
            by_threshold = {}
            for step, threshold in enumerate(thresholds[function.name]):
                by_threshold[threshold] = np.zeros(near.first.shape[1], np.int64)
                by_threshold[threshold][joined[index]] = counts[places, index, step]
            found[function.name] = Neighbourhood(
                near.first[index].astype(np.int64),
                near.first_distance[index],
                near.second[index].astype(np.int64),
                near.second_distance[index],
                by_threshold,
            )
    return found


def _radii(thresholds: Sequence[list[float]]) -> Float64Array:
    """Thresholds of a group's functions as one array; shorter rows repeat their last."""
    steps = max(map(len, thresholds))
    return np.array([values + values[-1:] * (steps - len(values)) for values in thresholds])
