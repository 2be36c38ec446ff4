"""Which program a pipeline uses, who said so, and that a program is stored once."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import AUTOMATIC, approve, history, open_proposals, propose, refuse, roll_back
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.pipelines import current_program_id, register_pipeline
from tasks.warehouse.programs import load_program, store_program
from tests.tasks.warehouse.cases import START, begin, day, prepare, program, rows

FIRST, SECOND = program(0.3), program(0.4)


def store(engine, run_id, learned, number=0):
    begin(engine, run_id, at=day(number))
    with writing(engine) as connection:
        return store_program(connection, learned, run_id=run_id, at=day(number))


@pytest.fixture
def under_review(warehouse):
    prepare(warehouse, promotion="review")
    store(warehouse, "one", FIRST)
    store(warehouse, "two", SECOND, 1)
    return warehouse


def told(connection):
    return [(made.number, made.kind, made.program_id, made.decided_by) for made in history(connection, "malls")]


def test_automatic_promotion_approves_what_is_new(warehouse):
    prepare(warehouse)
    store(warehouse, "one", FIRST)
    store(warehouse, "two", SECOND, 1)
    with writing(warehouse) as connection:
        assert current_program_id(connection, "malls") is None
        assert propose(connection, "malls", FIRST.program_id, by="ada", at=START) == "approval"
        assert propose(connection, "malls", FIRST.program_id, by="ada", at=day(1)) is None
        assert propose(connection, "malls", SECOND.program_id, by="ada", at=day(2)) == "approval"
        assert current_program_id(connection, "malls") == SECOND.program_id
        assert told(connection) == [
            (1, "approval", FIRST.program_id, AUTOMATIC),
            (2, "approval", SECOND.program_id, AUTOMATIC),
        ]


def test_under_review_the_current_program_works_on_until_the_new_one_is_approved(under_review):
    with writing(under_review) as connection:
        assert propose(connection, "malls", FIRST.program_id, by="learner", at=START) == "proposal"
        assert current_program_id(connection, "malls") is None
        approve(connection, "malls", FIRST.program_id, by="ada", at=day(1), reason="looks right")
        assert propose(connection, "malls", SECOND.program_id, by="learner", at=day(2)) == "proposal"
        assert propose(connection, "malls", SECOND.program_id, by="learner", at=day(2)) is None
        assert current_program_id(connection, "malls") == FIRST.program_id
        assert [made.program_id for made in open_proposals(connection, "malls")] == [SECOND.program_id]
        approve(connection, "malls", SECOND.program_id, by="grace", at=day(3))
        assert current_program_id(connection, "malls") == SECOND.program_id
        assert open_proposals(connection, "malls") == ()
        assert history(connection, "malls")[1].reason == "looks right"
        assert history(connection, "malls")[-1].decided_at == day(3)


def test_a_refused_program_does_not_become_current_and_can_be_proposed_again(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        refuse(connection, "malls", FIRST.program_id, by="ada", at=day(1), reason="too lax")
        assert current_program_id(connection, "malls") is None
        assert open_proposals(connection, "malls") == ()
        assert propose(connection, "malls", FIRST.program_id, by="learner", at=day(2)) == "proposal"


def test_rollback_brings_an_earlier_program_back(under_review):
    with writing(under_review) as connection:
        for learned in (FIRST, SECOND):
            propose(connection, "malls", learned.program_id, by="learner", at=START)
            approve(connection, "malls", learned.program_id, by="ada", at=START)
        roll_back(connection, "malls", FIRST.program_id, by="ada", at=day(1), reason="precision fell")
        assert current_program_id(connection, "malls") == FIRST.program_id
        assert told(connection)[-1] == (5, "rollback", FIRST.program_id, "ada")


def test_a_fallen_estimate_of_the_same_program_needs_a_person(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    store(under_review, "three", program(0.3, estimate=0.95), 2)
    with writing(under_review) as connection:
        assert propose(connection, "malls", FIRST.program_id, by="learner", at=day(2)) is None
    store(under_review, "four", program(0.3, estimate=0.8), 3)
    with writing(under_review) as connection:
        assert propose(connection, "malls", FIRST.program_id, by="learner", at=day(3)) == "proposal"
        assert "lower precision estimate" in open_proposals(connection, "malls")[0].reason


def test_a_slow_fall_is_measured_from_the_estimate_that_was_approved(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    for number, (estimate, asked) in enumerate(
        [(0.9, "proposal"), (0.9, "proposal"), (0.91, "proposal"), (0.93, None)]
    ):
        store(under_review, f"again{number}", program(0.3, estimate=estimate), 2 + number)
        with writing(under_review) as connection:
            assert propose(connection, "malls", FIRST.program_id, by="learner", at=day(2 + number)) == asked
            if asked:
                refuse(connection, "malls", FIRST.program_id, by="ada", at=day(2 + number))


def test_an_approved_fall_is_the_new_measure(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    store(under_review, "three", program(0.3, estimate=0.8), 2)
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=day(2))
        approve(connection, "malls", FIRST.program_id, by="ada", at=day(2))
        assert propose(connection, "malls", FIRST.program_id, by="learner", at=day(3)) is None


def test_an_answer_that_is_refused_leaves_nothing_whatever_the_caller_does_next(under_review):
    with writing(under_review) as connection, suppress(WarehouseError):
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    with reading(under_review) as connection:
        assert history(connection, "malls") == ()
        assert current_program_id(connection, "malls") is None


def test_going_back_to_the_current_program_is_refused(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
        with pytest.raises(WarehouseError, match="is current in 'malls'; name an earlier one"):
            roll_back(connection, "malls", FIRST.program_id, by="ada", at=START)


def test_the_view_tells_from_when_to_when_a_program_was_current(under_review):
    with writing(under_review) as connection:
        for number, learned in enumerate((FIRST, SECOND)):
            propose(connection, "malls", learned.program_id, by="learner", at=day(2 * number))
            approve(connection, "malls", learned.program_id, by="ada", at=day(2 * number + 1), reason="looks right")
        roll_back(connection, "malls", FIRST.program_id, by="grace", at=day(4))
    told = rows(under_review, schema.program_history, schema.program_history.c.number)
    assert [(row["kind"], row["current_from"], row["current_until"]) for row in told] == [
        ("proposal", None, None),
        ("approval", day(1), day(3)),
        ("proposal", None, None),
        ("approval", day(3), day(4)),
        ("rollback", day(4), None),
    ]
    assert (told[1]["decided_by"], told[1]["reason"]) == ("ada", "looks right")
    assert f"Program {FIRST.program_id}" in told[4]["program_in_words"]


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        pytest.param(approve, "is not proposed", id="approve"),
        pytest.param(refuse, "is not proposed", id="refuse"),
        pytest.param(roll_back, "was never current", id="roll_back"),
    ],
)
def test_what_was_not_asked_cannot_be_answered(under_review, decide, message):
    with pytest.raises(WarehouseError, match=message), writing(under_review) as connection:
        decide(connection, "malls", SECOND.program_id, by="ada", at=START)
    with reading(under_review) as connection:
        assert history(connection, "malls") == ()
        assert current_program_id(connection, "malls") is None


def test_a_proposal_is_answered_once(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    with pytest.raises(WarehouseError, match="is not proposed"), writing(under_review) as connection:
        refuse(connection, "malls", FIRST.program_id, by="grace", at=START)


def test_unknown_names_are_refused(under_review):
    with writing(under_review) as connection:
        with pytest.raises(WarehouseError, match="program_id 'sha256:x' is not in the warehouse"):
            propose(connection, "malls", "sha256:x", by="ada", at=START)
        with pytest.raises(WarehouseError, match="pipeline 'towns' is not in the warehouse"):
            current_program_id(connection, "towns")
        with pytest.raises(WarehouseError, match="promotion is 'never'; give one of automatic, review"):
            register_pipeline(connection, "towns", promotion="never", at=START)


def test_registering_again_sets_the_promotion_only(under_review):
    with writing(under_review) as connection:
        propose(connection, "malls", FIRST.program_id, by="learner", at=START)
        approve(connection, "malls", FIRST.program_id, by="ada", at=START)
    prepare(under_review, promotion="automatic")
    (stored,) = rows(under_review, schema.pipelines)
    assert (stored["promotion"], stored["current_program_id"], stored["decisions"]) == (
        "automatic",
        FIRST.program_id,
        2,
    )


def test_the_same_program_is_stored_once_and_every_learning_of_it_is_on_record(under_review):
    again = program(0.3, estimate=0.91)
    assert store(under_review, "three", again, 2) == FIRST.program_id
    with writing(under_review) as connection:
        store_program(connection, again, run_id="three", at=day(2))

    with reading(under_review) as connection:
        counts = [
            connection.scalar(
                sa.select(sa.func.count()).select_from(table).where(table.c.program_id == FIRST.program_id)
            )
            for table in (schema.programs, schema.learning_records)
        ]
        assert counts == [1, 2]
        assert load_program(connection, FIRST.program_id) == again


def test_an_unknown_program_cannot_be_loaded(under_review):
    with reading(under_review) as connection, pytest.raises(WarehouseError, match="is not in the warehouse"):
        load_program(connection, "sha256:x")
