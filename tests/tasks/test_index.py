"""The pipeline's index follows the reference table: made of the last one where most rows are the same."""

import shutil

import pandas as pd
import pytest
from prefect.logging import disable_run_logger

from fuzzyjoin import Matcher, learn_program
from tasks import index
from tasks.handles import InputHandle, ProgramHandle
from tasks.ingestion import write_snapshot
from tasks.storage import store
from tests.cases import EXAMPLES


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Ask for the index of some reference rows, to join so many query rows; the program, and the tables."""
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    reference, query = (pd.read_csv(EXAMPLES / "Monarch" / name, dtype=str) for name in ("left.csv", "right.csv"))
    program = learn_program(reference, query, on="title", id="id")
    handle = ProgramHandle(
        program_id=program.program_id,
        file=store("programs", ".json", program.save),
        precision_target=0.9,
        precision_estimate=program.precision_estimate,
    )

    def index_of(rows, query_rows=1):
        table = write_snapshot(rows, tmp_path)
        named = InputHandle(role="reference", table=table, id_column="id", columns=("title",))
        with disable_run_logger():
            return index.index_reference_table.fn(handle, named, query_rows).path

    return index_of, program, reference, query


def unbuildable(*_arguments, **_options):
    raise AssertionError("an index is built from nothing")


def test_a_changed_table_is_joined_as_by_an_index_of_its_own(asked, monkeypatch):
    index_of, program, reference, query = asked
    index_of(reference)
    changed = reference.drop(index=[3, 5]).replace({"title": {reference["title"][8]: "Another Monarch"}})
    monkeypatch.setattr(index, "index_reference", unbuildable)
    path = index_of(changed)
    monkeypatch.undo()
    found = Matcher.open(path, program).lookup(query)
    own = program.apply(changed, query)
    pd.testing.assert_frame_equal(found.matches, own.matches)
    pd.testing.assert_frame_equal(found.unmatched, own.unmatched)


def test_the_index_of_a_table_is_found_again(asked, monkeypatch):
    index_of, _, reference, _ = asked
    path = index_of(reference)
    monkeypatch.setattr(index, "index_reference", unbuildable)
    monkeypatch.setattr(index, "update_index", unbuildable)
    assert index_of(reference.iloc[::-1]) == path


def test_many_query_rows_are_joined_by_a_whole_index(asked):
    index_of, _, reference, _ = asked
    index_of(reference)
    shorter = reference.iloc[5:]
    files = contents(index_of(shorter, query_rows=len(reference)))
    shutil.rmtree(index.index_folder())
    assert contents(index_of(shorter)) == files


def test_another_table_is_indexed_from_nothing(asked, monkeypatch):
    index_of, _, reference, _ = asked
    monkeypatch.setattr(index, "update_index", unbuildable)
    index_of(reference.iloc[::2])
    index_of(reference.iloc[1::2])


def contents(path):
    return {file.name: file.read_bytes() for file in index.index_folder().joinpath(path).iterdir()}
