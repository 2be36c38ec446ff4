"""Scorer files: read as they were written, refused when changed, small, and free of anything to execute."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

import pytest

from fuzzyjoin import DataError
from fuzzyjoin.compare import FEATURES, FORMER_NAMES
from fuzzyjoin.scoring import TrainedScorer, load_scorer, shipped_scorer
from fuzzyjoin.scoring.scorer import scorer_bytes, scorer_file_name

LARGEST_FILE = 2_000_000


@pytest.fixture
def shipped_file():
    folder = files("fuzzyjoin.scoring").joinpath("scorers")
    (path,) = [path for path in folder.iterdir() if path.name.endswith(".json")]
    return path


def test_the_shipped_file_is_named_by_its_hash_and_small(shipped_file):
    content = shipped_file.read_bytes()
    scorer = TrainedScorer.from_bytes(content, source="file")
    assert shipped_file.name == scorer_file_name(scorer.name, content)
    assert len(content) < LARGEST_FILE


def test_the_shipped_file_is_readable_json_that_names_its_features_as_it_always_did(shipped_file):
    content = json.loads(shipped_file.read_text(encoding="utf-8"))
    assert content["evidence"] == [FORMER_NAMES[name] for name in FEATURES]
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
        (lambda content: content.update(scorer_version=99), "other features than this version"),
        (lambda content: content.update(evidence=["age"]), "other features than this version"),
        (lambda content: content.pop("calibration"), "is no scorer file"),
        (lambda content: content["trees"]["left"].__setitem__(0, 10**9), "outside the file"),
        (lambda content: content["trees"]["left"].__setitem__(0, 0), "outside the file"),
        (lambda content: content["trees"]["roots"].append(-1), "outside the file"),
        (lambda content: content["trees"]["value"].pop(), "differ in length"),
        (lambda content: content["trees"]["roots"].append(content["trees"]["roots"][-1]), "belongs to two trees"),
        (lambda content: content["trees"]["roots"].append(content["trees"]["left"][0]), "belongs to two trees"),
        (lambda content: content["trees"]["roots"].pop(), "or to none"),
        (lambda content: content["trees"]["right"].__setitem__(0, content["trees"]["left"][0]), "to two nodes"),
        (lambda content: content["trees"]["feature"].__setitem__(0, len(FEATURES)), "outside the file"),
        (lambda content: content["trees"]["feature"].__setitem__(0, -2), "outside the file"),
        (lambda content: content["trees"]["threshold"].__setitem__(0, float("nan")), "not finite"),
        (lambda content: content["trees"]["value"].__setitem__(-1, float("inf")), "not finite"),
        (lambda content: content["trees"]["left"].__setitem__(0, 10**30), "is no scorer file"),
        (lambda content: content["trees"].update(feature=[content["trees"]["feature"]]), "is no list of numbers"),
        (lambda content: content["calibration"]["right"].pop(), "have other sizes"),
        (lambda content: content["calibration"]["spread"].pop(), "have other sizes"),
        (lambda content: content["calibration"]["mean"].pop(), "differ in length"),
        (lambda content: content["calibration"]["scale"].__setitem__(0, float("nan")), "not finite"),
        (lambda content: content["calibration"]["scale"].__setitem__(0, 0.0), "is negative"),
    ],
    ids=[
        "version",
        "features",
        "no calibration",
        "far child",
        "own child",
        "root before the start",
        "short array",
        "repeated root",
        "root within a tree",
        "tree without a root",
        "shared child",
        "unknown feature",
        "feature before the first",
        "threshold that is no number",
        "infinite value",
        "child past all numbers",
        "nested list",
        "short curve",
        "short between-task coefficients",
        "short regression",
        "scale that is no number",
        "no scale",
    ],
)
def test_what_is_no_scorer_is_refused(shipped_file, change, message):
    content = json.loads(shipped_file.read_text(encoding="utf-8"))
    change(content)
    with pytest.raises(DataError, match=message):
        TrainedScorer.from_bytes(json.dumps(content).encode(), source="file")


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"", b"null"])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(DataError, match="is no scorer file"):
        TrainedScorer.from_bytes(content, source="file")


MANGLING = """
import random
from dataclasses import fields
import numpy as np
from fuzzyjoin.compare.features import FEATURES
from fuzzyjoin.scoring.scorer import Trees, shipped_scorer
draw, refused = random.Random(7), 0
shipped = shipped_scorer().trees
rows = np.random.default_rng(7).random((40, len(FEATURES)), np.float32)
for _ in range(400):
    arrays = {field.name: getattr(shipped, field.name).copy() for field in fields(Trees)}
    for _ in range(draw.choice([1, 1, 2, 50])):
        array = arrays[draw.choice(list(arrays))]
        place = draw.randrange(array.size)
        array[place] = draw.choice([-1, 0, 1, array[draw.randrange(array.size)], array.size - 1, array.size, 2**40])
    trees = Trees(**arrays)
    try:
        trees.check()
    except ValueError:
        refused += 1
        continue
    print("scored", flush=True)
    trees.scores(rows), trees.highest(rows, slice(0, 5)), trees.contributions(rows)
print(refused)
"""


@pytest.mark.slow
def test_no_mangled_trees_crash_the_process():
    """Refused or walked through; what is walked through although it is damaged ends the process at once."""
    run = subprocess.run([sys.executable, "-c", MANGLING], capture_output=True, text=True, check=False)
    assert run.returncode == 0, (run.returncode, run.stdout[-200:], run.stderr[-2000:])
    assert 200 < int(run.stdout.split()[-1]) < 400


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_scorer(tmp_path / "none.json")
