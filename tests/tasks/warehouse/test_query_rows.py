"""What query rows held when they were last matched, and which of them are new, changed or gone."""

from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin.errors import DataError, UsageError
from tasks.warehouse import schema
from tasks.warehouse.connection import reading
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.query_rows import RowChanges, basis_of, changed_rows, row_hashes
from tests.tasks.warehouse.cases import begin, day, found, hashes, prepare, program, rows, write

MATCHES, UNMATCHED = found(9)
IDS = tuple(f"q{row}" for row in range(9))


@pytest.fixture
def filled(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED, kept=hashes(MATCHES, UNMATCHED))
    return warehouse


BASIS = basis_of(program().program_id, "sha256:r1")


def ask(engine, now, basis=BASIS):
    with reading(engine) as connection:
        return changed_rows(connection, "malls", now, basis=basis)


def stored(engine):
    return {row["query_id"]: row["changed_by_run"] for row in rows(engine, schema.query_rows)}


def test_the_hash_is_of_the_text_and_not_of_how_it_is_stored():
    text = pd.DataFrame({"id": ["1", "2"], "name": ["1997", None]})
    number = pd.DataFrame({"id": [1.0, 2.0], "name": [1997.0, np.nan]}, index=[7, 7])
    assert row_hashes(text, "id", ["name"]).equals(row_hashes(number, "id", ["name"]))
    # Stored hashes are compared with those that later versions compute.
    assert row_hashes(text, "id", ["name"])["row_hash"].tolist() == [
        blake2b(b"4:1997", digest_size=16).hexdigest(),
        blake2b(b"0:", digest_size=16).hexdigest(),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [(["ab", "c"], ["a", "bc"]), (["a", ""], ["", "a"]), (["1:a", ""], ["", "1:a"]), (["a", "b"], ["b", "a"])],
)
def test_rows_of_other_cells_have_other_hashes(one, other):
    frame = pd.DataFrame([["x", *one], ["y", *other]], columns=["id", "name", "city"])
    assert row_hashes(frame, "id", ["name", "city"])["row_hash"].is_unique


def test_a_table_that_cannot_be_hashed_is_refused_by_name():
    frame = pd.DataFrame({"id": ["1", None], "name": ["a", "half a \ud83d"]}, dtype=object)
    with pytest.raises(DataError, match="column 'id' has no value in row 2"):
        row_hashes(frame, "id", ["name"])
    with pytest.raises(DataError, match="columns name hold half a character"):
        row_hashes(frame.assign(id=["1", "2"]), "id", ["name"])
    with pytest.raises(UsageError, match="query has no column 'nam'; did you mean 'name'"):
        row_hashes(frame, "id", ["nam"])


def test_new_changed_gone_and_unchanged_rows_are_told_apart(filled):
    now = pd.concat([MATCHES, UNMATCHED, pd.DataFrame({"query_id": ["q9"]})])
    now = now[~now["query_id"].isin(["q0", "q2"])]
    answer = ask(filled, hashes(now, q1="typed anew", q5="typed anew"))
    assert answer == RowChanges(
        new=("q9",), changed=("q1", "q5"), stale=(), gone=("q0", "q2"), unchanged=("q3", "q4", "q6", "q7", "q8")
    )


@pytest.mark.parametrize(
    "basis", [basis_of(program(0.4).program_id, "sha256:r1"), basis_of(program().program_id, "sha256:r2")]
)
def test_rows_matched_by_another_program_or_on_another_reference_are_stale(filled, basis):
    answer = ask(filled, hashes(MATCHES, UNMATCHED, q1="typed anew"), basis)
    assert (answer.changed, answer.unchanged) == (("q1",), ())
    assert set(answer.stale) == set(IDS) - {"q1"}


@pytest.mark.parametrize("given", [{"using": program(0.4)}, {"reference": "sha256:r2"}])
def test_each_row_remembers_by_what_it_was_last_matched(filled, given):
    kept = hashes(MATCHES[:2])
    write(filled, "two", MATCHES[:2], UNMATCHED[:0], at=day(1), covers="part", kept=kept, **given)
    basis = basis_of(given.get("using", program()).program_id, given.get("reference", "sha256:r1"))
    everything = hashes(MATCHES, UNMATCHED)
    assert set(ask(filled, everything).stale) == {"q0", "q1"}
    assert set(ask(filled, everything, basis).unchanged) == {"q0", "q1"}
    assert set(stored(filled).values()) == {"one"}


