"""Top-k agrees with scoring every row and sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.blocking import InvertedIndex
from fuzzyjoin.kernels.csr import SHORT
from tests import naive
from tests.cases import LEFT, VOCABULARY, bags, divided, query_bags, rows_of, subsets
from tests.cases import csr as arrays_of


def best_rows(queries, references, weights, scales, rows, *, k, exclude_self=False):
    """Candidates of each of `rows`; `weights` by token, `scales` by reference row."""
    left, right = divided(references)
    laid_out = np.array(weights, np.float64), np.array(scales, np.float64)
    index = InvertedIndex.build(arrays_of(left), arrays_of(right), LEFT, *laid_out)
    indptr, ids, _ = arrays_of(queries)
    asked = np.array(rows, np.int64)
    sizes, found = index.search(asked, indptr, ids, k, asked if exclude_self else np.full(asked.size, -1))
    return rows_of(np.cumsum([0, *sizes.tolist()]), found)


def twin(queries, references, weights, scales, rows, *, k, exclude_self=False):
    return [
        naive.best_rows(
            [
                scale * sum(weights[token] * bag[token] for token in queries[row] if token in bag)
                for bag, scale in zip(references, scales, strict=True)
            ],
            k,
            row if exclude_self else None,
        )
        for row in rows
    ]


# Eighths add up exactly in any order, and are so few that ties abound; what weighs nothing makes no candidate.
some_weights = st.lists(st.sampled_from([0.0, 0.125, 0.25, 1.0]), min_size=VOCABULARY, max_size=VOCABULARY)
scaled_bags = st.lists(st.tuples(bags, st.sampled_from([0.25, 0.5, 1.0])), max_size=10)
ONES = [1.0] * VOCABULARY


@pytest.mark.twin
@given(st.lists(query_bags, max_size=4), scaled_bags, some_weights, st.integers(1, 12), st.data())
def test_candidates_agree_with_sorting_all_rows(queries, scaled, weights, k, data):
    references, scales = [bag for bag, _ in scaled], [scale for _, scale in scaled]
    rows = data.draw(subsets(len(queries)))
    expected = twin(queries, references, weights, scales, rows, k=k)
    assert best_rows(queries, references, weights, scales, rows, k=k) == expected


@pytest.mark.twin
@given(scaled_bags, some_weights, st.integers(1, 10), st.data())
def test_self_is_left_out_before_the_cut(scaled, weights, k, data):
    references, scales = [bag for bag, _ in scaled], [scale for _, scale in scaled]
    rows = data.draw(subsets(len(references)))
    expected = twin(references, references, weights, scales, rows, k=k, exclude_self=True)
    assert best_rows(references, references, weights, scales, rows, k=k, exclude_self=True) == expected


@pytest.mark.parametrize("k", [1, 2, 5, 50])
@pytest.mark.parametrize("vocabulary", [3, VOCABULARY], ids=["long postings", "short postings"])
def test_candidates_agree_on_many_rows_with_ties(k, vocabulary):
    random = np.random.default_rng(k)
    rows = [dict.fromkeys(random.integers(0, vocabulary, 3).tolist(), 1) for _ in range(300)]
    arguments = rows[:40], rows, [0.25, 0.5, 0.25, 0.5, 0.125, 0.125], [1.0, 0.5] * 150, range(40)
    assert best_rows(*arguments, k=k) == twin(*arguments, k=k)


@pytest.mark.parametrize("references", [3, 2000])
def test_few_postings_among_many_rows_are_found(references):
    bags = [{0: 1}] + [{1: 1}] * (references - 2) + [{0: 2}]
    assert best_rows([{0: 1}], bags, ONES, [1.0] * references, [0], k=5) == [[0, references - 1]]


@pytest.mark.parametrize("exclude_self", [False, True], ids=["queries", "neighbours"])
@pytest.mark.parametrize("skew", [0.2, 3.0], ids=["alike", "skewed"])
def test_bounds_never_lose_a_candidate(skew, exclude_self):
    """More rows than a block has, so that lists are left out and blocks passed over; weights fall as tokens spread."""
    random = np.random.default_rng(7)
    vocabulary, size = 60, 70_000
    chosen = (vocabulary * random.random((size, 5)) ** (1.0 + skew)).astype(np.int64)
    bags = [dict(zip(*np.unique(row, return_counts=True), strict=True)) for row in chosen]
    held = np.zeros((size, vocabulary))
    np.add.at(held, (np.repeat(np.arange(size), 5), chosen.ravel()), 1.0)
    weights = np.round(np.log(size / (1.0 + (held > 0.0).sum(axis=0))) * 8.0) / 8.0
    # As the cosine does it: what rare tokens make alike stands among the last ranks.
    scales = 1.0 / np.sqrt(held @ weights + 0.125)
    asked = random.choice(size, 30, replace=False).tolist()
    expected = [
        naive.best_rows((held @ (weights * (held[row] > 0.0)) * scales).tolist(), 20, row if exclude_self else None)
        for row in asked
    ]
    assert best_rows(bags, bags, weights, scales, asked, k=20, exclude_self=exclude_self) == expected


def test_equal_scores_go_to_the_lower_positions():
    assert best_rows([{0: 1}], [{0: 1}] * 5, ONES, [1.0] * 5, [0], k=3) == [[0, 1, 2]]


def test_a_better_row_displaces_the_last_of_equal_ones():
    assert best_rows([{0: 1}], [{0: 1}] * 3 + [{0: 2}], ONES, [1.0] * 4, [0], k=3) == [[0, 1, 3]]


def test_a_scale_makes_a_long_row_worse():
    assert best_rows([{0: 1}], [{0: 2}, {0: 1}], ONES, [0.25, 1.0], [0], k=1) == [[1]]


def test_only_rows_that_share_something_of_weight_are_candidates():
    weights = [0.0, *ONES[1:]]
    assert best_rows([{0: 1, 1: 1}], [{0: 1}, {2: 1}, {1: 1}], weights, [1.0] * 3, [0], k=3) == [[2]]


@pytest.mark.parametrize("query", [{}, {VOCABULARY: 1}, {3: 1}], ids=["empty", "unseen", "unshared"])
def test_a_row_that_shares_nothing_has_no_candidates(query):
    assert best_rows([query], [{0: 1}], ONES, [1.0], [0], k=3) == [[]]


def test_self_exclusion_leaves_k_others():
    rows = [{0: 1}] * 4
    assert best_rows(rows, rows, ONES, [1.0] * 4, [0, 3], k=2, exclude_self=True) == [[1, 2], [0, 1]]


@given(st.lists(query_bags, max_size=4))
@example([])
def test_an_empty_reference_has_no_candidates(queries):
    assert best_rows(queries, [], ONES, [], range(len(queries)), k=2) == [[] for _ in queries]


@pytest.mark.parametrize("number", [SHORT, SHORT + 1, 16 * SHORT])
def test_rows_of_many_tokens_find_the_same_as_sorting_all_rows(number):
    random = np.random.default_rng(number)
    weights = random.choice([0.0, 0.125, 0.25, 1.0, 2.0], number)
    bags = [{int(token): 1 for token in random.permutation(number)[: number // 2]} for _ in range(40)]
    index = InvertedIndex.build(arrays_of(bags), arrays_of([{} for _ in bags]), number, weights, np.ones(len(bags)))
    queries = [dict.fromkeys(range(number), 1), *bags[:2]]
    indptr, ids, _ = arrays_of(queries)
    sizes, found = index.search(np.arange(3), indptr, ids, 5, np.full(3, -1))
    expected = twin(queries, bags, weights.tolist(), [1.0] * len(bags), range(3), k=5)
    assert rows_of(np.cumsum([0, *sizes.tolist()]), found) == expected
