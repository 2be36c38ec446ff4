"""The search finds the same union as trying everything, and stops where the paper stops."""

from __future__ import annotations

import pytest

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.distances import ColumnTexts, WeightedColumns
from fuzzyjoin.join_functions import JoinFunction, resolve_space
from fuzzyjoin.search import THRESHOLDS, search_union
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import SMALL, pairs_of, random_tables

EDIT = JoinFunction("lower", "edit")
WORDS = JoinFunction("lower", "jaccard", "word", "uniform")
GRAMS = JoinFunction("lower", "jaccard", "3-gram", "idf")


def search(tables, functions, target, *, weights=(1.0,), threads=1):
    """Configurations (function, threshold), precision and joined rows; None if the target is out of reach.

    `tables` is the twin's, whose candidates are taken, so that a difference is the search's own.
    """
    columns = tuple(
        ColumnTexts([row[place] for row in tables.reference], [row[place] for row in tables.query])
        for place in range(1, len(tables.reference[0]))
    )
    found = search_union(
        WeightedColumns(columns, tuple(weights)),
        functions,
        CandidatePairs(*pairs_of(tables.candidates)),
        CandidatePairs(*pairs_of(tables.neighbours)),
        precision_target=target,
        work=Work(threads),
    )
    if found is None:
        return None
    return [(functions[place], threshold) for place, threshold in found.configurations], found.precision_estimate, (
        found.joined
    )


@pytest.mark.parametrize("target", [0.6, 0.9])
@pytest.mark.parametrize("seed", range(8))
def test_the_union_agrees_with_trying_everything(seed, target):
    tables = naive.Tables(*random_tables(seed))
    assert search(tables, SMALL, target) == tables.search(SMALL, [1.0], target)


def test_the_union_over_the_large_space_agrees_with_trying_everything():
    tables = naive.Tables(*random_tables(100, queries=7))
    large = resolve_space("large")
    assert search(tables, large, 0.8) == tables.search(large, [1.0], 0.8)


@pytest.mark.parametrize("seed", range(20, 24))
def test_the_union_over_two_columns_agrees_with_trying_everything(seed):
    tables = naive.Tables(*random_tables(seed, columns=2))
    weights = [1 / 3, 2 / 3]
    assert search(tables, SMALL, 0.8, weights=weights) == tables.search(SMALL, weights, 0.8)


@pytest.mark.parametrize("target", [0.3, 0.6, 0.8, 0.9, 0.95])
def test_the_estimate_exceeds_the_target(target):
    tables = naive.Tables(*random_tables(4, references=40, queries=30))
    found = search(tables, SMALL, target)
    assert found is not None
    assert found[1] > target


def test_a_lower_target_never_joins_fewer_rows():
    tables = naive.Tables(*random_tables(4, references=40, queries=30))
    joined = [search(tables, SMALL, target)[2] for target in (0.95, 0.9, 0.7, 0.5)]
    assert joined == sorted(joined)
    assert joined[0] < joined[-1]


def test_the_union_does_not_depend_on_threads():
    tables = naive.Tables(*random_tables(11, references=30, queries=300))
    assert search(tables, SMALL, 0.8, threads=2) == search(tables, SMALL, 0.8)


def test_thresholds_are_fifty_steps_from_the_nearest_to_the_farthest():
    """Edit distances 0 and 49 of the two queries to their nearest rows: the steps are the whole numbers between."""
    reference = [(1, "abcdefgh"), (2, "zz zz zz zz zz")]
    query = [(1, "abcdefgh"), (2, "abcdefgh" + 49 * "x")]
    tables = naive.Tables(reference, query, k=2)
    tables.candidates, tables.neighbours = [[0], [0]], [[], []]
    configurations, precision, joined = search(tables, [EDIT], 0.5)
    assert THRESHOLDS == naive.STEPS == 50
    assert configurations == [(EDIT, 49.0)]
    assert (precision, joined) == (1.0, 2)


def test_a_crowded_neighbourhood_keeps_the_target_out_of_reach():
    """Two reference rows that look alike: each match is right with a half at best."""
    reference = [(1, "grand mall"), (2, "grand mall"), (3, "other place")]
    tables = naive.Tables(reference, [("q", "grand mall")], k=2)
    tables.candidates, tables.neighbours = [[0, 1]], [[1], [0], []]
    assert search(tables, [WORDS], 0.5) is None
    assert search(tables, [WORDS], 0.49) == ([(WORDS, 0.0)], 0.5, 1)


def test_a_target_that_is_only_just_met_is_not_exceeded():
    tables = naive.Tables([(1, "a b"), (2, "a b")], [("q", "a b")], k=1)
    tables.candidates, tables.neighbours = [[0]], [[1], [0]]
    assert search(tables, [WORDS], 0.5) is None


def test_without_candidates_nothing_is_found():
    tables = naive.Tables([(1, "a"), (2, "b")], [("q", "c")], k=1)
    tables.candidates = [[]]
    assert search(tables, [GRAMS], 0.5) is None


def test_the_search_passes_a_dip_below_the_target_but_not_a_deep_one():
    """At target 0.9 it looks on while the union's precision is at least 0.85, and keeps the last union above 0.9."""
    size = 30
    reference = [(row, f"w{row:02} x y z") for row in range(size)]
    tables = naive.Tables(reference, [(row, text) for row, text in reference], k=1, rules=False)
    tables.candidates = [[row] for row in range(size)]
    tables.neighbours = [[1 if row == 0 else 0] if row < 2 else [] for row in range(size)]
    found = search(tables, [EDIT, WORDS], 0.9)
    assert found == tables.search([EDIT, WORDS], [1.0], 0.9)
    assert found[2] == size
