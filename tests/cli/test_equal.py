"""--equal at the command line: joined, learned, applied in batches, indexed, explained, refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin.cli.app import app
from tests.cases import misspelt

STATES = ["TX", "CA", "NY", "IL"]
NAMES = [
    f"{first} {last}"
    for first in ("Saint Mary", "Good Samaritan", "Riverside", "Mercy", "Lakeview", "Trinity")
    for last in ("Medical Center", "Clinic", "Hospital", "Surgery")
]


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == code, result.stderr
    return result


def read(path):
    return Path(path).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Hospitals that stand in two states each under one name; of the typed ones, every fourth is in a third state."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(4)
    held = [
        (f"{place}-{shift}", name, STATES[(place + shift) % 4]) for place, name in enumerate(NAMES) for shift in (0, 1)
    ]
    typed = [
        (f"q{row}", misspelt(random, name) or name, (STATES[(row // 2 + 2) % 4] if row % 4 == 0 else state).lower())
        for row, (_, name, state) in enumerate(held)
    ]
    pd.DataFrame(held, columns=["id", "name", "state"]).to_csv("left.csv", index=False)
    pd.DataFrame(typed, columns=["id", "name", "state"]).to_csv("right.csv", index=False)
    pd.DataFrame(typed, columns=["id", "name", "st"]).to_csv("other.csv", index=False)
    return tmp_path


def same_state(matches, query="right.csv", column="state"):
    found = pd.read_csv(matches, dtype=str)
    left, right = (pd.read_csv(path, dtype=str).set_index("id") for path in ("left.csv", query))
    held = left["state"].loc[found["reference_id"]].str.lower().tolist()
    return len(found) > 20 and held == right[column].loc[found["query_id"]].tolist()


@pytest.mark.usefixtures("folder")
class TestEqual:
    def test_join_learn_and_apply_in_batches_give_the_same(self):
        rule = ("left.csv", "right.csv", "--on", "name", "--equal", "state")
        run("join", *rule, "-o", "matches.csv", "--unmatched-out", "unmatched.csv", "--program-out", "one.json")
        run("learn", *rule, "--program-out", "two.json")
        assert same_state("matches.csv")
        assert json.loads(read("one.json")) == json.loads(read("two.json"))
        applied = ("-o", "again.csv", "--unmatched-out", "not.csv", "--batch-rows", 7, "--index", "indexes")
        run("apply", "one.json", "left.csv", "right.csv", *applied)
        assert read("again.csv") == read("matches.csv")
        assert read("not.csv") == read("unmatched.csv")

    def test_names_that_differ_are_paired(self):
        options = ("--on", "name", "--equal", "state=st", "-o", "matches.csv", "--program-out", "program.json")
        run("join", "left.csv", "other.csv", *options)
        assert same_state("matches.csv", "other.csv", "st")
        assert "Considers only reference rows with the same state with st." in run("explain", "program.json").stdout

    def test_without_on_the_column_is_neither_compared_nor_proposed(self):
        result = run("join", "left.csv", "right.csv", "--equal", "state", "-o", "m.csv", "--program-out", "p.json")
        assert "--yes" not in result.stderr
        program = json.loads(read("p.json"))["program"]
        assert [column["reference"] for column in program["columns"]] == ["name"]
        assert program["equal"] == [{"reference": "state", "query": "state"}]

    def test_a_row_is_explained(self):
        run("learn", "left.csv", "right.csv", "--on", "name", "--equal", "state", "--program-out", "program.json")
        words = run("explain", "program.json", "left.csv", "right.csv", "--query-id", "q1").stdout
        assert "Considered only the 12 reference rows with the same state." in words

    @pytest.mark.parametrize("command", ["join", "learn"])
    def test_a_column_that_is_not_there_is_named(self, command):
        output = ("-o", "matches.csv") if command == "join" else ("--program-out", "program.json")
        result = run(command, "left.csv", "right.csv", "--on", "name", "--equal", "stat", *output, code=2)
        assert "left.csv: equal: reference has no column 'stat'; did you mean 'state'" in result.stderr

    def test_applying_to_a_table_without_the_column_is_refused(self):
        run("learn", "left.csv", "right.csv", "--on", "name", "--equal", "state", "--program-out", "program.json")
        result = run("apply", "program.json", "left.csv", "other.csv", "-o", "matches.csv", code=2)
        assert "other.csv: equal: query has no column 'state'" in result.stderr
