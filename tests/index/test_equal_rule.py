"""An index of a program whose columns must be equal: built, opened, changed, checked, and told from others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError, Matcher, UsageError, index_reference, learn_program, update_index, verify_index
from fuzzyjoin.blocking import inverted_index
from tests.cases import frame, misspelt

STATES = ["TX", "CA", "NY", "", "WA"]
NAMES = [
    f"{first} {last}"
    for first in ("Saint Mary", "Good Samaritan", "Riverside", "Mercy", "Lakeview", "Trinity")
    for last in ("Medical Center", "Clinic", "Hospital", "Surgery")
]


@pytest.fixture(scope="module")
def hospitals():
    random = np.random.default_rng(6)
    held = [(row, NAMES[row % 24], STATES[int(random.integers(0, 5))]) for row in range(90)]
    typed = [(f"q{row}", misspelt(random, name) or name, state.lower()) for row, name, state in held[::2]]
    return frame(held, ["name", "state"]), frame(typed, ["name", "state"])


@pytest.fixture(scope="module", params=["auto", "autofj"])
def program(request, hospitals):
    return learn_program(*hospitals, "name", equal="state", method=request.param)


def found(index, program, query):
    result = Matcher.open(index, program).lookup(query)
    return result.matches, result.unmatched, result.counts


def assert_alike(one, other):
    for mine, its in zip(one[:2], other[:2], strict=True):
        pd.testing.assert_frame_equal(mine, its, check_dtype=False)
    assert one[2] == other[2]


def test_an_index_joins_as_the_table_does(hospitals, program, tmp_path, monkeypatch):
    reference, query = hospitals
    expected = program.apply(reference, query)
    assert len(expected.matches) > 15
    index = index_reference(program, reference, tmp_path)
    verify_index(index, program)
    assert_alike(found(index, program, query), (expected.matches, expected.unmatched, expected.counts))
    monkeypatch.setattr(inverted_index, "SCANNED_ROWS", 2)
    monkeypatch.setattr(inverted_index, "LISTED_FROM", 1)
    assert_alike(found(index, program, query), (expected.matches, expected.unmatched, expected.counts))
    rows = [Matcher.open(index, program).lookup(query[place : place + 1]).matches for place in range(6)]
    alone = pd.concat([row for row in rows if len(row)], ignore_index=True)
    pd.testing.assert_frame_equal(
        alone, expected.matches[expected.matches["query_id"].isin(query["id"][:6])], check_dtype=False
    )


def test_an_index_built_while_lists_are_made_can_be_opened(hospitals, program, tmp_path, monkeypatch):
    """Lists are kept in memory alone."""
    monkeypatch.setattr(inverted_index, "SCANNED_ROWS", 2)
    monkeypatch.setattr(inverted_index, "LISTED_FROM", 1)
    reference, query = hospitals
    index = index_reference(program, reference, tmp_path)
    expected = program.apply(reference, query)
    assert_alike(found(index, program, query), (expected.matches, expected.unmatched, expected.counts))


def test_a_changed_index_is_that_of_the_changed_table(hospitals, program, tmp_path):
    reference, query = hospitals
    more = frame(
        [(200, "Mercy Dental", "OR"), (201, "Saint Mary Clinic", " ca"), (3, NAMES[3], "NY"), (202, NAMES[5], None)],
        ["name", "state"],
    )
    changed = pd.concat([reference[~reference["id"].isin([1, 3, 8])], more], ignore_index=True)
    index = update_index(index_reference(program, reference, tmp_path), program, append=more, delete=[1, 3, 8])
    verify_index(index, program)
    scratch = index_reference(program, changed, tmp_path / "scratch")
    assert index.name == scratch.name
    asked = pd.concat([query, frame([("new", "mercy dental", "or")], ["name", "state"])], ignore_index=True)
    assert_alike(found(index, program, asked), found(scratch, program, asked))
    assert 200 in found(index, program, asked)[0]["reference_id"].tolist()


def test_a_row_that_changes_its_value_alone_is_another_row(hospitals, program, tmp_path):
    reference, _ = hospitals
    index = index_reference(program, reference, tmp_path)
    moved = reference[:1].assign(state="Ontario")
    with pytest.raises(DataError, match="append has the id '0', which another row of the index has"):
        update_index(index, program, append=moved)
    assert update_index(index, program, append=moved, delete=[0]) != index
    assert update_index(index, program, append=reference[:1]) == index
    with pytest.raises(UsageError, match="equal: append has no column 'state'"):
        update_index(index, program, append=moved.drop(columns="state"))


def test_another_rule_is_another_index(hospitals, program, tmp_path):
    reference, query = hospitals
    index = index_reference(program, reference, tmp_path)
    method = "auto" if program.by_scorer else "autofj"
    without = learn_program(reference, query, "name", method=method)
    assert index_reference(without, reference, tmp_path) != index
    for place, other in ((index, without), (index_reference(without, reference, tmp_path), program)):
        with pytest.raises(UsageError, match="was built for another program"):
            Matcher.open(place, other)


def test_damaged_groups_are_noticed(hospitals, program, tmp_path):
    index = index_reference(program, hospitals[0], tmp_path)
    names = list(index.glob("index-groups-*.npy"))
    assert names
    for path in names:
        content = path.read_bytes()
        path.write_bytes(content[:-8] + bytes([127] * 8))
        with pytest.raises(DataError, match="cannot be read as an index"):
            Matcher.open(index, program)
        path.write_bytes(content)
    verify_index(index, program)
