"""A query table may lack rows, as on some nights, and any table may lack a column that names its rows."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin import Matcher, Program, fuzzy_join, index_reference, learn_program
from fuzzyjoin.cli import app
from fuzzyjoin.files import read_table
from fuzzyjoin.files.table_files import write_table
from tests.cases import example

NUMBERED = "has no column `id` and no column whose values are present and unique: its rows are numbered from 1"
FORMATS = [".csv", ".tsv", ".csv.gz", ".parquet"]
METHODS = [{"method": "auto"}, {"method": "autofj"}]


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def malls():
    """The shopping malls, and twice the query rows without ids."""
    reference, query, _ = example("ShoppingMall")
    return reference, query, pd.concat([query[["title"]]] * 2, ignore_index=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The malls as files; `lines.csv` has no ids, `none.*` no rows."""
    reference, query, lines = malls()
    write_table(reference, tmp_path / "left.csv")
    write_table(query, tmp_path / "right.csv")
    write_table(lines, tmp_path / "lines.csv")
    write_table(pd.concat([reference[["title"]], reference[["title"]][:1]]), tmp_path / "names.csv")
    for ending in FORMATS:
        write_table(query[:0], tmp_path / f"none{ending}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("options", METHODS)
def test_a_program_joins_no_rows_to_tables_without_rows(options, tmp_path):
    reference, query, _ = malls()
    result = fuzzy_join(reference, query, "title", **options)
    index = index_reference(result.program, reference, tmp_path)
    for nothing in (
        result.program.apply(reference, query[:0]),
        Matcher.over(result.program, reference).lookup(query[:0]),
        Matcher.open(index, result.program).lookup(query[:0]),
    ):
        assert nothing.counts | {"reference_rows": 0} == dict.fromkeys(nothing.counts, 0)
        assert list(nothing.matches.columns) == list(result.matches.columns)
        assert list(nothing.unmatched.columns) == list(result.unmatched.columns)
        assert nothing.precision_estimate.value is None


@pytest.mark.parametrize("options", METHODS)
def test_rows_without_ids_are_numbered_and_decided_as_any_others(options, tmp_path):
    reference, query, lines = malls()
    program = learn_program(reference, query, "title", **options)
    named = program.apply(reference, lines.assign(id=range(1, len(lines) + 1)))
    index = index_reference(program, reference, tmp_path)
    for result in (
        program.apply(reference, lines),
        Matcher.over(program, reference).lookup(lines),
        Matcher.open(index, program).lookup(lines),
    ):
        pd.testing.assert_frame_equal(result.matches, named.matches)
        assert [warning for warning in result.warnings if f"query {NUMBERED}" in warning]
    joined = str(named.matches["query_id"].iloc[-1])
    assert program.explain_query(reference, lines, joined).startswith(f"Query {joined} (")


def test_both_tables_may_lack_ids_and_the_warnings_name_each():
    reference, _, lines = malls()
    names = pd.concat([reference[["title"]], reference[["title"]][:1]])
    result = fuzzy_join(names, lines, space="small")
    assert result.id_columns == ("row number", "row number")
    assert [warning.split()[0] for warning in result.warnings] == ["reference", "query"]
    assert result.program.columns[0].reference == "title"
    assert set(result.matches["reference_id"]) <= set(range(1, len(names) + 1))


@pytest.mark.parametrize("ending", FORMATS)
def test_join_writes_headers_where_the_query_table_has_no_rows(folder, ending):
    run("join", "left.csv", "right.csv", "--on", "title", "-o", "full.csv", "--unmatched-out", "rest.csv")
    (folder / "p.json").write_text("what was learned yesterday")
    arguments = ["join", "left.csv", f"none{ending}", "--on", "title", "-o", f"m{ending}", "--unmatched-out", "u.csv"]
    result = run(*arguments, "--program-out", "p.json", "--json")
    assert result.stderr.startswith("The query table has no rows: nothing is joined, and no program is learned; p.json")
    said = json.loads(result.stdout)
    assert said["counts"] == {
        "reference_rows": 201, "query_rows": 0, "matched": 0, "unmatched": 0, "review": 0, "pinned": 0, "forbidden": 0,
        "candidate_pairs": 0
    }  # fmt: skip
    assert said["written"] == {"matches": f"m{ending}", "unmatched": "u.csv"}
    for made, full in ((f"m{ending}", "full.csv"), ("u.csv", "rest.csv")):
        table = read_table(made)
        assert len(table) == 0
        assert list(table.columns) == list(read_table(full).columns)
    assert (folder / "p.json").read_text() == "what was learned yesterday"


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("options", [["--method", "auto"], ["--method", "autofj"]])
def test_apply_writes_headers_where_the_query_table_has_no_rows(folder, ending, options):
    run("learn", "left.csv", "right.csv", "--on", "title", "--program-out", "p.json", *options)
    run("apply", "p.json", "left.csv", "right.csv", "-o", "full.csv")
    result = run("apply", "p.json", "left.csv", f"none{ending}", "-o", f"m{ending}", "--index", "indexes")
    assert result.stderr.startswith("The query table has no rows: nothing is joined.")
    assert len(read_table(f"m{ending}")) == 0
    assert list(read_table(f"m{ending}").columns) == list(read_table("full.csv").columns)
    assert not (folder / f"m{ending}.parts").exists()


def test_no_program_is_learned_on_no_rows(folder):
    result = run("learn", "left.csv", "none.csv", "--on", "title", "--program-out", "p.json", code=1)
    assert "none.csv: query has no rows" in result.stderr
    assert not (folder / "p.json").exists()


@pytest.mark.usefixtures("folder")
def test_columns_are_asked_of_a_table_without_rows_too():
    result = run("join", "left.csv", "none.csv", "--on", "title=name", "-o", "m.csv", code=2)
    assert "none.csv: on: query has no column 'name'" in result.stderr


def test_the_command_line_numbers_rows_says_so_and_explains_by_them(folder):
    outputs = ["-o", "m.csv", "--unmatched-out", "u.csv", "--program-out", "p.json"]
    result = run("join", "left.csv", "lines.csv", "--on", "title", *outputs, "--json", "--verbose")
    assert f"warning: lines.csv: query {NUMBERED}" in result.stderr
    assert "lines.csv: 454 rows, named by their numbers" in result.stderr
    said = json.loads(result.stdout)
    assert said["id_columns"] == {"reference": "id", "query": "row number"}
    assert len([warning for warning in said["warnings"] if NUMBERED in warning]) == 1

    matches = read_table("m.csv")
    lines = read_table("lines.csv")["title"]
    assert [lines[int(row) - 1] for row in matches["query_id"]] == matches["query_text"].tolist()
    for batch_rows in (7, 1000):
        applied = run("apply", "p.json", "left.csv", "lines.csv", "-o", "a.csv", "--batch-rows", batch_rows)
        assert (folder / "a.csv").read_bytes() == (folder / "m.csv").read_bytes()
        assert applied.stderr.count(NUMBERED) == 1
    last = matches["query_id"].iloc[-1]
    assert f"Query {last} (" in run("explain", "p.json", "left.csv", "lines.csv", "--query-id", last).stdout
    run("audit", "draw", "p.json", "left.csv", "lines.csv", "m.csv", "-o", "sheet.csv", "--design-out", "design.json")


@pytest.mark.usefixtures("folder")
def test_a_single_column_of_names_joins_on_both_sides():
    result = run("join", "names.csv", "lines.csv", "--on", "title", "--space", "small", "--verbose", "-o", "m.csv")
    assert f"names.csv: reference {NUMBERED}" in result.stderr
    assert f"lines.csv: query {NUMBERED}" in result.stderr
    names = read_table("names.csv")["title"]
    matches = read_table("m.csv")
    assert [names[int(row) - 1] for row in matches["reference_id"]] == matches["reference_text"].tolist()


@pytest.mark.usefixtures("folder")
def test_an_id_column_that_is_named_or_called_id_must_still_be_unique():
    for arguments in (["lines.csv", "--id", "id=title"], ["twice.csv"]):
        write_table(read_table("lines.csv").assign(id="7"), "twice.csv")
        result = run("join", "left.csv", *arguments, "--on", "title", "-o", "m.csv", code=1)
        assert "drop one of the rows or name another id column" in result.stderr


def test_a_column_that_happens_to_be_called_row_number_makes_no_warning():
    reference, query, _ = malls()
    query = query.rename(columns={"id": "row number"})
    program = learn_program(reference, query, "title", space="small")
    assert program.apply(reference, query).warnings == ()
    assert isinstance(program, Program)


def test_semicolons_are_told_by_every_command_that_reads_a_table(folder):
    text = (folder / "right.csv").read_text().replace(",", ";")
    (folder / "semi.csv").write_text(text)
    note = "warning: semi.csv: read with ';' between fields"
    outputs = ["-o", "m.csv", "--unmatched-out", "u.csv", "--program-out", "p.json"]
    joined = run("join", "left.csv", "semi.csv", "--on", "title", *outputs, "--json")
    assert note in joined.stderr
    assert note.removeprefix("warning: ") in json.loads(joined.stdout)["warnings"]
    query_id = read_table("m.csv")["query_id"][0]
    for arguments in (
        ["learn", "left.csv", "semi.csv", "--on", "title", "--program-out", "q.json"],
        ["apply", "p.json", "left.csv", "semi.csv", "-o", "a.csv"],
        ["explain", "p.json", "left.csv", "semi.csv", "--query-id", query_id],
        ["audit", "draw", "p.json", "left.csv", "semi.csv", "m.csv", "-o", "s.csv", "--design-out", "d.json"],
        ["index", "p.json", "semi.csv", "--index", "indexes"],
    ):
        assert run(*arguments).stderr.count(note) == 1
