"""Token rows and their weights agree with plain dicts and lists."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels import csr
from tests import naive
from tests.cases import VOCABULARY, any_text, any_weights, bags, query_bags, rows_of
from tests.cases import csr as arrays_of


def ngram_keys(texts):
    """3-grams of every text as tuples of three code points."""
    code_points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    keys, indptr = csr.ngram_keys(code_points, offsets, naive.MARKER)
    mask = (1 << 21) - 1
    return [[(key >> 42, key >> 21 & mask, key & mask) for key in row] for row in rows_of(indptr, keys)]


def sorted_counts(rows):
    """Every row as {token: count}, in the order of the arrays."""
    tokens = np.array([token for row in rows for token in row], np.int32)
    ids, counts, indptr = csr.sorted_counts(tokens, np.cumsum([0, *map(len, rows)], dtype=np.int64))
    return [list(zip(*row, strict=True)) for row in zip(rows_of(indptr, ids), rows_of(indptr, counts), strict=True)]


def document_frequency(rows):
    return csr.document_frequency(arrays_of(rows)[1], VOCABULARY).tolist()


def row_weights(rows, weights):
    """Sums and sums of squares of each row under two weightings: uniform, and `weights` with the unseen weight last."""
    table = np.array([[1.0] * VOCABULARY, weights[:-1]])
    sums, squares = csr.row_weights(*arrays_of(rows), table, np.array([1.0, weights[-1]]))
    return sums.tolist(), squares.tolist()


def join_rows(left, right, rows):
    indptr, ids, counts = csr.join_rows(
        np.array(rows, np.int64), *arrays_of(left), VOCABULARY, *arrays_of(right), VOCABULARY
    )
    return [list(zip(*row, strict=True)) for row in zip(rows_of(indptr, ids), rows_of(indptr, counts), strict=True)]


def test_ngrams_are_padded_by_two_markers_at_each_end():
    mark = naive.MARKER
    a, b = ord("a"), ord("b")
    assert ngram_keys(["ab"]) == [[(mark, mark, a), (mark, a, b), (a, b, mark), (b, mark, mark)]]


@pytest.mark.twin
@given(st.lists(any_text, max_size=6))
@example([])
@example(["", "", ""])
@example(["\ud800", "\udfff\ud800", "\U0010ffff", "\0"])
@example(["日本語", "Кремль", "हिन्दी", "e\u0301", "𝔘🎉"])
def test_ngrams_agree_with_slices_of_the_text(texts):
    assert ngram_keys(texts) == [naive.grams(text) for text in texts]


@pytest.mark.twin
@given(st.lists(st.lists(st.integers(0, 5) | st.integers(0, 2**31 - 1), max_size=9), max_size=6))
@example([])
@example([[], [3], []])
@example([[7, 7, 7, 7], [2**31 - 1, 0]])
def test_sorted_counts_agree_with_a_counter(rows):
    assert sorted_counts(rows) == [sorted(Counter(row).items()) for row in rows]


@pytest.mark.twin
@given(st.lists(bags, max_size=8))
@example([])
@example([{}, {}])
def test_document_frequency_agrees_with_a_counter(rows):
    expected = naive.document_frequency(rows)
    assert document_frequency(rows) == [expected[token] for token in range(VOCABULARY)]


@pytest.mark.twin
@given(st.lists(query_bags, max_size=6), any_weights)
@example([], [0.0] * (VOCABULARY + 1))
@example([{}, {0: 3, VOCABULARY: 2}], [0.0] * (VOCABULARY + 1))
def test_row_weights_agree_with_exact_sums(rows, weights):
    for unseen, found in ((1.0, 0), (weights[-1], 1)):
        table = [1.0] * VOCABULARY if found == 0 else weights

        def weight(token, table=table, unseen=unseen):
            return table[token] if token < VOCABULARY else unseen

        sums, squares = row_weights(rows, weights)
        assert sums[found] == pytest.approx([math.fsum(map(weight, row)) for row in rows], rel=1e-14)
        assert squares[found] == pytest.approx(
            [math.fsum((weight(token) * count) ** 2 for token, count in row.items()) for row in rows], rel=1e-14
        )


@pytest.mark.twin
@given(st.lists(bags, max_size=6), any_weights)
@example([], [0.0] * (VOCABULARY + 1))
@example([{}, {0: 3}, {}], [2.5] * (VOCABULARY + 1))
def test_weighted_counts_agree_with_exact_sums(rows, weights):
    found = csr.weighted_counts(*arrays_of(rows), np.array(weights))
    expected = [math.fsum(weights[token] * count for token, count in row.items()) for row in rows]
    assert found.tolist() == pytest.approx(expected, rel=1e-14)


@pytest.mark.twin
@given(st.lists(st.tuples(query_bags, bags, st.booleans()), max_size=6))
@example([({}, {}, True), ({1: 2}, {}, True), ({}, {3: 1}, False), ({VOCABULARY: 1, 0: 1}, {0: 3}, True)])
def test_joined_rows_agree_with_joined_dicts(rows):
    def right_behind_left(left, right):
        beyond = {token: token + VOCABULARY if token >= VOCABULARY else token for token in left}
        return {beyond[token]: count for token, count in left.items()} | {
            token + VOCABULARY: count for token, count in right.items()
        }

    expected = [sorted(right_behind_left(left, right).items()) if asked else [] for left, right, asked in rows]
    left, right = [left for left, _, _ in rows], [right for _, right, _ in rows]
    assert join_rows(left, right, [row for row, (_, _, asked) in enumerate(rows) if asked]) == expected


@pytest.mark.twin
@given(st.data(), st.lists(bags, max_size=5), st.lists(bags, max_size=5))
def test_rows_of_two_tables_agree_with_lists(data, first, second):
    together = [sorted(row) for row in first + second]
    places = st.integers(0, len(together) - 1)
    rows = data.draw(st.lists(places, max_size=8) if together else st.just([]))
    (indptr, ids, _), (other_indptr, other_ids, _) = arrays_of(first), arrays_of(second)
    found = csr.rows_of_two(indptr, ids, other_indptr, other_ids, np.array(rows, np.int64))
    assert rows_of(*found) == [together[row] for row in rows]
