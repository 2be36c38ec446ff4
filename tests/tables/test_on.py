"""Every way to say which columns are compared."""

from __future__ import annotations

import pandas as pd
import pytest

from fuzzyjoin import UsageError
from fuzzyjoin.tables import table_pair

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
