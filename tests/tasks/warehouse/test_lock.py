"""Two runs of a pipeline do not interleave, and a killed one leaves nothing half-written."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.connection import warehouse_engine
from tasks.warehouse.errors import LockHeldError, WarehouseError
from tasks.warehouse.lock import pipeline_lock
from tests.tasks.warehouse.cases import match_rows, prepare, rows
from tests.tasks.warehouse.worker import STOPS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def prepared(warehouse):
    prepare(warehouse)
    return warehouse


def worker(engine, *arguments):
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.tasks.warehouse.worker", url, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(process, code=0):
    _, errors = process.communicate(timeout=200)
    assert process.returncode == code, errors


def test_the_second_run_learns_who_holds_the_lock(prepared):
    with (
        pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0),
        pytest.raises(
            LockHeldError, match=r"pipeline 'malls' is locked by run one \(.+\), after waiting 0.2 s; let it"
        ),
        pipeline_lock(prepared, "malls", run_id="two", timeout_seconds=0.2),
    ):
        pass


def test_the_second_run_waits_for_the_first(prepared):
    order = []
    held = threading.Event()

    def first():
        with pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0):
            held.set()
            order.append("one in")
            threading.Event().wait(0.3)
            order.append("one out")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with pipeline_lock(prepared, "malls", run_id="two", timeout_seconds=30):
        order.append("two in")
    thread.join()
    assert order == ["one in", "one out", "two in"]


def test_the_lock_is_handed_over_before_the_server_sees_the_session_close(prepared, monkeypatch):
    monkeypatch.setattr(sa.engine.Connection, "invalidate", lambda _session: None)
    with pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0):
        pass
    other = warehouse_engine(prepared.url)
    with pipeline_lock(other, "malls", run_id="two", timeout_seconds=0):
        pass
    other.dispose()


def test_the_lock_is_free_after_an_error(prepared):
    with pytest.raises(ZeroDivisionError), pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0):
        raise ZeroDivisionError
    with pipeline_lock(prepared, "malls", run_id="two", timeout_seconds=0):
        pass


def test_a_link_to_the_database_leads_to_the_same_lock(prepared, tmp_path):
    if prepared.dialect.name == "postgresql":
        pytest.skip("PostgreSQL is no file")
    (tmp_path / "link.db").symlink_to(tmp_path / "warehouse.db")
    linked = warehouse_engine(f"{prepared.dialect.name}:///{tmp_path}/link.db")
    with (
        pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0),
        pytest.raises(LockHeldError, match="locked by run one"),
        pipeline_lock(linked, "malls", run_id="two", timeout_seconds=0),
    ):
        pass


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_a_folder_that_is_not_there_is_named(dialect, tmp_path):
    engine = warehouse_engine(f"{dialect}:///{tmp_path}/none/warehouse.db")
    with (
        pytest.raises(WarehouseError, match=r"the lock file .+ cannot be opened .+ make its folder"),
        pipeline_lock(engine, "malls", run_id="one", timeout_seconds=0),
    ):
        pass


def test_pipelines_do_not_wait_for_each_other_unless_the_database_makes_them(prepared):
    with pipeline_lock(prepared, "malls", run_id="one", timeout_seconds=0):
        if prepared.dialect.name == "duckdb":
            with (
                pytest.raises(LockHeldError, match="pipeline 'towns' is locked by run one"),
                pipeline_lock(prepared, "towns", run_id="two", timeout_seconds=0),
            ):
                pass
            return
        with pipeline_lock(prepared, "towns", run_id="two", timeout_seconds=0):
            pass


@pytest.mark.slow
@pytest.mark.parametrize("stop", STOPS)
def test_a_killed_run_leaves_its_record_and_nothing_half_written(prepared, stop):
    finish(worker(prepared, "one", 0, 30))
    before, held = match_rows(prepared), rows(prepared, schema.query_rows, schema.query_rows.c.query_id)

    finish(worker(prepared, "two", 1, 60, stop), code=-signal.SIGKILL)

    written = match_rows(prepared)
    assert (written != before) == (stop == "committed")
    assert (rows(prepared, schema.query_rows, schema.query_rows.c.query_id) != held) == (stop == "committed")
    statuses = {row["run_id"]: row["status"] for row in rows(prepared, schema.runs)}
    reached = {"locked": None, "committed": "succeeded"}.get(stop, "running")
    assert statuses.get("two") == reached

    finish(worker(prepared, "three", 2, 60))

    statuses = {row["run_id"]: row["status"] for row in rows(prepared, schema.runs)}
    assert statuses.pop("two", None) == {"locked": None, "committed": "succeeded"}.get(stop, "died")
    assert statuses == {"one": "succeeded", "three": "succeeded"}
    last = "two" if stop == "committed" else "three"
    current = {row["query_id"]: row["opened_by_run"] for row in match_rows(prepared) if row["valid_to"] is None}
    assert current == {f"q{row}": last for row in range(60) if row % 3 != 2}
    assert len(rows(prepared, schema.programs)) == 2
    changed_by = {row["query_id"]: row["changed_by_run"] for row in rows(prepared, schema.query_rows)}
    assert (len(changed_by), changed_by["q0"], changed_by["q1"], changed_by["q59"]) == (60, "three", "one", last)


@pytest.mark.slow
def test_twenty_runs_at_once_do_not_interleave(prepared):
    for first in range(0, 20, 4):
        finish_all([worker(prepared, f"run{number}", 0, 30 + number % 2 * 30) for number in range(first, first + 4)])

    runs = rows(prepared, schema.runs)
    assert Counter(row["status"] for row in runs) == {"succeeded": 20}
    # Every span is closed by the run that opened the next one of its row, and each run wrote wholly.
    written = match_rows(prepared)
    opened, closed = (Counter(row[name] for row in written) for name in ("opened_by_run", "closed_by_run"))
    assert {row["run_id"]: row["matches_opened"] for row in runs} == {
        row["run_id"]: opened[row["run_id"]] for row in runs
    }
    assert {row["run_id"]: row["matches_closed"] for row in runs} == {
        row["run_id"]: closed[row["run_id"]] for row in runs
    }
    current = Counter(row["query_id"] for row in written if row["valid_to"] is None)
    assert set(current.values()) == {1}
    assert len(current) in {20, 40}
    assert len({row["program_id"] for row in written if row["valid_to"] is None}) == 1


def finish_all(processes):
    for process in processes:
        finish(process)
