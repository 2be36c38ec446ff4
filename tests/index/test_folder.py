"""A join through an index on disk is the join in memory, and an index is whole, current and never another's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import Matcher, index_reference, learn_program
from fuzzyjoin.blocking import NegativeRules
from fuzzyjoin.definition import Blocking
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.index import folder as index_module
from tests.cases import example, frame, random_tables

METHODS = ["auto", "autofj"]


def shopping_malls():
    reference, query, _ = example("ShoppingMall")
    return reference, query, ["title"]


def two_columns():
    reference, query = random_tables(11, columns=2, references=60, queries=40)
    names = ["name", "place"]
    return frame(reference, names), frame(query, names), names


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param


@pytest.fixture(scope="module", params=[shopping_malls, two_columns])
def joined(request, method, tmp_path_factory):
    """The tables, a program that joins something, and the index of the reference table."""
    reference, query, on = request.param()
    program = learn_program(reference, query, on=on, method=method, precision_target=0.5)
    return reference, query, program, index_reference(program, reference, tmp_path_factory.mktemp("indexes"))


def test_a_join_through_an_index_is_the_join_in_memory(joined):
    reference, query, program, path = joined
    expected = program.apply(reference, query)
    found = Matcher.open(path, program).lookup(query)
    assert len(expected.matches)
    pd.testing.assert_frame_equal(found.matches, expected.matches)
    pd.testing.assert_frame_equal(found.unmatched, expected.unmatched)
    assert found.precision_estimate == expected.precision_estimate
    assert (found.counts, found.id_columns, found.warnings) == (
        expected.counts,
        expected.id_columns,
        expected.warnings,
    )


def test_a_row_looked_up_alone_is_joined_as_in_its_batch(joined):
    _, query, program, path = joined
    matcher = Matcher.open(path, program)
    together = matcher.lookup(query).matches.set_index("query_id")
    for row in range(0, len(query), 9):
        alone = matcher.lookup(query.iloc[[row]]).matches.set_index("query_id")
        expected = together.loc[together.index.isin(query["id"].iloc[[row]])]
        # What has no rows has no types.
        pd.testing.assert_frame_equal(
            alone, expected, check_index_type=len(expected) > 0, check_dtype=len(expected) > 0
        )


def test_the_words_of_negative_rules_are_looked_up_once(joined, method, monkeypatch):
    _, query, program, path = joined
    matcher, looked_up, times = Matcher.open(path, program), NegativeRules.codes, []
    monkeypatch.setattr(NegativeRules, "codes", lambda *args: times.append(args) or looked_up(*args))
    for row in range(3):
        matcher.lookup(query.iloc[[row]])
    assert len(times) == (method == "autofj")


def test_the_order_of_the_reference_rows_does_not_enter(joined):
    reference, query, program, path = joined
    again = index_reference(program, reference[::-1], path.parent)
    assert again == path
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert len(Matcher.open(again, program).lookup(query).matches)


def test_another_reference_table_has_another_index(joined):
    reference, query, program, path = joined
    changed = reference.iloc[1:]
    again = index_reference(program, changed, path.parent.with_name(f"{path.parent.name}-changed"))
    assert again.name != path.name
    expected = program.apply(changed, query)
    pd.testing.assert_frame_equal(Matcher.open(again, program).lookup(query).matches, expected.matches)


def test_looking_rows_up_changes_no_file(joined):
    _, query, program, path = joined

    def content():
        return {file.name: file.read_bytes() for file in path.iterdir()}

    before = content()
    Matcher.open(path, program).lookup(query)
    assert content() == before


def test_whole_numbers_stay_whole_numbers(tmp_path):
    reference = frame([(7, "grand mall"), (12, "lake center"), (9, "north plaza")])
    program = learn_program(reference, frame([("q", "grand mal")]), method="autofj")
    found = Matcher.open(index_reference(program, reference, tmp_path), program).lookup(frame([("q", "grand mal")]))
    assert found.matches["reference_id"].tolist() == [7]


def test_an_index_for_another_program_is_refused(joined):
    _, _, program, path = joined
    definition = program.definition
    other = program.model_copy(
        update={
            "definition": definition.model_copy(
                update={"blocking": definition.blocking.model_copy(update={"k": definition.blocking.k + 1})}
            )
        }
    )
    with pytest.raises(UsageError, match="was built for another program"):
        Matcher.open(path, other)


def test_a_folder_without_an_index_is_named(tmp_path, joined):
    with pytest.raises(UsageError, match=r"is no index: it holds no manifest\.json"):
        Matcher.open(tmp_path, joined[2])


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": 3}', "[" * 100_000])
def test_a_spoilt_manifest_is_named(tmp_path, joined, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError, match="cannot be read as an index"):
        Matcher.open(tmp_path, joined[2])


def test_a_later_schema_is_refused(tmp_path, joined):
    (tmp_path / "manifest.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(UsageError, match="has schema_version 99, this version reads 3"):
        Matcher.open(tmp_path, joined[2])


def test_an_interrupted_build_leaves_nothing_behind(tmp_path, joined, monkeypatch):
    reference, _, program, _ = joined

    def interrupted(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_module, "_move", interrupted)
    with pytest.raises(DataError, match=r"cannot be written to .* \(No space left on device\)"):
        index_reference(program, reference, tmp_path / "indexes")
    assert list((tmp_path / "indexes").iterdir()) == []


def test_a_blocker_of_the_users_own_has_no_index(tmp_path, joined):
    reference, _, program, _ = joined
    definition = program.definition.model_copy(update={"blocking": Blocking(method="by hand")})
    with pytest.raises(UsageError, match="blocks by 'by hand', a blocker of your own"):
        index_reference(program.model_copy(update={"definition": definition}), reference, tmp_path)


def test_arrays_are_never_unpickled(joined):
    path = joined[3]
    for file in path.iterdir():
        if file.suffix == ".npy":
            np.load(file, mmap_mode="r", allow_pickle=False)
    assert {file.suffix for file in path.iterdir()} == {".npy", ".json"}
