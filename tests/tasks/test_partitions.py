"""Query rows by ranges: all of them, each once, and read without the others."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError, learn_program
from tasks.handles import IndexHandle, InputHandle, ProgramHandle
from tasks.ingestion import write_snapshot
from tasks.partitions import join_partition, partitions_of
from tasks.storage import store
from tests.cases import EXAMPLES


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_ranges_cover_a_table_without_gap_and_overlap_and_none_is_too_long(rows, most):
    ranges = partitions_of(rows, most)
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == rows
    sizes = [stop - start for start, stop in ranges]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


def test_a_worker_that_sees_another_folder_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))
    reference, query = (pd.read_csv(EXAMPLES / "Monarch" / name, dtype=str) for name in ("left.csv", "right.csv"))
    program = learn_program(reference, query, on="title", id="id")
    given_program = ProgramHandle(
        program_id=program.program_id,
        file=store("programs", ".json", program.save),
        precision_target=0.9,
        precision_estimate=program.precision_estimate,
    )
    rows = InputHandle(role="query", table=write_snapshot(query, tmp_path), id_column="id", columns=("title",))
    elsewhere = IndexHandle(path=str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"elsewhere: the index is not there; all workers must see the same folder"):
        join_partition.fn(given_program, elsewhere, rows, 0, 10)
