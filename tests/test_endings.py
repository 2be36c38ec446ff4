"""A command that is stopped ends quietly: at Ctrl-C from the start on, and where its reader has gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A command, and a module that it imports before it does anything.
COMMANDS = {
    "fuzzyjoin": (["fuzzyjoin", "--help"], "typer"),
    "tasks.warehouse": (["tasks.warehouse", "migrate"], "sqlalchemy"),
    "flows": (["flows", "match_tables", "none.yaml"], "prefect"),
}


@pytest.fixture
def heeded_interrupt():
    """Child processes heed SIGINT even where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def environment(tmp_path):
    own = {"FUZZYJOIN_WAREHOUSE_URL": f"sqlite:///{tmp_path}/warehouse.db", "PREFECT_HOME": str(tmp_path / "prefect")}
    return {**os.environ, **own, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


@pytest.mark.usefixtures("heeded_interrupt")
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_while_imports_run_ends_with_130_and_without_a_word(command, environment, tmp_path):
    arguments, imported = COMMANDS[command]
    # In the place of the real module, one whose import takes long.
    stub = "import sys, time\nprint('importing', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n"
    (tmp_path / f"{imported}.py").write_text(stub)
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert (process.returncode, said) == (130, "")


@pytest.mark.usefixtures("heeded_interrupt")
def test_an_interrupted_command_of_the_warehouse_says_so_in_one_line(environment, tmp_path):
    stub = "import os, signal\ndef migrate_up(engine):\n    os.kill(os.getpid(), signal.SIGINT)\n    input()\n"
    (tmp_path / "stub.py").write_text(stub)
    code = "import stub, tasks.warehouse.cli.orders as orders\norders.migrate_up = stub.migrate_up\n"
    code += "from fuzzyjoin.endings import run_main\nrun_main('tasks.warehouse.cli')"
    done = subprocess.run(
        [sys.executable, "-c", code, "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        130,
        "",
        "error: interrupted; what was not yet committed is undone\n",
    )


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", ["fuzzyjoin", "tasks.warehouse"])
def test_a_closed_pipe_ends_a_command_without_a_word(command, buffered, environment):
    done = to_nobody(COMMANDS[command][0], environment | {"PYTHONUNBUFFERED": "" if buffered else "1"})
    assert (done.returncode, done.stderr) == (141, "")


def test_an_error_is_told_although_nobody_reads_the_output(environment):
    done = to_nobody(["tasks.warehouse", "runs", "malls"], environment)
    assert done.returncode == 1
    assert "is it migrated?" in done.stderr
    done = to_nobody(["fuzzyjoin", "explain", "none.json"], environment)
    assert done.returncode == 2
    assert done.stderr.startswith("error: none.json")


def to_nobody(arguments, environment):
    """What came of a command whose output has lost its reader before it began."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            env=environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
