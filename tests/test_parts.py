"""A join in batches gives the bytes of the join in one, and goes on where it was stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin import learn_program, parts
from fuzzyjoin.cli import app
from fuzzyjoin.files import read_table, write_table
from tests.cases import example

ENDINGS = [".csv", ".tsv.gz", ".parquet"]


@pytest.fixture(scope="module", params=["auto", "autofj"])
def tables(request, tmp_path_factory):
    """Tables with an odd value each, a program for them, and what it joins in one."""
    folder = tmp_path_factory.mktemp("tables")
    reference, query, _ = example("ShoppingMall")
    # Only one part holds a value that makes every line of the output be quoted.
    query.loc[5, "title"] += "\r"
    learn_program(reference, query, on="title", method=request.param).save(folder / "program.json")
    write_table(reference, folder / "left.csv")
    for ending in ENDINGS:
        write_table(query, folder / f"right{ending}")
        apply(folder, folder / f"whole{ending}", query=f"right{ending}")
    return folder


def apply(folder, output, *options, query="right.csv", code=0):
    """Apply the program and return what was printed and, as bytes, what was written."""
    rest = output.with_name(f"rest-{output.name}")
    asked = ["apply", folder / "program.json", folder / "left.csv", folder / query, "-o", output]
    asked += ["--unmatched-out", rest, "--json", *options]
    result = CliRunner().invoke(app, [str(part) for part in asked])
    assert result.exit_code == code, result.output
    return result, [path.read_bytes() for path in (output, rest) if path.exists()]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("rows", [1000, 100, 23])
def test_batches_give_the_same_bytes_and_the_same_estimate(tables, tmp_path, rows, ending):
    result, written = apply(tables, tmp_path / f"m{ending}", "--batch-rows", rows, query=f"right{ending}")
    whole, expected = apply(tables, tmp_path / f"whole{ending}", query=f"right{ending}")
    assert written == expected
    said, known = (json.loads(one.stdout) for one in (result, whole))
    for what in ("counts", "precision_estimate", "program_id"):
        assert said[what] == known[what]
    assert not list(tmp_path.glob("*.parts"))


def test_an_index_changes_nothing(tables, tmp_path):
    found = [
        apply(tables, tmp_path / f"{run}.csv", "--index", tmp_path / "indexes", "--batch-rows", 90) for run in "ab"
    ]
    expected = [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert [written for _, written in found] == [expected, expected]
    (index,) = (tmp_path / "indexes").iterdir()
    asked = ["index", tables / "program.json", tables / "left.csv", "--index", tmp_path / "indexes"]
    assert CliRunner().invoke(app, [str(part) for part in asked]).stdout == f"{index}\n"


def stop_after(monkeypatch, finished):
    """Stop the run, as Ctrl-C does, when so many parts are finished; the joined batches are listed."""
    joined = []
    original = parts.join_part

    def joining(*arguments):
        if len(joined) == finished:
            raise KeyboardInterrupt
        joined.append(arguments[-1].name)
        return original(*arguments)

    monkeypatch.setattr(parts, "join_part", joining)
    return joined


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(tables, tmp_path, monkeypatch):
    output = tmp_path / "matches.csv"
    stop_after(monkeypatch, 3)
    result, written = apply(tables, output, "--batch-rows", 40, code=130)
    assert "interrupted" in result.stderr
    assert written == []
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    result, written = apply(tables, output, "--batch-rows", 40)
    assert joined == ["000003", "000004", "000005"]
    assert "3 finished parts of an earlier run were taken over" in result.stderr
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_bytes(tables, tmp_path, monkeypatch):
    """SIGKILL, which nothing can answer, once 60 % of the parts are finished, of a program that joins."""
    output, folder = tmp_path / "matches.csv", tmp_path / "matches.csv.parts"
    asked = ["apply", tables / "program.json", tables / "left.csv", tables / "right.csv", "-o", output]
    asked += ["--unmatched-out", tmp_path / "rest-matches.csv", "--batch-rows", "2"]
    rows = len(read_table(tables / "right.csv"))
    parts_in_all = -(-rows // 2)
    run = subprocess.Popen([sys.executable, "-m", "fuzzyjoin", *map(str, asked)], stderr=subprocess.DEVNULL)
    while run.poll() is None and len(list(folder.glob("0*.json"))) < 0.6 * parts_in_all:
        time.sleep(0.001)
    run.kill()
    assert run.wait() == -signal.SIGKILL
    assert not output.exists()
    finished = len(list(folder.glob("0*.json")))
    assert 0.6 * parts_in_all <= finished < parts_in_all
    joined = stop_after(monkeypatch, rows)
    result, written = apply(tables, output, "--batch-rows", 2)
    assert joined == [f"{part:06d}" for part in range(finished, parts_in_all)]
    assert f"{finished} finished parts of an earlier run were taken over" in result.stderr
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert json.loads(result.stdout)["counts"]["matched"] > 0
    assert not folder.exists()


@pytest.mark.parametrize("changed", ["query", "batch rows"])
def test_parts_of_another_join_are_thrown_away(tables, tmp_path, monkeypatch, changed):
    output = tmp_path / "matches.csv"
    query = read_table(tables / "right.csv")
    write_table(query, tables / "other.csv")
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, query="other.csv", code=130)
    if changed == "query":
        write_table(query[::-1], tables / "other.csv")
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    apply(tables, output, "--batch-rows", 40 if changed == "query" else 80, query="other.csv")
    assert joined[0] == "000000"


def test_a_part_that_was_not_finished_is_joined_again(tables, tmp_path, monkeypatch):
    output = tmp_path / "matches.csv"
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, code=130)
    (tmp_path / "matches.csv.parts" / "000001.json").unlink()
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    _, written = apply(tables, output, "--batch-rows", 40)
    assert joined[0] == "000001"
    assert written[0] == (tables / "whole.csv").read_bytes()


def test_a_folder_that_holds_something_else_is_left_alone(tables, tmp_path):
    folder = tmp_path / "matches.csv.parts"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    result, _ = apply(tables, tmp_path / "matches.csv", code=1)
    assert "holds something else; move it away" in result.stderr
    assert [file.name for file in folder.iterdir()] == ["letter.txt"]


def test_ids_must_differ_across_batches(tables, tmp_path):
    query = read_table(tables / "right.csv")
    query.loc[150, "id"] = query.loc[3, "id"]
    write_table(query, tables / "repeated.csv")
    result, _ = apply(tables, tmp_path / "m.csv", "--batch-rows", 40, query="repeated.csv", code=1)
    assert "on line 5 and again on line 1" in result.stderr


def test_the_id_column_is_chosen_over_all_batches(tables, tmp_path):
    query = read_table(tables / "right.csv").rename(columns={"id": "code"})
    query.insert(0, "kind", [f"kind {min(row, 200)}" for row in range(len(query))])
    write_table(query, tables / "codes.csv")
    result, _ = apply(tables, tmp_path / "m.csv", "--batch-rows", 40, query="codes.csv")
    assert json.loads(result.stdout)["id_columns"]["query"] == "code"
    expected = pd.read_csv(tables / "whole.csv", dtype=str)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "m.csv", dtype=str), expected)
