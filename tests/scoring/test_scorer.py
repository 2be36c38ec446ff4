"""Scorer files: read as they were written, refused when changed, small, and free of anything to execute."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from fuzzyjoin import DataError
from fuzzyjoin.scoring.evidence import EVIDENCE
from fuzzyjoin.scoring.scorer import (
    TrainedScorer,
    load_scorer,
    scorer_bytes,
    scorer_file_name,
    shipped_scorer,
)

LARGEST_FILE = 2_000_000


@pytest.fixture
def shipped_file():
    (path,) = files("fuzzyjoin.scoring").joinpath("scorers").iterdir()
    return path


def test_the_shipped_file_is_named_by_its_hash_and_small(shipped_file):
    content = shipped_file.read_bytes()
    scorer = TrainedScorer.from_bytes(content, source="file")
    assert shipped_file.name == scorer_file_name(scorer.name, content)
    assert len(content) < LARGEST_FILE


def test_the_shipped_file_is_readable_json_that_names_its_evidence(shipped_file):
    content = json.loads(shipped_file.read_text(encoding="utf-8"))
    assert content["evidence"] == list(EVIDENCE)
    assert set(content) == {"scorer_version", "name", "evidence", "first_calibration", "calibration", "trees"}


def test_writing_what_was_read_gives_the_same_bytes(shipped_file):
    scorer = shipped_scorer()
    parts = scorer.trees, scorer.first_calibrator, scorer.calibrator
    assert scorer_bytes(scorer.name, *parts) == shipped_file.read_bytes()


def test_a_file_of_ones_own_is_read(shipped_file, tmp_path):
    path = tmp_path / shipped_file.name
    path.write_bytes(shipped_file.read_bytes())
    assert load_scorer(path).hash == shipped_scorer().hash


def test_a_changed_file_is_refused(shipped_file, tmp_path):
    path = tmp_path / shipped_file.name
    path.write_bytes(shipped_file.read_bytes().replace(b'"ball_spread": ', b'"ball_spread": 1', 1))
    with pytest.raises(DataError, match="was changed after it was trained"):
        load_scorer(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(scorer_version=99), "other evidence than this version"),
        (lambda content: content.update(evidence=["age"]), "other evidence than this version"),
        (lambda content: content.pop("calibration"), "is no scorer file"),
        (lambda content: content["trees"]["left"].__setitem__(0, 10**9), "outside the file"),
        (lambda content: content["trees"]["left"].__setitem__(0, 0), "outside the file"),
        (lambda content: content["trees"]["roots"].append(-1), "outside the file"),
        (lambda content: content["trees"]["value"].pop(), "differ in length"),
    ],
    ids=["version", "evidence", "no calibration", "far child", "own child", "root before the start", "short array"],
)
def test_what_is_no_scorer_is_refused(shipped_file, change, message):
    content = json.loads(shipped_file.read_text(encoding="utf-8"))
    change(content)
    with pytest.raises(DataError, match=message):
        TrainedScorer.from_bytes(json.dumps(content).encode(), source="file")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_scorer(tmp_path / "none.json")
