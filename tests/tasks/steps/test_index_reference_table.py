"""The pipeline's index follows the reference table: made of the last one where most rows are the same."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from prefect.logging import disable_run_logger

from fuzzyjoin import Matcher
from fuzzyjoin.index import IndexNeeds
from tasks.handles import InputHandle
from tasks.ingestion import write_snapshot
from tasks.steps import index_reference_table as index


@pytest.fixture
def index_of(learned, tmp_path):
    """Ask for the index of some reference rows, to join so many query rows."""
    needs = IndexNeeds.of(learned.program.definition)

    def asked(rows, query_rows=1):
        table = write_snapshot(rows, tmp_path)
        named = InputHandle(role="reference", table=table, id_column="id", columns=("title",))
        with disable_run_logger():
            return index.index_reference_table.fn(needs, named, query_rows).path

    return asked


def unbuildable(*_arguments, **_options):
    raise AssertionError("an index is built from nothing")


def test_a_changed_table_is_joined_as_by_an_index_of_its_own(index_of, learned, monkeypatch):
    reference = learned.reference
    index_of(reference)
    changed = reference.drop(index=[3, 5]).replace({"title": {reference["title"][8]: "Another Monarch"}})
    monkeypatch.setattr("fuzzyjoin.index.folder.write_index", unbuildable)
    path = index_of(changed)
    monkeypatch.undo()
    found = Matcher.open(path, learned.program).lookup(learned.query)
    own = learned.program.apply(changed, learned.query)
    pd.testing.assert_frame_equal(found.matches, own.matches)
    pd.testing.assert_frame_equal(found.unmatched, own.unmatched)


def test_the_index_of_a_table_is_found_again(index_of, learned, monkeypatch):
    reference = learned.reference
    path = index_of(reference)
    monkeypatch.setattr("fuzzyjoin.index.folder.write_index", unbuildable)
    monkeypatch.setattr(index, "change_index", unbuildable)
    assert index_of(reference.iloc[::-1]) == path


def test_many_query_rows_are_joined_by_a_whole_index_and_few_by_one_that_finds_siblings_when_asked(index_of, learned):
    reference = learned.reference
    index_of(reference)
    shorter = reference.iloc[5:]
    files = contents(index_of(shorter, query_rows=len(reference)))
    shutil.rmtree(index.index_folder())
    few = index_of(shorter)
    assert not Matcher.open(few, learned.program).side.nearest_neighbours[-1].all()
    assert Matcher.open(few, learned.program).side.table.rows_in_all == len(shorter)
    assert contents(index_of(shorter, query_rows=len(reference))) == files


def test_another_table_is_indexed_from_nothing(index_of, learned, monkeypatch):
    reference = learned.reference
    monkeypatch.setattr(index, "change_index", unbuildable)
    index_of(reference.iloc[::2])
    index_of(reference.iloc[1::2])


def test_an_earlier_index_that_cannot_be_read_costs_time_and_no_run(index_of, learned):
    broken = index.index_folder().joinpath(index_of(learned.reference), "manifest.json")
    broken.write_text("{")
    shorter = learned.reference.iloc[5:]
    found = Matcher.open(index_of(shorter), learned.program).lookup(learned.query)
    pd.testing.assert_frame_equal(found.matches, learned.program.apply(shorter, learned.query).matches)


def contents(path):
    return {file.name: file.read_bytes() for file in index.index_folder().joinpath(path).iterdir()}


@pytest.mark.parametrize("query_rows", [1, 10_000])
def test_a_damaged_index_is_built_again_and_ends_no_run(index_of, learned, query_rows):
    path = Path(index_of(learned.reference, query_rows))
    whole = contents(path)
    path.joinpath("index-lists-postings.npy").write_bytes(b"")
    assert Path(index_of(learned.reference, query_rows)) == path
    assert contents(path) == whole


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_earlier_version_is_passed_over(index_of, learned, version):
    path = Path(index_of(learned.reference))
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    del manifest["files"], manifest["checksum"]
    path.rename(path.with_name("0" * 32))
    path.with_name("0" * 32).joinpath("manifest.json").write_text(json.dumps({**manifest, "schema_version": version}))
    assert Path(index_of(learned.reference)) == path
