"""Why a query row had no match."""

import pytest

from tasks.warehouse.connection import reading
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
        ("q5", 9, f"Run three, triggered by ada, looked at it under program {program(0.2).program_id} on 2026-03-05"),
        ("q5", 3, "Whether it was looked at by then is not on record: run three found it new or changed on 2026-03-05"),
        ("q0", 3, "to reference r0, was closed by run two at 2026-03-03T02:00:00+00:00: unmatched: too far."),
        ("q1", 9, "was closed by run three at 2026-03-05T02:00:00+00:00: query row gone.\nIt is not among"),
        ("q9", 9, "The warehouse knows no such query row"),
    ],
)
def test_the_answer_in_words(filled, query_id, number, words):
    answer = ask(filled, query_id, number).in_words()
    assert answer.startswith(f"Query {query_id} of pipeline malls had no match at ")
    assert words in answer


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
