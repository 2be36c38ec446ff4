"""The index of a changed table is the one that is built anew of it, whatever was appended and deleted before."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzyjoin import Matcher, index_reference, learn_program, update_index
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.index import folder as index_module
from tests.cases import NAMES, example, frame, random_tables

NEIGHBOUR_FILES = ["nearest_neighbours-0.npy", "nearest_neighbours-1.npy", "nearest_neighbours-2.npy"]
"""Distances, whose they are, and which rows have theirs."""
SOME_NEIGHBOUR_FILES = [f"some_{name}" for name in NEIGHBOUR_FILES]
"""The same where only some rows have theirs."""


@pytest.fixture(scope="module", autouse=True)
def most_neighbours_are_found_later():
    """Only so few rows have their nearest neighbours right after a change, as in a table of many thousand."""
    with pytest.MonkeyPatch.context() as patch:
        for holder in ("fuzzyjoin.compare", "fuzzyjoin.compare.features"):
            patch.setattr(f"{holder}.SAMPLE", 3)
        yield


def learned(method, columns):
    """A program over so many columns, and what it was learned on."""
    reference, query = random_tables(11, columns=columns, references=60, queries=40)
    names = ["name", "place"][:columns]
    reference, query = frame(reference, names), frame(query, names)
    return reference, query, learn_program(reference, query, on=names, method=method, precision_target=0.5)


@pytest.fixture(scope="module", params=[("auto", 1), ("auto", 2), ("autofj", 1), ("autofj", 2)], ids=str)
def tables(request):
    return learned(*request.param)


@pytest.fixture(scope="module")
def malls(tmp_path_factory):
    """A scorer's program, and the index of all its reference rows but the last ten."""
    reference, query, _ = example("ShoppingMall")
    program = learn_program(reference, query, on="title", precision_target=0.5)
    return reference, query, program, index_reference(program, reference[:-10], tmp_path_factory.mktemp("indexes"))


def files(path):
    """The bytes of an index's files."""
    return {file.name: file.read_bytes() for file in path.iterdir()}


def without_neighbours(content):
    """The files, and the manifest without what it says of nearest neighbours and of itself."""
    others = {
        name: held
        for name, held in content.items()
        if name not in [*NEIGHBOUR_FILES, *SOME_NEIGHBOUR_FILES, "manifest.json"]
    }
    manifest = json.loads(content["manifest.json"])
    manifest["parts"].pop("nearest_neighbours", None)
    manifest["files"] = {name: held for name, held in manifest["files"].items() if name in others}
    del manifest["checksum"]
    return others | {"manifest.json": manifest}


def neighbours_of(path):
    """The arrays of nearest neighbours of an index."""
    names = NEIGHBOUR_FILES if (path / NEIGHBOUR_FILES[0]).is_file() else SOME_NEIGHBOUR_FILES
    return [np.load(path / name) for name in names]


def same_as_built_anew(path, program, table, query):
    """The index has the name and the files of one that is built, and gives its matches."""
    with TemporaryDirectory() as folder:
        built = index_reference(program, table, folder)
        assert path.name == built.name
        assert without_neighbours(files(path)) == without_neighbours(files(built))
        whole = [(built / name).is_file() for name in NEIGHBOUR_FILES]
        if all(whole):
            found, expected = neighbours_of(path), neighbours_of(built)
            known = found[2]
            assert expected[2].all()
            assert known.any()
            for have, want in zip(found[:2], expected[:2], strict=True):
                np.testing.assert_array_equal(have[known], want[known])
                assert not have[~known].any()
        else:
            assert not any(whole)
        results = [Matcher.open(index, program).lookup(query) for index in (path, built)]
    pd.testing.assert_frame_equal(results[0].matches, results[1].matches)
    pd.testing.assert_frame_equal(results[0].unmatched, results[1].unmatched)


texts = st.lists(st.sampled_from(NAMES), max_size=4).map(" ".join)


