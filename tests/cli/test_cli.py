"""The command line on real files, as scripts use it."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import fuzzyjoin
from fuzzyjoin.cli import app
from fuzzyjoin.files import read_table
from fuzzyjoin.files.table_files import write_table
from fuzzyjoin.joining import CANDIDATE_COLUMNS

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "autofj50"
MALLS = EXAMPLES / "ShoppingMall"
FORMATS = [".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz"]
COMMANDS = ["join", "learn", "apply", "index", "explain", "evaluate"]


def run(*arguments, code=0):
    """Run a command in this process and check its exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def process(*arguments, **options):
    """Run a command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "fuzzyjoin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def malls(tmp_path_factory):
    """The shopping malls in every format, and what one join of the CSV files wrote and said."""
    folder = tmp_path_factory.mktemp("malls")
    for name in ("left", "right", "gt"):
        for ending in FORMATS:
            write_table(read_table(MALLS / f"{name}.csv"), folder / f"{name}{ending}")
    outputs = [folder / "matches.csv", "--unmatched-out", folder / "unmatched.csv", "--program-out", folder / "p.json"]
    tables = (folder / "left.csv", folder / "right.csv")
    result = run("join", *tables, "--on", "title", "--space", "small", "--json", "-o", *outputs)
    return folder, result


@pytest.fixture
def titles(tmp_path):
    """Small tables, for what does not need real ones."""
    names = ["Grand Mall", "North Plaza", "River Centre", "Old Market Hall", "Harbour Arcade", "King's Walk"]
    write_table(pd.DataFrame({"id": [f"0{row}" for row in range(6)], "title": names}), tmp_path / "left.csv")
    typed = ["grand mal", "north plazza", "the river centre", "zzzz"]
    write_table(pd.DataFrame({"id": ["a", "b", "c", "d"], "title": typed}), tmp_path / "right.csv")
    return tmp_path


def small_join(folder, *more, code=0, left="left.csv", right="right.csv", on=("--on", "title")):
    return run(
        "join", folder / left, folder / right, *on, "--space", "small", "-o", folder / "matches.csv", *more, code=code
    )


@pytest.fixture
def coded(titles, monkeypatch):
    """Small tables in the working folder; the ids of the reference table are not where one looks for them."""
    left = read_table(titles / "left.csv").rename(columns={"id": "code"})
    write_table(left.assign(id=[f"other {place}" for place in range(len(left))]), titles / "left.csv")
    monkeypatch.chdir(titles)
    return titles


def suggested(result):
    """The words of the commands that a summary suggests."""
    steps = [line for line in result.stderr.splitlines() if line.startswith(("  next ", "  then "))]
    return [shlex.split(step.partition(": fuzzyjoin ")[2]) for step in steps]


def on_a_terminal(folder, *more, **environment):
    """Join small tables with a terminal as stderr: exit code, stdout, what the terminal showed."""
    controller, terminal = pty.openpty()
    tables = [folder / "left.csv", folder / "right.csv"]
    command = [sys.executable, "-m", "fuzzyjoin", "join", *tables, "--on", "title", *more, "-o", folder / "matches.csv"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment}
    # It is read while the command runs: a terminal holds little, and one that is full lets the command wait.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment) as running:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(controller, 65_536):
                shown += piece
        except OSError:
            # Linux reports the end of a terminal this way.
            pass
        stdout, _ = running.communicate()
    os.close(controller)
    return running.returncode, stdout, shown


class TestJoin:
    def test_matches_begin_with_the_promised_columns(self, malls):
        folder, _ = malls
        header = (folder / "matches.csv").read_text(encoding="utf-8").partition("\n")[0]
        assert header.startswith("query_id,reference_id,precision_estimate,")

    def test_every_query_row_is_matched_once_or_unmatched_with_a_reason(self, malls):
        folder, _ = malls
        matches, unmatched = read_table(folder / "matches.csv"), read_table(folder / "unmatched.csv")
        query, reference = read_table(folder / "right.csv"), read_table(folder / "left.csv")
        assert sorted([*matches["query_id"], *unmatched["query_id"]]) == sorted(query["id"])
        assert set(matches["reference_id"]) <= set(reference["id"])
        assert unmatched["reason"].notna().all()
        assert matches["precision_estimate"].astype(float).between(0, 1).all()

    def test_the_matches_are_those_of_the_library(self, malls):
        folder, _ = malls
        reference, query = read_table(folder / "left.csv"), read_table(folder / "right.csv")
        result = fuzzyjoin.fuzzy_join(reference, query, on="title", space="small")
        written = read_table(folder / "matches.csv")
        assert list(written.columns) == list(result.matches.columns)
        for column in ("query_id", "reference_id", "join_function"):
            assert written[column].tolist() == result.matches[column].tolist()
        assert json.loads((folder / "p.json").read_text(encoding="utf-8"))["program_id"] == result.program.program_id

    def test_stdout_is_one_json_object_with_the_promised_keys(self, malls):
        folder, result = malls
        content = json.loads(result.stdout)
        counts = content["counts"]
        assert counts["query_rows"] == 227
        assert counts["reference_rows"] == 201
        assert counts["matched"] == len(read_table(folder / "matches.csv"))
        assert counts["unmatched"] == len(read_table(folder / "unmatched.csv"))
        estimate = content["precision_estimate"]
        assert list(estimate) == ["value", "low", "high", "level", "calibrated"]
        assert 0.9 <= estimate["value"] <= 1.0
        assert (estimate["low"], estimate["high"], estimate["calibrated"]) == (None, None, False)
        assert content["program_id"].startswith("sha256:")
        assert all(isinstance(value, float) and value >= 0.0 for value in content["seconds"].values())
        assert {"read", "write"} <= set(content["seconds"])

    def test_stderr_sums_up_for_people(self, malls):
        folder, result = malls
        content = json.loads(result.stdout)
        matched = content["counts"]["matched"]
        assert f"Joined {matched} of 227 query rows; {227 - matched} stay unmatched." in result.stderr
        assert f"about {content['precision_estimate']['value']:.3f}" in result.stderr
        assert "not calibrated" in result.stderr
        assert f"{227 - matched} unmatched rows: {folder / 'unmatched.csv'} says why" in result.stderr
        for name in ("matches.csv", "unmatched.csv", "p.json"):
            assert str(folder / name) in result.stderr
        assert len(result.stderr.splitlines()) <= 8

    @pytest.mark.parametrize(
        "more",
        [
            (),
            ("--unmatched-out", "unmatched.csv", "--program-out", "program.json"),
            ("--precision-target", "0.999999"),
            ("--precision-target", "0.5", "--min-probability", "0", "--unmatched-out", "unmatched.csv"),
            ("--program-out", "program.json", "--id", "code=id"),
            ("--method", "autofj", "--unmatched-out", "unmatched.csv"),
        ],
        ids=" ".join,
    )
    @pytest.mark.usefixtures("coded")
    def test_at_most_eight_lines_whatever_happens(self, more):
        command = ["join", "left.csv", "right.csv", "--on", "title", *more, "-o", "matches.csv"]
        said = CliRunner().invoke(app, command)
        assert said.exit_code in (0, 3), said.output
        assert len(said.stderr.splitlines()) <= 8
        assert "\n  next " in said.stderr

    def test_verbose_also_shows_the_tables_and_the_program(self, malls, tmp_path):
        folder, _ = malls
        tables = (folder / "left.csv", folder / "right.csv")
        said = run("join", *tables, "--on", "title", "--verbose", "--json", "-o", tmp_path / "m.csv")
        content = json.loads(said.stdout)
        assert f"{folder / 'left.csv'}: 201 rows, ids from column 'id'" in said.stderr
        assert f"{folder / 'right.csv'}: 227 rows, ids from column 'id'" in said.stderr
        assert content["program_id"] in said.stderr
        for stage in content["seconds"]:
            assert f"seconds    {stage} " in said.stderr

    def test_quiet_and_verbose_contradict_each_other(self, malls, tmp_path):
        folder, _ = malls
        more = ("--on", "title", "--quiet", "--verbose", "-o", tmp_path / "m.csv")
        said = run("join", folder / "left.csv", folder / "right.csv", *more, code=2)
        assert "--quiet and --verbose contradict each other; give one of them" in said.stderr

    def test_a_long_program_is_cut_short_for_people(self, malls, tmp_path):
        folder, _ = malls
        program = tmp_path / "program.json"
        tables = (folder / "left.csv", folder / "right.csv")
        more = ["--space", "large", "--verbose", "-o", tmp_path / "m.csv", "--program-out", program]
        result = run("join", *tables, "--on", "title", *more)
        configurations = json.loads(program.read_text(encoding="utf-8"))["program"]["decision"]["configurations"]
        assert len(configurations) > 10
        assert f"… and {len(configurations) - 8} more" in result.stderr
        assert len(result.stderr.splitlines()) < 40

    @pytest.mark.parametrize("more", [[], ["--unmatched-out", "u.csv"]])
    def test_the_suggested_steps_work_with_the_id_columns_that_were_named(self, coded, more):
        result = small_join(coded, "--id", "code=id", "--program-out", "p.json", *more)
        explain, audit = suggested(result)
        assert (explain[0], audit[:2]) == ("explain", ["audit", "draw"])
        assert "is joined to reference 00 (Grand Mall)" in run(*explain).stdout
        drawn = run(*audit).stderr
        assert "Drew 3 of 3 matches" in drawn
        assert ("near-misses" in drawn) == bool(more)

    def test_suggestions_lead_from_a_program_to_a_join_and_on(self, coded):
        options = ["--on", "title", "--space", "small", "--id", "code=id", "--program-out", "p.json"]
        learned = run("learn", coded / "left.csv", coded / "right.csv", *options)
        (apply,) = suggested(learned)
        explain, audit = suggested(run(*apply))
        assert (apply[0], explain[0]) == ("apply", "explain")
        assert "is joined to reference 00 (Grand Mall)" in run(*explain).stdout
        assert "Drew 3 of 3 matches" in run(*audit).stderr

    @pytest.mark.parametrize("ending", FORMATS[1:])
    def test_every_format_gives_the_same_matches_and_program(self, malls, tmp_path, ending):
        folder, _ = malls
        matches, unmatched = tmp_path / f"matches{ending}", tmp_path / f"unmatched{ending}"
        program = tmp_path / "program.json"
        tables = (folder / f"left{ending}", folder / f"right{ending}")
        outputs = [matches, "--unmatched-out", unmatched, "--program-out", program]
        run("join", *tables, "--on", "title", "--space", "small", "-o", *outputs)
        assert program.read_bytes() == (folder / "p.json").read_bytes()
        expected = read_table(folder / "matches.csv")
        assert read_table(matches)[["query_id", "reference_id"]].equals(expected[["query_id", "reference_id"]])
        columns = ["query_id", "reason", "best_reference_id", "best_configuration", "query_text"]
        assert read_table(unmatched)[columns].equals(read_table(folder / "unmatched.csv")[columns])

    @pytest.mark.parametrize("ending", FORMATS)
    def test_ids_keep_leading_zeros(self, titles, ending):
        write_table(read_table(titles / "left.csv"), titles / f"left{ending}")
        small_join(titles, left=f"left{ending}")
        matches = read_table(titles / "matches.csv").set_index("query_id")
        assert matches.loc["a", "reference_id"] == "00"

    def test_columns_of_different_names(self, titles):
        write_table(read_table(titles / "left.csv").rename(columns={"title": "na=me"}), titles / "left.csv")
        result = small_join(titles, "--json", on=("--on", "na=me=title"))
        assert json.loads(result.stdout)["counts"]["matched"] > 0

    def test_id_columns_of_different_names(self, titles):
        left = read_table(titles / "left.csv").rename(columns={"id": "code"})
        write_table(left.assign(id="same"), titles / "left.csv")
        result = small_join(titles, "--json", "--verbose", "--id", "code=id")
        assert json.loads(result.stdout)["id_columns"] == {"reference": "code", "query": "id"}
        assert "ids from column 'code'" in result.stderr

    def test_without_an_id_column_the_first_unique_one_is_taken_and_named(self, titles):
        left = read_table(titles / "left.csv").rename(columns={"id": "code"})
        write_table(pd.DataFrame({"kind": "mall"}, index=left.index).join(left), titles / "left.csv")
        result = small_join(titles, "--json", "--verbose")
        assert json.loads(result.stdout)["id_columns"] == {"reference": "code", "query": "id"}
        assert "ids from column 'code'" in result.stderr

    def test_several_columns(self, titles):
        for name in ("left", "right"):
            frame = read_table(titles / f"{name}.csv")
            write_table(frame.assign(town=[f"Town {row % 3}" for row in range(len(frame))]), titles / f"{name}.csv")
        named = small_join(titles, "--json", on=("--on", "title", "--on", "town=town"))
        default = small_join(titles, "--json", on=())
        assert json.loads(named.stdout)["program_id"] == json.loads(default.stdout)["program_id"]

    def test_the_options_reach_the_library(self, titles):
        program = titles / "program.json"
        options = ["--precision-target", "0.8", "--method", "autofj", "--no-negative-rules", "--threads", "1"]
        small_join(titles, *options, "--program-out", program)
        content = json.loads(program.read_text(encoding="utf-8"))
        record = content["learning_record"]
        assert (record["precision_target"], record["method"], record["space"]) == (0.8, "autofj", "small")
        assert content["program"]["negative_rules"] == []

    def test_quiet_says_nothing(self, titles):
        result = small_join(titles, "--quiet")
        assert result.output == ""

    def test_without_json_stdout_is_empty(self, titles):
        assert small_join(titles).stdout == ""

    def test_an_earlier_output_is_replaced_and_nothing_else_is_left(self, titles):
        (titles / "matches.csv").write_text("before")
        small_join(titles)
        assert sorted(path.name for path in titles.iterdir()) == ["left.csv", "matches.csv", "right.csv"]
        assert "before" not in (titles / "matches.csv").read_text(encoding="utf-8")


class TestUnreachableTarget:
    @pytest.fixture
    def crowded(self, tmp_path):
        """Tables in which every reference row has many neighbours as near as any query row."""
        names = [f"item {a}{b}{c}" for a in "abcd" for b in "abcd" for c in "abcd"]
        write_table(pd.DataFrame({"id": range(len(names)), "title": names}), tmp_path / "left.csv")
        write_table(pd.DataFrame({"id": range(5), "title": [f"item {c}{c}e" for c in "abcda"]}), tmp_path / "right.csv")
        return tmp_path

    @pytest.mark.parametrize("quiet", [(), ("--quiet",)])
    @pytest.mark.parametrize("ending", FORMATS)
    def test_join_exits_3_with_a_header_only_and_says_so(self, crowded, ending, quiet):
        matches = crowded / f"matches{ending}"
        tables = (crowded / "left.csv", crowded / "right.csv")
        more = ["--on", "title", "--space", "small", "--precision-target", "0.99", *quiet]
        unmatched = crowded / f"unmatched{ending}"
        result = run("join", *tables, *more, "-o", matches, "--unmatched-out", unmatched, "--json", code=3)
        assert len(read_table(unmatched)) == 5
        assert "The precision target cannot be reached" in result.stderr
        assert f"{matches} holds its header line only" in result.stderr
        frame = read_table(matches)
        assert list(frame.columns[:3]) == ["query_id", "reference_id", "precision_estimate"]
        assert len(frame) == 0
        content = json.loads(result.stdout)
        assert content["counts"]["matched"] == 0
        assert content["precision_estimate"]["value"] is None
        assert content["target_reachable"] is False

    def test_learn_and_apply_exit_3_too(self, crowded):
        tables = (crowded / "left.csv", crowded / "right.csv")
        program, matches = crowded / "program.json", crowded / "matches.csv"
        more = ["--on", "title", "--space", "small", "--precision-target", "0.99"]
        assert "cannot be reached" in run("learn", *tables, *more, "--program-out", program, code=3).stderr
        assert "cannot be reached" in run("apply", program, *tables, "-o", matches, code=3).stderr
        assert len(read_table(matches)) == 0

    def test_the_empty_output_can_be_evaluated(self, crowded):
        tables = (crowded / "left.csv", crowded / "right.csv")
        more = ["--on", "title", "--space", "small", "--precision-target", "0.99"]
        run("join", *tables, *more, "-o", crowded / "matches.csv", code=3)
        (crowded / "truth.csv").write_text("query_id,reference_id\n0,1\n")
        result = run("evaluate", crowded / "matches.csv", crowded / "truth.csv", "--json")
        assert json.loads(result.stdout)["precision"] is None


class TestLearnAndApply:
    @pytest.mark.usefixtures("learning_on_a_sample")
    def test_a_program_learned_on_a_sample_says_so_wherever_it_is_used(self, tmp_path):
        tables, program = (MALLS / "left.csv", MALLS / "right.csv"), tmp_path / "program.json"
        rows = len(read_table(tables[1]))
        learned = run("learn", *tables, "--on", "title", "--program-out", program, "--json", "--verbose")
        applied = run("apply", program, *tables, "-o", tmp_path / "matches.csv", "--json", "--verbose")
        for result in (learned, applied):
            assert f"a sample of 80 of {rows} query rows (seed 0)" in result.stderr
            content = json.loads(result.stdout)
            assert content["query_sample"] == {"rows": 80, "seed": 0}
            assert content["counts"]["query_rows"] == rows

    def test_learning_and_applying_give_what_join_gives(self, malls, tmp_path):
        folder, _ = malls
        program, matches, unmatched = (tmp_path / name for name in ("program.json", "matches.csv", "unmatched.csv"))
        tables = (folder / "left.csv", folder / "right.csv")
        run("learn", *tables, "--on", "title", "--space", "small", "--program-out", program)
        assert program.read_bytes() == (folder / "p.json").read_bytes()
        run("apply", program, *tables, "-o", matches, "--unmatched-out", unmatched)
        assert matches.read_bytes() == (folder / "matches.csv").read_bytes()
        assert unmatched.read_bytes() == (folder / "unmatched.csv").read_bytes()

    def test_learn_reports_the_program_as_json(self, malls, tmp_path):
        folder, _ = malls
        program = tmp_path / "program.json"
        tables = (folder / "left.csv", folder / "right.csv")
        result = run("learn", *tables, "--on", "title", "--space", "small", "--program-out", program, "--json")
        content = json.loads(result.stdout)
        assert content["program_id"] == json.loads(program.read_text(encoding="utf-8"))["program_id"]
        assert content["counts"] == {"reference_rows": 201, "query_rows": 227}
        assert content["precision_estimate"]["value"] >= 0.9
        assert "Learned a program." in result.stderr

    def test_ten_rows_match_as_they_did_among_all(self, malls, tmp_path):
        folder, _ = malls
        write_table(read_table(folder / "right.csv")[40:50], tmp_path / "ten.csv")
        run("apply", folder / "p.json", folder / "left.csv", tmp_path / "ten.csv", "-o", tmp_path / "matches.csv")
        every = read_table(folder / "matches.csv")
        ten = read_table(tmp_path / "matches.csv")
        asked = set(read_table(tmp_path / "ten.csv")["id"])
        columns = ["query_id", "reference_id", "precision_estimate"]
        assert ten[columns].to_numpy().tolist() == every.loc[every["query_id"].isin(asked), columns].to_numpy().tolist()

    def test_another_reference_is_warned_of_even_when_quiet(self, malls, tmp_path):
        folder, _ = malls
        write_table(read_table(folder / "left.csv")[:150], tmp_path / "left.csv")
        command = ["apply", folder / "p.json", tmp_path / "left.csv", folder / "right.csv", "--quiet", "--json"]
        result = run(*command, "-o", tmp_path / "matches.csv")
        assert result.stderr.startswith("warning: ")
        assert len(json.loads(result.stdout)["warnings"]) == 1


class TestExplain:
    def test_a_program_in_words(self, malls):
        folder, _ = malls
        program = fuzzyjoin.Program.load(folder / "p.json")
        assert run("explain", folder / "p.json").stdout == program.explain() + "\n"

    @pytest.mark.parametrize("table", ["matches", "unmatched"])
    def test_why_a_row_was_joined_or_not(self, malls, table):
        folder, _ = malls
        row = read_table(folder / f"{table}.csv").iloc[0]
        tables = (folder / "left.csv", folder / "right.csv")
        words = run("explain", folder / "p.json", *tables, "--query-id", row["query_id"]).stdout
        assert row["query_text"] in words
        if table == "matches":
            assert row["reference_text"] in words


class TestEvaluate:
    def test_figures_agree_with_counting(self, malls):
        folder, _ = malls
        matches, truth = read_table(folder / "matches.csv"), read_table(folder / "gt.csv")
        right = set(zip(truth["id_r"], truth["id_l"], strict=True))
        correct = sum(pair in right for pair in zip(matches["query_id"], matches["reference_id"], strict=True))
        content = json.loads(run("evaluate", folder / "matches.csv", folder / "gt.csv", "--json").stdout)
        assert content["counts"] == {"joined": len(matches), "correct": correct, "matchable": truth["id_r"].nunique()}
        assert content["precision"] == pytest.approx(correct / len(matches))
        assert content["recall"] == pytest.approx(correct / 159)
        assert content["precision"] > 0.7

    @pytest.mark.parametrize("ending", FORMATS)
    def test_truth_in_every_format(self, malls, ending):
        folder, _ = malls
        csv_words = run("evaluate", folder / "matches.csv", MALLS / "gt.csv").stdout
        assert run("evaluate", folder / "matches.csv", folder / f"gt{ending}").stdout == csv_words

    def test_words_for_people(self, tmp_path):
        (tmp_path / "matches.csv").write_text("query_id,reference_id\na,1\nb,9\n")
        (tmp_path / "truth.csv").write_text("query_id,reference_id\na,1\na,2\nb,2\nc,3\n")
        assert run("evaluate", tmp_path / "matches.csv", tmp_path / "truth.csv").stdout == (
            "precision  0.500  (1 of 2 joined query rows are right)\n"
            "recall     0.333  (1 of 3 query rows that have a match)\n"
        )


class TestIndex:
    @pytest.fixture
    def indexed(self, titles):
        """A program and the index of its reference table, in a folder with tables of changes."""
        tables = titles / "left.csv", titles / "right.csv"
        run("learn", *tables, "--on", "title", "--space", "small", "--program-out", titles / "p.json")
        (titles / "more.csv").write_text("id,title\n07,South Bazaar\n02,River Center\n", encoding="utf-8")
        (titles / "gone.csv").write_text("id\n02\n05\n", encoding="utf-8")
        return titles, run(
            "index", titles / "p.json", titles / "left.csv", "--index", titles / "indexes"
        ).stdout.strip()

    @pytest.mark.parametrize("changes", ["more.csv gone.csv", "more.parquet gone.tsv.gz"])
    def test_a_changed_index_is_that_of_the_changed_table(self, indexed, changes):
        folder, index = indexed
        more, gone = (folder / name for name in changes.split())
        for path in (more, gone):
            if not path.exists():
                write_table(read_table(folder / f"{path.name.partition('.')[0]}.csv"), path)
        changed = run("index", folder / "p.json", "--index", index, "--append", more, "--delete", gone).stdout.strip()
        assert changed != index
        left = read_table(folder / "left.csv")
        rows = [left[~left["id"].isin(["02", "05"])], read_table(more)]
        write_table(pd.concat(rows, ignore_index=True), folder / "changed.csv")
        asked = [folder / "p.json", folder / "changed.csv"]
        for indexes in ("indexes", "others"):
            run("apply", *asked, folder / "right.csv", "-o", folder / f"{indexes}.csv", "--index", folder / indexes)
        assert (folder / "indexes.csv").read_bytes() == (folder / "others.csv").read_bytes()
        assert sorted(map(str, (folder / "indexes").iterdir())) == sorted([index, changed])
        assert [path.name for path in (folder / "others").iterdir()] == [Path(changed).name]

    @pytest.mark.parametrize(
        ("arguments", "code", "expected"),
        [
            ("p.json --index INDEX", 2, "give REFERENCE to build its index, or --append or --delete"),
            ("p.json left.csv --index INDEX --append more.csv", 2, "give REFERENCE to build its index, or --append"),
            ("p.json --index INDEX --append more.csv --id id", 2, "--id is for REFERENCE"),
            ("p.json --index INDEX --append none.csv", 2, "none.csv"),
            ("p.json --index INDEX --append gone.csv", 2, "gone.csv: on: append has no column 'title'"),
            ("p.json --index INDEX --append more.csv", 1, "more.csv: append has the id '02', which another row"),
            ("p.json --index INDEX --delete more.csv", 1, "more.csv: delete names the reference id '07'"),
            ("p.json --index INDEX --delete titles.csv", 2, "titles.csv: id: delete has no column 'id'"),
            ("p.json --index indexes --delete gone.csv", 2, "is no index: it holds no manifest.json"),
        ],
    )
    def test_what_cannot_be_changed_is_named(self, indexed, monkeypatch, arguments, code, expected):
        folder, index = indexed
        (folder / "titles.csv").write_text("title\nGrand Mall\n", encoding="utf-8")
        monkeypatch.chdir(folder)
        words = arguments.replace("INDEX", index).split()
        result = run("index", *words, code=code)
        assert expected in " ".join(result.stderr.split())
        assert "Traceback" not in result.stderr
        assert [str(path) for path in (folder / "indexes").iterdir()] == [index]


class TestHelp:
    def test_without_a_command_help_and_a_command_to_try_are_shown(self):
        words = run().stdout
        assert words.startswith(run("--help").stdout.rstrip())
        tried = shlex.split(words.splitlines()[-1])
        assert tried == ["fuzzyjoin", "join", "reference.csv", "query.csv", "--on", "name", "-o", "matches.csv"]

    def test_version(self):
        assert run("--version").stdout == f"fuzzyjoin {version('fuzzyjoin-tables')}\n"

    def test_help_names_every_command_and_exit_code(self):
        words = run("--help").stdout
        for command in [*COMMANDS, "audit"]:
            assert f"  {command} " in words
        for code in ("0 done", "1 a problem", "2 wrong usage", "3 the precision target"):
            assert code in " ".join(words.split())

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_names_the_contract_options_in_full(self, command):
        words = run(command, "--help").stdout
        learning = ["--on", "--id", "--precision-target", "--space", "--method", "--no-negative-rules"]
        reporting = ["--threads", "--quiet", "--json"]
        options = {
            "join": ["-o", *learning, "--unmatched-out", "--program-out", *reporting],
            "learn": [*learning, "--program-out", *reporting],
            "apply": ["-o", "--unmatched-out", "--id", "--strict", "--index", "--batch-rows", *reporting],
            "index": ["--index", "--append", "--delete", "--verify", "--id", "--threads", "--quiet"],
            "explain": ["--query-id", "--id"],
            "evaluate": ["--json"],
        }[command]
        for option in options:
            assert option in words

    @pytest.mark.parametrize("argument", ["--help", "--version"])
    def test_nothing_slow_is_imported_for_it(self, argument):
        code = (
            "import sys\n"
            "from fuzzyjoin.cli import main\n"
            "try:\n    main()\nexcept SystemExit as done:\n    assert done.code == 0\n"
            "print(sorted({'numba', 'numpy', 'pandas', 'pyarrow', 'rapidfuzz'} & set(sys.modules)))\n"
        )
        command = [sys.executable, "-c", code, argument]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stdout.splitlines()[-1] == "[]"


class TestProcess:
    def test_join_in_a_process_of_its_own(self, malls, tmp_path):
        folder, _ = malls
        tables = (folder / "left.csv", folder / "right.csv")
        more = ["--on", "title", "--space", "small", "-o", "matches.csv", "--json"]
        result = process("join", *tables, *more, cwd=tmp_path)
        assert result.returncode == 0
        assert json.loads(result.stdout)["counts"]["query_rows"] == 227
        assert "\x1b" not in result.stderr
        assert "Joined" in result.stderr
        assert (tmp_path / "matches.csv").read_bytes() == (folder / "matches.csv").read_bytes()

    def test_the_installed_script_is_the_same_program(self):
        script = Path(sys.executable).parent / "fuzzyjoin"
        result = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout == process("--version").stdout

    @pytest.mark.parametrize("quiet", [(), ("--quiet",)])
    def test_progress_is_drawn_for_a_terminal_only_and_not_when_quiet(self, titles, quiet):
        code, stdout, shown = on_a_terminal(titles, "--space", "small", *quiet)
        assert (code, stdout) == (0, b"")
        assert (b"\x1b[" in shown) == (not quiet)
        assert (b"100%" in shown) == (not quiet)

    @pytest.mark.slow
    def test_a_first_run_says_that_it_compiles_and_a_second_does_not(self, titles, tmp_path):
        for compiles in (True, False):
            code, _, shown = on_a_terminal(titles, NUMBA_CACHE_DIR=str(tmp_path / "kernels"))
            assert code == 0
            assert (b"compiling (once on this machine)" in shown) == compiles

    def test_output_cut_short_by_its_reader_is_no_traceback(self, malls):
        folder, _ = malls
        command = shlex.join([sys.executable, "-m", "fuzzyjoin", "explain", str(folder / "p.json")])
        result = subprocess.run(["sh", "-c", f"{command} | true"], capture_output=True, text=True, check=False)
        assert result.stderr == ""


def test_the_least_match_probability_is_kept_and_the_summary_says_that_the_target_is_exceeded(tmp_path):
    tables = [MALLS / "left.csv", MALLS / "right.csv", "--on", "title", "--precision-target", "0.7"]
    outputs = ["-o", tmp_path / "m.csv", "--unmatched-out", tmp_path / "u.csv", "--program-out", tmp_path / "p.json"]
    said = run("join", *tables, *outputs, "--verbose").output
    least = read_table(tmp_path / "m.csv")["precision_estimate"].astype(float).min()
    assert least >= 0.5
    assert "above the target 0.7, because no row with a match probability below 0.5 is joined" in said
    assert json.loads((tmp_path / "p.json").read_text())["program"]["decision"]["min_probability"] == 0.5
    reasons = set(read_table(tmp_path / "u.csv")["reason"])
    assert "too unsure: the best candidate's match probability is below 0.5" in reasons
    said = run("join", *tables, "--min-probability", "0", *outputs, "--verbose").output
    assert "above the target" not in said
    assert read_table(tmp_path / "m.csv")["precision_estimate"].astype(float).min() < 0.5
    run("learn", *tables, "--min-probability", "0.8", "--program-out", tmp_path / "p.json")
    assert "the match probability 0.8 or higher" in run("explain", tmp_path / "p.json").output


def test_the_published_method_takes_no_least_match_probability(titles):
    said = small_join(titles, "--min-probability", "0.5", code=2).output
    assert "min_probability is 0.5, but a union of configurations decides" in " ".join(said.split())


def test_the_summary_counts_reference_rows_that_repeat_another(titles):
    left = read_table(titles / "left.csv")
    write_table(pd.concat([left, left.assign(id="1" + left["id"])]), titles / "left.csv")
    said = small_join(titles, "--json", "--verbose")
    assert json.loads(said.stdout)["counts"]["equal_reference_rows"] == 6
    assert "6 repeat the compared values of another row and count once" in " ".join(said.stderr.split())


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A join by the scorer that lists the candidates, and its files."""
    folder = tmp_path_factory.mktemp("scored")
    tables = (MALLS / "left.csv", MALLS / "right.csv")
    outputs = ["-o", folder / "m.csv", "--unmatched-out", folder / "u.csv", "--program-out", folder / "p.json"]
    result = run("join", *tables, "--on", "title", *outputs, "--candidates", folder / "c.csv", "--top", 2, "--json")
    return folder, json.loads(result.stdout), result.stderr


