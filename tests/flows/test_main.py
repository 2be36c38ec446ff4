"""`python -m flows`: what is wrong with a call or a file of parameters is said in one line, before anything starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.__main__ import main
from tests.flows.cases import CHECKOUT
from tests.prefect_server import wait_for

TABLES = """
tables:
  reference: {kind: file, path: reference.csv}
  query: {kind: file, path: query.csv}
  compare: [name]
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("pipeline: [malls", "cannot be read as YAML"),
        ("- malls", "holds no parameters; write one a line"),
        ("", "holds no parameters; write one a line"),
        ("pipeline: malls", "tables: Field required; match_tables has pipeline, tables"),
        (f"pipeline: malls\ntable: none{TABLES}", "table: Extra inputs are not permitted"),
        (f"pipeline: two words{TABLES}", "pipeline: String should match pattern"),
        (
            f"pipeline: malls{TABLES}search: {{precision_target: 2}}",
            "search.precision_target: Input should be less than 1",
        ),
        (
            f"pipeline: malls{TABLES}privacy: {{show: [name]}}",
            "privacy: there is no setting 'show'; write shown_columns (there are: shown_columns, evidence)",
        ),
        (
            TABLES.replace("{kind: file, path: reference.csv}", "{kind: table, table: towns, schema: geo}")
            + "pipeline: malls",
            "tables.reference.table: there is no setting 'schema'; write schema_name (there are: ",
        ),
        (
            "pipeline: malls\ntables: {reference: {path: a.csv}}",
            "tables.reference: Unable to extract tag using discriminator 'kind'",
        ),
    ],
)
def test_a_wrong_file_of_parameters_is_refused_in_one_line(tmp_path, capsys, content, message):
    path = tmp_path / "parameters.yaml"
    path.write_text(content, encoding="utf-8")
    assert main(["match_tables", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"error: {path}")
    assert message in said.err


def test_a_file_that_is_not_there_is_said(tmp_path, capsys):
    assert main(["match_tables", str(tmp_path / "none.yaml")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_an_unknown_flow_is_refused_and_one_like_it_named(capsys):
    assert main(["match_table", "parameters.yaml"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Did you mean 'match_tables'?" in said


def test_the_help_names_every_flow_that_parameters_start(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in ("match_tables", "learn_program", "apply_program", "sync_warehouse"))


@pytest.fixture
def command(pipeline, server, tmp_path):
    """The command that does a job of the pipeline, and its environment."""

    def of(flow):
        job = pipeline.job(flow)
        path = tmp_path / "parameters.yaml"
        path.write_text(yaml.safe_dump(job["parameters"]), encoding="utf-8")
        environment = {**server.environment, **job["environment"]}
        return [sys.executable, "-m", "flows", flow, str(path)], {"cwd": CHECKOUT, "env": environment}

    return of


@pytest.mark.slow
def test_a_run_whose_readers_have_gone_goes_on_to_its_end(pipeline, command):
    reader, writer = os.pipe()
    os.close(reader)
    arguments, options = command("match_tables")
    done = subprocess.run(arguments, **options, stdout=writer, stderr=writer, check=False)
    os.close(writer)
    (run,) = pipeline.runs()
    assert (run["status"], done.returncode) == ("succeeded", 141)


@pytest.mark.slow
def test_an_interrupted_run_ends_with_130_and_without_a_traceback(pipeline, command, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments, options = command("match_tables")
    with Path(tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(arguments, **options, stdout=log, stderr=log)
        wait_for("the first task", lambda: "ingest query" in (tmp_path / "log").read_text(), timeout=240)
        process.send_signal(signal.SIGINT)
        # Of an import that was cut off Python makes the signal itself, which a shell reports as 130 as well.
        assert process.wait(120) in {130, -signal.SIGINT}
        said = (tmp_path / "log").read_text()
    signal.signal(signal.SIGINT, before)
    assert "Traceback" not in said
    assert said.endswith("interrupted; run it again: what is finished is kept\n")
    (run,) = pipeline.runs()
    assert (run["status"], run["failure"]) == ("failed", "interrupted at the keyboard"), said