def change_and_compare(data, tables, whole):
    """Draw a table and changes of it, and compare the index that comes out with one that is built anew."""
    _, query, program = tables
    names = [column.reference for column in program.columns]
    row = st.tuples(*(texts for _ in names))
    ids = int if whole else "r{}".format
    # The first row has text in every column and stays.
    rows = {ids(0): tuple("north mall" for _ in names)}
    rows |= {ids(place): texts for place, texts in enumerate(data.draw(st.lists(row, min_size=1, max_size=12)), 1)}
    with TemporaryDirectory() as folder:
        path = index_reference(program, frame([(key, *texts) for key, texts in rows.items()], names), folder)
        for _ in range(data.draw(st.integers(1, 3))):
            before = files(path)
            gone = data.draw(st.sets(st.sampled_from(list(rows)[1:]))) if len(rows) > 1 else set()
            # An id that was deleted can come back, in the same change or in a later one.
            new = [key for key in map(ids, range(1, 24)) if key not in rows or key in gone]
            appended = data.draw(st.dictionaries(st.sampled_from(new), row, max_size=6))
            again = dict(data.draw(st.sets(st.sampled_from([item for item in rows.items() if item[0] not in gone]))))
            changed = update_index(
                path,
                program,
                append=frame([(key, *texts) for key, texts in (appended | again).items()], names),
                delete=gone,
            )
            assert files(path) == before
            rows = {key: texts for key, texts in rows.items() if key not in gone} | appended
            path = changed
        same_as_built_anew(path, program, frame([(key, *texts) for key, texts in rows.items()], names), query)


@settings(max_examples=8)
@given(data=st.data(), whole=st.booleans())
def test_a_sequence_of_changes_gives_the_index_built_anew(tables, data, whole):
    change_and_compare(data, tables, whole)


@pytest.mark.slow
@settings(max_examples=50)
@given(data=st.data(), whole=st.booleans())
def test_many_sequences_of_changes_give_the_index_built_anew(tables, data, whole):
    change_and_compare(data, tables, whole)


def test_a_row_looked_up_right_after_a_change_is_joined_as_later(malls):
    reference, query, program, path = malls
    changed = update_index(path, program, append=reference[-10:], delete=reference["id"][:5])
    assert np.load(changed / SOME_NEIGHBOUR_FILES[2]).sum() == 3
    matcher = Matcher.open(changed, program)
    first = pd.concat([matcher.lookup(query.iloc[[row]]).matches for row in range(40)], ignore_index=True)
    assert len(first) > 20
    pd.testing.assert_frame_equal(matcher.lookup(query[:40]).matches, first, check_dtype=False)
    same_as_built_anew(changed, program, pd.concat([reference[5:-10], reference[-10:]]), query)


def test_a_changed_index_can_be_completed(malls, tmp_path):
    reference, query, program, path = malls
    changed = update_index(path, program, delete=reference["id"][20:23])
    table = reference[:-10].drop(index=range(20, 23))
    matcher = Matcher.open(changed, program)
    assert index_reference(program, table, path.parent) == changed
    assert files(changed) == files(index_reference(program, table, tmp_path))
    expected = program.apply(table, query).matches
    for found in (matcher, Matcher.open(changed, program)):
        pd.testing.assert_frame_equal(found.lookup(query).matches, expected)


