"""Negative rules are learned from rows that differ in one word each, and forbid pairs that do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.blocking import CandidatePairs, NegativeRules, learn_rules
from fuzzyjoin.text import TokenIndex
from tests import naive
from tests.cases import candidate_lists, pairs_of

WORDS = ["men", "women", "100m", "200m", "東京", "москва", "s"]
names = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
some_rules = st.sets(
    st.tuples(st.sampled_from(sorted([*WORDS, "aa", "zz"])), st.sampled_from(WORDS)).filter(
        lambda pair: pair[0] < pair[1]
    ),
    max_size=5,
).map(lambda pairs: tuple("/".join(pair) for pair in sorted(pairs)))


def learned(reference, candidates):
    pairs = CandidatePairs(*pairs_of(candidates))
    return learn_rules(pairs, TokenIndex.build(reference, "word")).pairs


def forbidden(rules, query, reference, candidates):
    """One bool a candidate pair."""
    negative = NegativeRules(rules)
    index = TokenIndex.build(reference, "word", also=[word for side in negative.sides() for word in side])
    return negative.forbid(CandidatePairs(*pairs_of(candidates)), index.encode(query), index).tolist()


@given(st.data(), st.lists(names, max_size=6))
@example(None, [])
def test_learned_rules_agree_with_set_differences(data, reference):
    candidates = data.draw(candidate_lists(len(reference), len(reference))) if reference else []
    assert list(learned(reference, candidates)) == naive.learn_rules(reference, candidates)


def test_rules_come_sorted_and_once():
    reference = ["men 100m", "women 100m", "women 200m", "men 200m"]
    assert learned(reference, [[1, 3], [0, 2], [1, 3], [0, 2]]) == ("100m/200m", "men/women")


@given(st.data(), some_rules, st.lists(names, max_size=4), st.lists(names, max_size=4))
def test_forbidden_pairs_agree_with_set_differences(data, rules, query, reference):
    candidates = data.draw(candidate_lists(len(query), len(reference)))
    expected = [
        naive.is_forbidden(text, reference[other], rules)
        for text, others in zip(query, candidates, strict=True)
        for other in others
    ]
    assert forbidden(rules, query, reference, candidates) == expected


@given(some_rules, names, names)
@example(("men/women",), "men 100m", "women 200m")
def test_a_pair_is_forbidden_exactly_when_a_rule_can_be_named(rules, query, reference):
    named = NegativeRules(rules).between(query, reference)
    assert forbidden(rules, [query], [reference], [[0]]) == [named is not None]
    if named:
        first, second = named.split("/")
        assert named in rules
        assert {first in query.split(), second in query.split()} == {True, False}


@pytest.mark.parametrize(
    ("query", "reference", "expected"),
    [
        ("men 100m", "women 100m", True),
        ("women 100m", "men 100m", True),
        ("men women", "women", False),
        ("men", "men", False),
        ("", "women", False),
        ("menu", "women", False),
    ],
)
def test_forbidden_by_example(query, reference, expected):
    assert forbidden(("men/women",), [query], [reference], [[0]]) == [expected]


def test_a_word_that_the_reference_lacks_can_still_stand_in_a_rule():
    """A program learned on one reference table and applied to another."""
    assert forbidden(("aa/men",), ["aa"], ["men"], [[0]]) == [True]
    assert forbidden(("aa/zz",), ["aa"], ["men"], [[0]]) == [False]


def test_rules_hold_in_any_order():
    rules = ("men/women", "100m/200m", "aa/zz")
    assert forbidden(rules, ["men 100m"] * 2, ["men 200m", "women 100m"], [[0], [1]]) == [True, True]


def test_without_rules_nothing_is_forbidden():
    assert forbidden((), ["men"], ["women"], [[0]]) == [False]
