"""Bad input: one line that names file, column, row and remedy, an exit code, and nothing written."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fuzzyjoin.cli import app
from fuzzyjoin.files.table_files import write_table

GOOD = pd.DataFrame(
    {"id": ["1", "2", "3", "4"], "title": ["Grand Mall", "North Plaza", "River Centre", "Old Market Hall"]}
)
FORMATS = [".csv", ".tsv", ".parquet"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with two good tables in every format, and a folder for outputs."""
    monkeypatch.chdir(tmp_path)
    for name in ("left", "right"):
        for ending in FORMATS:
            write_table(GOOD, tmp_path / f"{name}{ending}")
    (tmp_path / "out").mkdir()
    return tmp_path


def tree(folder):
    """All files below a folder, with what they hold."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refuse(folder, arguments, *expected, code):
    """Run a command that must fail: one line on stderr, nothing on stdout, no file changed."""
    before = tree(folder)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "internal error" not in result.stderr
    assert "Traceback" not in result.stderr
    for words in expected:
        assert words in result.stderr
    assert tree(folder) == before


def join(left="left.csv", right="right.csv", *more, on="title", output="out/matches.csv"):
    return [
        "join",
        left,
        right,
        "--on",
        on,
        "--space",
        "small",
        "-o",
        output,
        "--unmatched-out",
        "out/unmatched.csv",
        "--program-out",
        "out/program.json",
        *more,
    ]


def put(path, content):
    """Write text, bytes or a table to a file."""
    if isinstance(content, pd.DataFrame):
        write_table(content, path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("side", ["left", "right"])
class TestTables:
    """Each fault in the reference and in the query table."""

    def refuse(self, folder, side, ending, *expected, code, on="title"):
        tables = {"left": "left.csv", "right": "right.csv", side: f"{side}{ending}"}
        refuse(folder, join(tables["left"], tables["right"], on=on), f"{side}{ending}: ", *expected, code=code)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_missing_file(self, folder, side, ending):
        (folder / f"{side}{ending}").unlink()
        self.refuse(folder, side, ending, "no such file", code=2)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_folder(self, folder, side, ending):
        (folder / f"{side}{ending}").unlink()
        (folder / f"{side}{ending}").mkdir()
        self.refuse(folder, side, ending, "is a folder", code=2)

    @pytest.mark.parametrize("ending", [".xls", ".txt", ".json", ""])
    def test_unknown_ending(self, folder, side, ending):
        put(folder / f"{side}{ending}", "id,title\n1,a\n")
        self.refuse(folder, side, ending, ".csv", ".parquet", code=2)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_empty_file(self, folder, side, ending):
        put(folder / f"{side}{ending}", b"")
        self.refuse(folder, side, ending, code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_header_only(self, folder, side, ending):
        put(folder / f"{side}{ending}", GOOD[:0])
        if side == "left":
            self.refuse(folder, side, ending, "no rows", code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    @pytest.mark.parametrize(("named", "near"), [("Title", "did you mean 'title'"), ("price", "are id, title")])
    def test_no_such_column(self, folder, side, ending, named, near):
        other = "left" if side == "right" else "right"
        put(folder / f"{other}.csv", GOOD.rename(columns={"title": named}))
        self.refuse(folder, side, ending, f"has no column {named!r}", near, code=2, on=named)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_no_such_column_where_names_differ(self, folder, side, ending):
        on = "titel=title" if side == "left" else "title=titel"
        self.refuse(folder, side, ending, "has no column 'titel'", "did you mean 'title'", code=2, on=on)

    @pytest.mark.parametrize("ending", [".csv", ".tsv"])
    def test_repeated_column_name_in_text(self, folder, side, ending):
        put(folder / f"{side}{ending}", "id,title,title\n1,a,b\n".replace(",", "," if ending == ".csv" else "\t"))
        self.refuse(folder, side, ending, "line 1", "'title' 2 times", code=1)

    def test_repeated_column_name_in_parquet(self, folder, side):
        pq.write_table(pa.table([pa.array(["1"])] * 3, names=["id", "title", "title"]), folder / f"{side}.parquet")
        self.refuse(folder, side, ".parquet", "'title' appears twice", code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_repeated_id(self, folder, side, ending):
        put(folder / f"{side}{ending}", GOOD.assign(id=["1", "2", "3", "2"]))
        where = "row 4" if ending == ".parquet" else "line 5"
        said = "column 'id' has the id '2' in rows 2 and 4"
        self.refuse(folder, side, ending, f"{side}{ending}: {where}: ", said, code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_missing_id(self, folder, side, ending):
        put(folder / f"{side}{ending}", GOOD.assign(id=["1", "2", None, "4"]))
        where = "row 3" if ending == ".parquet" else "line 4"
        self.refuse(folder, side, ending, f"{side}{ending}: {where}: ", "column 'id' has no value in row 3", code=1)

    @pytest.mark.parametrize("ending", [".csv", ".tsv"])
    @pytest.mark.parametrize(
        ("encoding", "expected"),
        [("mac-roman", "line 3: the byte 0x8E at offset "), ("utf-16-le", "UTF-16")],
    )
    def test_an_encoding_that_is_not_sure(self, folder, side, ending, encoding, expected):
        text = "id,title\n1,Plaza\n2,Café\n3,Thé vert\n".replace(",", "," if ending == ".csv" else "\t")
        put(folder / f"{side}{ending}", text.encode(encoding))
        self.refuse(folder, side, ending, expected, "--encoding", "save it as UTF-8", code=1)

    @pytest.mark.parametrize("ending", [".csv", ".tsv"])
    @pytest.mark.parametrize(("line", "cells"), [("2", "1 cell"), ("2,b,c", "3 cells")])
    def test_unequal_row_lengths(self, folder, side, ending, line, cells):
        text = f"id,title\n1,a\n{line}\n3,c\n".replace(",", "," if ending == ".csv" else "\t")
        put(folder / f"{side}{ending}", text)
        self.refuse(folder, side, ending, f"line 3 has {cells} where the header has 2", code=1)

    @pytest.mark.parametrize("ending", [".csv", ".tsv"])
    def test_unclosed_quote(self, folder, side, ending):
        put(folder / f"{side}{ending}", 'id,title\n1,a\n2,"b\n3,c\n'.replace(",", "," if ending == ".csv" else "\t"))
        self.refuse(folder, side, ending, "line 3", "never closes", code=1)

    # Named here: a compressed file holds the time of its making, and so would the test's name.
    @pytest.mark.parametrize(
        "content",
        [b"id,title\n1,a\n2,b\n", gzip.compress(b"id,title\n1,a\n2,b\n")[:-9]],
        ids=["not compressed", "cut short"],
    )
    def test_corrupt_gzip(self, folder, side, content):
        put(folder / f"{side}.csv.gz", content)
        self.refuse(folder, side, ".csv.gz", "gzip", code=1)

    @pytest.mark.parametrize("cut", [0.5, 0.99])
    def test_corrupt_parquet(self, folder, side, cut):
        data = (folder / f"{side}.parquet").read_bytes()
        put(folder / f"{side}.parquet", data[: int(len(data) * cut)])
        self.refuse(folder, side, ".parquet", "no Parquet file that can be read", code=1)

    def test_damaged_inside_of_parquet(self, folder, side):
        data = bytearray((folder / f"{side}.parquet").read_bytes())
        data[4:60] = bytes(56)
        put(folder / f"{side}.parquet", bytes(data))
        self.refuse(folder, side, ".parquet", code=1)

    @pytest.mark.parametrize("column", ["title", "tags"])
    def test_nested_parquet(self, folder, side, column):
        table = pa.table({"id": ["1", "2"], "title": ["a", "b"]}).append_column("tags", pa.array(["x", "y"]))
        place = table.column_names.index(column)
        table = table.set_column(place, column, pa.array([["x"], ["y"]]))
        pq.write_table(table, folder / f"{side}.parquet")
        self.refuse(folder, side, ".parquet", f"column {column!r} is nested", code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    @pytest.mark.parametrize("cell", [None, "  "])
    def test_all_cells_of_a_join_column_empty(self, folder, side, ending, cell):
        put(folder / f"{side}{ending}", GOOD.assign(title=cell))
        self.refuse(folder, side, ending, "column 'title' is empty in all 4 rows", code=1)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_all_cells_of_a_column_taken_by_default_empty(self, folder, side, ending):
        put(folder / f"{side}{ending}", GOOD.assign(title=None))
        tables = {"left": "left.csv", "right": "right.csv", side: f"{side}{ending}"}
        command = ["join", tables["left"], tables["right"], "-o", "out/matches.csv"]
        refuse(folder, command, f"{side}{ending}: ", "'title'", "empty", code=1)


@pytest.mark.parametrize("ending", FORMATS)
def test_reference_of_one_row(folder, ending):
    put(folder / f"left{ending}", GOOD[:1])
    refuse(folder, join(f"left{ending}"), f"left{ending}: reference has 1 row", "at least 2", code=1)


def test_no_column_in_common(folder):
    put(folder / "left.csv", GOOD.rename(columns={"title": "name"}))
    refuse(folder, ["join", "left.csv", "right.csv", "-o", "out/matches.csv"], "no column", code=2)


@pytest.mark.parametrize("command", ["join", "learn"])
@pytest.mark.parametrize("target", ["0", "1", "-0.5", "90", "nan", "inf", "high"])
def test_precision_target_outside_zero_and_one(folder, command, target):
    more = ["-o", "out/matches.csv"] if command == "join" else []
    arguments = [command, "left.csv", "right.csv", "--on", "title", "--program-out", "out/program.json", *more]
    refuse(folder, [*arguments, f"--precision-target={target}"], "--precision-target", code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["jion", "left.csv", "right.csv"],
        ["join", "left.csv"],
        ["join", "left.csv", "right.csv"],
        join("left.csv", "right.csv", "--space", "huge"),
        join("left.csv", "right.csv", "--method", "magic"),
        join("left.csv", "right.csv", "--threads", "0"),
        join("left.csv", "right.csv", "--threads", "two"),
        join("left.csv", "right.csv", "--unknown"),
        ["learn", "left.csv", "right.csv", "--on", "title"],
        ["evaluate", "left.csv"],
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-2:]),
)
def test_wrong_call(folder, arguments):
    refuse(folder, arguments, "--help", code=2)


class TestOutputs:
    OPTIONS = ("-o", "--unmatched-out", "--program-out")

    def command(self, option, path):
        return ["join", "left.csv", "right.csv", "--on", "title", "-o", "out/matches.csv", option, path]

    @pytest.mark.parametrize("option", OPTIONS)
    def test_folder_missing(self, folder, option):
        refuse(folder, self.command(option, "absent/x.csv"), "absent", "does not exist", code=2)

    @pytest.mark.parametrize("option", OPTIONS)
    def test_folder_is_a_file(self, folder, option):
        refuse(folder, self.command(option, "left.csv/x.csv"), "left.csv/x.csv", code=2)

    @pytest.mark.parametrize("option", OPTIONS)
    def test_output_is_a_folder(self, folder, option):
        (folder / "x.csv").mkdir()
        refuse(folder, self.command(option, "x.csv"), "x.csv: is a folder", code=2)

    @pytest.mark.parametrize("option", OPTIONS)
    @pytest.mark.parametrize("path", ["left.csv", "right.csv", "out/../right.csv"])
    def test_output_is_an_input(self, folder, option, path):
        refuse(folder, self.command(option, path), f"{path}: is an input as well", code=2)

    @pytest.mark.parametrize("option", OPTIONS)
    def test_output_in_a_place_that_takes_no_files(self, folder, option):
        refuse(folder, self.command(option, "/proc/x.csv"), "/proc/x.csv", code=2)

    @pytest.mark.parametrize("option", OPTIONS[1:])
    def test_two_outputs_of_one_name(self, folder, option):
        refuse(folder, self.command(option, "out/matches.csv"), "two outputs", code=2)

    @pytest.mark.parametrize("option", OPTIONS[:2])
    def test_unknown_ending(self, folder, option):
        refuse(folder, self.command(option, "out/x.xls"), "x.xls", ".parquet", code=2)

    def test_outputs_are_checked_before_anything_is_read(self, folder):
        (folder / "left.csv").unlink()
        refuse(folder, self.command("-o", "absent/x.csv"), "absent/x.csv", code=2)

    def test_an_output_that_cannot_be_put_in_place_leaves_the_others_as_they_were(self, folder, monkeypatch):
        (folder / "out" / "matches.csv").write_text("before")
        replace = Path.replace

        def replace_all_but_the_program(self, target):
            if Path(target).name == "program.json":
                raise PermissionError(13, "Permission denied")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", replace_all_but_the_program)
        refuse(folder, join(), "out/program.json: cannot be written", code=1)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The text of a program learned on the good tables."""
    folder = tmp_path_factory.mktemp("learned")
    write_table(GOOD, folder / "left.csv")
    write_table(GOOD.assign(title=GOOD["title"] + "s"), folder / "right.csv")
    program = folder / "program.json"
    arguments = ["learn", folder / "left.csv", folder / "right.csv", "--on", "title", "--program-out", program]
    result = CliRunner().invoke(app, [*map(str, arguments), "--space", "small", "--quiet"])
    assert result.exit_code == 0, result.output
    return program.read_text(encoding="utf-8")


