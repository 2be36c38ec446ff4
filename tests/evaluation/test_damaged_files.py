"""Whatever stands in the files of an audit: they are read, or refused in a sentence, and the report comes out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import AuditDesign, measure_audit, read_labels
from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.evaluation import sheet_output
from fuzzyjoin.files import write_all
from tests.evaluation.cases import draw


@pytest.fixture(scope="module")
def sample(malls):
    return draw(malls, from_matches=8, from_near_misses=4)


@pytest.fixture(scope="module")
def sheet(sample, tmp_path_factory):
    path = tmp_path_factory.mktemp("sheet") / "sheet.csv"
    write_all([sheet_output(sample.sheet.assign(label="yes"), path)])
    return path


changes = st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4)


def changed(content, changes):
    content = bytearray(content)
    for place, bytes_ in changes:
        content[place % len(content)] = bytes_[0]
        content[place % len(content) : place % len(content)] = bytes_[1:]
    return bytes(content)


def refusal(call):
    """What is said if it is refused, else None; any other error fails the test."""
    try:
        call()
    except FuzzyJoinError as error:
        return str(error)
    return None


@given(changes)
def test_a_damaged_sheet_is_read_or_refused(sample, sheet, changes):
    damaged = sheet.with_name("damaged.csv")
    damaged.write_bytes(changed(sheet.read_bytes(), changes))
    said = refusal(lambda: measure_audit(sample.design, read_labels(damaged, sample.design)).explain())
    assert said is None or "damaged.csv" in said


@given(changes)
def test_a_damaged_design_is_refused(sample, sheet, changes):
    damaged = sheet.with_name("damaged.json")
    damaged.write_bytes(changed(sample.design.to_json().encode(), changes))
    said = refusal(lambda: AuditDesign.load(damaged))
    # Only what JSON does not tell apart is read, such as a space more.
    assert "damaged.json" in said if said else AuditDesign.load(damaged) == sample.design


NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 2**31, 2**63, 10**30, 10**400, 1.5, None, "1", True])
PLACES = [("matches", "rows", 0), ("matches", "drawn", 1), ("near_misses", "rows", 3), ("near_misses", "drawn", 0)]
PLACES += [("without_candidate",), ("seed",), ("reference", "rows"), ("query", "rows"), ("pairs", 0, "band")]
PLACES += [("pairs", 2, "number"), ("precision_estimate", "value"), ("precision_estimate", "low")]


@given(st.dictionaries(st.sampled_from(PLACES), NUMBERS, min_size=1, max_size=3))
def test_a_design_whose_numbers_were_changed_is_refused_or_reported_on(sample, sheet, numbers):
    """With a hash that fits, as by someone who knows the code."""
    content = json.loads(sample.design.to_json())["design"]
    for place, number in numbers.items():
        inner = content
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = number
    text = json.dumps({"design_version": 1, "design_id": hash_of(content), "design": content})

    def report():
        design = AuditDesign.from_json(text, source="design")
        return measure_audit(design, read_labels(sheet, design)).explain()

    assert refusal(report) != ""


def hash_of(content):
    try:
        return AuditDesign.model_validate(content).design_id
    except ValueError:
        return "none"
