"""The edge: cells become text, rows get their canonical order, ids are checked."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.errors import DataError
from fuzzyjoin.tables import as_text, choose_columns, key_table
from tests.cases import frame, texts


def table(rows, columns=("title",), role="reference"):
    return key_table(frame(rows, columns), role=role, id_column="id", columns=list(columns))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, ""),
        (float("nan"), ""),
        (np.float32("nan"), ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        ("", ""),
        (" \t\u3000", ""),
        ("nan", "nan"),
        ("None", "None"),
        (" a ", " a "),
        (7, "7"),
        (np.int64(7), "7"),
        (7.0, "7"),
        (-0.5, "-0.5"),
        (1e300, str(int(1e300))),
        (True, "True"),
        (decimal.Decimal("1.50"), "1.50"),
        (dt.date(2008, 2, 29), "2008-02-29"),
    ],
)
def test_a_cell_as_text(cell, expected):
    assert as_text(cell) == expected


@pytest.mark.parametrize("infinity", [float("inf"), float("-inf")])
def test_infinity_is_a_value_and_no_reason_to_fail(infinity):
    assert as_text(infinity) == str(infinity)


@given(st.lists(texts, min_size=1, max_size=6).filter(lambda row: any(text.strip() for text in row)), st.randoms())
def test_the_order_of_rows_does_not_matter(values, random):
    rows = list(enumerate(values))
    mixed = random.sample(rows, len(rows))
    one, two = table(rows), table(mixed)
    assert one.columns == two.columns
    assert one.ids.tolist() == two.ids.tolist()
    assert one.fingerprint() == two.fingerprint()
    assert [mixed[place][0] for place in two.source_rows] == two.ids.tolist()


def test_rows_are_ordered_by_text_then_by_id_as_text():
    found = table([(10, "b", "x"), (9, "b", "x"), (1, "b", "a"), (2, "a", "z")], ("first", "second"))
    assert found.ids.tolist() == [2, 1, 10, 9]
    assert found.columns == (["a", "b", "b", "b"], ["z", "a", "x", "x"])


@pytest.mark.parametrize(
    "rows",
    [
        [(1, "a", "b"), (2, "c", "e")],
        [(1, "ab", ""), (2, "c", "d")],
        [(1, "a", "b"), (3, "c", "d")],
        [(1, "a", "b")],
        [(11, "", "ab"), (2, "c", "d")],
    ],
)
def test_other_content_has_another_fingerprint(rows):
    columns = ("first", "second")
    assert table(rows, columns).fingerprint() != table([(1, "a", "b"), (2, "c", "d")], columns).fingerprint()


@pytest.mark.parametrize("ids", [[1, 2], ["1", "2"], [1.0, 2.0], np.array([1, 2], np.int8)])
def test_the_type_of_ids_does_not_enter_the_fingerprint(ids):
    expected = key_table(frame([(1, "a"), (2, "b")]), role="query", id_column="id", columns=["title"]).fingerprint()
    other = pd.DataFrame({"id": ids, "title": ["a", "b"]})
    assert key_table(other, role="query", id_column="id", columns=["title"]).fingerprint() == expected


def test_an_id_that_occurs_twice_as_text_is_refused():
    with pytest.raises(DataError, match="query column 'id' has the id '1' in rows 1 and 3; ids must be unique"):
        table([(1, "a"), (2, "b"), ("1", "c")], role="query")


def test_the_first_column_of_unique_values_is_the_id():
    reference = pd.DataFrame({"name": ["a", "a"], "hole": [1, None], "code": [7, 9]})
    query = pd.DataFrame({"name": ["a", "b"], "code": [1, 2]})
    assert choose_columns("name", None, reference, query)[0] == ("code", "name")


def test_a_table_without_any_unique_column_is_refused():
    same = pd.DataFrame({"name": ["a", "a"]})
    with pytest.raises(
        DataError, match="reference has no column `id` and no column whose values are present and unique"
    ):
        choose_columns("name", None, same, same)


def test_a_text_shown_to_people_joins_the_present_columns():
    found = table([(1, "a", "b"), (2, "", "c")], ("first", "second"))
    assert found.texts(np.array([0, 1, -1])) == ["c", "a | b", ""]
