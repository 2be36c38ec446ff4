"""Long texts: their time is bounded, they are told apart beyond the bound, and shorter ones are as they were."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler, Levenshtein

import fuzzyjoin
from fuzzyjoin.compare import FEATURES, JoinFunction
from fuzzyjoin.compare import distances as union_distances
from fuzzyjoin.compare import features as scoring_features
from fuzzyjoin.text import MOST_CHARACTERS
from tests.cases import frame
from tests.compare.test_distances import EDIT, JARO_WINKLER, distances, one_distance
from tests.compare.test_features import by_pair, tables_of

CHARACTER_FEATURES = ["edit", "jaro-winkler", "subsequence", "sorted words", "word sets", "unspaced edit"]
BY_CONTAINMENT = ["subsequence", "word sets"]


def long_text(seed, characters=4 * MOST_CHARACTERS):
    """Text of made-up words."""
    random = np.random.default_rng(seed)
    text = ""
    while len(text) < characters:
        text += "".join(random.choice(list("etaoinshrdlu"), random.integers(3, 9))) + " "
    return text[: characters - 1] + "."


def character_features(query, reference):
    """Evidence of one pair by name, in a table of some other rows."""
    others = [(f"other {row}", long_text(1000 + row, 60)) for row in range(5)]
    found = by_pair(*tables_of([("r", reference), *others], [("q", query)]))["q", "r"]
    features = dict(zip(FEATURES, found, strict=True))
    return {name: features[name] for name in CHARACTER_FEATURES}


def head_length(text):
    """Characters of a long text that are compared one by one."""
    return MOST_CHARACTERS * MOST_CHARACTERS // len(text)


def grams(text):
    padded = f"\0\0{text}\0\0"
    return Counter(padded[place : place + 3] for place in range(len(text) + 2))


def apart(left, right):
    """1 - shared / all 3-grams, counted; and the same of the fewer."""
    left, right = grams(left), grams(right)
    shared = (left & right).total()
    return 1 - shared / (left | right).total(), 1 - shared / min(left.total(), right.total())


@pytest.mark.parametrize("method", ["auto", "autofj"])
def test_no_more_than_the_bound_is_compared_character_by_character(method, monkeypatch):
    longest = []
    for module in (union_distances, scoring_features):
        compare = module.cpdist

        def watched(left, right, compare=compare, **options):
            longest.append(max(map(len, [*left, *right]), default=0))
            return compare(left, right, **options)

        monkeypatch.setattr(module, "cpdist", watched)
    reference = [(f"r{row}", long_text(row)) for row in range(30)]
    query = [(f"q{row}", text.replace("e", "a", 20)) for row, (_, text) in enumerate(reference)]
    result = fuzzyjoin.fuzzy_join(frame(reference), frame(query), on="title", method=method)
    assert 0 < max(longest) <= MOST_CHARACTERS
    assert len(result.matches) > 20
    assert (result.matches["query_id"].str[1:] == result.matches["reference_id"].str[1:]).all()


@pytest.mark.parametrize("characters", [60, MOST_CHARACTERS])
def test_texts_up_to_the_bound_are_compared_whole(characters):
    left, right = long_text(1, characters), long_text(2, characters)
    long = long_text(3)
    assert one_distance(EDIT, left, right) == Levenshtein.distance(left, right)
    assert one_distance(JARO_WINKLER, left, right) == JaroWinkler.distance(left, right)
    assert one_distance(EDIT, left, right, [long]) == one_distance(EDIT, left, right)
    assert one_distance(JARO_WINKLER, left, right, [long]) == one_distance(JARO_WINKLER, left, right)
    found = character_features(left, right)
    assert found["edit"] == np.float32(Levenshtein.normalized_distance(left, right))
    assert found["jaro-winkler"] == np.float32(JaroWinkler.distance(left, right))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 3000), st.integers(0, 9))
def test_the_tail_counts_by_3_grams_with_its_share_of_the_length(start, characters, seed):
    left = long_text(seed)
    right = (left[:start] + long_text(seed + 10))[:characters].strip() or "x"
    head = head_length(left)
    rest = len(left) - head
    disjoint, _ = apart(left, right)
    edits = Levenshtein.distance(left[:head], right[:head])
    assert one_distance(EDIT, left, right) == pytest.approx(edits + rest * disjoint)
    known = JaroWinkler.distance(left[:head], right[:head])
    assert one_distance(JARO_WINKLER, left, right) == pytest.approx((head * known + rest * disjoint) / len(left))
    assert one_distance(EDIT, left, right) == one_distance(EDIT, right, left)


def test_the_scorer_sees_the_same_mean_of_head_and_tail():
    left, right = long_text(1), long_text(2, 300)
    disjoint, outside = apart(left, right)
    head = head_length(left)
    share = head / len(left)
    heads, found = character_features(left[:head], right[:head]), character_features(left, right)
    for name in CHARACTER_FEATURES:
        tail = outside if name in BY_CONTAINMENT else disjoint
        # The forms without spaces or punctuation are shorter than the text, so their heads hold more of it.
        assert found[name] == pytest.approx(share * heads[name] + (1 - share) * tail, abs=0.02), name


def test_equal_long_texts_are_at_0():
    text = long_text(1)
    assert set(character_features(text, text).values()) == {0.0}
    assert one_distance(EDIT, text, text) == one_distance(JARO_WINKLER, text, text) == 0.0


def test_long_texts_that_only_begin_alike_are_not_equal():
    beginning = long_text(1, 2 * MOST_CHARACTERS)
    left, right = beginning + long_text(2), beginning + long_text(3)
    assert min(character_features(left, right).values()) > 0.1
    assert one_distance(EDIT, left, right) > MOST_CHARACTERS
    assert one_distance(JARO_WINKLER, left, right) > 0.1


def test_a_distance_does_not_jump_as_a_text_outgrows_the_bound():
    left, right = long_text(1, 3000), long_text(2, 3000)

    def found(characters):
        pair = left[:characters].strip(), right[:characters].strip()
        union = [one_distance(JARO_WINKLER, *pair), one_distance(EDIT, *pair) / characters]
        return np.array([*character_features(*pair).values(), *union])

    assert found(MOST_CHARACTERS + 20) == pytest.approx(found(MOST_CHARACTERS), abs=0.04)


@pytest.mark.parametrize("function", [EDIT, JARO_WINKLER, JoinFunction("lower+stem", "edit")], ids=lambda f: f.name)
def test_a_long_text_is_as_far_from_a_missing_value_as_can_be(function):
    text = long_text(1)
    length = len(text) if function.distance == "edit" else 1.0
    assert one_distance(function, text, "", ["x"]) == pytest.approx(length, rel=0.2)
    assert one_distance(function, "", text, ["x"]) == pytest.approx(length, rel=0.2)


def test_a_long_row_alone_has_the_features_it_has_in_its_batch():
    reference = [(f"r{row}", long_text(row) if row % 2 else f"name {row}") for row in range(12)]
    query = [(f"q{row}", text[: 60 + 400 * row] + "x") for row, (_, text) in enumerate(reference)]
    together = by_pair(*tables_of(reference, query))
    assert together == by_pair(*tables_of(reference, query, threads=3))
    for row in query:
        alone = by_pair(*tables_of(reference, [row]))
        assert alone == {pair: values for pair, values in together.items() if pair[0] == row[0]}
    everything = [list(range(len(reference)))] * len(query)
    columns = [([text for _, text in reference], [text for _, text in query])]
    functions = [EDIT, JARO_WINKLER]
    found = np.array(distances(columns, functions, everything)).reshape(2, len(query), -1)
    for place, (_, text) in enumerate(query):
        alone = distances([(columns[0][0], [text])], functions, everything[:1])
        assert found[:, place].tolist() == alone
