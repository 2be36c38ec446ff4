"""Validation names the rows of the user's table by number and id, whatever order its snapshot has."""

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError
from tasks.handles import RunHandle
from tasks.orchestration.result_cache import _key
from tasks.settings import Checks, Privacy, Tables, Warehouse
from tasks.steps.detect_changes import DetectedChanges
from tasks.steps.ingest_table import keep
from tasks.steps.validate_inputs import _of_input


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    return tmp_path


def asked(kind="file"):
    source = {"file": {"path": "exports/customers.csv"}, "table": {"table": "customers"}, "query": {"sql": "SELECT 1"}}
    query = {"kind": kind, **source[kind]}
    return Tables.model_validate({"reference": query, "query": query, "compare": ["name"], "query_id": "key"})


def customers(rows=200, seed=7):
    """Customers in an order that no column has; their keys tell nothing of it either."""
    random = np.random.default_rng(seed)
    names = [f"customer {number}" for number in random.permutation(rows)]
    return pd.DataFrame({"key": [f"k{number}" for number in random.permutation(rows)], "name": names})


def report_of(frame, *, kind="file", order=True):
    handle = keep(frame, asked(kind), "query")
    if not order:
        handle = handle.model_copy(update={"order": None})
    run = RunHandle(run_id="r", pipeline="p", warehouse=Warehouse(), privacy=Privacy())
    return _of_input(run, handle, Checks(), previous_rows=None)


def sentence_of(report, meaning):
    (found,) = [result.sentence() for result in report.results if result.meaning == meaning]
    return found


@pytest.mark.parametrize(("kind", "named"), [("file", "customers.csv"), ("table", "table customers")])
def test_rows_are_those_of_the_source_with_their_ids(kind, named):
    frame = customers()
    frame.loc[[16, 150], "name"] = ["caf\x07 one", "caf\x07 two"]
    told = sentence_of(report_of(frame, kind=kind), "texts hold no control character")
    ids = frame["key"]
    assert told.endswith(f"in row 17 (id '{ids[16]}'), row 151 (id '{ids[150]}') of {named}")
    again = frame.sample(frac=1.0, random_state=3).reset_index(drop=True)
    places = [again.index[again["key"] == ids[row]][0] + 1 for row in (16, 150)]
    told = sentence_of(report_of(again), "texts hold no control character")
    assert all(f"row {place} (id '{ids[row]}')" in told for place, row in zip(places, (16, 150), strict=True))


def test_rows_without_an_id_and_repeated_ids_are_named_by_their_number():
    frame = customers()
    frame.loc[[41, 99], "key"] = None
    frame.loc[120, "key"] = frame["key"][5]
    report = report_of(frame)
    assert sentence_of(report, "every row has an id").endswith("in row 42, row 100 of customers.csv")
    told = sentence_of(report, "ids are unique")
    assert told.endswith(f"such as '{frame['key'][5]}', in row 6, row 121 of customers.csv")


def test_where_the_order_is_not_known_ids_alone_are_named():
    frame = customers()
    frame.loc[16, "name"] = "caf\x07"
    told = sentence_of(report_of(frame, order=False), "texts hold no control character")
    assert told.endswith(f"in id '{frame['key'][16]}' of customers.csv")


def test_the_order_of_the_rows_enters_no_cache_key():
    one, other = (keep(customers().sample(frac=1.0, random_state=seed), asked(), "query") for seed in (1, 2))
    assert one.order != other.order
    assert _key("join partition", {"query": one}) == _key("join partition", {"query": other})
    assert (
        DetectedChanges.model_validate_json(DetectedChanges(query=one, gone=(), why="").model_dump_json()).query.order
        is None
    )


def test_rows_are_not_numbered_where_a_warehouse_keeps_their_matches():
    frame = pd.DataFrame({"name": ["a", "a"]})
    tables = asked().model_copy(update={"query_id": ""})
    with pytest.raises(DataError, match=r"name one as query_id, .* a row's number names another row once the table"):
        keep(frame, tables, "query")
