"""Nearest candidates and neighbourhood counts agree with plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.kernels import neighbours
from tests import naive
from tests.cases import candidate_lists, pairs_of, subsets

# So few values that ties abound.
some_distances = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 7.0]) | st.floats(0.0, 2.0)


def nearest_two(distances, candidates, rows):
    """For every function and row the two nearest candidates with their distances, (-1, inf) where there is none."""
    found = neighbours.nearest_two(distances, *pairs_of(candidates), np.array(rows, np.int64))
    first, first_distance, second, second_distance = (array.tolist() for array in found)
    functions = zip(first, first_distance, second, second_distance, strict=True)
    return [[((a, b), (c, d)) for a, b, c, d in zip(*function, strict=True)] for function in functions]


def neighbourhood_counts(distances, candidates, rows, radii):
    """Counts by row, function and step."""
    indptr, _ = pairs_of(candidates)
    return neighbours.neighbourhood_counts(distances, indptr, np.array(rows, np.int64), np.array(radii)).tolist()


@st.composite
def distance_tables(draw):
    """Candidates, the rows asked for, and distances of their pairs under one to three functions."""
    candidates = draw(candidate_lists(draw(st.integers(0, 4)), 6))
    rows = draw(subsets(len(candidates)))
    pairs = sum(len(candidates[row]) for row in rows)
    functions = draw(st.integers(1, 3))
    flat = draw(st.lists(some_distances, min_size=functions * pairs, max_size=functions * pairs))
    return candidates, rows, np.array(flat, np.float64).reshape(functions, pairs)


def by_row(candidates, rows, distances):
    """The distances of one function as one {position: distance} a row."""
    flat = iter(distances.tolist())
    return [{other: next(flat) for other in candidates[row]} for row in rows]


@pytest.mark.twin
@given(distance_tables())
def test_the_two_nearest_agree_with_sorting(table):
    candidates, rows, distances = table
    found = nearest_two(distances, candidates, rows)
    for function, values in zip(found, distances, strict=True):
        for two, known in zip(function, by_row(candidates, rows, values), strict=True):
            ranked = sorted((distance, other) for other, distance in known.items())
            expected = [(other, distance) for distance, other in ranked[:2]]
            assert two == tuple(expected + [(-1, math.inf)] * (2 - len(expected)))
            if known:
                assert two[0][0] == naive.nearest(known)


@pytest.mark.twin
@given(distance_tables(), st.lists(st.lists(some_distances, min_size=4, max_size=4), min_size=3, max_size=3))
def test_ball_counts_agree_with_counting(table, radii):
    candidates, rows, distances = table
    radii = [sorted(row) for row in radii][: len(distances)]
    found = neighbourhood_counts(distances, candidates, rows, radii)
    expected = [
        [
            [sum(distance <= radius for distance in by_row(candidates, rows, values)[index].values()) for radius in row]
            for values, row in zip(distances, radii, strict=True)
        ]
        for index in range(len(rows))
    ]
    assert found == expected


def test_equal_distances_go_to_the_lower_position():
    assert nearest_two(np.array([[0.5, 0.5, 0.5]]), [[2, 4, 5]], [0]) == [[((2, 0.5), (4, 0.5))]]


def test_a_neighbour_on_the_rim_of_the_ball_counts():
    assert neighbourhood_counts(np.array([[0.2, 0.3]]), [[1, 2]], [0], [[0.1, 0.2, 0.3, 0.3]]) == [[[0, 1, 2, 2]]]


def test_counts_stop_where_a_byte_would_overflow():
    distances = np.concatenate([np.zeros(253), np.full(300, 0.5)])[np.newaxis]
    found = neighbourhood_counts(distances, [list(range(553))], [0], [[0.0, 0.5]])
    assert found == [[[253, neighbours.LARGEST_NEIGHBOURHOOD]]]
    assert neighbours.LARGEST_NEIGHBOURHOOD == naive.LARGEST_NEIGHBOURHOOD


def test_one_unit_is_the_same_here_and_in_the_twin():
    assert neighbours.ONE == naive.ONE
