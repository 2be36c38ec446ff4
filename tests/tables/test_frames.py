"""Frames of other libraries, by the Arrow PyCapsule interface."""

from __future__ import annotations

import datetime as dt
import tempfile

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fuzzyjoin
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files.table_files import write_table
from fuzzyjoin.tables import as_frame

NAMES = ["Grand Mall", "North Plaza", "Lake Center", "Harbour Arcade", "Old Mill Outlet", None]
REFERENCE = pd.DataFrame({"id": range(1, 7), "name": NAMES, "size": [10, 20, 2**60, 40, 50, 60]})
QUERY = pd.DataFrame(
    {"id": [7, 8, 9, 10], "name": ["The Grand Mall", "Lake Centre", "Harbor Arcade", None], "size": [10, 2**60, 41, 5]}
)


class Stream:
    """A frame that does nothing else, and only once."""

    def __init__(self, frame):
        self.tables = [pa.Table.from_pandas(frame)]

    def __arrow_c_stream__(self, requested_schema=None):
        return self.tables.pop().__arrow_c_stream__(requested_schema)


def relation(frame):
    return duckdb.from_arrow(pa.Table.from_pandas(frame))


OTHERS = {
    "polars": pl.from_pandas,
    "duckdb": relation,
    "pyarrow": pa.Table.from_pandas,
    "reader": lambda frame: pa.Table.from_pandas(frame).to_reader(),
    "stream": Stream,
}


def written(result, folder, ending):
    """The bytes of the tables of a result."""
    path = folder / f"table{ending}"
    content = []
    for frame in (result.matches, result.unmatched):
        write_table(frame, path)
        content.append(path.read_bytes())
    return content


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("frame", OTHERS.values(), ids=OTHERS)
def test_every_frame_gives_the_bytes_that_pandas_gives(tmp_path, frame, ending):
    expected = fuzzyjoin.fuzzy_join(REFERENCE, QUERY, on=["name", "size"])
    result = fuzzyjoin.fuzzy_join(frame(REFERENCE), frame(QUERY), on=["name", "size"])
    assert len(expected.matches)
    assert written(result, tmp_path, ending) == written(expected, tmp_path, ending)
    assert result.program.to_json() == expected.program.to_json()


@pytest.mark.parametrize("frame", OTHERS.values(), ids=OTHERS)
def test_every_other_door_takes_them_too(tmp_path, frame):
    program = fuzzyjoin.learn_program(frame(REFERENCE), frame(QUERY), on="name")
    expected = written(program.apply(REFERENCE, QUERY), tmp_path, ".csv")
    assert written(program.apply(frame(REFERENCE), frame(QUERY)), tmp_path, ".csv") == expected
    assert "Grand Mall" in program.explain_query(frame(REFERENCE), frame(QUERY), "7")
    with tempfile.TemporaryDirectory() as folder:
        index = fuzzyjoin.index_reference(program, frame(REFERENCE), folder)
        found = fuzzyjoin.Matcher.open(index, program).lookup(frame(QUERY))
        assert written(found, tmp_path, ".csv") == expected
        rows = frame(pd.DataFrame({"id": [99], "name": ["South Bazaar"]}))
        changed = fuzzyjoin.update_index(index, program, append=rows, delete=frame(pd.DataFrame({"id": [2]})))
        assert changed != index


def test_whole_numbers_stay_whole_beside_missing_ones():
    frame = as_frame(pl.DataFrame({"id": [2**60 + 1, None], "day": [dt.date(2024, 1, 31), None]}), "query")
    assert frame["id"].tolist() == [2**60 + 1, None]


def test_two_columns_of_one_name_are_an_error():
    with pytest.raises(DataError, match="query has two columns named 'id'"):
        as_frame(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"]), "query")


@pytest.mark.parametrize("table", [[{"id": 1}], {"id": [1]}, "towns.csv", None])
def test_what_is_no_frame_is_a_usage_error(table):
    with pytest.raises(UsageError, match=r"query is a .*; expected a pandas DataFrame or a frame .* Arrow PyCapsule"):
        as_frame(table, "query")


@pytest.mark.parametrize("column", [pd.Series([2]), pl.Series([2]), [2]], ids=["pandas", "polars", "list"])
def test_a_column_is_no_table_but_a_list_of_ids(tmp_path, column):
    if not isinstance(column, list):
        with pytest.raises(UsageError, match="query is a Series that is no table"):
            as_frame(column, "query")
    program = fuzzyjoin.learn_program(REFERENCE, QUERY, on="name")
    index = fuzzyjoin.index_reference(program, REFERENCE, tmp_path)
    assert fuzzyjoin.update_index(index, program, delete=column) != index
