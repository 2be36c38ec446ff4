"""`fuzzyjoin audit draw`, `label` and `report`, as a person at a shell uses them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from fuzzyjoin import AuditDesign, AuditLabels, Program, draw_audit, measure_audit
from fuzzyjoin.cli import app
from fuzzyjoin.evaluation import read_sheet
from fuzzyjoin.files import read_table
from tests.evaluation.cases import MALLS

TABLES = (MALLS / "left.csv", MALLS / "right.csv")


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def label(sheet, answers, **options):
    """Run the prompt in a process of its own, with answers on its real standard input."""
    command = [sys.executable, "-m", "fuzzyjoin", "audit", "label", str(sheet)]
    return subprocess.run(
        command, input=answers, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120, **options
    )


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    outputs = ["-o", folder / "m.csv", "--unmatched-out", folder / "u.csv", "--program-out", folder / "p.json"]
    run("join", *TABLES, "--on", "title", "--space", "small", *outputs)
    return folder


def draw(joined, folder, *more, code=0, unmatched=True):
    near = ["--unmatched", joined / "u.csv"] if unmatched else []
    outputs = ["-o", folder / "sheet.csv", "--design-out", folder / "design.json"]
    return run("audit", "draw", joined / "p.json", *TABLES, joined / "m.csv", *near, *outputs, *more, code=code)


@pytest.fixture
def drawn(joined, tmp_path):
    draw(joined, tmp_path, "--from-matches", 8, "--from-near-misses", 4)
    return tmp_path


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestDraw:
    def test_it_draws_what_the_library_draws(self, joined, tmp_path):
        result = draw(joined, tmp_path, "--seed", 5, "--from-matches", 16)
        assert result.stdout == ""
        reference, query = (read_table(path) for path in TABLES)
        matches, unmatched = read_table(joined / "m.csv"), read_table(joined / "u.csv")
        program = Program.load(joined / "p.json")
        sample = draw_audit(program, reference, query, matches, unmatched, seed=5, from_matches=16)
        assert AuditDesign.load(tmp_path / "design.json") == sample.design
        assert read_sheet(tmp_path / "sheet.csv").frame.fillna("").equals(sample.sheet)

    def test_the_estimate_is_the_one_that_apply_says_of_new_rows(self, joined, tmp_path):
        (tmp_path / "some.csv").write_text("".join(TABLES[1].read_text().splitlines(keepends=True)[:151]))
        tables = TABLES[0], tmp_path / "some.csv"
        applied = run("apply", joined / "p.json", *tables, "-o", tmp_path / "m.csv", "--json", "--quiet")
        outputs = ["-o", tmp_path / "sheet.csv", "--design-out", tmp_path / "design.json"]
        run("audit", "draw", joined / "p.json", *tables, tmp_path / "m.csv", *outputs)
        label(tmp_path / "sheet.csv", "y\n")
        reported = run("audit", "report", tmp_path / "sheet.csv", tmp_path / "design.json", "--json")
        estimate = json.loads(applied.stdout)["precision_estimate"]
        assert json.loads(reported.stdout)["precision_estimate"] == estimate
        assert estimate["value"] == pytest.approx(0.8805, abs=5e-5)

    def test_matches_that_the_program_does_not_make_are_warned_of(self, joined, tmp_path):
        changed = read_table(joined / "m.csv").drop(columns=["query_text", "reference_text"])
        changed.loc[0, "reference_id"] = changed["reference_id"][1]
        changed.to_csv(tmp_path / "m.csv", index=False)
        outputs = ["-o", tmp_path / "sheet.csv", "--design-out", tmp_path / "design.json", "--quiet"]
        words = run("audit", "draw", joined / "p.json", *TABLES, tmp_path / "m.csv", *outputs).stderr
        assert words.startswith("warning: the program joins 1 of these ")
        assert words.count("\n") == 1

    def test_it_says_what_was_drawn_and_what_to_do(self, joined, tmp_path):
        words = draw(joined, tmp_path, "--from-matches", 16, "--from-near-misses", 8).stderr
        matches = len(read_table(joined / "m.csv"))
        assert f"Drew 16 of {matches} matches and 8 of " in words
        nexts = [line.partition("fuzzyjoin ")[2] for line in words.splitlines() if "fuzzyjoin audit" in line]
        assert shlex.split(nexts[0].partition(",")[0]) == ["audit", "label", str(tmp_path / "sheet.csv")]
        answers = "y\n" * 24
        assert label(tmp_path / "sheet.csv", answers).returncode == 0
        assert "precision" in run(*shlex.split(nexts[1])).stdout

    def test_quiet_says_nothing(self, joined, tmp_path):
        assert draw(joined, tmp_path, "--quiet").output == ""

    def test_without_unmatched_rows_it_draws_matches_only(self, joined, tmp_path):
        words = draw(joined, tmp_path, unmatched=False).stderr
        assert "near-misses" not in words
        assert AuditDesign.load(tmp_path / "design.json").near_misses is None

    def test_earlier_labels_are_kept(self, joined, drawn, tmp_path_factory):
        assert label(drawn / "sheet.csv", "y\nn\nu\n").returncode == 0
        folder = tmp_path_factory.mktemp("more")
        files = ["--earlier", drawn / "sheet.csv", drawn / "design.json"]
        words = draw(joined, folder, "--from-matches", 40, "--from-near-misses", 8, *files).stderr
        assert "3 labels are kept" in words
        labels = [value for value in read_sheet(folder / "sheet.csv").labels if value]
        assert sorted(labels) == ["no", "unsure", "yes"]

    def test_the_inputs_are_left_alone(self, joined, tmp_path):
        before = tree(joined)
        draw(joined, tmp_path)
        assert tree(joined) == before

    @pytest.mark.parametrize(
        ("more", "code", "words"),
        [
            (["--from-matches", "0"], 2, "--from-matches"),
            (["--from-near-misses", "-1"], 2, "--from-near-misses"),
            (["--show", "colour"], 2, "show names 'colour'"),
            (["--earlier", "none.csv", "none.json"], 2, "none.json: no such file"),
            (["--id", "nope"], 2, "has no column 'nope'"),
        ],
    )
    def test_bad_options_are_one_line(self, joined, tmp_path, more, code, words):
        result = draw(joined, tmp_path, *more, code=code)
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert words in result.stderr
        assert tree(tmp_path) == {}

    def test_bad_files_are_named(self, joined, tmp_path):
        outputs = ["-o", tmp_path / "sheet.csv", "--design-out", tmp_path / "design.json"]
        other = tmp_path / "other.csv"
        read_table(joined / "m.csv").drop(columns="distance").to_csv(other, index=False)
        result = run("audit", "draw", joined / "p.json", *TABLES, other, *outputs, code=2)
        assert result.stderr.startswith(f"error: {other}: matches has no column 'distance'")
        changed = read_table(joined / "m.csv").assign(distance="near")
        changed.to_csv(other, index=False)
        result = run("audit", "draw", joined / "p.json", *TABLES, other, *outputs, code=1)
        assert result.stderr.startswith(f"error: {other}: line 2: matches row 1: distance is 'near'")
        assert set(tree(tmp_path)) == {other}

    def test_a_sheet_is_csv_and_no_output_overwrites_an_input(self, joined, tmp_path):
        command = ["audit", "draw", joined / "p.json", *TABLES, joined / "m.csv"]
        words = run(*command, "-o", tmp_path / "s.xlsx", "--design-out", tmp_path / "d.json", code=2).stderr
        assert "ends in .csv" in words
        words = run(*command, "-o", joined / "m.csv", "--design-out", tmp_path / "d.json", code=2).stderr
        assert "is an input as well" in words
        words = run(*command, "-o", tmp_path / "s.csv", "--design-out", tmp_path / "s.csv", code=2).stderr
        assert "as two outputs" in words
        assert tree(tmp_path) == {}


@pytest.fixture
def heeded_interrupt():
    """Child processes heed SIGINT even where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class TestLabel:
    def test_answers_are_saved_in_order(self, drawn):
        result = label(drawn / "sheet.csv", "y\nN\n unsure \nYes\n")
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        assert read_sheet(drawn / "sheet.csv").labels[:5] == ("yes", "no", "unsure", "yes", None)
        assert "4 of 12 pairs are labelled" in result.stdout
        assert "the other 8" in result.stdout
        assert "\x1b" not in result.stdout

    def test_it_goes_on_where_it_stopped(self, drawn):
        label(drawn / "sheet.csv", "y\ny\nq\n")
        result = label(drawn / "sheet.csv", "n\n" * 10)
        assert read_sheet(drawn / "sheet.csv").labels == ("yes",) * 2 + ("no",) * 10
        assert f"12 of 12 pairs are labelled in {drawn / 'sheet.csv'}." in result.stdout
        assert "\n1 of 12\n" not in result.stdout
        before = tree(drawn)
        assert "12 of 12" in label(drawn / "sheet.csv", "").stdout
        assert tree(drawn) == before

    def test_back_answers_again(self, drawn):
        result = label(drawn / "sheet.csv", "b\ny\ny\nb\nb\nn\nu\nn\n")
        assert read_sheet(drawn / "sheet.csv").labels[:4] == ("no", "yes", "unsure", "no")
        assert "2 of 12, now yes" in result.stdout
        assert "1 of 12, now yes" in result.stdout

    def test_what_is_no_answer_is_asked_again(self, drawn):
        result = label(drawn / "sheet.csv", "maybe\n\n\x1b[2J\nn\n")
        assert read_sheet(drawn / "sheet.csv").labels[:2] == ("no", None)
        assert "'maybe' is no answer; y yes, n no, u unsure, b back, q quit" in result.stdout
        assert "\x1b" not in result.stdout

    def test_every_answer_is_in_the_file_before_the_next_question(self, drawn):
        command = [sys.executable, "-m", "fuzzyjoin", "audit", "label", str(drawn / "sheet.csv")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            for number, (answer, meaning) in enumerate([("y", "yes"), ("n", "no"), ("u", "unsure")], start=1):
                while f"{number} of 12" not in process.stdout.readline():
                    pass
                assert read_sheet(drawn / "sheet.csv").labels[number - 1] is None
                process.stdin.write(f"{answer}\n")
                process.stdin.flush()
                while f"{number + 1} of 12" not in (line := process.stdout.readline()):
                    assert line
                assert read_sheet(drawn / "sheet.csv").labels[number - 1] == meaning
                process.stdin.write("huh\n")
                process.stdin.flush()
            process.kill()
        assert read_sheet(drawn / "sheet.csv").labels[:4] == ("yes", "no", "unsure", None)
        # The lock of a process that was killed blocks nobody, and goes with the next one.
        assert {path.name for path in drawn.iterdir()} == {"sheet.csv", "sheet.csv.lock", "design.json"}

    @pytest.mark.usefixtures("heeded_interrupt")
    def test_control_c_keeps_what_was_answered(self, drawn):
        parent, child = pty.openpty()
        command = [sys.executable, "-m", "fuzzyjoin", "audit", "label", str(drawn / "sheet.csv")]
        with subprocess.Popen(
            command, stdin=child, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            os.write(parent, b"y\n")
            while "2 of 12" not in process.stdout.readline():
                pass
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            said, errors = process.communicate(timeout=60)
        os.close(parent)
        os.close(child)
        assert process.returncode == 0, errors
        assert errors == ""
        assert "1 of 12 pairs are labelled" in said
        assert read_sheet(drawn / "sheet.csv").labels == ("yes", *[None] * 11)

    def test_nothing_in_the_question_tells_the_answer(self, drawn):
        said = label(drawn / "sheet.csv", "y\n" * 12).stdout
        for word in ("match", "near-miss", "distance", "score", "estimate", "probab"):
            assert word not in said.replace(str(drawn), "")

    def test_escapes_in_a_sheet_are_shown_written_out(self, drawn):
        frame = read_sheet(drawn / "sheet.csv").frame
        frame.loc[0, "query"] = "[title] \x1b[31mred\u202e"
        frame.to_csv(drawn / "sheet.csv", index=False)
        said = label(drawn / "sheet.csv", "").stdout
        assert "[title] \\x1b[31mred\\u202e" in said
        assert "\x1b" not in said

    def test_a_terminal_that_cannot_show_the_text_does_not_stop_it(self, drawn):
        frame = read_sheet(drawn / "sheet.csv").frame
        frame.loc[0, "query"] = "[title] 東京タワー"
        frame.to_csv(drawn / "sheet.csv", index=False)
        result = label(drawn / "sheet.csv", "y\n", env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert result.returncode == 0, result.stderr
        assert read_sheet(drawn / "sheet.csv").labels[0] == "yes"

    @pytest.mark.parametrize(("text", "code", "words"), [("", 1, "is empty"), ("a,b\n1,2\n", 2, "has no column")])
    def test_what_is_no_sheet_is_refused(self, tmp_path, text, code, words):
        (tmp_path / "sheet.csv").write_text(text)
        result = label(tmp_path / "sheet.csv", "y\n")
        assert (result.returncode, result.stdout) == (code, "")
        assert result.stderr.startswith("error: ")
        assert words in result.stderr
        assert (tmp_path / "sheet.csv").read_text() == text


class TestReport:
    def test_json_is_that_of_the_library(self, drawn):
        answers = ["yes", "no", "yes", "unsure", *["yes"] * 8]
        assert label(drawn / "sheet.csv", "".join(f"{answer}\n" for answer in answers)).returncode == 0
        result = run("audit", "report", drawn / "sheet.csv", drawn / "design.json", "--json")
        design = AuditDesign.load(drawn / "design.json")
        expected = measure_audit(design, AuditLabels(labels=tuple(answers), notes=("",) * 12))
        assert json.loads(result.stdout) == expected.as_json()
        assert result.stderr == ""
        words = run("audit", "report", drawn / "sheet.csv", drawn / "design.json")
        assert words.stdout == expected.explain() + "\n"

    def test_nothing_is_written(self, joined, drawn):
        label(drawn / "sheet.csv", "y\n" * 12)
        before = tree(joined) | tree(drawn)
        run("audit", "report", drawn / "sheet.csv", drawn / "design.json")
        assert tree(joined) | tree(drawn) == before

    @pytest.mark.parametrize(
        ("sheet", "design", "code", "words"),
        [
            ("none.csv", "design.json", 2, "no such file"),
            ("sheet.csv", "none.json", 2, "no such file"),
            ("sheet.csv", "sheet.csv", 1, "is not JSON"),
            ("sheet.csv", "design.json", 1, "no pair is labelled yet"),
        ],
    )
    def test_bad_files_are_one_line(self, drawn, sheet, design, code, words):
        result = run("audit", "report", drawn / sheet, drawn / design, code=code)
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("error: ")
        assert words in result.stderr

    def test_the_design_of_another_sample_is_refused(self, joined, drawn, tmp_path_factory):
        folder = tmp_path_factory.mktemp("other")
        draw(joined, folder, "--seed", 9, "--from-matches", 8, "--from-near-misses", 4)
        result = run("audit", "report", drawn / "sheet.csv", folder / "design.json", code=1)
        assert "other values were drawn" in result.stderr


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "draw",
            [
                "--unmatched",
                "-o",
                "--design-out",
                "--from-matches",
                "--from-near-misses",
                "--seed",
                "--show",
                "--earlier",
            ],
        ),
        ("label", ["SHEET"]),
        ("report", ["SHEET", "DESIGN", "--json"]),
    ],
)
def test_help_names_the_options_in_full(command, options):
    words = run("audit", command, "--help").stdout
    for option in options:
        assert option in words


def test_audit_alone_is_wrong_usage():
    result = run("audit", code=2)
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
