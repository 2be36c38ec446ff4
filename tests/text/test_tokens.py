"""Token sets and weights come from the reference table alone and agree with Counters."""

from __future__ import annotations

import math
from collections import Counter
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.text import TOKENISERS, WEIGHTINGS, Texts, TokenIndex, lower, tokens
from tests import naive
from tests.cases import rows_of, texts

lists = st.lists(texts.map(lower), max_size=6)


def tokens_of(index):
    """The vocabulary in the twin's terms."""
    if index.tokeniser == "word":
        return index.vocabulary.tolist()
    mask = (1 << 21) - 1
    return [(key >> 42, key >> 21 & mask, key & mask) for key in index.vocabulary.tolist()]


def bags_of(index, sets):
    """Counters of the rows; a token beyond the vocabulary is its place beyond it."""
    known = tokens_of(index)
    return [
        {known[token] if token < len(known) else token - len(known): count for token, count in zip(*row, strict=True)}
        for row in zip(rows_of(sets.indptr, sets.ids), rows_of(sets.indptr, sets.counts), strict=True)
    ]


def test_both_tokenisers_have_a_twin():
    assert set(TOKENISERS) == set(naive.TOKENISERS)
    assert set(WEIGHTINGS) == set(naive.WEIGHTINGS)


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@given(lists, st.integers(1, 7), st.sampled_from([list, Texts.of]))
@example([], 1, list)
@example(["", ""], 1, Texts.of)
@example(["john s hall", "x y"], 7, list)
@example(["b", "", "a b", "b c"], 2, Texts.of)
def test_reference_rows_agree_with_counters(tokeniser, reference, rows_at_once, kept_as):
    with mock.patch.object(tokens, "ROWS_AT_ONCE", rows_at_once):
        index = TokenIndex.build(kept_as(reference), tokeniser)
    rows = [naive.TOKENISERS[tokeniser](value) for value in reference]
    assert tokens_of(index) == sorted({token for row in rows for token in row})
    assert bags_of(index, index.reference) == [dict(Counter(row)) for row in rows]


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(lists.filter(bool))
@example(["a", "a", "a b"])
@example(["only one row"])
def test_weights_agree_with_the_formula(weighting, tokeniser, reference):
    index = TokenIndex.build(reference, tokeniser)
    place = WEIGHTINGS.index(weighting)
    expected, unseen = naive.WEIGHTINGS[weighting]([naive.TOKENISERS[tokeniser](value) for value in reference])
    found = dict(zip(tokens_of(index), index.weights[place].tolist(), strict=True))
    assert found == expected
    assert index.unseen[place] == unseen


def test_idf_is_never_negative_and_counts_rows():
    index = TokenIndex.build(["a a b", "a", "a c", "a"], "word")
    assert index.weights[1].tolist() == pytest.approx([0.0, math.log(4 / 2), math.log(4 / 2)], abs=2**-17)
    assert index.unseen.tolist() == pytest.approx([1.0, math.log(4)], abs=2**-17)


@given(lists)
def test_weights_are_multiples_of_a_grain_so_that_sums_are_exact(reference):
    index = TokenIndex.build(reference, "word")
    assert all((weight * 2**16).is_integer() for weight in [*index.weights[1].tolist(), *index.unseen.tolist()])


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@given(lists, lists)
@example(["ab"], ["ba ba", "", "ab"])
@example([], ["a"])
def test_query_rows_agree_with_counters(tokeniser, reference, query):
    index = TokenIndex.build(reference, tokeniser)
    known = set(tokens_of(index))
    found = bags_of(index, index.encode(query))
    for value, bag in zip(query, found, strict=True):
        expected = Counter(naive.TOKENISERS[tokeniser](value))
        assert {token: count for token, count in bag.items() if token in known} == {
            token: count for token, count in expected.items() if token in known
        }
        strange = sorted(count for token, count in bag.items() if token not in known)
        assert strange == sorted(count for token, count in expected.items() if token not in known)


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@given(lists, lists)
@example(["a b"], ["x y y", "y", "q x q q"])
def test_a_query_row_weighs_the_same_in_any_batch(tokeniser, reference, query):
    index = TokenIndex.build(reference, tokeniser)
    together = index.encode(query)
    for row, value in enumerate(query):
        alone = index.encode([value])
        assert together.sums[:, row].tolist() == alone.sums[:, 0].tolist()
        assert together.squares[:, row].tolist() == alone.squares[:, 0].tolist()


@pytest.mark.parametrize("tokeniser", TOKENISERS)
@given(lists)
def test_a_reference_row_weighs_the_same_as_a_query_row(tokeniser, reference):
    index = TokenIndex.build(reference, tokeniser)
    query = index.encode(reference)
    for name in ("indptr", "ids", "counts", "sums", "squares"):
        assert np.array_equal(getattr(query, name), getattr(index.reference, name))


def test_words_of_the_rules_enter_the_vocabulary_without_weighing_on_it():
    plain = TokenIndex.build(["a b", "b"], "word")
    index = TokenIndex.build(["a b", "b"], "word", also=("aa", "b"))
    assert index.vocabulary.tolist() == ["a", "aa", "b"]
    assert bags_of(index, index.reference) == bags_of(plain, plain.reference)
    assert index.weights[:, [0, 2]].tolist() == plain.weights.tolist()


@given(texts.map(lower))
def test_3_grams_of_different_texts_differ(value):
    """Markers and packing are exact: only equal texts have equal 3-grams, in order."""
    keys, _ = TOKENISERS["3-gram"]([value, value + "a", "a" + value])
    first = keys[: len(naive.grams(value))].tolist()
    assert first != keys[len(first) : len(first) + len(value) + 3].tolist()