def without(key):
    return lambda text: json.dumps({name: value for name, value in json.loads(text).items() if name != key})


def changed(key, value):
    return lambda text: json.dumps({**json.loads(text), key: value})


BAD_PROGRAMS = {
    "empty": lambda _: "",
    "no JSON": lambda text: text[:-20],
    "a list": lambda _: "[]",
    "a number": lambda _: "7",
    "another object": lambda _: "{}",
    "newer schema": changed("schema_version", 99),
    "schema as text": changed("schema_version", "1"),
    "no schema": without("schema_version"),
    "another id": changed("program_id", "sha256:" + "0" * 64),
    "id as number": changed("program_id", 7),
    "no id": without("program_id"),
    "no program": without("program"),
    "program as text": changed("program", "x"),
    "another column": lambda text: text.replace('"title"', '"name"'),
    "NaN": lambda text: text.replace('"threshold": ', '"threshold": NaN, "x": ', 1),
    "bytes": lambda _: b"\xff\xfe\x00",
    "deep": lambda _: "[" * 100_000,
}


class TestPrograms:
    @pytest.mark.parametrize("fault", BAD_PROGRAMS)
    @pytest.mark.parametrize("command", ["apply", "explain"])
    def test_bad_program(self, folder, learned, command, fault):
        put(folder / "program.json", BAD_PROGRAMS[fault](learned))
        more = ["left.csv", "right.csv", "-o", "out/matches.csv"] if command == "apply" else []
        refuse(folder, [command, "program.json", *more], "program.json", code=1)

    @pytest.mark.parametrize("command", ["apply", "explain"])
    def test_missing_program(self, folder, command):
        more = ["left.csv", "right.csv", "-o", "out/matches.csv"] if command == "apply" else []
        refuse(folder, [command, "program.json", *more], "program.json: no such file", code=2)

    def test_program_is_a_folder(self, folder):
        refuse(folder, ["explain", "out"], "out: is a folder", code=2)

    def test_output_would_overwrite_the_program(self, folder, learned):
        put(folder / "program.csv", learned)
        refuse(
            folder,
            ["apply", "program.csv", "left.csv", "right.csv", "-o", "program.csv"],
            "is an input as well",
            code=2,
        )

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_column_of_the_program_is_missing(self, folder, learned, side):
        put(folder / "program.json", learned)
        put(folder / f"{side}.csv", GOOD.rename(columns={"title": "titel"}))
        command = ["apply", "program.json", "left.csv", "right.csv", "-o", "out/matches.csv"]
        refuse(folder, command, f"{side}.csv: on: ", "has no column 'title'", code=2)

    def test_strict_refuses_another_reference(self, folder, learned):
        put(folder / "program.json", learned)
        put(folder / "left.csv", GOOD.assign(title=GOOD["title"].str.upper() + "!"))
        command = ["apply", "program.json", "left.csv", "right.csv", "--strict", "-o", "out/matches.csv"]
        refuse(folder, command, "left.csv", code=1)

    @pytest.mark.parametrize(
        "more", [["left.csv"], ["left.csv", "right.csv"], ["--query-id", "1"], ["left.csv", "--query-id", "1"]]
    )
    def test_explaining_a_row_needs_all_three(self, folder, learned, more):
        put(folder / "program.json", learned)
        refuse(folder, ["explain", "program.json", *more], "REFERENCE, QUERY and --query-id", code=2)

    def test_query_id_that_is_not_there(self, folder, learned):
        put(folder / "program.json", learned)
        command = ["explain", "program.json", "left.csv", "right.csv", "--query-id", "99"]
        before = tree(folder)
        result = CliRunner().invoke(app, command)
        assert result.exit_code in {1, 2}
        assert result.stderr.startswith("error: right.csv: ")
        assert "99" in result.stderr
        assert tree(folder) == before


