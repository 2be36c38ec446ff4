"""Forward selection finds the same columns and weights as the plain loop."""

from __future__ import annotations

import pytest

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.compare import ColumnTexts, JoinFunction, ReferenceColumn
from fuzzyjoin.search.column_selection import select_columns
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import pairs_of, random_tables

FUNCTIONS = (
    JoinFunction("lower", "jaccard", "3-gram", "idf"),
    JoinFunction("lower+strip+stem", "contain-cosine", "word", "idf"),
    JoinFunction("lower", "jaro-winkler"),
)


def select(tables, target):
    """Weights, and configurations, precision and joined rows of the union under them (None if out of reach)."""
    columns = tuple(
        ColumnTexts(ReferenceColumn.of([row[place] for row in tables.reference]), [row[place] for row in tables.query])
        for place in range(1, len(tables.reference[0]))
    )
    weights, found = select_columns(
        columns,
        FUNCTIONS,
        CandidatePairs(*pairs_of(tables.candidates)),
        CandidatePairs(*pairs_of(tables.neighbours)),
        precision_target=target,
        work=Work(),
    )
    if found is None:
        return list(weights), None
    configurations = [(FUNCTIONS[place], threshold) for place, threshold in found.configurations]
    return list(weights), (configurations, found.precision_estimate, found.joined)


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("seed", range(40, 44))
def test_selection_agrees_with_the_plain_loop(seed, columns):
    tables = naive.Tables(*random_tables(seed, columns=columns, queries=8))
    weights, found = select(tables, 0.8)
    expected_weights, expected = tables.select_columns(FUNCTIONS, 0.8)
    assert (weights, found) == (expected_weights, expected)


@pytest.mark.parametrize("seed", range(50, 56))
def test_weights_sum_to_1(seed):
    tables = naive.Tables(*random_tables(seed, columns=3, queries=8))
    weights, _ = select(tables, 0.7)
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0.0


def discriminative_and_noisy(noise_first):
    """A column that tells rows apart and one that is the same everywhere."""
    names = ["alpha one", "beta two", "gamma three", "delta four", "omega five", "sigma six"]
    reference = [(row, name, "shop") for row, name in enumerate(names)]
    query = [(row, f"{name} x", "shop") for row, name in enumerate(names)]
    if noise_first:
        reference, query = ([(row[0], row[2], row[1]) for row in rows] for rows in (reference, query))
    return naive.Tables(reference, query, k=3, rules=False)


@pytest.mark.parametrize("noise_first", [False, True])
def test_a_column_that_tells_nothing_is_left_out(noise_first):
    weights, found = select(discriminative_and_noisy(noise_first), 0.9)
    assert weights == ([0.0, 1.0] if noise_first else [1.0, 0.0])
    assert found[2] == 6


def test_of_two_equal_columns_the_first_is_taken():
    rows = [(row, name, name) for row, name in enumerate(["alpha one", "beta two", "gamma three", "delta four"])]
    weights, _ = select(naive.Tables(rows, rows, k=2, rules=False), 0.9)
    assert weights == [1.0, 0.0]


def test_a_second_column_is_taken_for_the_rows_that_it_alone_tells_apart():
    first = ["anna", "bert", "carl", "dora", "same", "same"]
    second = ["same", "same", "same", "same", "emil", "fred"]
    reference = [(row, *names) for row, names in enumerate(zip(first, second, strict=True))]
    query = [(row, *(name.replace("same", "same x") for name in names)) for row, *names in reference]
    tables = naive.Tables(reference, query, k=6, rules=False)
    weights, found = select(tables, 0.9)
    assert (weights, found) == tables.select_columns(FUNCTIONS, 0.9)
    assert 0.0 < weights[1] < weights[0]
    assert found[2] == 6


def test_out_of_reach_weights_are_even():
    rows = [(row, "same", "same") for row in range(5)]
    assert select(naive.Tables(rows, rows, k=2, rules=False), 0.9) == ([0.5, 0.5], None)
