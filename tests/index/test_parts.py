"""A join in batches gives the bytes of the join in one, and goes on where it was stopped."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from itertools import combinations, pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fuzzyjoin import UsageError, learn_program
from fuzzyjoin.cli import app
from fuzzyjoin.files import locked, read_table
from fuzzyjoin.files.table_files import write_table
from fuzzyjoin.index import most_rows, parts, uncovered
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

    def joining(*arguments, **named):
        if len(joined) == finished:
            raise KeyboardInterrupt
        joined.append(arguments[-1].name)
        return original(*arguments, **named)

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
    assert joined == ["000000120-000000160", "000000160-000000200", "000000200-000000227"]
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
    assert [name.split("-")[0] for name in joined] == [f"{2 * part:09d}" for part in range(finished, parts_in_all)]
    assert f"{finished} finished parts of an earlier run were taken over" in result.stderr
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert json.loads(result.stdout)["counts"]["matched"] > 0
    assert not folder.exists()


@pytest.mark.parametrize("rows", [7, 33, 40, 80, 150, 1000])
def test_finished_parts_are_found_again_whatever_the_batches_are_now(tables, tmp_path, monkeypatch, rows):
    output = tmp_path / "matches.csv"
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, code=130)
    monkeypatch.undo()
    # Stopped a second time, so that parts of two sizes are there.
    stop_after(monkeypatch, 1)
    apply(tables, output, "--batch-rows", 25, code=130)
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    result, written = apply(tables, output, "--batch-rows", rows)
    assert joined[0].startswith("000000100-")
    assert joined[-1].endswith("-000000227")
    assert "3 finished parts of an earlier run were taken over" in result.stderr
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    whole, _ = apply(tables, tmp_path / "whole.csv")
    assert json.loads(result.stdout)["precision_estimate"] == json.loads(whole.stdout)["precision_estimate"]
    assert json.loads(result.stdout)["counts"] == json.loads(whole.stdout)["counts"]
    assert [file.name for file in tmp_path.iterdir() if "matches.csv." in file.name] == []


def test_parts_of_another_join_are_thrown_away_and_that_is_said(tables, tmp_path, monkeypatch):
    output = tmp_path / "matches.csv"
    query = read_table(tables / "right.csv")
    write_table(query, tables / "other.csv")
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, query="other.csv", code=130)
    write_table(query[::-1], tables / "other.csv")
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    result, _ = apply(tables, output, "--batch-rows", 40, query="other.csv")
    assert joined[0] == "000000000-000000040"
    assert "finished parts of another join, or of another version, stood there and were thrown away" in result.stderr


def test_parts_of_the_version_that_named_no_rows_are_thrown_away_and_never_misread(tables, tmp_path):
    folder = tmp_path / "matches.csv.parts"
    folder.mkdir()
    names = ("fuzzyjoin", "program_id", "reference", "query", "id_columns", "batch_rows")
    (folder / "manifest.json").write_text(json.dumps(dict.fromkeys(names, "as it was")))
    (folder / "000000.json").write_text(json.dumps({"query_rows": 100, "matched": 90, "unmatched": 10, "tally": None}))
    for name in ("000000-matches.parquet", "000000-unmatched.parquet", "000001-matches.tmp"):
        (folder / name).write_bytes(b"of 0.1.0")
    result, written = apply(tables, tmp_path / "matches.csv")
    assert "of another version, stood there and were thrown away" in result.stderr
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert not folder.exists()


def test_a_part_that_was_not_finished_is_joined_again(tables, tmp_path, monkeypatch):
    output = tmp_path / "matches.csv"
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, code=130)
    (tmp_path / "matches.csv.parts" / "000000040-000000080.json").unlink()
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    _, written = apply(tables, output, "--batch-rows", 40)
    assert joined[0] == "000000040-000000080"
    assert written[0] == (tables / "whole.csv").read_bytes()


def changed_count(folder):
    about = folder / "000000000-000000040.json"
    about.write_text(about.read_text().replace('"query_rows": 40', '"query_rows": 41'))


def other_rows(folder):
    (folder / "000000000-000000040.json").rename(folder / "000000300-000000340.json")


def zeroed_table(folder):
    part = folder / "000000000-000000040-matches.parquet"
    part.write_bytes(bytes(part.stat().st_size))


def no_json(folder):
    (folder / "000000000-000000040.json").write_text("[" * 100_000)


def no_table(folder):
    (folder / "000000000-000000040-unmatched.parquet").unlink()


@pytest.mark.parametrize("damage", [changed_count, other_rows, zeroed_table, no_json, no_table])
def test_a_damaged_part_is_joined_again(tables, tmp_path, monkeypatch, damage):
    output = tmp_path / "matches.csv"
    stop_after(monkeypatch, 2)
    apply(tables, output, "--batch-rows", 40, code=130)
    damage(tmp_path / "matches.csv.parts")
    monkeypatch.undo()
    joined = stop_after(monkeypatch, 99)
    _, written = apply(tables, output, "--batch-rows", 200)
    assert joined == ["000000000-000000040", "000000080-000000200", "000000200-000000227"]
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    assert not (tmp_path / "matches.csv.parts").exists()


FOREIGN = {
    "a letter": {"letter.txt": "dear"},
    "a web page's manifest": {"manifest.json": '{"name": "my app", "icons": []}', "app.js": "run()"},
    "a manifest alone": {"manifest.json": '{"name": "my app"}'},
    "a manifest that is no JSON": {"manifest.json": "MZ"},
    "files with our names and no manifest": {"000000.json": "{}", "000000-matches.parquet": "PAR1"},
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_folder_that_holds_something_else_is_left_alone(tables, tmp_path, content):
    folder = tmp_path / "matches.csv.parts"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    result, written = apply(tables, tmp_path / "matches.csv", code=1)
    assert re.search(
        r"matches\.csv\.parts: is where .* but holds '.*', which no join wrote; move it away", result.stderr
    )
    assert written == []
    assert {file.name: file.read_text() for file in folder.iterdir()} == content


def test_what_is_put_beside_the_parts_is_left_alone(tables, tmp_path, monkeypatch):
    folder, original = tmp_path / "matches.csv.parts", parts.join_part

    def joining(*arguments, **named):
        (folder / "letter.txt").write_text("dear")
        return original(*arguments, **named)

    monkeypatch.setattr(parts, "join_part", joining)
    apply(tables, tmp_path / "matches.csv")
    assert [file.name for file in folder.iterdir()] == ["letter.txt"]


def test_a_file_in_the_place_of_the_parts_is_left_alone(tables, tmp_path):
    (tmp_path / "matches.csv.parts").write_text("dear")
    result, _ = apply(tables, tmp_path / "matches.csv", code=1)
    assert "holds a file in its place" in result.stderr
    assert (tmp_path / "matches.csv.parts").read_text() == "dear"


def test_a_second_run_on_one_output_is_refused_and_the_first_goes_on(tables, tmp_path, monkeypatch):
    output, original, second = tmp_path / "matches.csv", parts.join_part, []
    (tmp_path / "other.csv").symlink_to(output)

    def joining(*arguments, **named):
        if not second:
            # By another name of the file too.
            second[:] = [apply(tables, tmp_path / name, code=2)[0].stderr for name in ("matches.csv", "other.csv")]
        return original(*arguments, **named)

    monkeypatch.setattr(parts, "join_part", joining)
    _, written = apply(tables, output, "--batch-rows", 100)
    assert written == [(tables / name).read_bytes() for name in ("whole.csv", "rest-whole.csv")]
    for said in second:
        assert ".csv: another run is working on it; wait until that has ended, or name another output" in said
    assert not (tmp_path / "matches.csv.lock").exists()


def test_a_lock_that_a_killed_run_left_blocks_nobody(tables, tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from fuzzyjoin.files import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    output = tmp_path / "matches.csv"
    assert subprocess.run([sys.executable, "-c", code, str(output)], check=False).returncode == -signal.SIGKILL
    assert (tmp_path / "matches.csv.lock").exists()
    apply(tables, output)
    assert not (tmp_path / "matches.csv.lock").exists()


def test_another_process_holds_the_lock_while_it_lives(tmp_path):
    code = (
        "import sys; from pathlib import Path; from fuzzyjoin.files import locked\n"
        "with locked(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    output = tmp_path / "matches.csv"
    asked = [sys.executable, "-c", code, str(output)]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(UsageError, match="another run is working on it"), locked(output):
            pass
        other.stdin.close()
        assert other.wait() == 0
    with locked(output):
        pass


def test_a_file_with_the_name_of_the_lock_keeps_its_content(tmp_path):
    (tmp_path / "matches.csv.lock").write_text("dear")
    with locked(tmp_path / "matches.csv"):
        pass
    assert (tmp_path / "matches.csv.lock").read_text() == "dear"


def test_a_lock_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "matches.csv.lock").mkdir()
    with (
        pytest.raises(UsageError, match=r"the lock of .*matches\.csv cannot be made"),
        locked(tmp_path / "matches.csv"),
    ):
        pass


ranges = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair))), max_size=9)


@given(ranges)
def test_the_ranges_that_are_kept_cover_most_rows_and_none_twice(found):
    kept = most_rows(found)
    assert kept == sorted(kept)
    assert all(first[1] <= second[0] for first, second in pairwise(kept))
    apart = (
        some
        for size in range(len(found) + 1)
        for some in combinations(sorted(set(found)), size)
        if all(first[1] <= second[0] for first, second in pairwise(some))
    )
    assert sum(stop - start for start, stop in kept) == max(sum(stop - start for start, stop in some) for some in apart)


@given(ranges, st.integers(0, 40), st.integers(0, 20))
def test_what_is_not_covered_and_what_is_make_the_whole(found, start, size):
    kept = most_rows(found)
    left = uncovered(kept, start, start + size)
    rows = {row for first, last in kept for row in range(first, last)}
    assert [row for first, last in left for row in range(first, last)] == [
        row for row in range(start, start + size) if row not in rows
    ]


def test_ids_must_differ_across_batches(tables, tmp_path):
    query = read_table(tables / "right.csv")
    query.loc[150, "id"] = query.loc[3, "id"]
    write_table(query, tables / "repeated.csv")
    result, _ = apply(tables, tmp_path / "m.csv", "--batch-rows", 40, query="repeated.csv", code=1)
    assert "has the id '3' in rows 4 and 151" in result.stderr


def test_the_id_column_is_chosen_over_all_batches(tables, tmp_path):
    query = read_table(tables / "right.csv").rename(columns={"id": "code"})
    query.insert(0, "kind", [f"kind {min(row, 200)}" for row in range(len(query))])
    write_table(query, tables / "codes.csv")
    result, _ = apply(tables, tmp_path / "m.csv", "--batch-rows", 40, query="codes.csv")
    assert json.loads(result.stdout)["id_columns"]["query"] == "code"
    expected = pd.read_csv(tables / "whole.csv", dtype=str)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "m.csv", dtype=str), expected)
