"""Programs of schema version 1 stay in the warehouse what they were: stored, loaded, compared and replayed."""

import json

import pandas as pd
import pytest
import sqlalchemy as sa

from fuzzyjoin import Program
from tasks.ingestion import write_snapshot
from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import load_program, store_program
from tasks.warehouse.replay import replay
from tests.schema_1 import FILES, METHODS, PROGRAMS, TABLES
from tests.tasks.warehouse.cases import START, day, found, prepare, rows, run_row, write


def run_of(warehouse, program, folder):
    """A run that joined the tables of the fixture by a program."""
    prepare(warehouse)
    reference, query = (pd.read_csv(table, dtype=str) for table in TABLES)
    result = program.apply(reference, query)
    names = {
        "reference": write_snapshot(reference, folder).content_hash,
        "query": write_snapshot(query, folder).content_hash,
    }
    write(warehouse, "one", result.matches, result.unmatched, using=program, parameters={"tables": {}}, **names)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}, {path.stem}")
def test_a_program_is_stored_as_it_is_spelled(warehouse, path):
    program, content = Program.load(path), json.loads(path.read_text("utf-8"))
    prepare(warehouse)
    write(warehouse, "one", *found(3), using=program)
    with writing(warehouse) as connection:
        store_program(connection, program, run_id="one", at=day(1))

    with reading(warehouse) as connection:
        (stored,) = connection.execute(sa.select(schema.programs)).mappings()
        (record,) = connection.execute(sa.select(schema.learning_records)).mappings()
        assert load_program(connection, content["program_id"]).as_json() == content
    assert (stored["schema_version"], stored["program_id"]) == (1, content["program_id"])
    assert json.loads(stored["definition"]) == content["program"]
    assert stored["in_words"].startswith(f"Program {content['program_id']}\n")
    assert json.loads(record["content"]) == content["learning_record"]
    assert stored["stored_at"] == START


@pytest.mark.parametrize("method", METHODS)
def test_a_run_is_replayed_as_it_was(warehouse, tmp_path, method):
    program = Program.load(FILES / f"{method}.json")
    run_of(warehouse, program, tmp_path)
    done = replay(warehouse, "one", tmp_path, code_now="def456")
    assert (done.compared, done.same, done.differences) == (227, 227, ())
    assert run_row(warehouse, "one")["program_id"] == program.program_id
    assert {row["program_id"] for row in rows(warehouse, schema.matches)} == {program.program_id}


def test_a_program_and_itself_in_version_2_decide_alike():
    old = Program.load(FILES / "auto.json")
    new = Program(definition=old.definition)
    assert diff_programs(old, new) == ("Both decide alike: the second is written in schema version 2 instead of 1.",)
    assert diff_programs(new, old) == ("Both decide alike: the second is written in schema version 1 instead of 2.",)
    assert diff_programs(old, old) == ()


def test_programs_of_both_versions_are_compared_by_what_they_decide():
    old = Program.load(FILES / "auto.json")
    decision = old.definition.decision.model_copy(update={"threshold": 0.5})
    new = Program(definition=old.definition.model_copy(update={"decision": decision}))
    (told,) = diff_programs(old, new)
    assert "decision threshold 0.5 and" in told
    assert f"decision threshold {old.definition.decision.threshold} and" in told
    earlier = Program.load(PROGRAMS[0])
    assert earlier.schema_version == 1
    assert len(diff_programs(earlier, new)) == 3