class TestEvaluate:
    MATCHES = "query_id,reference_id,precision_estimate\n1,1,0.9\n2,3,0.9\n"
    TRUTH = "id_l,id_r\n1,1\n2,2\n"

    @pytest.mark.parametrize(
        ("matches", "truth", "expected", "code"),
        [
            ("query,reference\n1,1\n", TRUTH, "matches.csv: matches has no column 'query_id'", 2),
            ("query_id\n1\n", TRUTH, "matches.csv: matches has no column 'reference_id'", 2),
            (
                "query_id,reference_id\n1,1\n1,2\n",
                TRUTH,
                "matches.csv: line 3: matches joins the query row '1'",
                1,
            ),
            (
                "query_id,reference_id\n1,\n",
                TRUTH,
                "csv: line 2: matches column 'reference_id' has no value",
                1,
            ),
            ("", TRUTH, "matches.csv: is empty", 1),
            (MATCHES, "left,right\n1,1\n", "truth.csv: truth needs the columns", 2),
            (MATCHES, "query_id,reference_id\n,1\n", "truth.csv: line 2: truth column 'query_id' has no value", 1),
            (MATCHES, "query_id,reference_id\n", "truth.csv: truth has no rows", 1),
            (MATCHES, "", "truth.csv: is empty", 1),
        ],
    )
    def test_bad_tables(self, folder, matches, truth, expected, code):
        put(folder / "matches.csv", matches)
        put(folder / "truth.csv", truth)
        refuse(folder, ["evaluate", "matches.csv", "truth.csv"], expected, code=code)

    @pytest.mark.parametrize("missing", ["matches.csv", "truth.csv"])
    def test_missing_file(self, folder, missing):
        put(folder / "matches.csv", self.MATCHES)
        put(folder / "truth.csv", self.TRUTH)
        (folder / missing).unlink()
        refuse(folder, ["evaluate", "matches.csv", "truth.csv"], f"{missing}: no such file", code=2)


