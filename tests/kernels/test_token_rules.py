"""Negative rules on token ids agree with set differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels import token_rules
from tests.cases import VOCABULARY, candidate_lists, pairs_of
from tests.cases import csr as arrays_of

token_sets = st.sets(st.integers(0, VOCABULARY - 1), max_size=5)
query_sets = st.sets(st.integers(0, VOCABULARY + 2), max_size=5)
some_rules = st.sets(
    st.tuples(st.integers(0, VOCABULARY - 1), st.integers(0, VOCABULARY - 1)).filter(lambda pair: pair[0] < pair[1]),
    max_size=6,
)


def differing_token_pairs(rows, candidates):
    """Pairs of tokens in the order of the candidate pairs that gave them."""
    indptr, ids, _ = arrays_of([dict.fromkeys(row, 1) for row in rows])
    found = token_rules.differing_token_pairs(*pairs_of(candidates), indptr, ids, VOCABULARY)
    return [divmod(code, VOCABULARY) for code in found.tolist()]


def forbidden_pairs(queries, references, candidates, rules):
    """One bool a candidate pair."""
    query_indptr, query_ids, _ = arrays_of([dict.fromkeys(row, 1) for row in queries])
    reference_indptr, reference_ids, _ = arrays_of([dict.fromkeys(row, 1) for row in references])
    codes = np.array(sorted(low * VOCABULARY + high for low, high in rules), np.int64)
    return token_rules.forbidden_pairs(
        *pairs_of(candidates), query_indptr, query_ids, reference_indptr, reference_ids, codes, VOCABULARY
    ).tolist()


@pytest.mark.twin
@given(st.data())
def test_differing_pairs_agree_with_set_differences(data):
    rows = data.draw(st.lists(token_sets, max_size=6))
    candidates = data.draw(candidate_lists(len(rows), len(rows)))
    expected = []
    for row, others in enumerate(candidates):
        for other in others:
            left, right = rows[row] - rows[other], rows[other] - rows[row]
            if len(left) == len(right) == 1 and min(len(rows[row]), len(rows[other])) > 1:
                expected.append(tuple(sorted(left | right)))
    assert differing_token_pairs(rows, candidates) == expected


@pytest.mark.twin
@given(st.data(), some_rules)
def test_forbidden_pairs_agree_with_set_differences(data, rules):
    queries = data.draw(st.lists(query_sets, max_size=4))
    references = data.draw(st.lists(token_sets, max_size=4))
    candidates = data.draw(candidate_lists(len(queries), len(references)))
    expected = [
        any(
            tuple(sorted((mine, theirs))) in rules
            for mine in queries[row] - references[other]
            for theirs in references[other] - queries[row]
        )
        for row, others in enumerate(candidates)
        for other in others
    ]
    assert forbidden_pairs(queries, references, candidates, rules) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{0, 1}, {0, 2}], [(1, 2), (1, 2)]),
        ([{0}, {1}], []),
        ([{0, 1}, {0}], []),
        ([{0, 1}, {2, 3}], []),
        ([{0, 1}, {0, 1}], []),
        ([set(), set()], []),
    ],
    ids=["one word each", "one-word rows", "one word more", "two words each", "the same", "nothing"],
)
def test_only_rows_that_differ_in_one_word_each_speak(rows, expected):
    assert differing_token_pairs(rows, [[1], [0]]) == expected


@given(st.lists(query_sets, min_size=1, max_size=3), st.lists(token_sets, min_size=1, max_size=3))
@example([set()], [set()])
def test_without_rules_nothing_is_forbidden(queries, references):
    everything = [list(range(len(references)))] * len(queries)
    assert not any(forbidden_pairs(queries, references, everything, set()))


def test_a_word_that_both_rows_hold_is_no_difference():
    assert forbidden_pairs([{0, 1}, {0}], [{1}], [[0], [0]], {(0, 1)}) == [False, True]


def test_no_rows_give_nothing():
    assert differing_token_pairs([], []) == []
    assert forbidden_pairs([], [], [], {(0, 1)}) == []
