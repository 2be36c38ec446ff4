"""Every way to say which columns are compared."""

from __future__ import annotations

import pandas as pd
import pytest

from fuzzyjoin import UsageError
from fuzzyjoin.tables import require_column, table_pair

REFERENCE = pd.DataFrame({"id": [1, 2], "name": ["a", "b"], "city": ["x", "y"]})
QUERY = pd.DataFrame({"id": [1, 2], "title": ["a", "b"], "town": ["x", "y"], "city": ["x", "y"]})


def pairs(on, reference=REFERENCE, query=QUERY):
    """The reference and query columns that `on` names."""
    tables = table_pair(reference, query, on, None)
    return list(zip(tables.reference.column_names, tables.query.column_names, strict=True))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("city", [("city", "city")]),
        ("name=title", [("name", "title")]),
        ({"name": "title"}, [("name", "title")]),
        ({"name": "title", "city": "town"}, [("name", "title"), ("city", "town")]),
        ([("name", "title"), "city"], [("name", "title"), ("city", "city")]),
        (["name=title", "city=town"], [("name", "title"), ("city", "town")]),
        ((("name", "title"), ("city", "town")), [("name", "title"), ("city", "town")]),
        (None, [("city", "city")]),
    ],
)
def test_forms(on, expected):
    assert pairs(on) == expected


def test_a_column_whose_own_name_has_an_equals_sign():
    both = pd.DataFrame({"id": [1, 2], "a=b": ["x", "y"], "a": ["x", "y"], "b": ["x", "y"]})
    assert pairs("a=b", both, both) == [("a=b", "a=b")]
    assert pairs("a=b", both[["id", "a"]], both[["id", "b"]]) == [("a", "b")]


@pytest.mark.parametrize("on", [5, {"name", "city"}, b"name", ["name", 5], [("name", "title", "city")], {"name": None}])
def test_what_is_none_of_them_is_refused_with_the_forms(on):
    with pytest.raises(UsageError, match=r"a dict \{reference column: query column\}") as caught:
        pairs(on)
    assert caught.value.argument == "on"


@pytest.mark.parametrize(
    ("columns", "wrong", "remedy"),
    [
        (["id", "title"], "Title", "did you mean 'title'?"),
        (["id", "title"], "titel", "did you mean 'title'?"),
        (["id", "title"], " title ", "did you mean 'title'?"),
        (["id", "title"], "price", "its columns are id, title"),
        ([f"column {place}" for place in range(30)], "price", "column 18, column 19, …"),
        (["id;title"], "title", "its only column is 'id;title': the cells seem to be separated by semicolons"),
        (["id\ttitle"], "title", "the cells seem to be separated by tabs, but not as many on every line"),
        (["id|title"], "title", "the cells seem to be separated by bars"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_what_is(columns, wrong, remedy):
    with pytest.raises(UsageError) as caught:
        require_column(pd.DataFrame(columns=columns), wrong, "query")
    assert str(caught.value).startswith(f"query has no column {wrong!r}; ")
    assert remedy in caught.value.remedy
