"""Columns are proposed by their values: whatever they are called, in whatever order rows and columns stand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzyjoin import DataError, UsageError, propose_columns
from tests.known_truth import KINDS

ROWS = 60


def listed(seed=1, rows=ROWS):
    """A table of people, firms, years, prices and countries."""
    made = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"{seed}-{row}" for row in range(rows)],
            "person": [KINDS["people"](made) for _ in range(rows)],
            "firm": [KINDS["companies"](made) for _ in range(rows)],
            "founded": [str(made.integers(1900, 2020)) for _ in range(rows)],
            "price": [f"${made.integers(100, 90000) / 100:.2f}" for _ in range(rows)],
            "country": made.choice(["de", "fr", "it", "no"], rows),
        }
    )


COLUMNS = ["person", "firm", "founded", "price", "country"]


def hidden(table, seed=0):
    """The table with its columns renamed and shuffled, and what each was called."""
    order = [COLUMNS[place] for place in np.random.default_rng(seed).permutation(len(COLUMNS))]
    names = {f"c{place}": name for place, name in enumerate(order)}
    return table[["id", *order]].set_axis(["id", *names], axis=1), names


def test_every_column_finds_its_like_whatever_it_is_called():
    query, names = hidden(listed(2))
    proposals = propose_columns(listed(1), query)
    assert [(pair.reference, names[pair.query]) for pair in proposals.pairs] == [(name, name) for name in COLUMNS]
    assert proposals.warnings == ()
    assert proposals.left_out == ()
    assert all(0.5 <= pair.similarity <= 1.0 for pair in proposals.pairs)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False), st.integers(0, 100))
def test_order_of_rows_and_columns_changes_nothing(draw, seed):
    reference, (query, _) = listed(1), hidden(listed(2), seed=0)
    expected = propose_columns(reference, query)
    mixed = [
        table.sample(frac=1, random_state=seed)[draw.sample(list(table), table.shape[1])]
        for table in (reference, query)
    ]
    found = propose_columns(*mixed)
    assert set(found.pairs) == set(expected.pairs)
    assert set(found.left_out) == set(expected.left_out)


def test_of_many_values_the_same_are_looked_at_in_any_order():
    reference, query = listed(1, rows=12_000), listed(2, rows=12_000)
    turned = propose_columns(reference[::-1], query[::-1])
    assert turned == propose_columns(reference, query)
    assert turned.on == [(name, name) for name in COLUMNS]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_without_its_like_is_left_out_or_has_a_warning(name):
    query, names = hidden(listed(2))
    gone = next(hidden_as for hidden_as, called in names.items() if called == name)
    proposals = propose_columns(listed(1), query.drop(columns=gone))
    wrong = [pair for pair in proposals.pairs if pair.reference != names[pair.query]]
    assert all(pair.warning for pair in wrong)
    taken = {pair.reference for pair in proposals.pairs}
    assert name in taken or ("reference", name, "no column of query holds values of its kind") in proposals.left_out


def test_columns_that_tell_no_rows_apart_are_left_out_with_the_reason():
    reference, query = listed(1), listed(2)
    few = [name if row < 6 else None for row, name in enumerate(reference["firm"])]
    proposals = propose_columns(reference.assign(firm=few), query.assign(country="de"))
    assert ("reference", "firm", "only 10% of its rows have a value") in proposals.left_out
    assert ("query", "country", "it has the same value in every row") in proposals.left_out
    assert {"firm", "country"}.isdisjoint({name for pair in proposals.on for name in pair})


def test_two_columns_of_a_kind_are_told_to_be_looked_at_but_not_where_the_names_agree():
    reference, query = listed(1)[["id", "person"]], listed(2)[["id", "person"]]
    twice = query.assign(deputy=[KINDS["people"](np.random.default_rng(row)) for row in range(ROWS)])
    (pair,) = propose_columns(reference, twice).pairs
    assert (pair.reference, pair.query, pair.warning) == ("person", "person", None)
    (pair,) = propose_columns(reference, twice.rename(columns={"person": "signed"})).pairs
    assert "is about as alike" in pair.warning


def test_ids_are_not_proposed_and_rows_without_ids_need_none():
    reference = listed(1)
    proposals = propose_columns(reference.rename(columns={"id": "key"}), listed(2), id=("key", "id"))
    assert {name for pair in proposals.on for name in pair}.isdisjoint({"key", "id"})
    alone = reference[["country"]]
    assert propose_columns(alone, alone).on == [("country", "country")]


def test_tables_that_cannot_be_used_are_refused():
    with pytest.raises(UsageError, match="reference is a list"):
        propose_columns([1], listed(2))
    twice = pd.DataFrame([["a", "b"]], columns=["name", "name"])
    with pytest.raises(DataError, match="two columns named 'name'"):
        propose_columns(twice, listed(2))


def test_they_are_shown_as_lines():
    shown = str(propose_columns(listed(1), hidden(listed(2))[0].assign(note="x")))
    lines = shown.splitlines()
    assert lines[0].startswith("compare  person=c")
    assert "  similarity 0." in lines[0]
    assert lines[-1] == "leave    note of query: it has the same value in every row"


def test_a_doubtful_pair_is_compared_only_if_there_is_no_other():
    reference, query = listed(1)[["id", "person"]], listed(2)[["id", "person"]]
    twice = query.assign(deputy=query["person"][::-1].to_numpy()).rename(columns={"person": "signed"})
    alone = propose_columns(reference, twice)
    assert len(alone.on) == 1
    (pair,) = alone.pairs
    assert "is about as alike" in pair.warning
    assert alone.warnings == (f"person={pair.query}: {pair.warning}",)
    assert str(alone).startswith(f"compare  person={pair.query}  ")
    more = propose_columns(reference.assign(price=listed(1)["price"]), twice.assign(cost=listed(2)["price"]))
    assert more.on == [("price", "cost")]
    assert more.warnings == (f"person={pair.query} is not compared: {pair.warning}",)
    assert f"perhaps  person={pair.query}  " in str(more)
