"""Features of a row depend on that row and the reference table alone; decoys are not betrayed."""

from __future__ import annotations

import numpy as np
import pytest

from fuzzyjoin.blocking import scorer_k
from fuzzyjoin.compare import FEATURES, Candidates, FeatureTables, column_weights, features_without, sample_rows
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import Work
from tests.cases import frame, random_tables


def tables_of(reference, query, columns=("title",), threads=1):
    keys = key_tables(frame(reference, columns), frame(query, columns), ("id", "id"), [(c, c) for c in columns])
    candidates = Candidates(*keys, scorer_k(len(reference)), Work(threads), blocker="cosine")
    return candidates, FeatureTables(candidates, column_weights(candidates))


def by_pair(candidates, tables, *, is_self_join=False):
    """Features of every pair by ids."""
    asking = candidates.reference if is_self_join else candidates.query
    rows = np.arange(len(asking), dtype=np.int64)
    pairs = candidates.neighbours(rows) if is_self_join else candidates.query_pairs
    names = np.repeat(asking.ids, np.diff(pairs.indptr)), candidates.reference.ids[pairs.reference]
    found = tables.features(pairs, rows, is_self_join=is_self_join)
    return {pair: values.tolist() for pair, values in zip(zip(*names, strict=True), found, strict=True)}


@pytest.mark.parametrize("columns", [1, 2])
def test_a_row_alone_has_the_features_it_has_in_its_batch(columns):
    names = [f"column {place}" for place in range(columns)]
    reference, query = random_tables(3, columns=columns, references=30)
    together = by_pair(*tables_of(reference, query, names))
    for row in query:
        alone = by_pair(*tables_of(reference, [row], names))
        assert alone == {pair: values for pair, values in together.items() if pair[0] == row[0]}


def test_the_number_of_threads_changes_nothing():
    reference, query = random_tables(4, references=30)
    assert by_pair(*tables_of(reference, query)) == by_pair(*tables_of(reference, query, threads=3))


def test_all_features_are_finite_and_named():
    reference, query = random_tables(5, columns=2, references=30)
    found = by_pair(*tables_of(reference, query, ["a", "b"]))
    assert np.isfinite(list(found.values())).all()
    assert {len(values) for values in found.values()} == {len(FEATURES)}
    assert len(set(FEATURES)) == len(FEATURES)


def test_a_decoy_has_the_features_of_a_query_row_whose_match_was_withheld():
    """All but what depends on the other rows' neighbours and ranks, which the withheld row itself takes part in."""
    reference, _ = random_tables(6, references=30)
    decoys = by_pair(*tables_of(reference, reference[:1]), is_self_join=True)
    shared = [
        place
        for place, name in enumerate(FEATURES)
        if not name.startswith(("lead", "nearest share", "mean", "against", "neighbours", "neighbour distance"))
    ]
    for row in reference[:12]:
        others = [other for other in reference if other is not row]
        queried = by_pair(*tables_of(others, [("asked", *row[1:])]))
        for (_, candidate), values in queried.items():
            if (row[0], candidate) in decoys:
                known = decoys[row[0], candidate]
                assert [values[place] for place in shared] == pytest.approx(
                    [known[place] for place in shared], abs=1e-4
                )


def test_columns_weigh_by_how_much_they_tell_rows_apart():
    candidates, _ = tables_of([(row, f"name {row}", "same") for row in range(9)], [(0, "x", "same")], ["a", "b"])
    assert column_weights(candidates) == pytest.approx((1.0, 0.0))


def test_a_sample_is_spread_and_never_larger_than_the_table():
    assert sample_rows(3, 500).tolist() == [0, 1, 2]
    assert sample_rows(1000, 4).tolist() == [0, 250, 500, 750]


@pytest.mark.parametrize("columns", [1, 2])
def test_features_without_a_candidate_are_those_of_a_row_which_never_had_it(columns):
    names = [f"column {place}" for place in range(columns)]
    reference, query = random_tables(8, columns=columns, references=30)
    candidates, tables = tables_of(reference, query, names)
    pairs, rows = candidates.query_pairs, np.arange(len(candidates.query), dtype=np.int64)
    sizes = np.diff(pairs.indptr)
    # One of the candidates of every second row.
    taken = np.zeros(len(pairs), np.bool_)
    taken[(pairs.indptr[:-1] + rows % np.maximum(sizes, 1))[(sizes > 0) & (rows % 2 == 0)]] = True
    found, left = features_without(tables.features(pairs, rows), sizes, taken, found=sizes)
    assert left.tolist() == np.diff(pairs.keep(~taken).indptr).tolist()
    assert found == pytest.approx(tables.features(pairs.keep(~taken), rows), abs=1e-6)
