"""The hash table of words finds what a dict finds."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels.words import find_words, word_table
from fuzzyjoin.text import Texts
from tests.cases import any_text

words = st.lists(any_text | st.sampled_from(["a", "b", "ab", "ba"]), unique=True, max_size=20)


@pytest.mark.twin
@given(words, words)
@example([], ["a", ""])
@example([""], ["", "a"])
def test_words_are_found_as_by_a_dict(known, asked):
    texts, others = Texts.of(known), Texts.of(asked)
    table = word_table(texts.content, texts.offsets)
    found = find_words(table, texts.content, texts.offsets, others.content, others.offsets)
    places = {word: place for place, word in enumerate(known)}
    assert found.tolist() == [places.get(word, -1) for word in asked]


def test_the_table_stays_half_empty():
    texts = Texts.of([str(number) for number in range(1000)])
    table = word_table(texts.content, texts.offsets)
    assert table.size == 2048
    assert sorted(table[table >= 0].tolist()) == list(range(1000))
