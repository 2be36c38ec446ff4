"""Query rows by ranges: all of them, each once, and read without the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError
from tasks.handles import IndexHandle, InputHandle
from tasks.ingestion import write_snapshot
from tasks.partitions import join_partition, partitions_of


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_ranges_cover_a_table_without_gap_and_overlap_and_none_is_too_long(rows, most):
    ranges = partitions_of(rows, most)
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == rows
    sizes = [stop - start for start, stop in ranges]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


def test_a_worker_that_sees_another_folder_says_so(learned, tmp_path):
    rows = InputHandle(role="query", table=write_snapshot(learned.query, tmp_path), id_column="id", columns=("title",))
    elsewhere = IndexHandle(path=str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"elsewhere: the index is not there; all workers must see the same folder"):
        join_partition.fn(learned.handle, elsewhere, rows, 0, 10)
