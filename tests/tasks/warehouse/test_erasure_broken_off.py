"""An erasure that is broken off, or kept from finishing, is finished by the same command; no value is left anywhere."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.warehouse import connection as connection_module
from tasks.warehouse import schema
from tasks.warehouse.__main__ import main
from tests.tasks.warehouse.cases import day, match_rows, prepare, rows
from tests.tasks.warehouse.eraser import PLACES
from tests.tasks.warehouse.people import QUERY, run

ROOT = Path(__file__).parents[3]
ERASE = ["erase", "malls", "--query-id", "q1", "--by", "ada", "--reason", "she asked"]
NAME = b"grace hopper jr"
READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
print(connection.execute("SELECT count(*) FROM fuzzyjoin_matches").fetchone()[0], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def storage(warehouse, tmp_path, monkeypatch):
    """The pipeline's folder: two snapshots with the name in them, and saved work of every kind."""
    folder = tmp_path / "storage"
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", warehouse.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(folder))
    prepare(warehouse)
    for number, note in enumerate(("x", "other")):
        query = QUERY.assign(name=["grace hopper jr", *QUERY["name"][1:]], note=note)
        run(warehouse, folder / "snapshots", f"run{number}", query=query, at=day(number))
    for place in ("results/a", "matches/b", "partitions/c", "indexes/of/d", "parts/e", "pairs/f"):
        path = folder / place
        path.parent.mkdir(parents=True)
        path.write_bytes(NAME)
    # DuckDB lets one process at a time open its file.
    warehouse.dispose()
    return folder


def require_nothing_left(engine, storage):
    saved = [
        path
        for kind in ("results", "matches", "partitions", "pairs", "indexes", "parts")
        for path in storage.glob(f"{kind}/*")
    ]
    assert saved == []
    for path in storage.rglob("*"):
        assert path.is_dir() or NAME not in path.read_bytes(), path
    assert {row["query_text"] for row in match_rows(engine) if row["query_id"] == "q1"} == {"[erased]"}
    assert "q1" not in {row["query_id"] for row in rows(engine, schema.query_rows)}
    assert len(rows(engine, schema.erasures)) == 1
    if engine.dialect.name == "sqlite":
        files = Path(engine.url.database).parent.glob("warehouse.db*")
        assert NAME not in b"".join(path.read_bytes() for path in files)


def erased(*stop):
    return subprocess.run(
        [sys.executable, "-m", "tests.tasks.warehouse.eraser", *stop],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_a_process_killed_anywhere_is_finished_by_the_same_command(warehouse, storage, place):
    assert erased(place).returncode == -signal.SIGKILL
    finished = erased()
    assert finished.returncode == 0, finished.stderr
    require_nothing_left(warehouse, storage)
    assert ("Erased before by ada" in finished.stdout) == (place in {"committed", "done"})


@contextmanager
def reader(database):
    """Another process that holds the SQLite file, as an open viewer does."""
    command = [sys.executable, "-c", READER, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert int(process.stdout.readline()) > 0
        yield
        process.stdin.close()


def test_while_another_process_reads_the_file_all_else_goes_and_again_finishes(warehouse, storage, monkeypatch, capsys):
    if warehouse.dialect.name != "sqlite":
        pytest.skip("only SQLite's file is rewritten")
    monkeypatch.setattr(connection_module, "LOCK_WAIT_MILLISECONDS", 10)
    with reader(warehouse.url.database):
        assert main(ERASE) == 1
        told = capsys.readouterr().err
        assert "the file still holds them in its free space (others read it); erase again while nobody uses" in told
        assert list((storage / "indexes").iterdir()) == list((storage / "results").iterdir()) == []
        assert list((storage / "snapshots").iterdir()) != []
        assert main(ERASE) == 1
        assert capsys.readouterr().err == told
    assert main(ERASE) == 0
    assert "query q1: 0 rows redacted, 0 snapshots deleted.\n" in capsys.readouterr().out
    require_nothing_left(warehouse, storage)


def test_a_writer_that_holds_the_file_keeps_it_from_being_recorded_and_again_finishes(
    warehouse, storage, monkeypatch, capsys
):
    if warehouse.dialect.name != "sqlite":
        pytest.skip("the others lock rows")
    monkeypatch.setattr(connection_module, "LOCK_WAIT_MILLISECONDS", 10)
    held = sa.create_engine(warehouse.url)
    with held.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        assert main(ERASE) == 1
        assert "database is locked" in capsys.readouterr().err
    held.dispose()
    assert rows(warehouse, schema.erasures) == []
    assert main(ERASE) == 0
    require_nothing_left(warehouse, storage)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may delete anything")
@pytest.mark.parametrize("kind", ["snapshots", "indexes"])
def test_a_folder_that_nothing_can_be_deleted_from_is_named_and_again_finishes(warehouse, storage, kind, capsys):
    folder = storage / kind
    folder.chmod(0o500)
    assert main(ERASE) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"{folder}/" in told
    assert "cannot be deleted (Permission denied)" in told
    assert "nothing is recorded" in told
    assert rows(warehouse, schema.erasures) == []
    warehouse.dispose()
    folder.chmod(0o700)
    assert main(ERASE) == 0
    require_nothing_left(warehouse, storage)
