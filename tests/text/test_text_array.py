"""Texts in one array are what a list of them is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.text import Texts
from fuzzyjoin.text.text_array import DECODED_AT_ONCE
from tests.cases import any_text

lists = st.lists(any_text, max_size=8)


@given(lists, st.data())
@example(["", "\ud800", "𝔘🎉", ""], None)
def test_texts_are_taken_as_from_a_list(texts, data):
    laid_out = Texts.of(texts)
    assert laid_out.tolist() == list(laid_out) == texts
    assert len(laid_out) == len(texts)
    for part in (slice(1, None), slice(None, -1), slice(None, None, -2), slice(5, 2)):
        assert laid_out[part] == texts[part]
    if texts and data:
        rows = data.draw(st.lists(st.integers(0, len(texts) - 1)))
        assert laid_out[np.array(rows, np.int64)].tolist() == [texts[row] for row in rows]
        assert laid_out[rows[0] if rows else -1] == texts[rows[0] if rows else -1]


@pytest.mark.parametrize("rows", [DECODED_AT_ONCE - 1, DECODED_AT_ONCE, 2 * DECODED_AT_ONCE + 1])
def test_many_texts_come_one_after_the_other(rows):
    texts = [f"№ {row}" for row in range(rows)]
    assert list(Texts.of(texts)) == texts


@given(lists, lists, st.data())
def test_texts_of_two_are_taken_as_from_one_list(texts, others, data):
    together = texts + others
    rows = data.draw(st.lists(st.integers(0, len(together) - 1)) if together else st.just([]))
    found = Texts.of(texts).merged(Texts.of(others), np.array(rows, np.int64))
    assert found.tolist() == [together[row] for row in rows]


def test_a_text_that_does_not_exist_is_an_error():
    with pytest.raises(IndexError, match="text 1 of 1"):
        Texts.of(["a"])[1]
