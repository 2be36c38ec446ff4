"""Preprocessing keeps every script, forgets what it should, and treats each text for itself."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.text import preprocessing as text
from tests import naive
from tests.cases import any_text, texts

lists = st.lists(texts | any_text.filter(lambda value: value.isprintable()), max_size=5)
METHODS = list(text.PREPROCESSINGS)


def preprocess(values, method):
    return text.preprocess([text.lower(value) for value in values], method)


def blocking_text(rows):
    """Blocking text of rows, each a list of its columns' texts."""
    columns = zip(*rows, strict=True)
    return text.blocking_text([[text.lower(value) for value in column] for column in columns])


def test_the_four_preprocessings_of_the_paper_are_there():
    assert METHODS == ["lower", "lower+stem", "lower+strip", "lower+strip+stem"]
    assert list(naive.PREPROCESSINGS) == METHODS


@pytest.mark.parametrize("method", METHODS)
@given(lists)
@example([])
@example(["John's Hall", "s", "S S", "x y"])
@example(["it's Ύδωρ ΑΣ ΑΣ.", "ﬁne", "½", "..."])
def test_every_text_agrees_with_the_plain_rule(method, values):
    assert preprocess(values, method) == [naive.PREPROCESSINGS[method](value) for value in values]


@pytest.mark.parametrize("method", METHODS)
@given(lists)
def test_a_text_does_not_depend_on_the_others(method, values):
    assert preprocess(values, method) == [preprocess([value], method)[0] for value in values]


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
@example([("St. John's", "Hospitals"), ("", ""), ("s", "s")])
def test_blocking_text_agrees_with_the_plain_rule(rows):
    assert blocking_text(rows) == [naive.blocking_text(row) for row in rows]


@given(any_text)
@example("İ")
@example("ΑΣ")
@example("\u2126 \u212b")
def test_lower_case_of_lower_case_is_the_same(value):
    once = text.lower(value)
    assert text.lower(once) == once


@given(texts)
def test_no_letter_digit_or_mark_is_dropped(value):
    lowered = text.lower(value)
    kept = [character for character in lowered if unicodedata.category(character)[0] in "LMN"]
    stripped = text.strip_punctuation(lowered)
    spaced = text.punctuation_to_space(lowered)
    for result in (stripped, spaced):
        assert [character for character in result if unicodedata.category(character)[0] in "LMN"] == kept


@pytest.mark.parametrize("method", METHODS)
@given(lists)
def test_words_stand_one_space_apart(method, values):
    for value in preprocess(values, method):
        assert value == " ".join(value.split())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Straße", "straße"),
        ("Cafe\u0301", "caf\u00e9"),
        ("ＡＢＣ　１２", "abc 12"),
        ("ﬁne", "fine"),
        ("МОСКВА", "москва"),
        ("東京 タワー", "東京 タワー"),
        ("हिन्दी", "हिन्दी"),
        ("  a \t\n b  ", "a b"),
        ("NaN", "nan"),
        ("", ""),
    ],
)
def test_lower_case_by_example(raw, expected):
    assert preprocess([raw], "lower") == [expected]


def test_half_width_katakana_equal_full_width_ones():
    assert text.lower("ﾄｳｷｮｳ") == "トウキョウ"


@pytest.mark.parametrize(
    ("raw", "stripped", "spaced"),
    [
        ("at&t (u.s.)", "att us", "at t u s"),
        ("rock-'n'-roll", "rocknroll", "rock n roll"),
        ("हिन्दी!", "हिन्दी", "हिन्दी"),
        ("東京・タワー", "東京タワー", "東京 タワー"),
        ("snake_case", "snake_case", "snake_case"),
        ("...", "", ""),
        ("a . b", "a b", "a b"),
    ],
)
def test_punctuation_by_example(raw, stripped, spaced):
    assert text.strip_punctuation(raw) == stripped
    assert text.punctuation_to_space(raw) == spaced


@pytest.mark.parametrize("word", ["s", "is", "собаки", "東京", "हिन्दी", "", "2008"])
def test_words_that_have_no_stem_stay(word):
    assert text.stem([word]) == [word]


def test_stems_of_equal_words_are_equal():
    assert text.stem(["running runs", "hospitals is", "run hospital"]) == ["run run", "hospit is", "run hospit"]
