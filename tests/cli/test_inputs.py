"""Files as people have them, at the command line: what is found of them is said, and what is not can be named."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin.cli.app import app
from fuzzyjoin.files import read_table
from fuzzyjoin.files.table_files import write_table

NAMES = [
    "Müller & Söhne AG",
    "Grünwald Möbel KG",
    "Straßenbau Höfer",
    "Jäger Optik",
    "Kölliker Treuhand",
    "Bäckerei Ölz",
]
TYPED = [
    "Müller und Söhne",
    "Grünwald Möbel",
    "Strassenbau Höfer",
    "Jäger Optk",
    "Kölliker Treuhand AG",
    "Bäckerei Olz",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An export as a European spreadsheet writes it, and one as a program does."""
    monkeypatch.chdir(tmp_path)
    customers = ["Nr;Name;Umsatz", *(f"{row};{name};1.{row}34,50" for row, name in enumerate(NAMES))]
    (tmp_path / "customers.csv").write_bytes("\r\n".join(customers).encode("cp1252"))
    typed = pd.DataFrame({"Nr": range(len(TYPED)), "Name": TYPED})
    typed.to_csv(tmp_path / "typed.csv", index=False)
    typed.to_csv(tmp_path / "typed_16.tsv", index=False, sep="\t", encoding="utf-16")
    typed.to_csv(tmp_path / "typed_mac.csv", index=False, encoding="mac-roman")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def joined(path="matches.csv"):
    frame = pd.read_csv(path, dtype=str)
    return set(zip(frame["query_id"], frame["reference_id"], strict=True))


@pytest.mark.usefixtures("folder")
def test_a_european_export_is_joined_without_options():
    result = run("join", "customers.csv", "typed.csv", "--on", "Name", "-o", "matches.csv")
    assert result.exit_code == 0, result.stderr
    assert "customers.csv: read as Windows-1252 with ';' between fields\n" in result.stderr
    assert joined()
    assert all(query == reference for query, reference in joined())


@pytest.mark.usefixtures("folder")
def test_what_is_found_of_both_is_one_line():
    result = run("learn", "customers.csv", "typed_16.tsv", "--on", "Name", "--program-out", "p.json")
    assert "customers.csv: read as Windows-1252 with ';' between fields; typed_16.tsv: read as UTF-16" in result.stderr


def test_an_encoding_can_be_named_for_one_table(folder):
    asked = ("--on", "Name", "-o", "matches.csv")
    refused = run("join", "customers.csv", "typed_mac.csv", *asked)
    assert refused.exit_code == 1
    assert "typed_mac.csv: line 2: the byte 0x9F" in refused.stderr
    assert "--encoding" in refused.stderr
    assert not (folder / "matches.csv").exists()
    result = run(
        "join", "customers.csv", "typed_mac.csv", *asked, "--encoding", "=mac-roman", "--program-out", "p.json"
    )
    assert result.exit_code == 0, result.stderr
    named = joined()
    run("join", "customers.csv", "typed.csv", *asked)
    assert named == joined()
    # What is suggested names it again, and works.
    again = result.stderr.partition("fuzzyjoin explain ")[2].splitlines()[0]
    assert "--encoding =mac-roman" in again
    assert run("explain", *again.split()).exit_code == 0


@pytest.mark.usefixtures("folder")
def test_delimiter_and_encoding_named_for_both():
    options = ("--delimiter", ";=,", "--encoding", "windows-1252=utf-8")
    result = run("join", "customers.csv", "typed.csv", "--on", "Name", "-o", "matches.csv", *options)
    assert result.exit_code == 0, result.stderr
    assert "read as" not in result.stderr
    program = run("learn", "customers.csv", "typed.csv", "--on", "Name", "--program-out", "p.json", *options)
    applied = run("apply", "p.json", "customers.csv", "typed.csv", "-o", "applied.csv", *options, "--batch-rows", "2")
    assert (program.exit_code, applied.exit_code) == (0, 0)
    assert joined() == joined("applied.csv")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--delimiter", ":", "delimiter is ':'"),
        ("--encoding", "klingon", "encoding is 'klingon'"),
        ("--encoding", "windows-1250", "typed.csv: is UTF-8, but Windows-1250 is named"),
    ],
)
def test_what_cannot_be_is_refused(folder, option, value, said):
    result = run("join", "customers.csv", "typed.csv", "--on", "Name", "-o", "matches.csv", option, value)
    assert result.exit_code in {1, 2}
    assert said in result.stderr
    assert not (folder / "matches.csv").exists()


@pytest.mark.parametrize(("tables", "written"), [(".xlsx", ".xlsx"), (".jsonl", ".jsonl"), (".ndjson.gz", ".parquet")])
def test_other_formats_give_the_same_matches(folder, tables, written):
    write_table(pd.DataFrame({"Nr": range(len(NAMES)), "Name": NAMES}), folder / f"customers{tables}")
    write_table(pd.DataFrame({"Nr": range(len(TYPED)), "Name": TYPED}), folder / f"typed{tables}")
    run("join", "customers.csv", "typed.csv", "--on", "Name", "-o", "matches.csv")
    files = ("--program-out", "p.json", "-o", f"matches{written}")
    result = run("join", f"customers{tables}", f"typed{tables}", "--on", "Name", *files)
    assert result.exit_code == 0, result.stderr
    other = read_table(folder / f"matches{written}")
    assert set(zip(other["query_id"], other["reference_id"], strict=True)) == joined()
    again = run("apply", "p.json", f"customers{tables}", f"typed{tables}", "-o", f"again{written}", "--batch-rows", "2")
    assert again.exit_code == 0, again.stderr
    assert (folder / f"again{written}").read_bytes() == (folder / f"matches{written}").read_bytes()


def test_a_sheet_can_be_named_for_one_table(folder):
    book = openpyxl.Workbook()
    book.active.append(["about"])
    sheet = book.create_sheet("Typed")
    for row in [["Nr", "Name"], *enumerate(TYPED)]:
        sheet.append(row)
    book.save(folder / "typed.xlsx")
    asked = ("join", "customers.csv", "typed.xlsx", "-o", "matches.csv", "--id", "Nr")
    refused = run(*asked)
    assert refused.exit_code == 2
    result = run(*asked, "--sheet", "=Typed", "--on", "Name")
    assert result.exit_code == 0, result.stderr
    assert joined()


def test_placeholders_are_said_and_can_be_kept(folder):
    rows = [*TYPED, "N/A", "n/a", "N/A"]
    pd.DataFrame({"Nr": range(len(rows)), "Name": rows}).to_csv("gaps.csv", index=False)
    reference = pd.DataFrame({"Nr": range(len(NAMES) + 1), "Name": [*NAMES, "N/A"]})
    reference.to_csv("reference.csv", index=False)
    asked = ("reference.csv", "gaps.csv", "--on", "Name", "--program-out", "p.json")
    said = 'warning: Name: "N/A" (4 rows) is read as missing\n'
    result = run("join", *asked, "-o", "matches.csv")
    assert said in result.stderr
    assert not {query for query, _ in joined()} & {"6", "7", "8"}
    assert said in run("learn", *asked).stderr
    applied = run("apply", "p.json", "reference.csv", "gaps.csv", "-o", "applied.csv", "--batch-rows", "1")
    assert applied.exit_code == 0, applied.stderr
    assert joined("applied.csv") == joined()
    kept = run("join", *asked, "-o", "kept.csv", "--keep-placeholders")
    assert "missing" not in kept.stderr
    assert {("6", "6"), ("7", "6"), ("8", "6")} <= joined("kept.csv")
    assert (folder / "p.json").read_text().count('"missing"') == 0
