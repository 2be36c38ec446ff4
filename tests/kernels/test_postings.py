"""The inverted index names every row of every token, and no two rows of a block share a place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.kernels import postings
from tests.cases import LEFT, VOCABULARY, bags, csr, divided, rows_of

LARGEST_BLOCK = postings.GROUP * 2016


def laid_out(rows, order):
    """Rows of tokens in the given order, each token as often as it occurs."""
    left, right = divided(rows)
    return postings.occurrences_by_rank(np.array(order, np.int32), *csr(left), LEFT, *csr(right))


def spelled_out(bag):
    return [token for token in sorted(bag) for _ in range(bag[token])]


@pytest.mark.twin
@given(st.lists(bags, max_size=8).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))))
@example(([], []))
@example(([{}, {0: 3}, {}], [2, 1, 0]))
def test_tokens_stand_in_the_order_of_the_ranks(ranked):
    rows, order = ranked
    assert rows_of(*laid_out(rows, order)) == [spelled_out(rows[row]) for row in order]


@pytest.mark.twin
@given(st.lists(bags, max_size=40))
@example([])
@example([{}, {0: 3}, {}])
def test_lists_name_a_row_as_often_as_it_holds_the_token(rows):
    laid = laid_out(rows, range(len(rows)))
    groups = postings.groups_of(len(rows))
    expected = [
        [postings.place_of(row, groups) for row, bag in enumerate(rows) for _ in range(bag.get(token, 0))]
        for token in range(VOCABULARY)
    ]
    assert rows_of(*postings.inverted_index(*laid, VOCABULARY)) == (expected if rows else [])
    most = [max([0, *(bag.get(token, 0) for bag in rows)]) for token in range(VOCABULARY)]
    assert postings.most_in_a_row(*laid, VOCABULARY).tolist() == most


@pytest.mark.parametrize("rows", [1, 33, 1025, LARGEST_BLOCK])
def test_every_row_of_a_block_has_a_place_of_its_own(rows):
    groups = postings.groups_of(rows)
    places = [postings.place_of(row, groups) for row in range(rows)]
    assert len(set(places)) == rows
    assert max(places) < min(postings.block_places(groups), 2**16)


def test_a_table_of_more_rows_has_a_list_of_every_token_in_each_block():
    tokens = np.zeros(LARGEST_BLOCK + 2, np.int32)
    starts, places = postings.inverted_index(np.arange(tokens.size + 1), tokens, 1)
    assert starts.tolist() == [0, LARGEST_BLOCK, LARGEST_BLOCK + 2]
    assert places[-2:].tolist() == [postings.place_of(row, 2016) for row in (0, 1)]