def test_candidates_and_bands_are_written_and_counted(scored):
    folder, said, summary = scored
    candidates, rest = read_table(folder / "c.csv"), read_table(folder / "u.csv")
    assert set(candidates["rank"]) == {"1", "2"}
    assert candidates["query_id"].nunique() >= said["counts"]["matched"]
    assert said["counts"]["review"] == (rest["band"] == "review").sum() > 0
    assert said["written"]["candidates"] == str(folder / "c.csv")
    assert f"{len(rest)} unmatched rows, {said['counts']['review']} of them to review: " in summary


def test_apply_lists_the_same_candidates_in_batches(scored, tmp_path):
    folder, *_ = scored
    asked = ["apply", folder / "p.json", MALLS / "left.csv", MALLS / "right.csv", "-o", tmp_path / "m.csv"]
    run(*asked, "--candidates", tmp_path / "c.csv", "--top", 2, "--batch-rows", 50)
    assert (tmp_path / "c.csv").read_bytes() == (folder / "c.csv").read_bytes()
    run(*asked, "--candidates", tmp_path / "five.csv")
    assert set(read_table(tmp_path / "five.csv")["rank"]) == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--top", 3], "--top 3 lists candidates, but no file is named for them; add --candidates FILE"),
        (["--candidates", "c.csv", "--method", "autofj"], "but a union of configurations decides"),
        (["--review-probability", 0.3, "--method", "autofj"], "review_probability is 0.3, but a union"),
        (["--review-probability", 1.5], "1.5 is not"),
    ],
)
def test_candidates_and_bands_that_cannot_be_are_refused(titles, monkeypatch, options, message):
    monkeypatch.chdir(titles)
    result = run("join", "left.csv", "right.csv", "--on", "title", "-o", "m.csv", *options, code=2)
    assert message in " ".join(result.stderr.split())
    assert not (titles / "m.csv").exists()


