"""Programs of schema version 1 keep their id and their bytes, and do what they did."""

import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from fuzzyjoin import DataError, Program
from fuzzyjoin.cli import app
from fuzzyjoin.scoring.adjustment import INPUTS
from tests.schema_1 import FILES, METHODS, PROGRAMS, TABLES


def name_of(path):
    return f"{path.parent.name}, {path.stem}"


@pytest.fixture(params=PROGRAMS, ids=name_of)
def path(request):
    return request.param


def run(*arguments):
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_program_is_written_as_it_was_read(path, tmp_path):
    program = Program.load(path)
    program.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert program.schema_version == 1
    assert program.program_id == json.loads(path.read_text("utf-8"))["program_id"]


def test_it_is_read_into_todays_names():
    stored = json.loads((FILES / "auto.json").read_text("utf-8"))
    program = Program.load(FILES / "auto.json")
    definition, record = program.definition, program.learning_record
    assert definition.decision.threshold == stored["program"]["decision"]["cut"]
    assert definition.between_task_sd == stored["program"]["calibration"]["spread"]
    assert tuple(definition.adjustment["inputs"]) == INPUTS
    assert record.estimates["neighbourhood"].value == stored["learning_record"]["estimates"]["ball"]["value"]


def test_the_same_program_in_version_2_has_another_id_and_the_same_matches(path):
    old = Program.load(path)
    new = Program(definition=old.definition, learning_record=old.learning_record)
    again = Program.from_json(new.to_json())
    assert again == new
    if path.stem == "auto":
        assert new.program_id != old.program_id
        assert not {"cut", "spread", "ball"} & set(re.findall(r'"(\w+)":', new.to_json()))
        assert not re.search("sibling|telling|evidence", new.to_json())
    tables = [pd.read_csv(table, dtype=str) for table in TABLES]
    pd.testing.assert_frame_equal(old.apply(*tables).matches, again.apply(*tables).matches)


@pytest.mark.parametrize(
    "change",
    [
        lambda program: program["decision"].update(cut=0.1),
        lambda program: program["decision"].update(threshold=program["decision"].pop("cut")),
        lambda program: program["calibration"].update(spread=0.1),
        lambda program: program["calibration"]["adjustment"].update(intercept=0.1),
    ],
    ids=["decision threshold", "a key of version 2", "deviation", "adjustment"],
)
def test_a_changed_file_is_refused(change):
    content = json.loads((FILES / "auto.json").read_text("utf-8"))
    change(content["program"])
    with pytest.raises(DataError, match="changed after it was learned"):
        Program.from_json(json.dumps(content))


def test_a_file_of_version_2_with_the_keys_of_version_1_is_refused():
    content = json.loads((FILES / "auto.json").read_text("utf-8"))
    with pytest.raises(DataError, match="is not a valid program: definition"):
        Program.from_json(json.dumps({**content, "schema_version": 2}))


@pytest.mark.parametrize("method", METHODS)
def test_apply_gives_the_matches_on_record(method, tmp_path):
    outputs = ["-o", tmp_path / "matches.csv", "--unmatched-out", tmp_path / "unmatched.csv"]
    run("apply", FILES / f"{method}.json", *TABLES, *outputs)
    for name in ("matches", "unmatched"):
        recorded, found = (
            pd.read_csv(file, dtype={"query_id": str})
            for file in (FILES / f"{method}-{name}.csv", tmp_path / f"{name}.csv")
        )
        # Later versions added columns.
        pd.testing.assert_frame_equal(found[recorded.columns], recorded, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_explain_tells_the_figures_on_record(method):
    recorded = (FILES / f"{method}-explain.txt").read_text("utf-8")
    asked = re.findall(r"^Query (\S+) ", recorded, flags=re.MULTILINE)
    program = FILES / f"{method}.json"
    told = [run("explain", program), *(run("explain", program, *TABLES, "--query-id", row) for row in asked)]
    assert len(asked) == 2
    assert figures("\n".join(told)) == figures(recorded)


def figures(text):
    """The numbers and hashes in a text, in order."""
    return re.findall(r"[+-]?\b\d[\d.]*\b|sha256:\w+", text)


@pytest.mark.parametrize("method", METHODS)
def test_an_audit_draws_the_sample_on_record(method, tmp_path):
    sheet, design = tmp_path / "sheet.csv", tmp_path / "design.json"
    joined = [FILES / f"{method}-matches.csv", "--unmatched", FILES / f"{method}-unmatched.csv"]
    drawn = ["-o", sheet, "--design-out", design, "--from-matches", "20", "--from-near-misses", "8"]
    run("audit", "draw", FILES / f"{method}.json", *TABLES, *joined, *drawn)
    assert sheet.read_bytes() == (FILES / f"{method}-sheet.csv").read_bytes()
    found, recorded = (
        json.loads(file.read_text("utf-8"))["design"] for file in (design, FILES / f"{method}-design.json")
    )
    assert found["program_id"] == recorded["program_id"]
    assert found["matches"] == recorded["matches"]
    assert found["precision_estimate"] == pytest.approx(recorded["precision_estimate"])
