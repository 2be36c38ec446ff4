"""Snapshots on a real disk: named by content, checked when loaded, deleted by age."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import pickle
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.errors import DataError, UsageError
from tasks.ingestion import (
    SnapshotMissingError,
    content_hash,
    delete_old_snapshots,
    load_rows,
    load_snapshot,
    write_snapshot,
)

TOWNS = pd.DataFrame({"id": ["2", "1", "2", None], "name": ["Oslo", "Bergen", "Oslo", "東京"]})
DAY = dt.timedelta(days=1)

rows = st.lists(st.tuples(*[st.none() | st.text(st.sampled_from("ab,\n é東"), max_size=3)] * 2), max_size=6)


def aged(folder, name, days):
    """A snapshot of a table of its own, last written some days ago; its hash."""
    handle = write_snapshot(pd.DataFrame({"name": [name]}), folder)
    moment = time.time() - days * 86_400
    os.utime(handle.path, (moment, moment))
    return handle.content_hash


def names(folder):
    return {f"sha256:{path.stem}" for path in folder.glob("*.parquet")}


def test_a_snapshot_is_loaded_as_it_was_written(tmp_path):
    handle = write_snapshot(TOWNS, tmp_path / "new" / "folder")
    loaded = load_snapshot(handle)
    assert (handle.rows, handle.columns) == (4, ("id", "name"))
    assert handle.path.endswith(f"{handle.content_hash.removeprefix('sha256:')}.parquet")
    assert sorted(loaded.fillna("").itertuples(index=False, name=None)) == sorted(
        TOWNS.fillna("").itertuples(index=False, name=None)
    )


def test_a_handle_is_small_and_travels_as_json_and_as_pickle(tmp_path):
    handle = write_snapshot(pd.DataFrame({"id": range(10_000)}), tmp_path)
    assert pickle.loads(pickle.dumps(handle)) == handle  # noqa: S301 - its own bytes
    assert len(json.dumps(dataclasses.asdict(handle))) < 1000


def test_the_order_of_the_rows_changes_neither_hash_nor_bytes(tmp_path):
    one, two = write_snapshot(TOWNS, tmp_path / "one"), write_snapshot(TOWNS[::-1], tmp_path / "two")
    assert one.content_hash == two.content_hash
    assert Path(one.path).read_bytes() == Path(two.path).read_bytes()


@given(rows, rows)
def test_two_tables_share_a_hash_only_if_they_hold_the_same_rows(left, right):
    def canonical(table):
        return sorted([cell if cell and not cell.isspace() else "" for cell in row] for row in table)

    frames = [pd.DataFrame(table, columns=["a", "b"], dtype=object) for table in (left, right)]
    same = content_hash(frames[0]) == content_hash(frames[1])
    assert same == (canonical(left) == canonical(right))


@pytest.mark.parametrize(
    "other",
    [
        pd.DataFrame({"id": ["1", "2"], "title": ["a", "b"]}),
        pd.DataFrame({"name": ["a", "b"], "id": ["1", "2"]}),
        pd.DataFrame({"id": ["1", "2"], "name": ["a", "bb"]}),
        pd.DataFrame({"id": ["1", "2"], "name": ["b", "a"]}),
        pd.DataFrame({"id": ["12", None], "name": ["a", "b"]}),
        pd.DataFrame({"id": ["1", "2", "2"], "name": ["a", "b", "b"]}),
        pd.DataFrame({"id": ["1", "2"]}),
    ],
)
def test_another_name_cell_row_or_column_gives_another_hash(other):
    assert content_hash(other) != content_hash(pd.DataFrame({"id": ["1", "2"], "name": ["a", "b"]}))


def test_numbers_hash_as_their_text():
    numbers = pd.DataFrame({"id": [1, 2], "size": [1.0, None]})
    assert content_hash(numbers) == content_hash(pd.DataFrame({"id": ["1", "2"], "size": ["1", ""]}))


def test_a_table_without_rows_is_kept_as_well(tmp_path):
    handle = write_snapshot(pd.DataFrame({"id": [], "name": []}), tmp_path)
    loaded = load_snapshot(handle)
    assert (handle.rows, list(loaded.columns), len(loaded)) == (0, ["id", "name"], 0)


@pytest.mark.parametrize(
    ("table", "kind", "says"),
    [
        (pd.DataFrame({"name": ["\ud800"]}, dtype=object), DataError, "column 'name' has half a character"),
        (pd.DataFrame([["a", "b"]], columns=["x", "x"]), DataError, "two columns named 'x'"),
        (pd.DataFrame([["a"]]), UsageError, "not a string"),
        (pd.DataFrame(), DataError, "no columns"),
    ],
)
def test_a_table_that_cannot_be_kept_says_why(tmp_path, table, kind, says):
    with pytest.raises(kind, match=says):
        write_snapshot(table, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"folder: .*file/snapshots cannot be made"):
        write_snapshot(TOWNS, tmp_path / "file" / "snapshots")


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_table, path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.ingestion.snapshots.pq.write_table", full)
    with pytest.raises(DataError, match="No space left"):
        write_snapshot(TOWNS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_snapshot_says_what_to_do(tmp_path):
    handle = write_snapshot(TOWNS, tmp_path)
    Path(handle.path).unlink()
    with pytest.raises(SnapshotMissingError, match=r"4 rows.*retention.*ingest the source again"):
        load_snapshot(handle)


def test_a_changed_snapshot_is_refused_and_mended_by_writing_it_again(tmp_path):
    handle, other = write_snapshot(TOWNS, tmp_path), write_snapshot(TOWNS[:2], tmp_path)
    Path(other.path).replace(handle.path)
    with pytest.raises(DataError, match="was changed"):
        load_snapshot(handle)
    write_snapshot(TOWNS, tmp_path)
    assert len(load_snapshot(handle)) == len(TOWNS)


def test_old_snapshots_go_and_those_named_or_young_stay(tmp_path):
    old, kept, young = aged(tmp_path, "old", 31), aged(tmp_path, "kept", 400), aged(tmp_path, "young", 29)
    assert delete_old_snapshots(tmp_path, older_than=30 * DAY, keep={kept}) == (old,)
    assert names(tmp_path) == {kept, young}


def test_writing_a_snapshot_again_makes_it_young(tmp_path):
    name = aged(tmp_path, "old", 31)
    write_snapshot(pd.DataFrame({"name": ["old"]}), tmp_path)
    assert delete_old_snapshots(tmp_path, older_than=30 * DAY, keep=()) == ()
    assert names(tmp_path) == {name}


def test_other_files_stay_and_what_a_killed_process_left_goes(tmp_path):
    mine, leftover = tmp_path / "mine.parquet", tmp_path / ".fuzzyjoin-00ff00ff00ff.tmp"
    for path in (mine, leftover):
        path.touch()
        os.utime(path, (0, 0))
    assert delete_old_snapshots(tmp_path, older_than=DAY, keep=()) == ()
    assert list(tmp_path.iterdir()) == [mine]


def test_a_folder_that_does_not_exist_holds_no_old_snapshot(tmp_path):
    assert delete_old_snapshots(tmp_path / "none", older_than=DAY, keep=()) == ()


@pytest.mark.parametrize("age", [dt.timedelta(0), -DAY])
def test_an_age_that_spares_nothing_is_refused(tmp_path, age):
    with pytest.raises(UsageError, match="older_than"):
        delete_old_snapshots(tmp_path, older_than=age, keep=())


def test_a_name_to_keep_that_is_no_content_hash_is_refused(tmp_path):
    name = aged(tmp_path, "kept", 400)
    with pytest.raises(UsageError, match="keep holds"):
        delete_old_snapshots(tmp_path, older_than=DAY, keep={name.removeprefix("sha256:")})
    assert names(tmp_path) == {name}


@pytest.mark.parametrize("group_rows", [1, 3, 7, 100])
def test_some_rows_are_those_of_the_whole(tmp_path, monkeypatch, group_rows):
    monkeypatch.setattr("tasks.ingestion.snapshots._GROUP_ROWS", group_rows)
    handle = write_snapshot(pd.DataFrame({"id": range(20), "name": [None, "a"] * 10}), tmp_path)
    whole = load_snapshot(handle)
    for start, stop in [(0, 20), (0, 1), (19, 20), (5, 6), (2, 17), (6, 7), (20, 20), (4, 4)]:
        expected = whole.iloc[start:stop].reset_index(drop=True)
        pd.testing.assert_frame_equal(load_rows(handle, start, stop), expected)


def test_the_same_rows_are_one_snapshot_however_they_are_grouped(tmp_path, monkeypatch):
    first = write_snapshot(TOWNS, tmp_path)
    monkeypatch.setattr("tasks.ingestion.snapshots._GROUP_ROWS", 1)
    assert write_snapshot(TOWNS, tmp_path) == first
    assert len(load_snapshot(first)) == len(TOWNS)


def test_damage_is_noticed_where_some_rows_are_read(tmp_path):
    names = [f"name {row}" for row in range(2000)]
    handle = write_snapshot(pd.DataFrame({"id": range(2000), "name": names}), tmp_path)
    path = Path(handle.path)
    whole = bytearray(path.read_bytes())
    place = len(whole) // 2
    whole[place] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match="was changed after it was written"):
        load_rows(handle, 0, 2000)
    write_snapshot(pd.DataFrame({"id": range(1999), "name": names[:1999]}), tmp_path / "other")
    (shorter,) = (tmp_path / "other").iterdir()
    path.write_bytes(shorter.read_bytes())
    with pytest.raises(DataError, match="it has 1999 rows, expected 2000"):
        load_rows(handle, 0, 10)
    path.unlink()
    with pytest.raises(SnapshotMissingError, match="is gone"):
        load_rows(handle, 0, 10)
