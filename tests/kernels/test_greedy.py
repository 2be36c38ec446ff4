"""The greedy union agrees with recomputing every total from scratch at each step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.kernels import greedy
from fuzzyjoin.kernels.neighbours import LARGEST_NEIGHBOURHOOD
from tests import naive


def greedy_union(nearest, first_step, neighbours, stop_below):
    """A list of (function, step, precision, queries joined)."""
    found = greedy.greedy_union(
        np.array(nearest, np.int32), np.array(first_step, np.uint8), np.array(neighbours, np.uint8), stop_below
    )
    return list(zip(*(array.tolist() for array in found), strict=True))


def configurations(nearest, first_step, neighbours):
    """The same as the twin takes it: what each (function, step) joins."""
    rows, functions, steps = np.shape(neighbours)
    return {
        (function, step): {
            row: (nearest[row][function], naive.probability(neighbours[row][function][step]))
            for row in range(rows)
            if first_step[row][function] <= step
        }
        for function in range(functions)
        for step in range(steps)
    }


@st.composite
def searches(draw):
    """Nearest rows, first steps and neighbourhood counts under some functions; counts grow with the step."""
    rows, functions, steps = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    some = st.integers(0, 3) | st.sampled_from([0, 1, 9, LARGEST_NEIGHBOURHOOD])

    def table(values):
        return [[draw(values) for _ in range(functions)] for _ in range(rows)]

    nearest = table(st.integers(0, 2))
    first_step = table(st.integers(0, steps))
    neighbours = table(st.lists(some, min_size=steps, max_size=steps).map(sorted))
    return nearest, first_step, neighbours


@pytest.mark.twin
@given(searches(), st.sampled_from([0.0, 0.3, 0.5, 0.75, 0.85, 1.0]))
def test_the_union_agrees_with_recomputing_everything(search, stop_below):
    nearest, first_step, neighbours = search
    found = greedy_union(nearest, first_step, neighbours, stop_below)
    expected = naive.greedy_union(configurations(*search), stop_below)
    assert [(function, step, joined) for function, step, _, joined in found] == [
        (function, step, joined) for function, step, _, joined in expected
    ]
    assert [step[2] for step in found] == pytest.approx([step[2] for step in expected], rel=1e-15)


def test_the_union_agrees_on_many_rows():
    random = np.random.default_rng(7)
    nearest = random.integers(0, 9, (60, 5))
    first_step = random.integers(0, 9, (60, 5))
    neighbours = np.sort(random.integers(0, 12, (60, 5, 8)), axis=2)
    found = greedy_union(nearest, first_step, neighbours, 0.2)
    expected = naive.greedy_union(configurations(nearest.tolist(), first_step.tolist(), neighbours.tolist()), 0.2)
    assert len(found) > 3
    assert found == expected


def test_a_lonely_match_has_probability_1():
    assert greedy_union([[4]], [[0]], [[[0]]], 0.0) == [(0, 0, 1.0, 1)]


def test_two_functions_that_disagree_count_one_match_as_false():
    """Row 0 goes to reference 1 surely and to reference 2 with a half: two pairs, one of them true."""
    found = greedy_union([[1, 2]], [[0, 0]], [[[0], [1]]], 0.0)
    assert found == [(0, 0, 1.0, 1), (1, 0, 0.5, 1)]


def test_two_functions_that_agree_count_one_pair():
    """The second function joins nothing new, so it is not added."""
    assert greedy_union([[1, 1]], [[0, 0]], [[[0], [1]]], 0.0) == [(0, 0, 1.0, 1)]


def test_ties_go_to_more_true_matches_then_to_the_earlier_function_then_to_the_smaller_threshold():
    # Both functions are surely right: the first on one row, the second on two.
    more = greedy_union([[1, 1], [1, 1]], [[1, 0], [2, 1]], [[[0, 0], [0, 0]], [[0, 0], [0, 0]]], 0.0)
    assert more[0][:2] == (1, 1)
    equal = greedy_union([[1, 2]], [[0, 0]], [[[0, 0], [0, 0]]], 0.0)
    assert equal[0][:2] == (0, 0)


def test_the_search_stops_at_the_first_union_below_the_floor():
    nearest, first_step = [[0, 0], [1, 1], [2, 2]], [[0, 1], [1, 0], [1, 1]]
    neighbours = [[[0, 0], [0, 0]], [[9, 9], [9, 9]], [[9, 9], [9, 9]]]
    assert [step[2] >= 0.9 for step in greedy_union(nearest, first_step, neighbours, 0.9)] == [True, False]


def test_rows_without_a_candidate_join_nothing():
    assert greedy_union([[-1]], [[2]], [[[0, 0]]], 0.0) == []


def test_no_rows_give_no_union():
    found = greedy.greedy_union(
        np.empty((0, 2), np.int32), np.empty((0, 2), np.uint8), np.empty((0, 2, 3), np.uint8), 0.5
    )
    assert [array.size for array in found] == [0, 0, 0, 0]


def test_sums_of_probabilities_are_exact():
    """A thousand thirds and their pairs give the very precision of one third."""
    rows = 1000
    found = greedy_union([[row] for row in range(rows)], [[0]] * rows, [[[2]]] * rows, 0.0)
    assert found == [(0, 0, float(Fraction(naive.ONE // 3, naive.ONE)), rows)]
