"""Candidate pairs found beforehand: the same results, a file that survives, and no mixing up of tables."""

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import BlockedPairs, DataError, UsageError, block_tables, learn_program
from fuzzyjoin.blocked import _rows

REFERENCE = pd.DataFrame(
    {
        "id": [f"r{place}" for place in range(40)],
        "name": [f"Town {place} of the {place % 7} hills" for place in range(40)],
    }
)
QUERY = pd.DataFrame(
    {"id": [f"q{place}" for place in range(12)], "name": [f"town {place} of {place % 7} hills" for place in range(12)]}
)


@pytest.fixture(params=["auto", "autofj"])
def method(request):
    return request.param


@pytest.fixture
def pairs(method):
    return block_tables(REFERENCE, QUERY, on="name", method=method)


def test_learning_and_applying_from_pairs_change_nothing(pairs, method):
    program = learn_program(REFERENCE, QUERY, on="name", method=method)
    from_pairs = learn_program(REFERENCE, QUERY, on="name", method=method, pairs=pairs)
    assert from_pairs.to_json() == program.to_json()
    expected = program.apply(REFERENCE, QUERY)
    found = program.apply(REFERENCE, QUERY, pairs=pairs)
    pd.testing.assert_frame_equal(found.matches, expected.matches)
    pd.testing.assert_frame_equal(found.unmatched, expected.unmatched)


def test_pairs_read_back_as_they_were_written(pairs, tmp_path):
    pairs.save(tmp_path / "pairs.parquet")
    again = BlockedPairs.load(tmp_path / "pairs.parquet")
    names = ("reference_fingerprint", "query_fingerprint", "blocker", "k")
    assert [getattr(again, name) for name in names] == [getattr(pairs, name) for name in names]
    for found, expected in ((again.query_pairs, pairs.query_pairs), (again.reference_pairs, pairs.reference_pairs)):
        if expected is None:
            assert found is None
            continue
        np.testing.assert_array_equal(found.indptr, expected.indptr)
        np.testing.assert_array_equal(found.reference, expected.reference)


def test_rows_without_candidates_survive_the_file(tmp_path):
    query = pd.DataFrame({"id": ["a", "b", "c"], "name": ["###", "town 1", "###"]})
    pairs = block_tables(REFERENCE, query, on="name")
    pairs.save(tmp_path / "pairs.parquet")
    again = BlockedPairs.load(tmp_path / "pairs.parquet").query_pairs
    np.testing.assert_array_equal(np.diff(again.indptr), np.diff(pairs.query_pairs.indptr))
    assert (np.diff(again.indptr) == 0).sum() == 2


def test_the_order_of_rows_does_not_enter(pairs, method):
    again = block_tables(REFERENCE[::-1], QUERY[::-1], on="name", method=method)
    assert again.reference_fingerprint == pairs.reference_fingerprint
    np.testing.assert_array_equal(_rows(again.query_pairs), _rows(pairs.query_pairs))
    np.testing.assert_array_equal(again.query_pairs.reference, pairs.query_pairs.reference)


@pytest.mark.parametrize("role", ["reference", "query"])
def test_pairs_of_another_table_are_refused(pairs, method, role):
    tables = {"reference": REFERENCE, "query": QUERY}
    tables[role] = tables[role].assign(name=tables[role]["name"] + "!")
    with pytest.raises(UsageError, match=f"pairs were blocked on another {role} table"):
        learn_program(**tables, on="name", method=method, pairs=pairs)


def test_pairs_of_another_method_are_refused(pairs, method):
    other = "autofj" if method == "auto" else "auto"
    with pytest.raises(UsageError, match="call block_tables with the same method and space"):
        learn_program(REFERENCE, QUERY, on="name", method=other, pairs=pairs)


def test_pairs_of_another_k_are_refused(pairs, method):
    program = learn_program(REFERENCE, QUERY, on="name", method=method)
    narrow = program.model_copy(
        update={
            "definition": program.definition.model_copy(
                update={"blocking": program.definition.blocking.model_copy(update={"k": 2})}
            )
        }
    )
    with pytest.raises(UsageError, match=r"2 a row of .* are wanted"):
        narrow.apply(REFERENCE, QUERY, pairs=pairs)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "pairs.parquet"
    QUERY.to_parquet(path)
    with pytest.raises(DataError, match="cannot be read as candidate pairs"):
        BlockedPairs.load(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as candidate pairs"):
        BlockedPairs.load(path)
