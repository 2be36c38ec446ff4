"""The eight set distances agree with their formulas, computed exactly."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels import csr
from fuzzyjoin.kernels.set_distances import SET_DISTANCE_CODES, bag_distances, set_distances
from fuzzyjoin.kernels.types import Pairs, WeightedSets
from tests import naive
from tests.cases import (
    VOCABULARY,
    any_weights,
    bags,
    candidate_lists,
    exact_weights,
    pairs_of,
    query_bags,
    subsets,
)
from tests.cases import csr as arrays_of


def distances(queries, references, candidates, rows, weights, *, wanted):
    """Distances {(distance, weighting): [one a pair of `rows`]}.

    Weightings are "uniform" and "idf", which stands for `weights`, the weight of unseen tokens last.
    """
    table = np.array([[1.0] * VOCABULARY, weights[:-1]])
    unseen = np.array([1.0, weights[-1]])
    query, reference = arrays_of(queries), arrays_of(references)
    weightings = ["uniform", "idf"]
    found = set_distances(
        Pairs(*pairs_of(candidates)),
        np.array(rows, np.int64),
        WeightedSets(*query, *csr.row_weights(*query, table, unseen)),
        WeightedSets(*reference, *csr.row_weights(*reference, table, unseen)),
        table,
        np.array([weightings.index(weighting) for _, weighting in wanted]),
        np.array([SET_DISTANCE_CODES[name] for name, _ in wanted]),
    )
    return dict(zip(wanted, found.tolist(), strict=True))


WANTED = [(name, weighting) for name in SET_DISTANCE_CODES for weighting in ("uniform", "idf")]


def distance(name, left, right, weights=(1.0,) * (VOCABULARY + 1)):
    return distances([left], [right], [[0]], [0], list(weights), wanted=[(name, "idf")])[name, "idf"][0]


def exact(name, left, right, weights, unseen):
    table = {token: Fraction(weight) for token, weight in enumerate(weights)}
    return float(naive.set_distance(name, Counter(left), Counter(right), table, Fraction(unseen)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jaccard", 1 - 2 / 5),
        ("dice", 1 - 4 / 7),
        ("intersect", 1 - 2 / 7),
        ("max-inclusion", 1 - 2 / 3),
        # Counts 2·1 + 1·1 shared; norms √(4+1+1) and √(1+1+1+9).
        ("cosine", 1 - 3 / (6 * 12) ** 0.5),
        ("contain-jaccard", 1.0),
        ("contain-dice", 1.0),
        ("contain-cosine", 1.0),
    ],
)
def test_formula_by_hand(name, expected):
    left, right = {0: 2, 1: 1, 7: 1}, {0: 1, 1: 1, 2: 1, 3: 3}
    assert distance(name, left, right) == pytest.approx(expected, abs=1e-15)


@pytest.mark.twin
@given(st.data())
def test_all_distances_agree_with_exact_formulas(data):
    queries = data.draw(st.lists(query_bags, max_size=4))
    references = data.draw(st.lists(bags, max_size=4))
    candidates = data.draw(candidate_lists(len(queries), len(references)))
    rows = data.draw(subsets(len(queries)))
    weights = data.draw(any_weights)
    found = distances(queries, references, candidates, rows, weights, wanted=WANTED)
    for name, weighting in WANTED:
        values, unseen = (weights[:-1], weights[-1]) if weighting == "idf" else ([1.0] * VOCABULARY, 1.0)
        expected = [
            exact(name, queries[row], references[other], values, unseen) for row in rows for other in candidates[row]
        ]
        assert found[name, weighting] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", SET_DISTANCE_CODES)
@given(query_bags, bags, any_weights)
@example({}, {}, [1.0] * (VOCABULARY + 1))
@example({0: 1}, {0: 1}, [0.0] * (VOCABULARY + 1))
@example({VOCABULARY: 3}, {}, [1.0] * (VOCABULARY + 1))
def test_distance_lies_between_0_and_1(name, left, right, weights):
    assert 0.0 <= distance(name, left, right, weights) <= 1.0


@pytest.mark.parametrize("name", SET_DISTANCE_CODES)
@given(bags, bags, exact_weights)
def test_distance_is_symmetric(name, left, right, weights):
    assert distance(name, left, right, weights) == distance(name, right, left, weights)


@pytest.mark.parametrize("name", SET_DISTANCE_CODES)
@given(bags, exact_weights)
@example({0: 3}, [naive.on_grid(4.3687685)] * (VOCABULARY + 1))
def test_a_row_is_at_distance_exactly_0_from_itself(name, bag, weights):
    """A half for intersect, whose best it is; 1 where no token weighs anything. Weights are on the grid."""
    something = any(weights[token] > 0.0 for token in bag)
    best = 0.5 if name == "intersect" else 0.0
    assert distance(name, bag, bag, weights) == (best if something else 1.0)


@pytest.mark.parametrize("name", [name for name in SET_DISTANCE_CODES if name.startswith("contain-")])
@given(query_bags, bags, exact_weights)
def test_containment_is_the_plain_distance_or_1(name, left, right, weights):
    contained = left.keys() <= right.keys() or right.keys() <= left.keys()
    plain = distance(name.removeprefix("contain-"), left, right, weights)
    assert distance(name, left, right, weights) == (plain if contained else 1.0)


def test_distances_of_no_rows_are_empty():
    assert distances([{}], [{}], [[0]], [], [1.0] * (VOCABULARY + 1), wanted=WANTED) == {
        wanted: [] for wanted in WANTED
    }


def test_a_row_leaves_no_trace_in_the_next():
    """The table into which a query row is laid out is empty again for the next."""
    queries = [{0: 1, 1: 1}, {2: 1}]
    found = distances(queries, [{0: 1}], [[0], [0]], [0, 1], [1.0] * (VOCABULARY + 1), wanted=[("jaccard", "uniform")])
    assert found["jaccard", "uniform"] == [0.5, 1.0]


@pytest.mark.twin
@given(st.lists(query_bags, max_size=4), st.lists(bags, min_size=1, max_size=4), st.data())
def test_bags_are_apart_by_the_tokens_that_they_do_not_share(queries, references, data):
    row = st.tuples(st.integers(0, len(queries) - 1), st.integers(0, len(references) - 1))
    pairs = data.draw(st.lists(row, max_size=4)) if queries else []
    asking, others = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
    found = bag_distances(asking, others, *arrays_of(queries), *arrays_of(references))
    for (query, reference), *values in zip(pairs, *(part.tolist() for part in found), strict=True):
        left, right = Counter(queries[query]), Counter(references[reference])
        shared, union, fewer = (left & right).total(), (left | right).total(), min(left.total(), right.total())
        assert values == pytest.approx([1 - shared / union if union else 1, 1 - shared / fewer if fewer else 1])
