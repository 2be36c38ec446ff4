"""Matches get in with their history: the same on every database, and only what changed is touched."""

import math

import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import DataError
from tasks.warehouse import schema
from tasks.warehouse.changes import changed_matches
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import RunEndedError, WarehouseError
from tasks.warehouse.matches import Changes, RunResult, write_matches
from tasks.warehouse.programs import store_program
from tasks.warehouse.steadiness import EXACT, FIGURES
from tests.tasks.warehouse.cases import (
    ESTIMATE,
    begin,
    day,
    found,
    match_rows,
    prepare,
    program,
    rows,
    run_row,
    write,
)


@pytest.fixture
def filled(warehouse):
    prepare(warehouse)
    assert write(warehouse, "one", *found(60)) == Changes(opened=40, closed=0, unchanged=0)
    return warehouse


def test_every_value_is_stored_as_it_was_found(filled):
    expected, _ = found(60)
    stored = {row["query_id"]: row for row in match_rows(filled)}

    assert len(stored) == len(expected)
    for row in expected.to_dict("records"):
        for name, value in row.items():
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            assert stored[row["query_id"]][name] == (None if missing else value), name


def test_a_match_says_who_wrote_it_and_from_when_it_holds(filled):
    row = match_rows(filled)[0]
    assert (row["opened_by_run"], row["program_id"], row["pipeline"]) == ("one", program().program_id, "malls")
    assert (row["valid_from"], row["valid_to"], row["closed_by_run"]) == (day(0), None, None)


def test_the_run_closes_with_its_figures(filled):
    run = run_row(filled, "one")
    assert (run["status"], run["ended_at"], run["program_id"]) == ("succeeded", day(0), program().program_id)
    assert (run["matches_opened"], run["matches_closed"], run["matches_unchanged"]) == (40, 0, 0)
    assert run["query_rows_unmatched"] == 20
    estimate = [run[f"precision_{part}"] for part in ("estimate", "low", "high", "level", "calibrated")]
    assert estimate == [ESTIMATE.value, ESTIMATE.low, ESTIMATE.high, ESTIMATE.level, ESTIMATE.calibrated]


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_a_rerun_on_the_same_inputs_adds_a_run_and_touches_no_match(filled, covers):
    before = match_rows(filled)

    assert write(filled, "two", *found(60), at=day(1), covers=covers) == Changes(opened=0, closed=0, unchanged=40)

    assert match_rows(filled) == before
    assert {row["run_id"]: row["status"] for row in rows(filled, schema.runs)} == {
        "one": "succeeded",
        "two": "succeeded",
    }


def change_ten(matches):
    changed = matches.copy()
    changed.loc[changed.index[:5], "reference_id"] = "other"
    changed.loc[changed.index[5:9], "query_text"] = "typed anew"
    changed.loc[changed.index[9], ["runner_up_id", "runner_up_distance", "margin"]] = [None, math.nan, math.nan]
    assert not changed.iloc[9].equals(matches.iloc[9])
    return changed, list(changed["query_id"][:10])


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_ten_changed_rows_touch_their_matches_only(filled, covers):
    before = match_rows(filled)
    matches, unmatched = found(60)
    changed, ids = change_ten(matches)
    given = changed if covers == "all" else changed[:10]

    figures = write(
        filled,
        "two",
        given,
        unmatched if covers == "all" else unmatched[:0],
        at=day(1),
        covers=covers,
        query="sha256:q2",
    )

    assert figures == Changes(opened=10, closed=10, unchanged=len(given) - 10)
    after = match_rows(filled)
    assert [row for row in after if row["query_id"] not in ids] == [row for row in before if row["query_id"] not in ids]
    touched = [row for row in after if row["query_id"] in ids]
    assert len(touched) == 20
    closed, opened = touched[::2], touched[1::2]
    assert {(row["opened_by_run"], row["closed_by_run"], row["valid_to"], row["closed_because"]) for row in closed} == {
        ("one", "two", day(1), "matched anew")
    }
    assert {(row["opened_by_run"], row["valid_from"], row["valid_to"]) for row in opened} == {("two", day(1), None)}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(("moved", "touched"), [(0.01, 0), (-0.01, 0), (0.0101, 1), (-0.0101, 1), (math.nan, 1)])
