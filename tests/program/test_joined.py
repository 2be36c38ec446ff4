"""`JoinResult.joined`: the tables of a result, side by side."""

import pandas as pd
import pyarrow as pa
import pytest

import fuzzyjoin
from fuzzyjoin import DataError, Matcher, UsageError, index_reference

NAMES = ["Grand Mall", "North Plaza", "Lake Center", "Old Market Hall"]


@pytest.fixture(scope="module")
def reference():
    return pd.DataFrame({"id": [1, 2, 3, 4], "name": NAMES, "floors": [3, 1, 2, 4], "zip": ["007", "010", "1", None]})


@pytest.fixture(scope="module")
def query():
    return pd.DataFrame({"id": [9, 8, 7], "name": ["lake centre", "zzz", "the grand mall"], "sold": [1.5, 2.5, 3.5]})


@pytest.fixture(scope="module")
def program(reference, query):
    return fuzzyjoin.learn_program(reference, query, on="name", space="small")


def test_a_result_shows_all_columns_of_both_tables(reference, query, program):
    table = program.apply(reference, query).joined()
    assert table.columns.tolist() == [
        *["id", "name", "sold"],
        *["id_reference", "name_reference", "floors", "zip"],
        "match_probability",
    ]
    assert table["id"].tolist() == [9, 8, 7]
    assert table["floors"].astype(object).tolist() == [2, pd.NA, 3]
    assert table["zip"].tolist()[::2] == ["1", "007"]


def test_probabilities_are_those_of_the_matches(reference, query, program):
    result = program.apply(reference, query)
    assert result.joined("inner")["match_probability"].tolist() == result.matches["precision_estimate"].tolist()


def test_what_the_caller_changes_later_does_not_show(reference, query, program):
    own = query.copy()
    result = program.apply(reference, own)
    own["sold"] = 0.0
    own.loc[0, "id"] = 99
    assert result.joined()["sold"].tolist() == [1.5, 2.5, 3.5]


def test_the_tables_are_not_copied(reference, query, program):
    result = program.apply(reference, query)
    assert result.query["sold"].to_numpy().base is query["sold"].to_numpy().base
    assert result.reference["floors"].to_numpy().base is reference["floors"].to_numpy().base


def test_rows_of_equal_values_are_matched_once(reference, query, program):
    twice = pd.concat([reference, reference.assign(id=[11, 12, 13, 14])], ignore_index=True)
    full = program.apply(twice, query).joined("full")
    assert full["id_reference"].dropna().tolist() == [3, 1, 2, 4, 11, 12, 13, 14]


def test_rows_without_ids_show_their_numbers(reference, program):
    bare = pd.DataFrame({"name": ["lake centre", "lake centre"]})
    table = program.apply(reference, bare).joined()
    assert table["row number"].tolist() == [1, 2]
    assert table["id"].astype(object).tolist() == [3, 3]


def test_arrow_tables_are_joined_too(reference, query, program):
    tables = [pa.Table.from_pandas(frame) for frame in (reference, query)]
    assert program.apply(*tables).joined().equals(program.apply(reference, query).joined())


class TestLookup:
    def test_a_matcher_over_a_table_has_it(self, reference, query, program):
        found = Matcher.over(program, reference).lookup(query)
        assert found.joined("full").equals(program.apply(reference, query).joined("full"))

    def test_an_index_lacks_the_reference_table_and_says_so(self, reference, query, program, tmp_path):
        found = Matcher.open(index_reference(program, reference, tmp_path), program).lookup(query)
        with pytest.raises(UsageError, match=r"give the table: result\.joined\(reference=table\)"):
            found.joined()
        expected = program.apply(reference, query).joined()
        assert found.joined(reference=reference).equals(expected)
        assert found.joined(reference=reference[::-1]).equals(expected)
        with pytest.raises(DataError, match="reference id '3'"):
            found.joined(reference=reference[:2])
        with pytest.raises(UsageError, match="reference has no column 'id'"):
            found.joined(reference=reference.rename(columns={"id": "key"}))

    def test_an_index_of_numbered_rows_takes_the_table_without_numbers(self, query, program, tmp_path):
        bare = pd.DataFrame({"name": [*NAMES, NAMES[1]]})
        found = Matcher.open(index_reference(program, bare, tmp_path), program).lookup(query)
        assert found.joined("inner", reference=bare)["name_reference"].tolist() == ["Lake Center", "Grand Mall"]
