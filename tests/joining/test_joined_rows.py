"""The joined table: which rows it has, in which order, under which names and with which dtypes."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError, UsageError
from fuzzyjoin.joining import JoinedRows, id_places, joined_pieces, joined_table
from fuzzyjoin.joining.joined_rows import HOWS

DTYPES = {
    "int64": ([1, 2, 3], "Int64"),
    "uint8": ([1, 2, 3], "UInt8"),
    "bool": ([True, False, True], "boolean"),
    "Int32": ([1, None, 3], "Int32"),
    "float32": ([1.5, 2.0, 3.0], "float32"),
    "datetime64[ns]": (["2024-01-31", "2024-02-01", None], "datetime64[ns]"),
    "datetime64[us, UTC]": (["2024-01-31", "2024-02-01", None], "datetime64[us, UTC]"),
    "category": (["a", "b", "a"], "category"),
    "str": (["007", None, ""], "str"),
    "object": ([dt.date(2024, 1, 31), None, "x"], "object"),
    "date32[day][pyarrow]": ([dt.date(2024, 1, 31), None, None], "date32[day][pyarrow]"),
}


def matches(pairs):
    """What a join gives of the pairs that it joined, as far as a joined table needs it."""
    frame = pd.DataFrame(pairs, columns=["query_id", "reference_id"])
    return frame.assign(precision_estimate=[0.5 + 0.1 * (place % 5) for place in range(len(frame))])


def rows_of(found, query, reference):
    return JoinedRows.of(found, query["id"], id_places(reference["id"]))


@st.composite
def joins(draw):
    """Two tables with ids in any order, and a match, or none, of each query row."""
    query_ids = draw(st.lists(st.integers(0, 99), unique=True, max_size=12))
    reference_ids = draw(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=12))
    chosen = draw(st.lists(st.sampled_from([None, *reference_ids]), min_size=len(query_ids), max_size=len(query_ids)))
    query = pd.DataFrame({"id": pd.array(query_ids, "int64"), "text": [f"q{value}" for value in query_ids]})
    reference = pd.DataFrame({"id": reference_ids, "text": [f"r{value}" for value in reference_ids]})
    pairs = [(row, match) for row, match in zip(query_ids, chosen, strict=True) if match is not None]
    cuts = draw(st.lists(st.integers(0, len(query_ids)), max_size=3))
    return query, reference, pairs, sorted({0, *cuts, len(query_ids)})


class TestRows:
    @given(joins())
    def test_left_has_every_query_row_once_in_its_order_beside_its_match(self, join):
        query, reference, pairs, _ = join
        table = joined_table(query, reference, rows_of(matches(pairs), query, reference), "left")
        assert table["id"].tolist() == query["id"].tolist()
        assert table["text"].tolist() == query["text"].tolist()
        expected = dict(pairs)
        assert [expected.get(row) for row in table["id"]] == [
            None if pd.isna(value) else value for value in table["id_reference"]
        ]
        assert (table["match_probability"].notna() == table["id_reference"].notna()).all()

    @given(joins())
    def test_full_has_every_row_of_both_tables(self, join):
        query, reference, pairs, _ = join
        table = joined_table(query, reference, rows_of(matches(pairs), query, reference), "full")
        assert table["id"].dropna().tolist() == query["id"].tolist()
        assert set(table["id_reference"].dropna()) == set(reference["id"])
        behind = table[len(query) :]
        matched = {match for _, match in pairs}
        assert behind["id_reference"].tolist() == [value for value in reference["id"] if value not in matched]
        assert behind[["id", "text", "match_probability"]].isna().all(axis=None)

    @given(joins())
    def test_inner_and_anti_part_the_rows_of_left(self, join):
        query, reference, pairs, _ = join
        rows = rows_of(matches(pairs), query, reference)
        left, inner, anti = (joined_table(query, reference, rows, how) for how in ("left", "inner", "anti"))
        held = left["match_probability"].notna()
        assert inner.astype(object).equals(left[held].reset_index(drop=True).astype(object))
        assert anti.equals(query[~held.to_numpy()].reset_index(drop=True))

    @given(joins(), st.sampled_from(HOWS))
    def test_pieces_put_together_are_the_whole(self, join, how):
        query, reference, pairs, cuts = join
        rows = rows_of(matches(pairs), query, reference)
        whole = joined_table(query, reference, rows, how)
        ends = list(pairwise(cuts)) or [(0, 0)]
        pieces = [(query[start:stop], rows.some(start, stop)) for start, stop in ends]
        assert pd.concat(list(joined_pieces(pieces, reference, how)), ignore_index=True).equals(whole)

    def test_each_row_carries_the_probability_of_its_own_match(self):
        query, reference = pd.DataFrame({"id": [1, 2, 3]}), pd.DataFrame({"id": [8, 9]})
        found = pd.DataFrame({"query_id": [3, 1], "reference_id": [9, 8], "precision_estimate": [0.9, 0.6]})
        table = joined_table(query, reference, rows_of(found, query, reference), "left")
        assert table["match_probability"].tolist()[::2] == [0.6, 0.9]

    def test_ids_are_compared_as_text(self):
        query, reference = pd.DataFrame({"id": ["1", "01"]}), pd.DataFrame({"id": [7.0, 8.0]})
        rows = rows_of(matches([("01", 7)]), query, reference)
        assert rows.reference_rows.tolist() == [-1, 0]

    def test_a_match_with_an_unknown_row_is_refused(self):
        query, reference = pd.DataFrame({"id": ["a"]}), pd.DataFrame({"id": ["x"]})
        with pytest.raises(DataError, match=r"reference id 'y', .* does not hold; give the table that was joined"):
            rows_of(matches([("a", "y")]), query, reference)

    def test_the_tables_keep_their_own_index_out(self):
        query = pd.DataFrame({"id": [1, 2]}, index=[5, 5])
        reference = pd.DataFrame({"id": [7, 8]}, index=["b", "a"])
        rows = rows_of(matches([(2, 8)]), query, reference)
        for how, length in zip(HOWS, (2, 1, 1, 3), strict=True):
            table = joined_table(query, reference, rows, how)
            assert table.index.tolist() == list(range(length))


class TestDtypes:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_a_column_keeps_its_dtype_or_takes_the_nullable_one(self, dtype):
        values, nullable = DTYPES[dtype]
        column = pd.Series(values, dtype=dtype)
        query = pd.DataFrame({"id": ["a", "b", "c"], "of_query": column})
        reference = pd.DataFrame({"id": ["x", "y", "z"], "of_reference": column})
        rows = rows_of(matches([("b", "x"), ("c", "y")]), query, reference)
        expected = {
            "left": (dtype, nullable),
            "inner": (dtype, dtype),
            "full": (nullable, nullable),
        }
        for how, dtypes in expected.items():
            table = joined_table(query, reference, rows, how)
            assert (str(table["of_query"].dtype), str(table["of_reference"].dtype)) == dtypes
            joined = table.loc[table["id"].isin(["b", "c"]), "of_reference"].astype(object).tolist()
            assert [None if pd.isna(value) else value for value in joined] == [
                None if pd.isna(value) else value for value in column[:2].astype(object).tolist()
            ]
        assert joined_table(query, reference, rows, "anti")["of_query"].dtype == column.dtype

    def test_dtypes_do_not_depend_on_whether_every_row_is_matched(self):
        query, reference = pd.DataFrame({"id": [1]}), pd.DataFrame({"id": [7]})
        tables = [
            joined_table(query, reference, rows_of(matches(pairs), query, reference), "full")
            for pairs in ([(1, 7)], [])
        ]
        assert tables[0].dtypes.equals(tables[1].dtypes)

    def test_whole_numbers_beyond_a_float_stay_exact(self):
        large = 2**53 + 1
        query, reference = pd.DataFrame({"id": [1, 2]}), pd.DataFrame({"id": [7], "code": [large]})
        table = joined_table(query, reference, rows_of(matches([(1, 7)]), query, reference), "left")
        assert table["code"].tolist() == [large, pd.NA]


class TestNames:
    def columns(self, query, reference, suffix="_reference"):
        of_query, of_reference = pd.DataFrame(columns=query), pd.DataFrame(columns=reference)
        nothing = JoinedRows(np.empty(0, np.int64), np.empty(0))
        return joined_table(of_query, of_reference, nothing, "left", suffix).columns.tolist()

    def test_a_name_of_both_tables_gets_the_suffix_in_the_reference_table(self):
        assert self.columns(["id", "name"], ["id", "town"]) == [
            "id",
            "name",
            "id_reference",
            "town",
            "match_probability",
        ]
        assert self.columns(["id"], ["id"], " of shop") == ["id", "id of shop", "match_probability"]

    def test_a_joined_table_can_be_joined_again(self):
        once = self.columns(["id", "name"], ["id", "name"])
        assert self.columns(once, ["id", "name"])[len(once) :] == [
            "id_reference_reference",
            "name_reference_reference",
            "match_probability_reference",
        ]

    @given(*[st.lists(st.sampled_from(["a", "a_", "a__", "match_probability", "match_probability_"]), unique=True)] * 2)
    def test_all_names_differ_and_the_query_tables_stay(self, query, reference):
        names = self.columns(query, reference, "_")
        assert len(set(names)) == len(names) == len(query) + len(reference) + 1
        assert names[: len(query)] == query

    def test_an_empty_suffix_is_refused(self):
        with pytest.raises(UsageError, match=r"suffix is ''; give the text to append"):
            self.columns(["id"], ["id"], "")

    def test_an_unknown_how_is_refused(self):
        query = pd.DataFrame({"id": [1]})
        with pytest.raises(UsageError, match="how is 'outer'; give one of left, inner, anti, full"):
            joined_table(query, query, JoinedRows(np.array([-1]), np.array([np.nan])), "outer")
