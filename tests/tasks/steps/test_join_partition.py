"""Query rows by ranges: all of them, each once, and read without the others."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError
from fuzzyjoin.index import IndexNeeds
from tasks.handles import IndexHandle, InputHandle
from tasks.ingestion import write_snapshot
from tasks.orchestration.result_cache import _key, cached, kept_ranges
from tasks.steps.join_partition import _write, join_partition, partitions_of
from tasks.steps.join_query_rows import _write_together
from tasks.store.named_files import store_file


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_ranges_cover_a_table_without_gap_and_overlap_and_none_is_too_long(rows, most):
    ranges = partitions_of(rows, most)
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == rows
    sizes = [stop - start for start, stop in ranges]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


ranges = st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.integers(0, 80), st.integers(1, 20), st.lists(ranges, max_size=6))
def test_what_was_joined_before_is_kept_and_the_rest_is_cut_by_todays_size(rows, most, kept):
    found = partitions_of(rows, most, kept)
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == rows
    assert all(stop - start <= most for start, stop in found if (start, stop) not in kept)
    # What fits and overlaps nothing else is never joined again.
    for start, stop in kept:
        apart = all(stop <= first or last <= start for first, last in kept if (first, last) != (start, stop))
        assert not apart or stop > rows or (start, stop) in found


def test_ranges_that_were_joined_before_are_found_whatever_the_size_was(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    joining = cached(join_partition)
    for inputs, start, stop in [({"query": "a"}, 0, 40), ({"query": "a"}, 40, 90), ({"query": "b"}, 90, 95)]:
        key = _key(join_partition.name, {**inputs, "start": start, "stop": stop})
        (tmp_path / "results" / key).write_text(json.dumps({"result": json.dumps({"path": str(tmp_path)})}))
    assert kept_ranges(joining, {"query": "a"}) == [(0, 40), (40, 90)]
    assert kept_ranges(joining, {"query": "c"}) == []
    # Half of a record, and one whose files are gone.
    for start, content in ((90, "{"), (95, json.dumps({"result": json.dumps({"path": str(tmp_path / "gone")})}))):
        key = _key(join_partition.name, {"query": "a", "start": start, "stop": start + 5})
        (tmp_path / "results" / key).write_text(content)
    assert kept_ranges(joining, {"query": "a"}) == [(0, 40), (40, 90)]


@pytest.mark.parametrize("cuts", [[], [7], [1, 2, 3], [50, 199]])
def test_a_result_is_the_same_bytes_wherever_its_parts_end(tmp_path, monkeypatch, cuts):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    # A column of which the first part knows nothing.
    margin = [None] * 60 + [0.25] * 140
    frame = pd.DataFrame({"query_id": [f"q{row}" for row in range(200)], "distance": np.arange(200) / 7})
    frame["margin"] = pd.Series(margin, dtype=object)

    def together(places):
        bounds = zip([0, *places], [*places, len(frame)], strict=True)
        parts = [store_file("partitions", ".parquet", partial(_write, frame.iloc[slice(*part)])) for part in bounds]
        return store_file("matches", ".parquet", partial(_write_together, parts))

    assert together(cuts) == together([100])


def test_a_worker_that_sees_another_folder_says_so(learned, tmp_path):
    rows = InputHandle(role="query", table=write_snapshot(learned.query, tmp_path), id_column="id", columns=("title",))
    elsewhere = IndexHandle(
        path=str(tmp_path / "elsewhere"), blocks=IndexNeeds.of(learned.program.definition).to_block()
    )
    with pytest.raises(DataError, match=r"elsewhere: the index is not there; all workers must see the same folder"):
        join_partition.fn(learned.handle, elsewhere, rows, 0, 10)
