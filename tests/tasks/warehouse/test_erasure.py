"""A person's values go; that they were there and went stays."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import FuzzyJoinError
from tasks.ingestion import content_hash, snapshot_path
from tasks.warehouse import connection as connection_module
from tasks.warehouse import schema
from tasks.warehouse.audit import why
from tasks.warehouse.connection import reading, warehouse_engine
from tasks.warehouse.erasure import ERASED, Erasure, Subject, erase
from tasks.warehouse.errors import LockHeldError, WarehouseError
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.migrations import migrate_up
from tests.tasks.warehouse.cases import day, found, match_rows, prepare, program, rows, write
from tests.tasks.warehouse.people import QUERY, REFERENCE, USING, run

TYPED_ANEW = QUERY.assign(name=["Grace Hopper jr", "Ada Lovelace Byron", "Donald Knuth"])


@pytest.fixture
def filled(warehouse, tmp_path):
    """Two runs: q1 was typed anew in between, so that it has a history."""
    prepare(warehouse)
    run(warehouse, tmp_path)
    assert run(warehouse, tmp_path, "two", query=TYPED_ANEW, at=day(1)).opened == 1
    return warehouse


def remove(engine, folder, side, row_id, **changed):
    given = {"by": "ada", "reason": "she asked", "at": day(2)} | changed
    return erase(engine, "malls", Subject(side, row_id), folder, **given)


def texts(engine, side):
    return [(row[f"{side}_id"], row[f"{side}_text"]) for row in match_rows(engine)]


def test_a_query_row_is_erased_with_its_history_and_snapshots(filled, tmp_path):
    before = match_rows(filled)

    done = remove(filled, tmp_path, "query", "q1")

    names = tuple(sorted(map(content_hash, (QUERY, TYPED_ANEW))))
    assert done == Erasure(Subject("query", "q1"), 2, names, ((USING.program_id, "ada/grace"),))
    assert texts(filled, "query") == [("q1", ERASED), ("q1", ERASED), ("q2", "Ada Lovelace Byron")]
    assert [path.name for path in tmp_path.glob("*.parquet")] == [snapshot_path("", content_hash(REFERENCE)).name]
    kept = [{name: value for name, value in row.items() if name != "query_text"} for row in match_rows(filled)]
    assert kept == [{name: value for name, value in row.items() if name != "query_text"} for row in before]
    assert {row["query_id"] for row in rows(filled, schema.query_rows)} == {"q2", "q3"}


def test_that_it_was_done_is_on_record(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    remove(filled, tmp_path, "reference", "r2", at=day(3))
    first, second = rows(filled, schema.erasures, schema.erasures.c.number)
    assert (first["number"], first["query_id"], first["reference_id"]) == (1, "q1", None)
    assert (first["erased_by"], first["reason"], first["erased_at"]) == ("ada", "she asked", day(2))
    assert (first["matches_redacted"], first["snapshots_deleted"]) == (2, 2)
    assert content_hash(QUERY) in first["snapshots"]
    assert (second["number"], second["query_id"], second["reference_id"]) == (2, None, "r2")


def test_a_reference_row_is_erased_from_its_matches_only(filled, tmp_path):
    done = remove(filled, tmp_path, "reference", "r2")
    assert (done.matches_redacted, done.snapshots) == (1, (content_hash(REFERENCE),))
    assert texts(filled, "reference") == [("r1", "Grace Hopper"), ("r1", "Grace Hopper"), ("r2", ERASED)]
    assert len(rows(filled, schema.query_rows)) == 3


def test_an_unmatched_row_is_erased_from_the_snapshots(filled, tmp_path):
    done = remove(filled, tmp_path, "query", "q3")
    assert (done.matches_redacted, len(done.snapshots), done.rules) == (1, 2, ())


def test_the_audit_trail_still_answers(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    with reading(filled) as connection:
        words = why(connection, "malls", "q1", at=day(0)).in_words()
    assert "Query q1 ([erased]) was joined to reference r1 (Grace Hopper)" in words
    assert "hopper jr" not in words.lower()


def test_what_is_left_is_told(filled, tmp_path):
    words = remove(filled, tmp_path, "query", "q1").in_words()
    assert "query q1: 2 match rows redacted, 2 snapshots deleted." in words
    assert f"Program {USING.program_id} still has the negative rule ada/grace" in words
    assert "east/west" not in words
    assert "Remove the row from the source as well" in words


def test_the_text_is_not_left_in_the_free_space_of_a_file(warehouse, tmp_path):
    if warehouse.dialect.name != "sqlite":
        pytest.skip("only SQLite's file is rewritten")

    @sa.event.listens_for(warehouse, "connect")
    def keep_free_space(connection, _record):
        # Some builds of SQLite overwrite what they delete, and most do not.
        connection.execute("PRAGMA secure_delete = OFF")

    warehouse.dispose()
    prepare(warehouse)
    # Closed matches grow, and are moved to other pages: their text stays where they were.
    for number in range(3):
        write(warehouse, f"run{number}", *found(300), at=day(number), using=program((number + 1) / 10))

    def bytes_of_the_warehouse():
        return b"".join(path.read_bytes() for path in tmp_path.glob("warehouse.db*"))

    typed = "Café “7”".encode()
    assert typed in bytes_of_the_warehouse()
    remove(warehouse, tmp_path, "query", "q7", at=day(4))
    assert typed not in bytes_of_the_warehouse()


def test_a_reader_that_keeps_the_old_text_in_the_file_is_told_of(database_url, tmp_path, monkeypatch):
    if not database_url.startswith("sqlite"):
        pytest.skip("only SQLite's file is rewritten")
    monkeypatch.setattr(connection_module, "LOCK_WAIT_MILLISECONDS", 10)
    engine = warehouse_engine(database_url)
    migrate_up(engine)
    prepare(engine)
    run(engine, tmp_path)
    with reading(engine) as connection:
        connection.execute(sa.select(schema.matches)).all()
        with pytest.raises(WarehouseError, match=r"erased and that is on record, but .+ \(others read it\)"):
            remove(engine, tmp_path, "query", "q1")
    assert len(rows(engine, schema.erasures)) == 1
    engine.dispose()


def test_other_pipelines_keep_their_texts(filled, tmp_path):
    prepare(filled, pipeline="towns")
    write(filled, "other", *found(3), pipeline="towns", at=day(1))
    remove(filled, tmp_path, "query", "q1")
    assert len([row for row in match_rows(filled) if row["query_text"] == ERASED]) == 2


@pytest.mark.parametrize(
    ("row_id", "changed", "message"),
    [
        ("q9", {}, "query q9 of 'malls' has no values in matches or snapshots; check the id"),
        ("", {}, "query_id is empty"),
        ("q1", {"by": ""}, "by is empty"),
        ("q1", {"reason": ""}, "reason is empty"),
    ],
)
def test_a_wrong_call_changes_nothing(filled, tmp_path, row_id, changed, message):
    before = match_rows(filled)
    with pytest.raises(WarehouseError, match=message):
        remove(filled, tmp_path, "query", row_id, **changed)
    assert match_rows(filled) == before
    assert rows(filled, schema.erasures) == []


def test_a_second_erasure_has_nothing_to_do(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    with pytest.raises(WarehouseError, match="has no values"):
        remove(filled, tmp_path, "query", "q1")


def test_an_erasure_waits_for_the_run_of_the_pipeline(filled, tmp_path):
    with (
        pipeline_lock(filled, "malls", run_id="three", timeout_seconds=0),
        pytest.raises(LockHeldError, match="locked by run three"),
    ):
        remove(filled, tmp_path, "query", "q1", timeout_seconds=0)


def test_a_snapshot_that_cannot_be_deleted_leaves_no_record(filled, tmp_path, monkeypatch):
    def refuse(_path, **_options):
        raise PermissionError(13, "Permission denied")

    before = match_rows(filled)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(FuzzyJoinError, match=r"cannot be deleted .+ nothing is recorded"):
        remove(filled, tmp_path, "query", "q1")
    assert match_rows(filled) == before
    assert rows(filled, schema.erasures) == []
