"""What the last run left behind."""

import pytest

from tasks.warehouse.connection import reading
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.last_run import LastRun, last_success
from tasks.warehouse.runs import end_run, record_failure
from tests.tasks.warehouse.cases import begin, day, found, prepare, program, write


def last(engine):
    with reading(engine) as connection:
        return last_success(connection, "malls")


def test_there_is_none_before_a_run_with_matches(warehouse):
    with pytest.raises(WarehouseError, match="pipeline 'malls' is not in the warehouse"):
        last(warehouse)
    prepare(warehouse)
    begin(warehouse, "learned")
    end_run(warehouse, "learned", program_id=None, at=day(0))
    assert last(warehouse) is None


def test_it_is_the_newest_that_succeeded_with_matches(warehouse):
    prepare(warehouse)
    write(warehouse, "one", *found(9))
    write(warehouse, "two", *found(30), at=day(1), reference="sha256:r2", query="sha256:q2")
    begin(warehouse, "learned", at=day(2))
    end_run(warehouse, "learned", program_id=program().program_id, at=day(2))
    begin(warehouse, "failed", at=day(3))
    record_failure(warehouse, "failed", "no space left", at=day(3))

    assert last(warehouse) == LastRun(
        run_id="two",
        program_id=program().program_id,
        reference_fingerprint="sha256:r2",
        reference_rows=300,
        query_fingerprint="sha256:q2",
        query_rows=30,
        matches=20,
        match_rate=20 / 30,
        ended_at=day(1),
    )


def test_the_match_rate_after_a_run_over_changes_is_of_all_rows(warehouse):
    prepare(warehouse)
    matches, unmatched = found(30)
    write(warehouse, "one", matches, unmatched)
    write(warehouse, "two", matches[:0], unmatched[:0], at=day(1), covers="changes", gone=["q0", "q1"])
    assert (last(warehouse).run_id, last(warehouse).matches, last(warehouse).match_rate) == ("two", 18, 18 / 30)


def test_a_run_over_a_part_of_the_query_table_is_not_compared_with(warehouse):
    prepare(warehouse)
    matches, unmatched = found(30)
    write(warehouse, "one", matches, unmatched)
    write(warehouse, "two", matches[:3], unmatched[:0], at=day(1), covers="part")
    assert last(warehouse).run_id == "one"
