"""The search finds the same union as trying everything, and stops where the paper stops."""

from __future__ import annotations

import pytest

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.compare import ColumnTexts, JoinFunction, ReferenceColumn, WeightedColumns, resolve_space
from fuzzyjoin.search.union_search import THRESHOLDS, search_unions
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import SMALL, pairs_of, random_tables

EDIT = JoinFunction("lower", "edit")
WORDS = JoinFunction("lower", "jaccard", "word", "uniform")
GRAMS = JoinFunction("lower", "jaccard", "3-gram", "idf")


def searches(tables, functions, target, weightings, threads=1):
    """For each weighting the configurations (function, threshold), precision and joined rows, or None.

    `tables` is the twin's, whose candidates are taken, so that a difference is the search's own.
    """
    columns = tuple(
        ColumnTexts(ReferenceColumn.of([row[place] for row in tables.reference]), [row[place] for row in tables.query])
        for place in range(1, len(tables.reference[0]))
    )
    unions = search_unions(
        WeightedColumns(columns, tuple(map(tuple, weightings))),
        functions,
        CandidatePairs(*pairs_of(tables.candidates)),
        CandidatePairs(*pairs_of(tables.neighbours)),
        precision_target=target,
        work=Work(threads),
    )
    return [
        union
        and (
            [(functions[place], threshold) for place, threshold in union.configurations],
            union.precision_estimate,
            union.joined,
        )
        for union in unions
    ]


def search(tables, functions, target, *, weights=(1.0,), threads=1):
    return searches(tables, functions, target, [weights], threads)[0]


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


def test_weightings_side_by_side_give_what_each_gives_alone():
    tables = naive.Tables(*random_tables(25, columns=3))
    weightings = [(1.0, 0.0, 0.0), (0.5, 0.25, 0.25), (0.0, 1 / 3, 2 / 3), (0.0, 0.0, 1.0), (0.5, 0.25, 0.25)]
    alone = [search(tables, SMALL, 0.7, weights=weights) for weights in weightings]
    assert searches(tables, SMALL, 0.7, weightings) == alone
    assert len({repr(found) for found in alone}) == 4


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


class Grouped:
    """0 for queries of some groups (a text's first letter), else 5; 0 around reference rows of group j, else 5."""

    def __init__(self, groups):
        self.name = f"groups {groups}"
        self.groups = groups

    def distances(self, reference, query):
        assert len(reference) == len(query)
        return [0.0 if text[0] in self.groups or text[0] == "J" else 5.0 for text in query]


def dipping_search(groups, target):
    """Ten sure rows; then groups of three sure rows, each with the same two bad ones: they cost the first group most.

    The precisions of the unions are 10 / 10, 13.2 / 15 = 0.88, 16.2 / 18 = 0.9, 19.2 / 21 = 0.914, ...
    """
    names = [f"A{row}" for row in range(10)] + ["J0", "J1"]
    names += [f"{group}{row}" for group in groups for row in range(3)]
    reference = [*names, *(f"Z{row}" for row in range(9))]
    tables = naive.Tables([(name, name) for name in reference], [(name, name.lower()) for name in names], rules=False)
    place = {row[0]: position for position, row in enumerate(tables.reference)}
    tables.candidates = [[place[row[0]]] for row in tables.query]
    strangers = [place[f"Z{row}"] for row in range(9)]
    tables.neighbours = [[] if row[0][0] == "Z" else strangers for row in tables.reference]
    functions = [Grouped("a"), *(Grouped(f"j{group.lower()}") for group in groups)]
    configurations, precision, joined = search(tables, functions, target)
    return [function.name for function, _ in configurations], precision, joined


def test_the_search_goes_on_after_a_small_dip_below_the_target():
    names, precision, joined = dipping_search("BCD", 0.9)
    assert names == ["groups a", "groups jb", "groups jc", "groups jd"]
    assert precision == pytest.approx(19.2 / 21)
    assert joined == 21


def test_the_search_gives_up_after_a_dip_of_more_than_five_points():
    """Nine groups would reach 37.2 / 39 = 0.954."""
    assert dipping_search("BCDEFGHIK", 0.95) == (["groups a"], 1.0, 10)
