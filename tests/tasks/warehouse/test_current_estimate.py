"""The estimate beside all matches that hold is theirs, not that of the last run's few rows."""

import pandas as pd
import pytest

from fuzzyjoin import Program
from fuzzyjoin.definition import PrecisionEstimate
from fuzzyjoin.index import whole_estimate
from tasks.warehouse.connection import reading
from tasks.warehouse.run_audit import audit_run
from tests.tasks.warehouse.cases import ESTIMATE, day, found, match_rows, prepare, program, run_row, write
from tests.version_0_1_0 import FILES

MATCHES, UNMATCHED = found(60)
PARTS = ("estimate", "low", "high", "level", "note")


def scorer(threshold=None):
    """A program that a scorer decides; with another threshold it is another program."""
    learned = Program.load(FILES / "auto.json")
    if threshold is None:
        return learned
    decision = learned.definition.decision.model_copy(update={"threshold": threshold})
    return learned.model_copy(update={"definition": learned.definition.model_copy(update={"decision": decision})})


def current(engine, run_id):
    row = run_row(engine, run_id)
    return tuple(row[f"current_precision_{part}"] for part in PARTS)


def of_all(engine, using):
    """The library's own estimate of the matches that hold."""
    held = [row["precision_estimate"] for row in match_rows(engine) if row["valid_to"] is None]
    estimate = whole_estimate(using, (), [pd.Series(held).to_numpy()])
    return [estimate.value, estimate.low, estimate.high, estimate.level]


def add_two(engine, run_id="two", *, using=None, number=1, covers="changes"):
    """Two new rows, both joined, the matches wrong more likely than right."""
    new = MATCHES[:2].assign(query_id=[f"{run_id}-1", f"{run_id}-2"], precision_estimate=[0.3, 0.2])
    write(engine, run_id, new, UNMATCHED[:0], at=day(number), covers=covers, using=using)


@pytest.fixture
def scored(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED, using=scorer())
    return warehouse


@pytest.fixture
def joined_by_union(warehouse):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED)
    return warehouse


def test_a_run_over_all_rows_has_one_estimate(scored):
    assert current(scored, "one") == (ESTIMATE.value, ESTIMATE.low, ESTIMATE.high, ESTIMATE.level, None)


@pytest.mark.parametrize("covers", ["changes", "part"])
def test_after_two_new_rows_it_is_that_of_all_matches(scored, covers):
    add_two(scored, using=scorer(), covers=covers)
    *figures, note = current(scored, "two")
    assert figures == pytest.approx(of_all(scored, scorer()), abs=1e-9)
    assert figures[0] == pytest.approx((MATCHES["precision_estimate"].sum() + 0.5) / 42, abs=1e-9)
    assert note is None
    # What the run found itself is on record beside it.
    assert run_row(scored, "two")["precision_estimate"] == ESTIMATE.value


def test_matches_that_are_closed_leave_it(scored):
    gone = list(MATCHES["query_id"][:10])
    write(scored, "two", MATCHES[:0], UNMATCHED[:0], at=day(1), covers="changes", gone=gone, using=scorer())
    assert list(current(scored, "two")[:4]) == pytest.approx(of_all(scored, scorer()), abs=1e-9)


@pytest.mark.parametrize("using", [scorer(), program()], ids=["scorer", "union"])
def test_a_run_that_changes_nothing_leaves_it_as_it_was(warehouse, using):
    prepare(warehouse)
    write(warehouse, "one", MATCHES, UNMATCHED, using=using)
    for number in (1, 2):
        write(warehouse, f"again {number}", MATCHES[:0], UNMATCHED[:0], at=day(number), covers="changes", using=using)
        assert current(warehouse, f"again {number}") == current(warehouse, "one")


def test_a_union_has_none_once_a_match_changed_and_says_why(joined_by_union):
    add_two(joined_by_union)
    *figures, note = current(joined_by_union, "two")
    assert figures == [None] * 4
    assert "without a scorer is made over all query rows; the next run of match_tables makes it" in note
    add_two(joined_by_union, "three", number=2, covers="all")
    assert current(joined_by_union, "three")[0] == ESTIMATE.value


def test_matches_of_two_scorer_programs_have_one_without_an_interval(scored):
    add_two(scored, using=scorer(0.3))
    value, *interval, note = current(scored, "two")
    assert value == pytest.approx(of_all(scored, scorer())[0], abs=1e-9)
    assert interval == [None] * 3
    assert note == "without an interval, because the matches are of 2 programs"


def test_matches_of_a_scorer_and_of_a_union_have_none(scored):
    add_two(scored, using=program())
    assert current(scored, "two")[0] is None


def test_no_match_has_none(scored):
    gone = list(MATCHES["query_id"])
    write(scored, "two", MATCHES[:0], UNMATCHED[:0], at=day(1), covers="changes", gone=gone, using=scorer())
    assert current(scored, "two") == (None, None, None, None, "no match holds")


def words(engine, run_id):
    with reading(engine) as connection:
        return audit_run(connection, run_id).in_words()


def test_a_run_tells_both_estimates_apart(scored):
    add_two(scored, using=scorer())
    value, low, high, _ = of_all(scored, scorer())
    assert (
        f"Precision estimate of these matches: {value:.4g} ({low:.4g} to {high:.4g} at level 0.9).\n"
        "Precision estimate of the matches that it found: 0.93 (0.9 to 0.96 at level 0.95).\n"
    ) in words(scored, "two")
    assert "Precision estimate 0.93 (0.9 to 0.96 at level 0.95).\n" in words(scored, "one")


def test_matches_of_all_rows_are_no_share_of_a_part(scored):
    add_two(scored, using=scorer(), covers="part")
    assert "Matches at its end: 42.\n" in words(scored, "two")


def test_the_sum_does_not_depend_on_the_order_of_the_rows(warehouse):
    prepare(warehouse)
    prepare(warehouse, pipeline="towns")
    awkward = MATCHES.assign(precision_estimate=[1e-9 if row % 2 else 1.0 / 3.0 for row in range(len(MATCHES))])
    for pipeline, frame in (("malls", awkward), ("towns", awkward[::-1])):
        write(warehouse, pipeline, frame, UNMATCHED, pipeline=pipeline, using=scorer(), covers="part")
    assert current(warehouse, "malls") == current(warehouse, "towns")
    assert PrecisionEstimate(value=current(warehouse, "malls")[0]).value == pytest.approx((1 / 3 + 1e-9) / 2, abs=1e-9)
