"""What a proposed program would change is counted on the rows of both results, and shown as far as it may be seen."""

import pandas as pd
import pytest

from fuzzyjoin.definition import PrecisionEstimate
from tasks.handles import InputHandle, ProgramHandle, ResultHandle
from tasks.ingestion import write_snapshot
from tasks.settings import Privacy
from tasks.steps.compare_programs import EXAMPLES_SHOWN, Effect, _Tables, compare
from tasks.store.named_files import FileHandle, store_file

REFERENCE = pd.DataFrame({"id": ["r1", "r2", "r3"], "name": ["Ada", "Grace", "Alan"]})
QUERY = pd.DataFrame({"id": [f"q{row}" for row in range(9)], "name": [f"typed {row}" for row in range(9)]})


@pytest.fixture
def result(tmp_path, monkeypatch):
    """A function that keeps the matches of a program as the pipeline does."""
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path))

    def keep(**joined):
        frame = pd.DataFrame({"query_id": list(joined), "reference_id": list(joined.values())}, dtype=str)
        matches = store_file("matches", ".parquet", lambda path: frame.to_parquet(path, index=False))
        return ResultHandle(
            program_id="sha256:00",
            matches=matches,
            unmatched=matches,
            curve=matches,
            precision_estimate=PrecisionEstimate(),
            matched_rows=len(frame),
            unmatched_rows=len(QUERY) - len(frame),
            warnings=(),
            seconds={},
        )

    return keep


@pytest.fixture
def tables(tmp_path):
    file = FileHandle(path="program.json", content_hash="sha256:00")
    program = ProgramHandle(
        program_id="sha256:00", file=file, precision_target=0.9, precision_estimate=PrecisionEstimate()
    )
    sides = {
        role: InputHandle(
            role=role, table=write_snapshot(frame, tmp_path / "snapshots"), id_column="id", columns=("name",)
        )
        for role, frame in (("reference", REFERENCE), ("query", QUERY))
    }
    return _Tables(**sides, proposed=program, current=program)


def test_rows_gained_lost_and_redirected_are_counted_and_shown(result, tables):
    now = result(q0="r1", q1="r2", q2="r3")
    then = result(q0="r1", q1="r3", q3="r2", q4="r1")

    effect = compare.fn(tables, then, now, Privacy(shown_columns=("name",)))

    assert effect.in_words() == ("2 rows gained, 1 lost, 1 redirected: 4 of 9 query rows would be joined instead of 3.")
    assert [(one.kind, one.query, one.before, one.after) for one in effect.examples] == [
        ("gained", "q3 (typed 3)", "", "r2 (Grace)"),
        ("gained", "q4 (typed 4)", "", "r1 (Ada)"),
        ("lost", "q2 (typed 2)", "r3 (Alan)", ""),
        ("redirected", "q1 (typed 1)", "r2 (Grace)", "r3 (Alan)"),
    ]


def test_texts_are_masked_unless_their_column_is_shown(result, tables):
    effect = compare.fn(tables, result(q3="r2"), result(), Privacy())
    (example,) = effect.examples
    assert (example.query, example.after) == ("q3 ([7 characters])", "r2 ([5 characters])")


def test_a_first_program_gains_all_its_rows_of_which_a_few_are_shown(result, tables):
    effect = compare.fn(tables, result(**dict.fromkeys(QUERY["id"], "r1")), None, Privacy())
    assert (effect.gained, effect.lost, effect.redirected, effect.joined_now) == (9, 0, 0, 0)
    assert len(effect.examples) == EXAMPLES_SHOWN


def test_what_cannot_be_known_is_said_with_the_reason():
    assert Effect(unknown="the snapshot is gone").in_words() == (
        "Which rows would change is not known: the snapshot is gone."
    )
