"""Why a row was not joined is on record, opened and closed like matches, on every database."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse import unmatched as unmatched_module
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.erasure import ERASED, Subject, erase
from tasks.warehouse.query_rows import changed_rows
from tasks.warehouse.steadiness import UNMATCHED_EXACT, UNMATCHED_FIGURES
from tests.tasks.warehouse.cases import day, found, hashes, match_rows, prepare, program, rows, write

MATCHES, BARE = found(60)
IDS = list(BARE["query_id"])


def left_out(ids=IDS, **changed):
    """The frame of a JoinResult: every second row has a candidate."""
    place = np.arange(len(ids))
    near = place % 2 == 0
    frame = pd.DataFrame(
        {
            "query_id": ids,
            "reason": np.where(near, "too unsure", "no candidate").astype(object),
            "best_reference_id": np.where(near, [f"r{row}" for row in place], None),
            "best_distance": np.where(near, 0.6 + place / 1000, np.nan),
            "best_threshold": np.where(near, 0.55, np.nan),
            "best_probability": np.where(near, 0.4 - place / 1000, np.nan),
            "best_configuration": pd.arrays.IntegerArray(np.zeros(len(ids), np.int64), ~near),
            "query_text": [f"typed {query_id}" for query_id in ids],
            "best_reference_text": np.where(near, [f"Listed {row}" for row in place], None),
        }
    )
    return frame.assign(**changed)


def stored(engine, *which):
    table = schema.unmatched
    return [
        row
        for row in rows(engine, table, table.c.pipeline, table.c.query_id, table.c.valid_from)
        if not which or row["query_id"] in which
    ]


@pytest.fixture
def filled(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, left_out(), kept=hashes(MATCHES, BARE))
    return warehouse


def test_every_value_is_stored_as_it_was_found(filled):
    expected = left_out().astype(object)
    expected = expected.where(expected.notna(), None).to_dict("records")
    kept = {row["query_id"]: row for row in stored(filled)}
    assert len(kept) == len(expected) == 20
    for row in expected:
        assert {name: kept[row["query_id"]][name] for name in row} == row
    assert {*schema.UNMATCHED_EVIDENCE, "query_id"} == {*expected[0]}
    first = stored(filled)[0]
    assert (first["pipeline"], first["program_id"], first["opened_by_run"]) == ("malls", program().program_id, "one")
    assert (first["valid_from"], first["valid_to"], first["closed_by_run"]) == (day(0), None, None)


@pytest.mark.parametrize("covers", ["all", "changes", "part"])
def test_a_rerun_on_the_same_inputs_changes_no_row(filled, covers):
    before = stored(filled)
    write(filled, "two", MATCHES, left_out(), at=day(1), covers=covers)
    assert stored(filled) == before


def test_every_value_is_compared():
    assert {*UNMATCHED_EXACT, *UNMATCHED_FIGURES} == {*schema.UNMATCHED_EVIDENCE}


@pytest.mark.parametrize("name", schema.UNMATCHED_EVIDENCE)
def test_a_row_that_says_something_else_is_closed_and_opened_anew(filled, name):
    frame = left_out()
    nudged = {"best_configuration": 1, "best_threshold": 0.56}.get(name, "other")
    frame.loc[0, name] = frame.loc[0, name] + 0.02 if name in UNMATCHED_FIGURES else nudged
    others = stored(filled, *IDS[1:])

    write(filled, "two", MATCHES, frame, at=day(1))

    old, new = stored(filled, IDS[0])
    assert (old["valid_to"], old["closed_by_run"], old["closed_because"]) == (day(1), "two", "looked at again")
    assert (new["opened_by_run"], new["valid_from"], new["valid_to"]) == ("two", day(1), None)
    assert new[name] == frame.loc[0, name]
    assert stored(filled, *IDS[1:]) == others


@pytest.mark.parametrize("name", UNMATCHED_FIGURES)
def test_figures_may_move_a_little(filled, name):
    before = stored(filled)
    write(filled, "two", MATCHES, left_out().assign(**{name: left_out()[name] - 0.009}), at=day(1))
    assert stored(filled) == before


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_a_row_that_is_joined_now_is_closed_and_opened_when_its_match_is_lost(filled, covers):
    joined = MATCHES[:1].assign(query_id=IDS[0])
    matches = pd.concat([MATCHES, joined]) if covers == "all" else joined
    rest = left_out()[1:] if covers == "all" else left_out()[:0]

    write(filled, "two", matches, rest, at=day(1), covers=covers)

    (old,) = stored(filled, IDS[0])
    assert (old["valid_to"], old["closed_because"]) == (day(1), "joined")
    assert all(row["valid_to"] is None for row in stored(filled, *IDS[1:]))
    write(filled, "three", MATCHES[:0], left_out()[:1], at=day(2), covers="changes")
    assert [(row["valid_from"], row["valid_to"]) for row in stored(filled, IDS[0])] == [
        (day(0), day(1)),
        (day(2), None),
    ]


def test_rows_that_an_incremental_run_did_not_look_at_stay(filled):
    before = stored(filled)
    write(filled, "two", MATCHES[:0], left_out()[:1], at=day(1), covers="part", using=program(0.4))
    after = stored(filled)
    assert [row for row in after if row["query_id"] != IDS[0]] == [row for row in before if row["query_id"] != IDS[0]]
    assert [row["program_id"] for row in stored(filled, IDS[0])] == [program().program_id, program(0.4).program_id]


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_a_deleted_row_is_closed(filled, covers):
    if covers == "all":
        write(filled, "two", MATCHES, left_out()[1:], at=day(1))
    else:
        write(filled, "two", MATCHES[:0], left_out()[:0], at=day(1), covers="changes", gone=[IDS[0]])
    (old,) = stored(filled, IDS[0])
    assert (old["valid_to"], old["closed_because"]) == (day(1), "query row gone")
    assert sum(row["valid_to"] is None for row in stored(filled)) == 19


def test_a_row_that_was_erased_is_gone_when_its_source_row_is(filled):
    with writing(filled) as connection:
        connection.execute(sa.delete(schema.query_rows).where(schema.query_rows.c.query_id == IDS[0]))
    with reading(filled) as connection:
        changes = changed_rows(connection, "malls", hashes(MATCHES, BARE[1:]), basis="x")
    assert changes.gone == (IDS[0],)


def test_pipelines_do_not_touch_each_other(filled):
    before = stored(filled)
    prepare(filled, pipeline="towns")
    write(filled, "two", MATCHES[:3], left_out()[:0], pipeline="towns", at=day(1))
    assert stored(filled) == before


def test_what_holds_is_a_view(filled):
    write(filled, "two", MATCHES, left_out()[3:], at=day(1))
    with reading(filled) as connection:
        shown = connection.execute(sa.text("SELECT query_id, reason FROM fuzzyjoin_current_unmatched")).all()
    assert sorted(shown) == sorted(zip(IDS[3:], left_out()["reason"][3:], strict=True))


def test_a_row_is_unmatched_once_at_a_time(filled):
    if filled.dialect.name == "duckdb":
        pytest.skip("DuckDB has no partial indexes")
    again = sa.text(
        "INSERT INTO fuzzyjoin_unmatched (pipeline, query_id, reason, program_id, opened_by_run, valid_from) "
        "SELECT pipeline, query_id, reason, program_id, 'two', valid_from FROM fuzzyjoin_unmatched"
    )
    with pytest.raises(sa.exc.IntegrityError), writing(filled) as connection:
        connection.execute(again)


def test_what_a_version_did_not_tell_is_missing(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, BARE)
    assert {row["reason"] for row in stored(warehouse)} == {"too far"}
    assert {row["best_reference_id"] for row in stored(warehouse)} == {None}
    before = stored(warehouse)
    write(warehouse, "two", MATCHES, BARE, at=day(1))
    assert stored(warehouse) == before


@pytest.mark.parametrize(
    ("subject", "column"),
    [(Subject("query", IDS[0]), "query_text"), (Subject("reference", "r0"), "best_reference_text")],
    ids=str,
)
def test_an_erasure_reaches_rows_that_were_not_joined_with_their_history(filled, tmp_path, subject, column):
    write(filled, "two", MATCHES, left_out(reason="other"), at=day(1))
    untouched = [row for row in stored(filled) if row["query_id"] != IDS[0]]
    of_matches = sum(row["reference_id"] == "r0" for row in match_rows(filled)) * (subject.side == "reference")

    done = erase(filled, "malls", subject, tmp_path, by="ada", reason="she asked", at=day(2))

    assert done.matches_redacted == 2 + of_matches
    erased = stored(filled, IDS[0])
    assert [row[column] for row in erased] == [ERASED, ERASED]
    assert {row["reason"] for row in erased} == {"too unsure", "other"}
    assert [row for row in stored(filled) if row["query_id"] != IDS[0]] == untouched


def test_a_run_that_breaks_off_writes_none(filled, monkeypatch):
    before = stored(filled)
    monkeypatch.setattr(unmatched_module, "GONE", object())
    with pytest.raises(sa.exc.SQLAlchemyError):
        write(filled, "two", MATCHES, left_out(reason="other"), at=day(1))
    assert stored(filled) == before
