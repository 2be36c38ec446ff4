"""The commands answer from a real warehouse."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.warehouse.__main__ import main
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import history, propose
from tasks.warehouse.pipelines import current_program_id
from tests.tasks.warehouse.cases import day, found, prepare, program, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def replaced(warehouse, monkeypatch):
    """Two runs, the second of another program with another match for q1."""
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", warehouse.url.render_as_string(hide_password=False))
    prepare(warehouse)
    matches, unmatched = found(3)
    write(warehouse, "one", matches, unmatched)
    write(warehouse, "two", matches.assign(reference_id=["r0", "new"]), unmatched, at=day(2), using=program(0.4))
    return warehouse


@pytest.mark.usefixtures("replaced")
def test_why_tells_of_a_match_since_replaced(capsys):
    assert main(["why", "malls", "q1", "--at", "2026-03-02"]) == 0
    assert "was joined to reference r1 (Cafe 1)" in capsys.readouterr().out
    assert main(["why", "malls", "q1"]) == 0
    assert "was joined to reference new (Cafe 1)" in capsys.readouterr().out


@pytest.mark.usefixtures("replaced")
def test_why_says_that_there_was_no_match(capsys):
    assert main(["why", "malls", "q1", "--at", "2026-02-01T00:00:00+01:00"]) == 1
    assert "Query q1 of pipeline malls had no match at 2026-02-01T00:00:00+01:00." in capsys.readouterr().out


@pytest.mark.usefixtures("replaced")
def test_changes_lists_them_with_their_causes(capsys):
    assert main(["changes", "one", "two"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "q0: r0 -> r0, changed by: program",
        "q1: r1 -> new, changed by: program",
        "2 changed",
    ]


@pytest.mark.usefixtures("replaced")
def test_diff_tells_two_programs_apart(capsys):
    assert main(["diff", program().program_id, program(0.4).program_id]) == 0
    assert "joins up to 0.4 instead of 0.3" in capsys.readouterr().out
    assert main(["diff", program().program_id, program().program_id]) == 0
    assert capsys.readouterr().out == "They are the same program.\n"


def test_rollback_is_a_decision(replaced, capsys):
    with writing(replaced) as connection:
        for learned in (program(), program(0.4)):
            propose(connection, "malls", learned.program_id, by="learner", at=day(3))
    assert main(["rollback", "malls", program().program_id, "--by", "ada", "--reason", "too lax"]) == 0
    assert "uses program sha256:" in capsys.readouterr().out
    with reading(replaced) as connection:
        assert current_program_id(connection, "malls") == program().program_id
        last = history(connection, "malls")[-1]
    assert (last.kind, last.decided_by, last.reason) == ("rollback", "ada", "too lax")


@pytest.mark.usefixtures("replaced")
def test_an_error_is_one_line(capsys):
    assert main(["changes", "one", "none"]) == 1
    assert capsys.readouterr().err == "run 'none' does not exist; compare runs that succeeded\n"


def test_a_warehouse_without_tables_is_told_how_to_get_them(empty, monkeypatch, capsys):
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", empty.url.render_as_string(hide_password=False))
    assert main(["why", "malls", "q1"]) == 1
    assert "is it migrated? If not: python -m tasks.warehouse migrate" in capsys.readouterr().err


def test_migrate_makes_a_warehouse_from_nothing(tmp_path):
    environment = {"FUZZYJOIN_WAREHOUSE_URL": f"sqlite:///{tmp_path}/new.db", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "tasks.warehouse", "migrate"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == f"sqlite:///{tmp_path}/new.db has the newest tables and views\n"