def test_candidates_of_no_rows_are_a_header(titles):
    write_table(read_table(titles / "right.csv")[:0], titles / "none.csv")
    outputs = ["-o", titles / "m.csv", "--candidates", titles / "c.csv"]
    run("join", titles / "left.csv", titles / "none.csv", "--on", "title", *outputs)
    assert list(read_table(titles / "c.csv")) == list(CANDIDATE_COLUMNS)


@pytest.fixture
def renamed(titles, monkeypatch):
    """Small tables whose columns have other names, in the working folder."""
    typed = read_table(titles / "right.csv").rename(columns={"title": "typed"})
    write_table(typed, titles / "right.csv")
    monkeypatch.chdir(titles)
    return titles


ASKED = ("join", "left.csv", "right.csv", "--space", "small", "-o", "matches.csv")


def test_columns_of_other_names_are_proposed_and_taken_if_the_user_says_so_beforehand(renamed):
    result = run(*ASKED, code=2)
    assert "by their values give --on title=typed, or --yes to take that" in " ".join(result.stderr.split())
    assert not (renamed / "matches.csv").exists()
    result = run(*ASKED, "--yes")
    assert "warning: compared as proposed: --on title=typed" in result.stderr
    proposed = (renamed / "matches.csv").read_bytes()
    run(*ASKED, "--on", "title=typed")
    assert (renamed / "matches.csv").read_bytes() == proposed
    run("learn", "left.csv", "right.csv", "--space", "small", "--program-out", "p.json", "--yes")