def test_before_the_first_run_every_row_is_new(warehouse):
    prepare(warehouse)
    assert ask(warehouse, hashes(MATCHES)) == RowChanges(tuple(MATCHES["query_id"]), (), (), (), ())
    with pytest.raises(WarehouseError, match="pipeline 'towns' is not"), reading(warehouse) as connection:
        changed_rows(connection, "towns", hashes(MATCHES), basis=BASIS)


def test_an_id_that_stands_twice_is_refused(filled):
    with pytest.raises(DataError, match="holds the query_id 'q0' twice"):
        ask(filled, hashes(MATCHES, MATCHES[:1]))


def test_only_changed_hashes_are_written(filled):
    write(filled, "two", MATCHES, UNMATCHED, at=day(1), kept=hashes(MATCHES, UNMATCHED, q1="typed anew"))
    assert stored(filled) == {**dict.fromkeys(IDS, "one"), "q1": "two"}


def test_a_run_over_all_rows_forgets_those_it_does_not_name(filled):
    write(filled, "two", MATCHES[1:], UNMATCHED, at=day(1), kept=hashes(MATCHES[1:], UNMATCHED))
    assert stored(filled) == dict.fromkeys(IDS[1:], "one")


def test_a_run_over_changes_keeps_those_it_does_not_name(filled):
    kept = hashes(MATCHES[1:2], q1="typed anew")
    write(filled, "two", MATCHES[1:2], UNMATCHED[:0], at=day(1), covers="changes", gone=["q0", "q2"], kept=kept)
    assert stored(filled) == {**dict.fromkeys(IDS[3:], "one"), "q1": "two"}


@pytest.mark.parametrize("covers", ["all", "changes"])
def test_rows_looked_at_without_hashes_count_as_new(filled, covers):
    write(filled, "two", MATCHES[:2], UNMATCHED[:0], at=day(1), covers=covers)
    answer = ask(filled, hashes(MATCHES, UNMATCHED))
    assert set(answer.unchanged) == (set() if covers == "all" else set(IDS) - {"q0", "q1"})
    assert answer.changed == ()


def test_a_row_without_a_hash_is_gone_when_it_is_not_in_the_table(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED)
    assert ask(warehouse, hashes(MATCHES[1:], UNMATCHED[1:])).gone == ("q0", UNMATCHED["query_id"].iloc[0])


def test_pipelines_have_rows_of_their_own(filled):
    prepare(filled, pipeline="towns")
    write(filled, "two", MATCHES[:1], UNMATCHED[:0], pipeline="towns", at=day(1), kept=hashes(MATCHES[:1], q0="Oslo"))
    write(filled, "three", MATCHES[:0], UNMATCHED[:0], pipeline="towns", at=day(2), kept=hashes())
    assert stored(filled) == dict.fromkeys(IDS, "one")


@pytest.mark.parametrize(
    "kept",
    [hashes(MATCHES), hashes(MATCHES, UNMATCHED[1:], pd.DataFrame({"query_id": ["q99"]}))],
    ids=["too few", "another row"],
)
def test_hashes_of_other_rows_are_refused(filled, kept):
    before = rows(filled, schema.query_rows)
    with pytest.raises(DataError, match="give one hash for each of these rows and no other"):
        write(filled, "two", MATCHES, UNMATCHED, at=day(1), kept=kept)
    assert rows(filled, schema.query_rows) == before


def test_hashes_and_matches_commit_together(filled):
    begin(filled, "two", at=day(1))
    with pytest.raises(WarehouseError, match="not in the warehouse"):
        write(filled, "three", MATCHES, UNMATCHED, at=day(1), pipeline="none", kept=hashes(MATCHES, UNMATCHED, q0="x"))
    assert set(stored(filled).values()) == {"one"}
