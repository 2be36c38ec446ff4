"""Discriminative tokens agree with their definition on sets; a reference row that asks is as if it were not there."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.compare import DiscriminativeTokens
from fuzzyjoin.compare.forms import Form
from fuzzyjoin.kernels.discriminative_tokens import DISCRIMINATIVE_FEATURES, MOST_COMPLETIONS
from tests.cases import VOCABULARY, candidate_lists, pairs_of
from tests.cases import csr as arrays_of

token_sets = st.frozensets(st.integers(0, VOCABULARY - 1), max_size=4)
query_sets = st.frozensets(st.integers(0, VOCABULARY + 2), max_size=4)


def found_features(queries, references, candidates, *, is_self_join=False):
    """Arrays in, one list of `DISCRIMINATIVE_FEATURES` a candidate pair out."""
    indptr, ids, counts = arrays_of([dict.fromkeys(row, 1) for row in references])
    asked = arrays_of([dict.fromkeys(row, 1) for row in queries])
    form = Form((indptr, ids, counts), asked, np.bincount(ids, minlength=VOCABULARY).astype(np.int64))
    words = DiscriminativeTokens.learn(indptr, ids, VOCABULARY)
    rows = np.arange(len(candidates), dtype=np.int64)
    return words.features(form, CandidatePairs(*pairs_of(candidates)), rows, is_self_join=is_self_join).T.tolist()


def expected_features(query, reference, others):
    """The definition; `others` are all reference rows that count."""
    completing = {}
    for row in others:
        for word in row if len(row) > 1 else ():
            completing.setdefault(row - {word}, set()).add(word)
    rows = set(others) - {frozenset()}
    contexts = Counter(word for words in completing.values() if len(words) > 1 for word in words)
    additions = Counter(word for context, words in completing.items() if context in rows for word in words)
    opposites = Counter(
        pair
        for words in completing.values()
        if len(words) <= MOST_COMPLETIONS
        for pair in combinations(sorted(words), 2)
    )
    held_by = Counter(word for row in others for word in row)
    expected = []
    for words in (query - reference, reference - query):
        known = [word for word in words if word < VOCABULARY]
        expected += [
            max((contexts[word] / max(held_by[word], 1) for word in known), default=0.0),
            max((additions[word] / max(held_by[word], 1) for word in known), default=0.0),
            math.log1p(max((contexts[word] for word in known), default=0)),
            math.log1p(max((additions[word] for word in known), default=0)),
        ]
    pairs = [tuple(sorted((a, b))) for a in query - reference for b in reference - query]
    return [*expected, math.log1p(max((opposites[pair] for pair in pairs), default=0))]


@pytest.mark.twin
@given(st.data())
def test_features_of_query_rows_agree_with_sets(data):
    references = data.draw(st.lists(token_sets, max_size=7))
    queries = data.draw(st.lists(query_sets, max_size=3))
    candidates = data.draw(candidate_lists(len(queries), len(references)))
    expected = [
        expected_features(queries[row], references[other], references)
        for row, others in enumerate(candidates)
        for other in others
    ]
    assert found_features(queries, references, candidates) == [pytest.approx(row) for row in expected]


@pytest.mark.twin
@given(st.data())
def test_a_reference_row_that_asks_is_as_if_it_were_not_there(data):
    references = data.draw(st.lists(token_sets, max_size=7))
    candidates = [
        [other for other in others if other != row]
        for row, others in enumerate(data.draw(candidate_lists(len(references), len(references))))
    ]
    expected = [
        expected_features(references[row], references[other], references[:row] + references[row + 1 :])
        for row, others in enumerate(candidates)
        for other in others
    ]
    assert found_features([], references, candidates, is_self_join=True) == [pytest.approx(row) for row in expected]


def test_years_are_opposites_and_a_word_that_makes_other_rows_is_an_addition():
    swimming, women, early, late, medley = range(5)
    references = [
        frozenset(row)
        for row in ({swimming, early}, {swimming, late}, {swimming, women, early}, {swimming, women, late}, {medley})
    ]
    (found,) = found_features([frozenset({swimming, late})], references, [[2]])
    features = dict(zip(DISCRIMINATIVE_FEATURES, found, strict=True))
    assert features["opposite words, contexts"] == pytest.approx(math.log1p(2))
    assert features["reference discriminative token, additions per row"] == 1.0
    assert features["query discriminative token, additions"] == 0.0


def test_a_context_of_too_many_completions_gives_no_opposites():
    for number, expected in ((VOCABULARY, True), (MOST_COMPLETIONS + 2, False)):
        indptr, ids, _ = arrays_of([{0: 1, other: 1} for other in range(1, number)])
        assert (DiscriminativeTokens.learn(indptr, ids, number).opposites.size > 0) is expected
