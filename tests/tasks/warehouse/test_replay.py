"""A run is done again from its snapshots, and what differs is told."""

import pytest

from fuzzyjoin import Program
from fuzzyjoin.errors import DataError, FuzzyJoinError
from tasks.ingestion import content_hash, snapshot_path, write_snapshot
from tasks.warehouse.erasure import Subject, erase
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.replay import replay
from tasks.warehouse.runs import record_failure
from tests.tasks.warehouse.cases import begin, day, found, match_rows, prepare, write
from tests.tasks.warehouse.people import QUERY, REFERENCE, USING, run


@pytest.fixture
def filled(warehouse, tmp_path):
    prepare(warehouse)
    assert run(warehouse, tmp_path).opened == 2
    return warehouse


def again(engine, folder, run_id="one"):
    return replay(engine, run_id, folder, code_now="abc123")


def test_an_unbroken_run_comes_out_the_same(filled, tmp_path):
    before = match_rows(filled)
    done = again(filled, tmp_path)
    assert (done.compared, done.same, done.differences) == (3, 3, ())
    assert (done.code_then, done.code_now, done.versions) == ("abc123", "abc123", ())
    assert done.in_words() == (
        "Run one done again: 3 of 3 query rows are decided as they were.\nCode abc123 then, the same now."
    )
    assert match_rows(filled) == before


def test_a_later_run_does_not_disturb_the_replay_of_an_earlier_one(filled, tmp_path):
    other = QUERY.assign(name=["Alan Mathison Turing", "Ada Lovelace", "Edsger Dijkstra"])
    run(filled, tmp_path, "two", query=other, at=day(1), using=USING)
    assert again(filled, tmp_path).same == 3
    assert again(filled, tmp_path, "two").same == 3


def test_what_differs_is_told(warehouse, tmp_path):
    prepare(warehouse)
    run(warehouse, tmp_path, reference_id=["r3", "r2"], distance=[0.0, 0.9])
    done = again(warehouse, tmp_path)
    assert (done.compared, done.same) == (3, 1)
    first, second = (difference.in_words() for difference in done.differences)
    assert first == "q1: joined to r3 then, joined to r1 now"
    assert second.startswith("q2: distance 0.9 then, 0.")


def test_a_match_more_or_less_differs(filled, tmp_path):
    # The second run recorded a query table with one more row to join, and another that it joined.
    query = QUERY.assign(name=["grace hopper", "Barbara Liskov", "Alan Mathison Turing"])
    run(filled, tmp_path, "two", at=day(1))
    empty = USING.apply(REFERENCE, query, id=("code", "id")).matches[:0]
    unmatched = found(0)[1]
    names = {
        "reference": write_snapshot(REFERENCE, tmp_path).content_hash,
        "query": write_snapshot(query, tmp_path).content_hash,
    }
    parameters = {"tables": {"reference_id": "code"}}
    write(
        filled,
        "three",
        empty,
        unmatched,
        at=day(2),
        covers="changes",
        gone=["q1"],
        using=USING,
        parameters=parameters,
        **names,
    )
    assert [difference.in_words() for difference in again(filled, tmp_path, "three").differences] == [
        "q1: unmatched then, joined to r1 now",
        "q2: joined to r2 then, unmatched now",
        "q3: unmatched then, joined to r3 now",
    ]


def test_other_versions_are_told(warehouse, tmp_path):
    prepare(warehouse)
    learned = USING.model_dump()
    learned["learning_record"]["versions"] |= {"numpy": "1.0", "no-such-part": "2"}
    run(warehouse, tmp_path, using=Program.model_validate(learned))
    done = replay(warehouse, "one", tmp_path, code_now="def456")
    assert [(name, then) for name, then, _ in done.versions] == [("no-such-part", "2"), ("numpy", "1.0")]
    assert done.versions[0][2] is None
    assert "Code abc123 then, def456 now.\nno-such-part 2 when the program was learned, none now" in done.in_words()


@pytest.mark.parametrize("table", [REFERENCE, QUERY], ids=["reference", "query"])
def test_a_snapshot_that_is_gone_is_named(filled, tmp_path, table):
    snapshot_path(tmp_path, content_hash(table)).unlink()
    with pytest.raises(DataError, match=rf"the snapshot {content_hash(table)} .+ is gone") as caught:
        again(filled, tmp_path)
    assert caught.value.exit_code == 1


def test_an_erased_snapshot_is_told_from_one_that_is_gone(filled, tmp_path):
    erase(filled, "malls", Subject("query", "q2"), tmp_path, by="ada", reason="she asked", at=day(1))
    with pytest.raises(WarehouseError, match=r"of the query table was erased by ada on 2026-03-02.+ \(she asked\)"):
        again(filled, tmp_path)


def test_an_erased_text_does_not_make_a_match_differ(filled, tmp_path):
    kept = snapshot_path(tmp_path, content_hash(REFERENCE)).read_bytes()
    erase(filled, "malls", Subject("reference", "r1"), tmp_path, by="ada", reason="she asked", at=day(1))
    snapshot_path(tmp_path, content_hash(REFERENCE)).write_bytes(kept)
    assert again(filled, tmp_path).same == 3


def test_a_run_without_matches_or_snapshots_is_refused(filled, tmp_path):
    begin(filled, "broken", at=day(1))
    record_failure(filled, "broken", "no space left", at=day(1))
    write(filled, "bare", *found(3), at=day(2))
    for run_id, message in (
        ("broken", "run 'broken' is failed and wrote no matches"),
        ("none", "run 'none' does not exist"),
        ("bare", r"recorded no snapshot of its reference table \(but sha256:r1\)"),
    ):
        with pytest.raises(FuzzyJoinError, match=message):
            again(filled, tmp_path, run_id)
