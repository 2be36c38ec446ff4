"""Blocking finds exactly the best k rows, whatever the threads; a user's blocker is checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.blocking import BLOCKERS, CandidatePairs, LexicalBlocking, block_with, default_k, scorer_k
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.tables import key_table
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import frame, pairs_of, random_tables, rows_of, texts

lists = st.lists(texts.map(lambda value: naive.blocking_text([value])), max_size=10)


def query_pairs(reference, query, k, threads=1, blocker="lexical"):
    index = LexicalBlocking.build(reference, blocker=blocker)
    pairs = index.query_pairs(index.grams.encode(query), index.words.encode(query), k, Work(threads))
    return rows_of(pairs.indptr, pairs.reference)


def self_pairs(reference, rows, k, threads=1, blocker="lexical"):
    pairs = LexicalBlocking.build(reference, blocker=blocker).self_pairs(np.array(rows, np.int64), k, Work(threads))
    return rows_of(pairs.indptr, pairs.reference)


@pytest.mark.parametrize(("rows", "k"), [(1, 1), (3, 1), (4, 2), (200, 14), (2499, 49), (2500, 50), (10**6, 50)])
def test_k_is_the_root_of_the_rows_and_at_most_50(rows, k):
    assert default_k(rows) == k


@given(lists.filter(bool), lists, st.integers(1, 5))
@example(["a b", "b a", "a b", "c"], ["a b", "", "zz"], 2)
def test_query_candidates_agree_with_scoring_every_row(reference, query, k):
    assert query_pairs(reference, query, k) == naive.block(query, reference, k)


@given(lists.filter(bool), st.integers(1, 4))
@example(["a b", "b a", "a b", "c"], 2)
def test_neighbours_agree_with_scoring_every_row(reference, k):
    rows = range(len(reference))
    assert self_pairs(reference, rows, k) == naive.block(reference, reference, k, exclude_self=True)


@pytest.mark.parametrize("blocker", BLOCKERS)
@pytest.mark.parametrize("seed", range(6))
def test_candidates_of_whole_tables_agree(seed, blocker):
    reference, query = ([naive.blocking_text(row[1:]) for row in rows] for rows in random_tables(seed, references=40))
    assert query_pairs(reference, query, 6, blocker=blocker) == naive.block(query, reference, 6, blocker=blocker)
    neighbours = naive.block(reference, reference, 6, exclude_self=True, blocker=blocker)
    assert self_pairs(reference, range(41), 6, blocker=blocker) == neighbours


def test_a_scorer_looks_at_20_candidates_at_least():
    assert [scorer_k(rows) for rows in (3, 399, 441, 10**6)] == [20, 20, 21, 50]


def test_rows_not_asked_for_have_no_neighbours_and_the_others_the_same():
    reference = [naive.blocking_text(row[1:]) for row in random_tables(3)[0]]
    whole = self_pairs(reference, range(len(reference)), 4)
    some = self_pairs(reference, [2, 5, 9], 4)
    assert some == [row if place in {2, 5, 9} else [] for place, row in enumerate(whole)]
    assert any(some)


def test_candidates_do_not_depend_on_threads():
    reference, query = (
        [naive.blocking_text(row[1:]) for row in rows] for rows in random_tables(5, references=80, queries=600)
    )
    assert query_pairs(reference, query, 8, threads=2) == query_pairs(reference, query, 8)


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=4), max_size=5))
def test_keeping_pairs_keeps_their_rows(rows):
    pairs = CandidatePairs(*pairs_of([[place for place, _ in row] for row in rows]))
    kept = pairs.keep(np.array([kept for row in rows for _, kept in row], np.bool_))
    assert rows_of(kept.indptr, kept.reference) == [[place for place, kept in row if kept] for row in rows]
    assert len(kept) == sum(kept for row in rows for _, kept in row)


class ByHand:
    """A blocker that proposes the pairs it was given."""

    name = "by hand"

    def __init__(self, pairs):
        self.pairs = pairs

    def candidate_pairs(self, reference, query):
        assert list(reference.columns) == list(query.columns) == ["id", "title"]
        return (
            self.pairs
            if isinstance(self.pairs, pd.DataFrame)
            else pd.DataFrame(self.pairs, columns=["query_id", "reference_id"])
        )


def tables():
    reference = key_table(frame([(1, "b"), (2, "a"), (3, "c")]), role="reference", id_column="id", columns=["title"])
    query = key_table(frame([("x", "b"), ("y", "c")]), role="query", id_column="id", columns=["title"])
    return reference, query


def test_a_users_pairs_come_in_canonical_order_without_repeats():
    reference, query = tables()
    pairs = block_with(ByHand([("y", 3), ("x", "1"), ("x", 2), ("y", 3)]), reference, query)
    assert rows_of(pairs.indptr, pairs.reference) == [[0, 1], [2]]


def test_a_users_blocker_may_propose_nothing():
    reference, query = tables()
    pairs = block_with(ByHand([]), reference, query)
    assert rows_of(pairs.indptr, pairs.reference) == [[], []]


def test_a_users_neighbours_leave_out_the_row_itself():
    reference, _ = tables()
    pairs = block_with(ByHand([(1, 1), (1, 2), (3, 3), (2, 3)]), reference, reference)
    assert rows_of(pairs.indptr, pairs.reference) == [[2], [0], []]


@pytest.mark.parametrize(("pair", "role"), [(("z", 1), "query"), (("x", "9"), "reference")])
def test_an_unknown_id_of_a_blocker_is_named(pair, role):
    with pytest.raises(DataError, match=rf"blocker 'by hand' names the {role} id ('z'|'9'),"):
        block_with(ByHand([pair]), *tables())


def test_a_blocker_that_gives_no_pairs_frame_is_told_so():
    with pytest.raises(UsageError, match="without the columns query_id and reference_id"):
        block_with(ByHand(pd.DataFrame({"query": [1]})), *tables())