@pytest.mark.parametrize(("answer", "code", "written"), [("\n", 0, True), ("n\n", 2, False)])
def test_at_a_terminal_the_user_is_asked(renamed, answer, code, written):
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "fuzzyjoin", *ASKED]
    with subprocess.Popen(command, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE) as running:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(controller, 65_536):
                shown += piece
                if shown.rstrip().endswith(b"[Y/n]:"):
                    os.write(controller, answer.encode())
        except OSError:
            # As above: the end of a terminal.
            pass
        running.communicate()
    os.close(controller)
    assert b"compare  title=typed  similarity 0." in shown
    assert (running.returncode, (renamed / "matches.csv").exists()) == (code, written)


def test_where_names_and_values_disagree_the_names_are_taken_and_that_is_said(titles, monkeypatch):
    monkeypatch.chdir(titles)
    for name in ("left.csv", "right.csv"):
        write_table(read_table(name).assign(source="export"), titles / name)
    result = run(*ASKED)
    told = "compared are all columns of the same name; by their values, --yes would take: --on title"
    assert told in " ".join(result.stderr.split())
    assert "compared as proposed: --on title" in run(*ASKED, "--yes").stderr


def test_decisions_are_heeded_by_join_apply_and_explain(scored, tmp_path):
    folder, said, _ = scored
    matches, rest = read_table(folder / "m.csv"), read_table(folder / "u.csv")
    one, other, target = matches["query_id"][0], rest["query_id"][0], matches["reference_id"][0]
    decisions = pd.DataFrame(
        {"query_id": [one, other], "reference_id": ["none", target], "by": "ada", "why": "by phone"}
    )
    write_table(decisions, tmp_path / "decisions.csv")
    tables = [MALLS / "left.csv", MALLS / "right.csv", "--decisions", tmp_path / "decisions.csv"]
    outputs = ["-o", tmp_path / "m.csv", "--unmatched-out", tmp_path / "u.csv", "--program-out", tmp_path / "p.json"]
    result = run("join", *tables, "--on", "title", *outputs, "--json")
    assert (tmp_path / "p.json").read_bytes() == (folder / "p.json").read_bytes()
    counts = json.loads(result.stdout)["counts"]
    assert (counts["pinned"], counts["forbidden"], counts["matched"]) == (1, 1, said["counts"]["matched"])
    assert "people     decided on 2 rows: 1 joined, 1 without a match; the precision leaves them out" in result.stderr
    found = read_table(tmp_path / "m.csv").set_index("query_id")
    assert list(found.loc[other, ["reference_id", "decided_by", "decided_why"]]) == [target, "ada", "by phone"]
    joined = [(tmp_path / name).read_bytes() for name in ("m.csv", "u.csv")]
    for options in ([], ["--batch-rows", "50"]):
        run("apply", folder / "p.json", *tables, *outputs[:4], *options)
        assert [(tmp_path / name).read_bytes() for name in ("m.csv", "u.csv")] == joined
    words = run("explain", folder / "p.json", *tables, "--query-id", other).stdout
    assert words.startswith(f"Query {other} is joined to reference {target}: ada decided so (by phone).")


def test_decisions_that_cannot_be_read_are_refused_by_their_line(scored, tmp_path):
    folder, *_ = scored
    asked = ["apply", folder / "p.json", MALLS / "left.csv", MALLS / "right.csv", "-o", tmp_path / "m.csv"]
    (tmp_path / "decisions.csv").write_text("query_id,reference_id\n1,none\n,none\n")
    result = run(*asked, "--decisions", tmp_path / "decisions.csv", code=1)
    assert "decisions.csv" in result.stderr
    assert "line 3" in result.stderr
    (tmp_path / "decisions.csv").write_text("query,reference_id\n1,none\n")
    assert "has no column 'query_id'" in run(*asked, "--decisions", tmp_path / "decisions.csv", code=2).stderr
    assert not (tmp_path / "m.csv").exists()