class TestUnexpected:
    def break_the_reader(self, monkeypatch):
        def broken(path, _layout):
            raise RuntimeError(f"cannot\nhappen to {path.name}")

        monkeypatch.setattr("fuzzyjoin.cli.inputs.read_table", broken)

    def test_an_unexpected_error_is_one_line_with_a_hint(self, folder, monkeypatch):
        monkeypatch.delenv("FUZZYJOIN_TRACEBACK", raising=False)
        self.break_the_reader(monkeypatch)
        result = CliRunner().invoke(app, join())
        assert result.exit_code == 1
        assert result.stderr == (
            "error: internal error (RuntimeError: cannot happen to left.csv); "
            "rerun with FUZZYJOIN_TRACEBACK=1 to see where it arose\n"
        )
        assert list((folder / "out").iterdir()) == []

    def test_its_traceback_is_shown_on_request(self, folder, monkeypatch):
        monkeypatch.setenv("FUZZYJOIN_TRACEBACK", "1")
        self.break_the_reader(monkeypatch)
        result = CliRunner().invoke(app, join())
        assert isinstance(result.exception, RuntimeError)
        assert list((folder / "out").iterdir()) == []

    def test_an_interruption_is_one_line(self, folder, monkeypatch):
        def interrupted(*_arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr("fuzzyjoin.cli.inputs.read_table", interrupted)
        result = CliRunner().invoke(app, join())
        assert result.exit_code == 130
        assert result.stderr == "error: interrupted; no output was changed\n"
        assert list((folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (join("absent.csv"), 2),
        (join("bad.csv"), 1),
        (join("left.csv", "right.csv", "--precision-target", "1"), 2),
        (join(output="absent/matches.csv"), 2),
    ],
    ids=["missing file", "unequal rows", "target", "folder"],
)
def test_a_real_process_says_the_same(folder, arguments, code):
    put(folder / "bad.csv", "id,title\n1\n")
    before = tree(folder)
    command = [sys.executable, "-m", "fuzzyjoin", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == code
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert tree(folder) == before
