"""A warehouse of version 0.1.0 is migrated and answers as before."""

import sqlite3

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.__main__ import main
from tasks.warehouse.connection import reading, warehouse_engine
from tasks.warehouse.migrations import migrate_up
from tests.version_0_1_0 import PIPELINES, warehouse_in

TABLES = (
    "fuzzyjoin_decisions",
    "fuzzyjoin_erasures",
    "fuzzyjoin_labelled_audits",
    "fuzzyjoin_learning_records",
    "fuzzyjoin_matches",
    "fuzzyjoin_pipelines",
    "fuzzyjoin_programs",
    "fuzzyjoin_query_rows",
    "fuzzyjoin_runs",
    "fuzzyjoin_validations",
)


@pytest.fixture
def old(tmp_path):
    return warehouse_in(tmp_path / "old")


@pytest.fixture
def upgraded(old, tmp_path, monkeypatch):
    engine = warehouse_engine(old)
    migrate_up(engine)
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", old)
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "old" / "storage"))
    yield engine
    engine.dispose()


def content(url):
    """Every row of the old tables, by table and column."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.row_factory = sqlite3.Row
        # The names are the tables' own.
        found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in TABLES}  # noqa: S608
    connection.close()
    return found


def test_every_row_is_as_it_was(old):
    before = content(old)
    engine = warehouse_engine(old)
    migrate_up(engine)
    engine.dispose()
    after = content(old)
    assert sum(map(len, before.values())) > 500
    for name, rows in before.items():
        assert [{column: row[column] for column in rows[0]} for row in after[name]] == rows, name


def runs_of(engine, pipeline):
    with reading(engine) as connection:
        chosen = sa.select(schema.runs).where(schema.runs.c.pipeline == pipeline).order_by(schema.runs.c.started_at)
        return [row._asdict() for row in connection.execute(chosen)]


def test_the_commands_answer_for_what_was_joined_before(upgraded, capsys):
    assert main(["why", "malls", "0"]) == 0
    told = capsys.readouterr().out
    assert "was joined to reference 0 (The Galleria (Houston))" in told
    assert main(["why", "reviewed", "3"]) == 0
    assert "[erased]" in capsys.readouterr().out
    for pipeline in PIPELINES:
        for run in runs_of(upgraded, pipeline):
            assert main(["run", run["run_id"]]) == 0
            if run["covers"]:
                assert main(["changes", run["run_id"]]) == 0
        assert main(["history", pipeline]) == 0
        assert main(["runs", pipeline]) == 0
    assert "the maker of the fixture" in capsys.readouterr().out


def test_a_labelled_audit_stays_with_its_run(upgraded, capsys):
    first, _ = runs_of(upgraded, "malls")
    assert main(["run", first["run_id"]]) == 0
    assert "by labels of the maker of the fixture" in capsys.readouterr().out


@pytest.mark.parametrize("place", [0, 1])
def test_runs_of_both_kinds_are_replayed_as_they_were(upgraded, place, capsys):
    run = runs_of(upgraded, "malls")[place]
    main(["replay", run["run_id"]])
    count = (200, 27)[place]
    assert f"{count} of {count} query rows are decided as they were." in capsys.readouterr().out


def test_a_replay_of_an_erased_snapshot_still_says_who_erased_it(upgraded, capsys):
    _, run, _ = runs_of(upgraded, "reviewed")
    assert main(["replay", run["run_id"]]) == 1
    assert "was erased by the maker of the fixture" in capsys.readouterr().err