def test_figures_may_move_a_little(filled, figure, moved, touched):
    before = match_rows(filled)
    matches, unmatched = found(60)
    changed = matches.copy()
    # q1 has a runner-up.
    changed.loc[changed["query_id"] == "q1", figure] += moved

    assert write(filled, "two", changed, unmatched, at=day(1)) == Changes(touched, touched, 40 - touched)

    assert (match_rows(filled) == before) == (not touched)
    with reading(filled) as connection:
        assert [change.query_id for change in changed_matches(connection, "one", "two")] == ["q1"] * touched


@pytest.mark.parametrize("name", EXACT)
def test_what_a_match_says_may_not_change_at_all(filled, name):
    matches, unmatched = found(60)
    changed = matches.copy()
    nudged = {"configuration": 1, "threshold": 0.300001}.get(name, "other")
    changed.loc[changed["query_id"] == "q1", name] = nudged
    assert write(filled, "two", changed, unmatched, at=day(1)) == Changes(1, 1, 39)
    with reading(filled) as connection:
        assert [change.query_id for change in changed_matches(connection, "one", "two")] == ["q1"]


def test_every_value_of_a_match_is_compared():
    assert {*EXACT, *FIGURES} == {"reference_id", *schema.EVIDENCE}


def test_small_moves_do_not_add_up_unnoticed(filled):
    matches, unmatched = found(60)
    opened = []
    for number in (1, 2, 3):
        moved = matches.assign(distance=matches["distance"] + 0.006 * number)
        opened.append(write(filled, f"run{number}", moved, unmatched, at=day(number)).opened)
    assert opened == [0, 40, 0]


def test_a_match_that_moved_away_and_nearly_back_has_not_changed(filled):
    matches, unmatched = found(60)
    for number, moved in ((1, 0.5), (2, 0.004)):
        write(filled, f"run{number}", matches.assign(distance=matches["distance"] + moved), unmatched, at=day(number))
    with reading(filled) as connection:
        assert changed_matches(connection, "one", "run2") == ()
        assert len(changed_matches(connection, "run1", "run2")) == 40


def test_a_clock_put_back_leaves_no_span_that_ends_before_it_begins(filled):
    assert write(filled, "two", *found(60), at=day(-1), using=program(0.4)) == Changes(40, 40, 0)
    assert run_row(filled, "two")["ended_at"] == day(0)
    assert {(row["valid_from"], row["valid_to"]) for row in match_rows(filled)} == {(day(0), day(0)), (day(0), None)}


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_the_run_says_what_it_covered_and_how_many_matches_hold(filled, covers):
    matches, unmatched = found(60)
    write(filled, "two", matches[:5], unmatched[:0], at=day(1), covers=covers)
    run = run_row(filled, "two")
    assert (run["covers"], run["matches_current"]) == (covers, 5 if covers == "all" else 40)


def test_rows_unmatched_or_gone_close_their_match_with_the_reason(filled):
    matches, unmatched = found(60)
    unmatched.loc[len(unmatched)] = ["q0", "the program joins nothing"]

    figures = write(filled, "two", matches[2:], unmatched, at=day(1))

    assert figures == Changes(opened=0, closed=2, unchanged=38)
    closed = {row["query_id"]: row["closed_because"] for row in match_rows(filled) if row["valid_to"]}
    assert closed == {"q0": "unmatched: the program joins nothing", "q1": "query row gone"}


def test_deleted_rows_are_closed_by_an_incremental_run(filled):
    matches, unmatched = found(0)

    assert write(filled, "two", matches, unmatched, at=day(1), covers="changes", gone=["q3", "never there"]).closed == 1

    assert [row["query_id"] for row in match_rows(filled) if row["closed_because"] == "query row gone"] == ["q3"]


def test_a_row_matched_again_later_opens_a_third_time_span(filled):
    matches, unmatched = found(60)
    write(filled, "two", matches[1:], unmatched, at=day(1))
    write(filled, "three", matches, unmatched, at=day(2))

    spans = [(row["valid_from"], row["valid_to"]) for row in match_rows(filled) if row["query_id"] == "q0"]
    assert spans == [(day(0), day(1)), (day(2), None)]