@pytest.mark.parametrize("finished", [0, 1, 2])
def test_an_index_whose_completion_was_interrupted_is_as_good(malls, monkeypatch, finished):
    reference, query, program, path = malls
    changed = update_index(path, program, delete=reference["id"][30 : 33 + finished])
    table = reference[:-10].drop(index=range(30, 33 + finished))
    replace, done = Path.replace, []

    def interrupted(file, target):
        if len(done) == finished:
            raise OSError(28, "No space left on device")
        done.append(target)
        return replace(file, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(DataError, match=r"cannot be written to .* \(No space left on device\)"):
            index_reference(program, table, path.parent)
    assert np.load(changed / SOME_NEIGHBOUR_FILES[2]).sum() == 3
    pd.testing.assert_frame_equal(
        Matcher.open(changed, program).lookup(query).matches, program.apply(table, query).matches
    )
    assert not [entry for entry in path.parent.iterdir() if entry.name.startswith(".")]


def test_many_rows_at_once(malls, tmp_path):
    reference, query, program, _ = malls
    half, gone = reference[::2], reference["id"][200::2]
    changed = update_index(index_reference(program, half, tmp_path), program, append=reference[1:-10:2], delete=gone)
    same_as_built_anew(changed, program, pd.concat([half[~half["id"].isin(gone)], reference[1:-10:2]]), query)


def test_numbers_become_text_beside_text(malls, tmp_path):
    reference, query, program, _ = malls
    numbers = reference[:20].assign(id=range(20))
    words = reference[20:30]
    words = words.assign(id=[f"r{row}" for row in words["id"]])
    changed = update_index(index_reference(program, numbers, tmp_path), program, append=words)
    same_as_built_anew(changed, program, pd.concat([numbers, words]), query)
    assert Matcher.open(changed, program).side.table.ids[0] in {*map(str, range(20)), *words["id"]}


def test_nothing_to_change_is_the_index_as_it_is(malls):
    reference, _, program, path = malls
    assert update_index(path, program) == path
    assert update_index(path, program, append=reference[:3], delete=[]) == path
    assert update_index(path, program, append=reference[:0]) == path
    assert update_index(path, program, append=reference[:3], delete=reference["id"][:3]) == path


def test_a_change_done_before_is_not_done_again(malls, monkeypatch):
    reference, _, program, path = malls
    changed = update_index(path, program, append=reference[-10:-5])
    monkeypatch.delattr("fuzzyjoin.index.update.write_index")
    assert update_index(path, program, append=reference[-10:-5]) == changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delete": ["0", "no such"]}, "delete names the reference id 'no such', which column 'id' does not hold"),
        ({"append": frame([("0", "Another Mall")])}, "append has the id '0', which another row of the index has"),
        ({"append": frame([("x", "A"), ("x", "B")])}, "append column 'id' has the id 'x' in rows 1 and 2"),
        ({"append": frame([(None, "A")])}, "append column 'id' has no value in row 1"),
        ({"append": frame([("x", "half \ud800")])}, "append column 'title' has half a character"),
    ],
)
def test_data_that_do_not_fit_are_named(malls, change, message):
    _, _, program, path = malls
    with pytest.raises(DataError, match=message):
        update_index(path, program, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"append": frame([("x", "A")], ["name"])}, "append has no column 'title'; its columns are id, name"),
        ({"append": frame([("x", "A")]).rename(columns={"id": "key"})}, "id: append has no column 'id'"),
        ({"append": frame([], ["name"])}, "append has no column 'title'"),
        ({"append": [("x", "A")]}, "append is a list; expected a pandas DataFrame or a frame that speaks"),
        ({"delete": "12"}, "delete is the text '12'; give a list of ids"),
    ],
)
def test_wrong_calls_are_named(malls, change, message):
    _, _, program, path = malls
    with pytest.raises(UsageError, match=message):
        update_index(path, program, **change)


def test_at_least_one_row_with_text_is_left(malls):
    reference, _, program, path = malls
    gone = reference["id"][:-10]
    with pytest.raises(DataError, match="delete names every row of the index"):
        update_index(path, program, delete=gone)
    with pytest.raises(DataError, match="reference column 'title' is empty in all "):
        update_index(path, program, append=frame([("x", "")]), delete=gone)


def test_no_index_and_another_programs_index_are_named(malls, tmp_path, tables):
    _, _, program, path = malls
    with pytest.raises(UsageError, match=r"is no index: it holds no manifest\.json"):
        update_index(tmp_path, program, delete=["0"])
    with pytest.raises(UsageError, match="was built for another program"):
        update_index(path, tables[2], delete=["0"])


def test_an_interrupted_change_leaves_nothing_behind(malls, monkeypatch):
    reference, _, program, path = malls
    before, beside = files(path), sorted(path.parent.iterdir())

    def interrupted(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_module, "_move", interrupted)
    with pytest.raises(DataError, match=r"cannot be written to .* \(No space left on device\)"):
        update_index(path, program, append=reference[-4:])
    assert sorted(path.parent.iterdir()) == beside
    assert files(path) == before


def test_an_index_that_is_open_goes_on(malls):
    reference, query, program, path = malls
    matcher = Matcher.open(path, program)
    update_index(path, program, append=reference[-3:], delete=reference["id"][:50])
    pd.testing.assert_frame_equal(matcher.lookup(query).matches, program.apply(reference[:-10], query).matches)


def test_the_program_can_be_a_file(malls, tmp_path):
    reference, _, program, path = malls
    program.save(tmp_path / "program.json")
    assert update_index(str(path), tmp_path / "program.json", append=reference[-1:]).is_relative_to(Path(path).parent)
