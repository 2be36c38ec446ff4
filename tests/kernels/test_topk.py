"""Top-k agrees with scoring every row and sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels import csr
from fuzzyjoin.kernels.topk import top_k
from tests import naive
from tests.cases import VOCABULARY, bags, query_bags, rows_of, subsets, thousand
from tests.cases import csr as arrays_of

COMMON = [np.zeros(VOCABULARY, np.bool_), np.ones(VOCABULARY, np.bool_), np.arange(VOCABULARY) % 2 == 0]


def best_rows(queries, references, weights, scales, rows, *, k, exclude_self=False):
    """Candidates of each of `rows`; `weights` by token, `scales` by reference row. The same whatever is common."""
    indptr, ids, counts = arrays_of(references)
    query_indptr, query_ids, _ = arrays_of(queries)
    answers = []
    for common in COMMON:
        sizes, found = top_k(
            np.array(rows, np.int64),
            query_indptr,
            query_ids,
            *csr.inverted_index(indptr, ids, counts, common),
            common,
            np.array(weights, np.float64),
            np.array(scales, np.float64),
            k,
            exclude_self,
        )
        answers.append(rows_of(np.cumsum([0, *sizes.tolist()]), found))
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


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


@thousand
@given(st.lists(query_bags, max_size=4), scaled_bags, some_weights, st.integers(1, 12), st.data())
def test_candidates_agree_with_sorting_all_rows(queries, scaled, weights, k, data):
    references, scales = [bag for bag, _ in scaled], [scale for _, scale in scaled]
    rows = data.draw(subsets(len(queries)))
    expected = twin(queries, references, weights, scales, rows, k=k)
    assert best_rows(queries, references, weights, scales, rows, k=k) == expected


@thousand
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
