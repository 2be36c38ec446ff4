"""What cells hold reaches a terminal as text alone, whichever command shows it."""

from __future__ import annotations

import json
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fuzzyjoin.cli import app
from fuzzyjoin.files import read_table
from fuzzyjoin.files.table_files import write_table
from fuzzyjoin.terminal import cell_for_terminal, for_terminal
from tests.cases import any_text, example

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m \u202egnp.exe\u2066 line\nScore 1.0000; forged\r\u2028x"
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def harmful(text):
    """Characters that are not only shown."""
    return [
        letter
        for letter in text
        if (unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} and letter not in "\n\t")
        or unicodedata.bidirectional(letter) in BIDI
    ]


@given(any_text | st.text(st.sampled_from(EVIL), max_size=9))
def test_nothing_harmful_is_left_and_nothing_else_is_changed(text):
    assert harmful(for_terminal(text)) == []
    assert "\n" not in cell_for_terminal(text)
    if not harmful(text) and not set(text) & set("\u061c\u200e\u200f\ufeff"):
        assert for_terminal(text) == text


def test_letters_that_need_joiners_keep_them():
    for text in ("می\u200cخواهم", "क्\u200dष", "👩\u200d🔬", "東京 Ærø"):
        assert cell_for_terminal(text) == text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The shopping malls, with a hostile text in every cell and column name."""
    reference, query, _ = example("ShoppingMall")
    for side, frame in (("left", reference), ("right", query)):
        hostile = frame.assign(id=frame["id"] + EVIL, title=frame["title"] + EVIL).rename(
            columns={"title": f"title{EVIL}"}
        )
        write_table(hostile, tmp_path / f"{side}.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, code=0, typed=None):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    assert result.exit_code == code, result.output
    assert harmful(result.stdout) == harmful(result.stderr) == []
    return result


@pytest.mark.parametrize("method", ["auto", "autofj"])
def test_no_command_lets_a_cell_through(folder, method):
    outputs = ["-o", "m.csv", "--unmatched-out", "u.csv", "--program-out", "p.json"]
    run("join", "left.csv", "right.csv", "--on", f"title{EVIL}", "--method", method, *outputs)
    matches, unmatched = read_table("m.csv"), read_table("u.csv")
    assert EVIL.replace("\r", "\r") in matches["query_text"][0], "files keep what the cells hold"
    run("apply", "p.json", "left.csv", "right.csv", "-o", "a.csv")
    run("explain", "p.json")
    for query_id in (matches["query_id"][0], *unmatched["query_id"][:20]):
        told = run("explain", "p.json", "left.csv", "right.csv", "--query-id", query_id).stdout
        assert not any(line.startswith("Score 1.0000; forged") for line in told.splitlines())
    run("audit", "draw", "p.json", "left.csv", "right.csv", "m.csv", "-o", "s.csv", "--design-out", "d.json")
    run("audit", "label", "s.csv", typed="y\n\x1b[2J\nn\nq\n")
    run("audit", "report", "s.csv", "d.json")
    assert (
        json.loads((folder / "p.json").read_text(encoding="utf-8"))["program"]["columns"][0]["query"] == f"title{EVIL}"
    )


def test_no_error_lets_a_cell_through(folder):
    reference = read_table("left.csv")
    write_table(pd.concat([reference, reference[:1]]), folder / "twice.csv")
    (folder / "wrong.csv").write_text(f'id,"{EVIL}"\n1,"a\x1b[2J"b\n', encoding="utf-8")
    run("join", "twice.csv", "right.csv", "--on", f"title{EVIL}", "--id", "id", "-o", "m.csv", code=1)
    run("join", "left.csv", "right.csv", "--on", f"absent{EVIL}", "-o", "m.csv", code=2)
    run("join", "wrong.csv", "right.csv", "--on", "x", "-o", "m.csv", code=1)
    run("join", "left.csv", "right.csv", f"--absent{EVIL}", "-o", "m.csv", code=2)
