"""A person's values go; that they were there and went stays."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import DataError, FuzzyJoinError
from tasks.ingestion import content_hash, snapshot_path, write_snapshot
from tasks.warehouse import connection as connection_module
from tasks.warehouse import schema
from tasks.warehouse.audit import why
from tasks.warehouse.connection import reading, warehouse_engine, writing
from tasks.warehouse.erasure import ERASED, EarlierErasure, Erasure, Subject, erase
from tasks.warehouse.errors import LockHeldError, WarehouseError
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.runs import Attempt, start_run
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
    assert done == Erasure(Subject("query", "q1"), 2, names, ((USING.program_id, "ada/grace"),), row_hashes=1)
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


def unmatched_texts(engine):
    table = schema.unmatched
    return [(row["query_text"], row["best_reference_text"]) for row in rows(engine, table, table.c.valid_from)]


def test_an_unmatched_row_is_erased_with_its_snapshots(filled, tmp_path):
    assert [query for query, _ in unmatched_texts(filled)] == ["Donald Knuth"]
    done = remove(filled, tmp_path, "query", "q3")
    assert (done.matches_redacted, len(done.snapshots), done.rules) == (1, 2, ())
    assert [query for query, _ in unmatched_texts(filled)] == [ERASED]


def test_a_reference_row_is_erased_where_it_was_the_best_candidate(filled, tmp_path):
    with writing(filled) as connection:
        connection.execute(
            sa.update(schema.unmatched).values(best_reference_id="r4", best_reference_text="Edsger Wybe Dijkstra")
        )
    assert remove(filled, tmp_path, "reference", "r4").matches_redacted == 1
    assert unmatched_texts(filled) == [("Donald Knuth", ERASED)]


def test_the_audit_trail_still_answers(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    with reading(filled) as connection:
        words = why(connection, "malls", "q1", at=day(0)).in_words()
    assert "Query q1 ([erased]) was joined to reference r1 (Grace Hopper)" in words
    assert "hopper jr" not in words.lower()


def test_what_is_left_is_told(filled, tmp_path):
    words = remove(filled, tmp_path, "query", "q1").in_words()
    assert "query q1: 2 rows redacted, 2 snapshots deleted." in words
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
        for _ in range(2):
            with pytest.raises(WarehouseError, match=r"erased and that is on record, but .+ \(others read it\)"):
                remove(engine, tmp_path, "query", "q1")
    assert remove(engine, tmp_path, "query", "q1").earlier[0].by == "ada"
    assert b"grace hopper" not in b"".join(path.read_bytes() for path in tmp_path.glob("warehouse.db*"))
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
        ("q9", {}, "query q9 of 'malls' has no values in matches or snapshots, now or before; check the id"),
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


def test_a_second_erasure_says_that_there_is_nothing_left_and_who_did_it(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    again = remove(filled, tmp_path, "query", "q1", by="grace", at=day(3))
    assert again == Erasure(
        Subject("query", "q1"), 0, (), (), earlier=(EarlierErasure(by="ada", at=day(2), reason="she asked"),)
    )
    words = again.in_words()
    assert words.startswith("query q1: 0 rows redacted, 0 snapshots deleted.\nErased before by ada on 2026-03-03")
    assert len(rows(filled, schema.erasures)) == 1


def test_what_came_in_again_is_erased_again_and_recorded_again(filled, tmp_path):
    remove(filled, tmp_path, "query", "q1")
    run(filled, tmp_path, "three", at=day(3))
    again = remove(filled, tmp_path, "query", "q1", at=day(4))
    assert again.matches_redacted > 0
    assert again.snapshots == (content_hash(QUERY),)
    assert [row["number"] for row in rows(filled, schema.erasures, schema.erasures.c.number)] == [1, 2]
    assert {text for row_id, text in texts(filled, "query") if row_id == "q1"} == {ERASED}


def test_the_hash_of_an_unmatched_row_whose_snapshots_are_gone_is_removed(filled, tmp_path):
    for path in tmp_path.glob("*.parquet"):
        path.unlink()
    done = remove(filled, tmp_path, "query", "q3")
    assert (done.matches_redacted, done.snapshots, done.row_hashes) == (1, (), 1)
    assert {row["query_id"] for row in rows(filled, schema.query_rows)} == {"q1", "q2"}
    assert len(rows(filled, schema.erasures)) == 1


class TestSavedWork:
    def test_it_goes_first_and_under_the_lock(self, filled, tmp_path):
        order = []

        def delete():
            with pytest.raises(LockHeldError), pipeline_lock(filled, "malls", run_id="x", timeout_seconds=0):
                pass
            order.append([text for _, text in texts(filled, "query")])
            return 3

        done = remove(filled, tmp_path, "query", "q1", delete_saved_work=delete)
        assert order == [["grace hopper", "Grace Hopper jr", "Ada Lovelace Byron"]]
        assert done.saved_work == 3
        assert "was deleted: 3 files and indexes." in done.in_words()

    def test_it_is_deleted_for_an_id_that_was_never_there_as_well(self, filled, tmp_path):
        with pytest.raises(WarehouseError, match="check the id; 4 files and indexes of saved work were deleted"):
            remove(filled, tmp_path, "query", "q9", delete_saved_work=lambda: 4)

    def test_it_stays_where_the_pipeline_is_not_registered(self, filled, tmp_path):
        with pytest.raises(WarehouseError, match="towns"):
            erase(
                filled,
                "towns",
                Subject("query", "q1"),
                tmp_path,
                by="ada",
                reason="she asked",
                at=day(2),
                delete_saved_work=lambda: pytest.fail("deleted"),
            )

    def test_if_it_cannot_be_deleted_nothing_is_recorded_and_again_finishes(self, filled, tmp_path):
        def refuse():
            raise DataError("indexes/x: cannot be deleted (Permission denied); check the permissions")

        before = match_rows(filled)
        with pytest.raises(DataError, match=r"may still be in saved work, and nothing is recorded: indexes/x"):
            remove(filled, tmp_path, "query", "q1", delete_saved_work=refuse)
        assert match_rows(filled) == before
        assert rows(filled, schema.erasures) == []
        assert remove(filled, tmp_path, "query", "q1", delete_saved_work=lambda: 1).matches_redacted == 2


class TestSnapshotsThatNoRunHasOnRecord:
    """A run that is killed between reading its tables and recording them leaves their snapshots behind."""

    @pytest.fixture
    def orphan(self, tmp_path):
        handle = write_snapshot(QUERY.assign(name=["Grace M. Hopper", "x", "y"]), tmp_path)
        os.utime(handle.path, (day(2).timestamp(), day(2).timestamp()))
        return Path(handle.path)

    def start(self, engine, pipeline="malls"):
        attempt = Attempt("killed", pipeline, triggered_by="ada", code_version="0")
        start_run(engine, attempt, at=day(2))

    def test_they_go_where_such_a_run_was_at_work(self, filled, tmp_path, orphan):
        self.start(filled)
        done = remove(filled, tmp_path, "query", "q1", at=day(3))
        assert not orphan.exists()
        assert len(done.snapshots) == 3

    def test_they_stay_without_the_row(self, filled, tmp_path, orphan):
        self.start(filled)
        remove(filled, tmp_path, "reference", "r2", at=day(3))
        assert orphan.exists()

    def test_snapshots_of_another_warehouse_in_the_folder_stay(self, filled, tmp_path, orphan):
        prepare(filled, pipeline="towns")
        self.start(filled, "towns")
        remove(filled, tmp_path, "query", "q1", at=day(3))
        assert orphan.exists()

    def test_half_a_snapshot_goes(self, filled, tmp_path):
        left = tmp_path / ".fuzzyjoin-0a.tmp"
        left.write_text("Grace Hopper")
        remove(filled, tmp_path, "query", "q1")
        assert not left.exists()

    def test_a_snapshot_that_cannot_be_read_is_named_and_nothing_is_recorded(self, filled, tmp_path):
        damaged = snapshot_path(tmp_path, content_hash(QUERY))
        damaged.write_bytes(b"PAR1")
        with pytest.raises(DataError, match=rf"{damaged.name}.+ nothing is recorded: delete it and erase again"):
            remove(filled, tmp_path, "query", "q1")
        assert rows(filled, schema.erasures) == []
        damaged.unlink()
        assert remove(filled, tmp_path, "query", "q1").matches_redacted == 2


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