def test_another_program_replaces_every_match(filled):
    figures = write(filled, "two", *found(60), at=day(1), using=program(0.4))
    assert figures == Changes(opened=40, closed=40, unchanged=0)


def test_pipelines_do_not_touch_each_other(filled):
    before = match_rows(filled)
    prepare(filled, pipeline="towns")
    write(filled, "two", *found(3), pipeline="towns", at=day(1))
    assert [row for row in match_rows(filled) if row["pipeline"] == "malls"] == before


def test_current_view_shows_what_holds(filled):
    matches, unmatched = found(60)
    write(filled, "two", matches[1:], unmatched, at=day(1))
    with reading(filled) as connection:
        pairs = connection.execute(sa.text("SELECT query_id, reference_id FROM fuzzyjoin_current_matches")).all()
    assert sorted(pairs) == sorted(zip(matches["query_id"][1:], matches["reference_id"][1:], strict=True))


def test_an_empty_result_closes_everything(filled):
    assert write(filled, "two", *found(0), at=day(1)) == Changes(opened=0, closed=40, unchanged=0)


def refused(engine, matches, unmatched, *, error, match):
    begin(engine, "two", at=day(1))
    before = match_rows(engine)
    with writing(engine) as connection:
        program_id = store_program(connection, program(), run_id="two", at=day(1))
    outcome = RunResult(program_id=program_id, matched=matches, unmatched=unmatched, precision_estimate=ESTIMATE)
    with pytest.raises(error, match=match):
        write_matches(engine, "two", outcome, at=day(1))
    assert match_rows(engine) == before
    assert run_row(engine, "two")["status"] == "running"


def test_a_query_row_matched_twice_is_refused(filled):
    matches, unmatched = found(60)
    unmatched.loc[len(unmatched)] = ["q0", "too far"]
    refused(filled, matches, unmatched, error=DataError, match="query_id 'q0' stands more than once")


def test_a_missing_id_is_refused(filled):
    matches, unmatched = found(60)
    matches.loc[3, "reference_id"] = None
    refused(filled, matches, unmatched, error=DataError, match="an id of a match is missing")


def test_a_missing_column_is_refused(filled):
    matches, unmatched = found(60)
    refused(filled, matches.drop(columns="margin"), unmatched, error=DataError, match="no column 'margin'")


def test_text_that_no_database_stores_is_refused(filled):
    matches, unmatched = found(60)
    matches = matches.astype({"query_text": object})
    matches.loc[0, "query_text"] = "half a \ud83d"
    refused(filled, matches, unmatched, error=DataError, match="column 'query_text' cannot be stored")


def test_a_nul_is_stored_or_refused_by_name(filled):
    matches, unmatched = found(60)
    matches.loc[0, "query_text"] = "a\0b"
    if filled.dialect.name == "postgresql":
        refused(filled, matches, unmatched, error=DataError, match="query_text of query row 'q0' holds a NUL")
        return
    write(filled, "two", matches, unmatched, at=day(1))
    assert [row["query_text"] for row in match_rows(filled) if row["opened_by_run"] == "two"] == ["a\0b"]


def test_a_run_that_was_taken_for_dead_writes_nothing(filled):
    begin(filled, "two", at=day(1))
    begin(filled, "three", at=day(2))
    before = match_rows(filled)
    outcome = RunResult(program().program_id, *found(3), precision_estimate=ESTIMATE)

    with pytest.raises(RunEndedError, match="run 'two' is died"):
        write_matches(filled, "two", outcome, at=day(3))

    assert match_rows(filled) == before


def test_an_unknown_program_is_refused(filled):
    begin(filled, "two", at=day(1))
    outcome = RunResult("sha256:nothing", *found(3), precision_estimate=ESTIMATE)
    with pytest.raises(WarehouseError, match="program_id 'sha256:nothing' is not in the warehouse"):
        write_matches(filled, "two", outcome, at=day(1))
