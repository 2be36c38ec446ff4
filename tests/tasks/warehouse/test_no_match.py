"""Why a query row had no match."""

import math

import pytest
import sqlalchemy as sa

from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.no_match import why_not
from tests.tasks.warehouse.cases import day, found, hashes, prepare, program, write

MATCHES, UNMATCHED = found(6)


@pytest.fixture
def filled(warehouse):
    """q2 never matched; q0 matched until the second run; the third looked at q5 only, which was typed anew."""
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED, kept=hashes(MATCHES, UNMATCHED))
    unmatched = UNMATCHED.copy()
    unmatched.loc[len(unmatched)] = ["q0", "too far"]
    later = {"at": day(2), "using": program(0.2)}
    write(warehouse, "two", MATCHES[1:], unmatched, kept=hashes(MATCHES[1:], unmatched), **later)
    anew = UNMATCHED[UNMATCHED["query_id"] == "q5"]
    kept = hashes(anew, q5="typed anew")
    write(
        warehouse, "three", MATCHES[:0], anew, at=day(4), covers="changes", kept=kept, gone=["q1"], using=program(0.2)
    )
    return warehouse


def ask(engine, query_id, number, pipeline="malls"):
    with reading(engine) as connection:
        return why_not(connection, pipeline, query_id, at=day(number))


@pytest.mark.parametrize(
    ("query_id", "number", "words"),
    [
        ("q2", 1, f"Run one, triggered by ada, looked at it under program {program().program_id} on 2026-03-01"),
        ("q2", 9, f"Run two, triggered by ada, looked at it under program {program(0.2).program_id} on 2026-03-03"),
        ("q2", 9, "kept no reasons; the next run that looks at the row does."),
        ("q5", 9, f"Run three, triggered by ada, looked at it under program {program(0.2).program_id} on 2026-03-05"),
        ("q5", 3, "Whether it was looked at by then is not on record: run three found it new or changed on 2026-03-05"),
        ("q0", 3, "to reference r0, was closed by run two at 2026-03-03T02:00:00+00:00: unmatched: too far."),
        ("q1", 9, "was closed by run three at 2026-03-05T02:00:00+00:00: query row gone.\nIt is not among"),
        ("q9", 9, "The warehouse knows no such query row"),
    ],
)
def test_the_answer_where_no_reason_is_on_record(filled, query_id, number, words):
    # As the version before left it.
    with writing(filled) as connection:
        connection.execute(sa.delete(schema.unmatched))
    answer = ask(filled, query_id, number).in_words()
    assert answer.startswith(f"Query {query_id} of pipeline malls had no match at ")
    assert words in answer


NEAR = {"best_reference_id": "r9", "best_reference_text": "Cafe 9", "query_text": "Kafe 9"}
FIGURES = {"best_probability": 0.41, "best_distance": 0.6, "best_threshold": 0.55, "best_configuration": 0}


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (
            {**NEAR, **FIGURES},
            [
                "Query q2 (Kafe 9) was joined to nothing: too far.",
                f"Run one found this at 2026-03-01T02:00:00+00:00, still so; program {program().program_id}.",
                "Best candidate: reference r9 (Cafe 9), match probability 0.41; distance 0.6, at most 0.55 joins.",
            ],
        ),
        (
            {"best_reference_id": "r9", "best_distance": 0.6, "best_threshold": 0.55, "best_probability": math.nan},
            [
                "Query q2 was joined to nothing: too far.",
                f"Run one found this at 2026-03-01T02:00:00+00:00, still so; program {program().program_id}.",
                "Best candidate: reference r9; distance 0.6, at most 0.55 joins.",
            ],
        ),
        (
            {},
            [
                "Query q2 was joined to nothing: too far.",
                f"Run one found this at 2026-03-01T02:00:00+00:00, still so; program {program().program_id}.",
                "It had no candidate.",
            ],
        ),
    ],
    ids=["scorer", "union", "no candidate"],
)
def test_the_reason_comes_first_with_the_best_candidate(warehouse, evidence, words):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED.assign(**evidence))
    assert ask(warehouse, "q2", 1).in_words().splitlines() == words


def test_the_reason_of_then_is_told_with_what_ended_it(filled):
    assert ask(filled, "q5", 1).in_words().splitlines() == [
        "Query q5 was joined to nothing: too far.",
        f"Run one found this at {day(0).isoformat()}, until {day(2).isoformat()}; program {program().program_id}.",
        "Then run two closed this: looked at again.",
        "It had no candidate.",
    ]


def test_a_match_that_was_lost_is_told_after_the_reason(filled):
    first, *_, last = ask(filled, "q0", 3).in_words().splitlines()
    assert first == "Query q0 was joined to nothing: too far."
    assert last.startswith("Its last match before, to reference r0, was closed by run two at ")


def test_an_unmatched_row_names_the_run_that_closed_its_match_even_without_hashes(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED)
    unmatched = UNMATCHED.copy()
    unmatched.loc[len(unmatched)] = ["q0", "too far"]
    write(warehouse, "two", MATCHES[1:], unmatched, at=day(1))
    answer = ask(warehouse, "q0", 2)
    assert (answer.known, answer.looked_at_by["run_id"]) == (False, "two")


def test_an_unknown_pipeline_is_refused(filled):
    with pytest.raises(WarehouseError, match="pipeline 'towns' is not in the warehouse"):
        ask(filled, "q1", 1, pipeline="towns")
