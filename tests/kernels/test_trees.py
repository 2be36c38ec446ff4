"""Tree scores, their bounds and path contributions agree with walking each tree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.kernels import trees
from tests import naive_scoring

FEATURES = 3
values = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
thresholds = values | st.sampled_from([np.nextafter(0.25, side) for side in (0.0, 1.0)])


def inner(children):
    return st.tuples(st.integers(0, FEATURES - 1), thresholds, children, children, values)


forests = st.lists(st.recursive(values, inner, max_leaves=6), max_size=4)
tables = st.lists(st.lists(values, min_size=FEATURES, max_size=FEATURES), max_size=20)


def flat(forest):
    """The trees as the kernels take them, children behind their parent."""
    nodes = []

    def add(tree):
        place = len(nodes)
        nodes.append(None)
        if isinstance(tree, float):
            nodes[place] = (-1, 0.0, 0, 0, tree)
        else:
            feature, threshold, left, right, mean = tree
            nodes[place] = (feature, threshold, add(left), add(right), mean)
        return place

    roots = np.array([add(tree) for tree in forest], np.int64)
    kinds = (np.int64, np.float64, np.int64, np.int64, np.float64)
    columns = zip(*nodes, strict=True) if nodes else [()] * 5
    return roots, *(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))


def scores_of(table, forest):
    return trees.tree_scores(rows_of(table), *trees.lay_out(*flat(forest)))


def rows_of(table):
    return np.array(table, np.float32).reshape(-1, FEATURES)


@pytest.mark.twin
@given(forests, tables)
def test_scores_agree_with_walking_the_trees(forest, table):
    assert scores_of(table, forest).tolist() == [
        sum(naive_scoring.tree_score(tree, row) for tree in forest) for row in table
    ]


@pytest.mark.twin
@given(forests, tables, st.sets(st.integers(0, FEATURES - 1)))
def test_highest_scores_agree_with_walking_the_trees(forest, table, unknown):
    rows = rows_of(table)
    # Nothing is asked of what is unknown.
    rows[:, sorted(unknown)] = np.nan
    left_open = np.isin(np.arange(FEATURES), sorted(unknown))
    found = trees.highest_scores(rows, left_open, *trees.lay_out(*flat(forest)))
    assert found.tolist() == [sum(naive_scoring.highest_score(tree, row, unknown) for tree in forest) for row in table]


@pytest.mark.twin
@given(forests, tables)
def test_contributions_agree_with_walking_the_trees_and_sum_to_the_score(forest, table):
    found = trees.path_contributions(rows_of(table), *flat(forest))
    expected = [
        np.sum([naive_scoring.path_contributions(tree, row, FEATURES) for tree in forest], axis=0)
        if forest
        else np.zeros(FEATURES + 1)
        for row in table
    ]
    assert np.array_equal(found, np.array(expected).reshape(found.shape))
    assert np.array_equal(found.sum(axis=1), scores_of(table, forest))
