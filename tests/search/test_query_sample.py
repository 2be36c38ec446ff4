"""The query rows that a program is learned on: drawn by their ids and a seed, by nothing else."""

import pytest

from fuzzyjoin.search.query_sample import drawn_rows
from fuzzyjoin.tables import key_table
from tests.cases import frame

ROWS = [(f"q{row}", f"name {row % 50}") for row in range(400)]


def drawn(rows, most, seed=0):
    table = key_table(frame(rows), role="query", id_column="id", columns=["title"])
    positions = drawn_rows(table, most, seed)
    assert positions.tolist() == sorted(set(positions.tolist()))
    return {table.ids[position] for position in positions}


def test_neither_order_nor_texts_of_rows_change_the_sample():
    expected = drawn(ROWS, 40)
    assert len(expected) == 40
    assert drawn(ROWS[::-1], 40) == expected
    assert drawn([(name, text[::-1]) for name, text in ROWS], 40) == expected


def test_a_larger_sample_holds_the_smaller():
    assert drawn(ROWS, 40) < drawn(ROWS, 90)


def test_rows_that_come_later_displace_only_their_share():
    later = drawn([*ROWS, *((f"new{row}", "x") for row in range(40))], 100)
    assert 0 < len(later - drawn(ROWS, 100)) < 30


def test_a_row_is_in_the_samples_of_some_seeds_only():
    counts = dict.fromkeys((name for name, _ in ROWS), 0)
    for seed in range(100):
        for name in drawn(ROWS, 100, seed):
            counts[name] += 1
    # A quarter of 100 samples on average, with a standard deviation of 4.3.
    assert 5 < min(counts.values()) <= max(counts.values()) < 45


@pytest.mark.parametrize("most", [400, 401])
def test_a_table_that_is_short_enough_is_taken_whole(most):
    assert len(drawn(ROWS, most)) == 400
