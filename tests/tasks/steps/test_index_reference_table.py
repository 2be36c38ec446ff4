"""The pipeline's index follows the reference table: made of the last one where most rows are the same."""

import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest
from prefect.logging import disable_run_logger

from fuzzyjoin import Matcher, learn_program
from fuzzyjoin.index import IndexNeeds
from tasks.handles import InputHandle
from tasks.ingestion import write_snapshot
from tasks.settings import Search
from tasks.steps import index_reference_table as index
from tasks.steps.block_query_rows import block_query_rows
from tasks.steps.search_program import search_program


@pytest.fixture(autouse=True)
def without_a_page(monkeypatch):
    """However slow the machine, no progress is told: a server would be started for it."""
    monkeypatch.setattr("tasks.orchestration.run_progress.QUIET_SECONDS", math.inf)


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


@pytest.fixture
def named(learned, tmp_path):
    """The reference table of what was learned."""
    table = write_snapshot(learned.reference, tmp_path)
    return InputHandle(role="reference", table=table, id_column="id", columns=("title",))


@pytest.fixture
def asked(monkeypatch):
    """What the task was asked for, call by call."""
    calls = []

    def recorded(task):
        return lambda *inputs: calls.append(inputs) or task.fn(*inputs)

    monkeypatch.setattr(index, "cached", recorded)
    with disable_run_logger():
        yield calls


def test_to_learn_on_a_table_and_to_join_to_it_one_index_is_asked_for(learned, named, asked):
    to_learn = index.index_to_learn(named, named, Search(), 500)
    assert index.index_to_join(learned.handle, named, 500) == to_learn
    assert asked[0] == asked[1]
    assert index.index_to_join(learned.handle, named, 500, to_learn) == to_learn
    assert len(asked) == 2


def test_an_index_that_was_damaged_since_it_was_learned_on_is_made_again(learned, named, asked):
    to_learn = index.index_to_learn(named, named, Search(), 500)
    whole = contents(to_learn.path)
    Path(to_learn.path, "index-lists-postings.npy").write_bytes(b"")
    assert index.index_to_join(learned.handle, named, 500, to_learn) == to_learn
    assert contents(to_learn.path) == whole
    assert len(asked) == 2


def test_the_index_of_another_method_is_not_joined_by(learned, named, asked):
    to_learn = index.index_to_learn(named, named, Search(method="autofj"), 500)
    to_join = index.index_to_join(learned.handle, named, 500, to_learn)
    assert to_join != to_learn
    assert len(asked) == 2
    assert len(Matcher.open(to_join.path, learned.program).lookup(learned.query).matches)


@pytest.mark.usefixtures("asked")
def test_equal_rows_count_once_in_how_many_candidates_a_row_gets(learned, tmp_path):
    distinct = learned.reference.drop_duplicates("title").head(400)
    twice = pd.concat([distinct, distinct.assign(id="again " + distinct["id"])])
    named = InputHandle(role="reference", table=write_snapshot(twice, tmp_path), id_column="id", columns=("title",))
    assert index.index_to_learn(named, named, Search(method="autofj"), 1).blocks.blocking.k == 20


@pytest.mark.usefixtures("asked")
def test_placeholders_are_found_before_the_index_and_every_step_reads_them_alike(learned, tmp_path):
    gaps = pd.DataFrame({"id": [f"gap {row}" for row in range(4)], "title": ["N/A", "n/a", "N/A", "-"]})
    tables = pd.concat([learned.reference, gaps[:1]]), pd.concat([learned.query[:200], gaps])
    reference, query = (
        InputHandle(role=role, table=write_snapshot(table, tmp_path), id_column="id", columns=("title",))
        for role, table in zip(("reference", "query"), tables, strict=True)
    )
    search = Search()
    to_learn = index.index_to_learn(reference, query, search, len(tables[1]))
    assert to_learn.blocks.missing == (("n/a",),)
    pairs = block_query_rows.fn(to_learn, query, search.method, search.space)
    handle = search_program.fn(to_learn, pairs, query, search)
    program = learn_program(*tables, "title", id="id")
    assert handle.program_id == program.program_id
    assert program.definition.missing == to_learn.blocks.missing
    assert index.index_to_join(handle, reference, len(tables[1]), to_learn) == to_learn
    kept = index.index_to_learn(reference, query, Search(keep_placeholders=True), len(tables[1]))
    assert kept.blocks.missing == ()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("method", ["auto", "autofj"])
def test_columns_that_must_be_equal_are_in_the_index_and_every_step_follows_them(learned, tmp_path, method):
    tables = [table.assign(state=table["title"].str[0]) for table in (learned.reference, learned.query)]
    # Rows whose values are spelled otherwise are equal all the same.
    again = tables[0].head(40).assign(id=lambda rows: "again " + rows["id"], state=lambda rows: rows["state"] + " ")
    tables[0] = pd.concat([tables[0], again])
    reference, query = (
        InputHandle(
            role=role, table=write_snapshot(table, tmp_path), id_column="id", columns=("title",), equal=("state",)
        )
        for role, table in zip(("reference", "query"), tables, strict=True)
    )
    search = Search(method=method)
    to_learn = index.index_to_learn(reference, query, search, len(tables[1]))
    assert to_learn.blocks.equal == ("state",)
    pairs = block_query_rows.fn(to_learn, query, search.method, search.space)
    handle = search_program.fn(to_learn, pairs, query, search)
    program = learn_program(*tables, "title", id="id", equal="state", method=method)
    assert handle.program_id == program.program_id
    joined = index.index_to_join(handle, reference, len(tables[1]), to_learn)
    found = Matcher.open(joined.path, program).lookup(tables[1])
    own = program.apply(*tables, id="id")
    pd.testing.assert_frame_equal(found.matches, own.matches, check_dtype=False)
    moved = tables[0].assign(state=tables[0]["state"].where(tables[0].index > 90, "elsewhere"))
    changed = reference.model_copy(update={"table": write_snapshot(moved, tmp_path)})
    of_moved = Matcher.open(index.index_to_join(handle, changed, 1).path, program).lookup(tables[1])
    pd.testing.assert_frame_equal(of_moved.matches, program.apply(moved, tables[1], id="id").matches, check_dtype=False)
    assert len(of_moved.matches) < len(own.matches)
