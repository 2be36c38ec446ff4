"""Under a rule of equality blocking finds exactly the best k among the rows of equal value, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fuzzyjoin.blocking import BLOCKERS, CandidatePairs, EqualGroups, LexicalBlocking, inverted_index
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import pairs_of, random_tables, rows_of, texts

VALUES = ["", "tx", "ca", "straße", "1"]
rows_of_values = st.lists(
    st.tuples(texts.map(lambda value: naive.blocking_text([value])), st.sampled_from(VALUES)), max_size=12
)
fixture_once = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["scanned", "listed"])
def way(request, monkeypatch):
    """Every row of a group is scored, or its lists are made, however few rows it has."""
    if request.param == "listed":
        monkeypatch.setattr(inverted_index, "SCANNED_ROWS", 0)
        monkeypatch.setattr(inverted_index, "LISTED_FROM", 1)


def built(reference, values, blocker="lexical"):
    return LexicalBlocking.build(reference, blocker=blocker, groups=EqualGroups.of([values]))


def query_pairs(reference, query, values, k, *, threads=1, blocker="lexical"):
    index = built(reference, values[1], blocker)
    groups = index.groups.find([values[0]])
    pairs = index.query_pairs(index.grams.encode(query), index.words.encode(query), k, Work(threads), groups)
    return rows_of(pairs.indptr, pairs.reference)


def self_pairs(reference, values, rows, k, *, blocker="lexical"):
    pairs = built(reference, values, blocker).self_pairs(np.array(rows, np.int64), k, Work())
    return rows_of(pairs.indptr, pairs.reference)


def apart(rows):
    return [text for text, _ in rows], [value for _, value in rows]


@pytest.mark.twin
@pytest.mark.usefixtures("way")
@fixture_once
@given(rows_of_values.filter(bool), rows_of_values, st.integers(1, 5))
@example([("a b", "tx"), ("b a", "tx"), ("a b", "ca"), ("c", "")], [("a b", "tx"), ("a b", ""), ("a b", "il")], 1)
def test_query_candidates_agree_with_scoring_the_rows_of_equal_value(reference, query, k):
    (texts_of, held), (asking, asked) = apart(reference), apart(query)
    expected = naive.block(asking, texts_of, k, values=(asked, held))
    assert query_pairs(texts_of, asking, (asked, held), k) == expected


@pytest.mark.twin
@pytest.mark.usefixtures("way")
@fixture_once
@given(rows_of_values.filter(bool), st.integers(1, 4))
@example([("a b", "tx"), ("b a", "tx"), ("a b", "ca"), ("a b", "tx")], 1)
def test_neighbours_agree_with_scoring_the_rows_of_equal_value(reference, k):
    texts_of, held = apart(reference)
    expected = naive.block(texts_of, texts_of, k, exclude_self=True, values=(held, held))
    assert self_pairs(texts_of, held, range(len(reference)), k) == expected


@pytest.mark.parametrize("blocker", BLOCKERS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("scanned", [0, 40, 1000], ids=["listed", "both", "scanned"])
def test_candidates_of_whole_tables_agree_whatever_the_threads(scanned, threads, blocker, monkeypatch):
    """Groups of all sizes, in no order, some of them larger than what is scored row by row."""
    monkeypatch.setattr(inverted_index, "SCANNED_ROWS", scanned)
    reference, query = (
        [naive.blocking_text(row[1:]) for row in rows] for rows in random_tables(8, references=150, queries=300)
    )
    random = np.random.default_rng(1)
    held, asked = (
        [str(value) if value else "" for value in random.geometric(0.4, len(rows)).clip(max=6) - 1]
        for rows in (reference, query)
    )
    expected = naive.block(query, reference, 6, values=(asked, held), blocker=blocker)
    assert query_pairs(reference, query, (asked, held), 6, threads=threads, blocker=blocker) == expected
    assert any(len(row) == 6 for row in expected)
    rows = [3, 4, 50, 149]
    neighbours = naive.block(reference, reference, 6, exclude_self=True, values=(held, held), blocker=blocker)
    wanted = [row if place in rows else [] for place, row in enumerate(neighbours)]
    assert self_pairs(reference, held, rows, 6, blocker=blocker) == wanted


def test_rows_without_a_value_are_in_no_group_and_values_of_several_columns_stay_apart():
    groups = EqualGroups.of([["a", "ab", "", "a", "a"], ["bc", "c", "x", "", "bc"]])
    assert len(groups) == 2
    assert groups.of_rows.tolist() == [groups.of_rows[0], 1 - groups.of_rows[0], -1, -1, groups.of_rows[0]]
    assert groups.find([["a", "ab", "a", ""], ["bc", "c", "c", ""]]).tolist() == [*groups.of_rows[:2], -1, -1]
    assert groups.have_several(groups.of_rows).tolist() == [True, False, False, False, True]


def test_of_any_pairs_those_within_a_group_are_kept():
    groups = EqualGroups.of([["tx", "", "ca", "tx"]])
    asking = groups.find([["tx", "", "il"]])
    kept = groups.keep(CandidatePairs(*pairs_of([[0, 1, 2, 3], [0, 1], [2]])), asking)
    assert rows_of(kept.indptr, kept.reference) == [[0, 3], [], []]


def test_a_table_without_any_value_has_no_candidates():
    assert query_pairs(["a b", "a c"], ["a b"], (["tx"], ["", ""]), 3) == [[]]
    assert self_pairs(["a b", "a c"], ["", ""], [0, 1], 3) == [[], []]


def test_rows_of_groups_are_not_looked_up_without_theirs():
    index = built(["a b", "a c"], ["tx", "ca"])
    with pytest.raises(TypeError, match="those of the rows that ask are not given"):
        index.query_pairs(index.grams.encode(["a"]), index.words.encode(["a"]), 3, Work())
