"""Why a run failed is told, also if the warehouse cannot be told."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import DataError
from tasks.run.pipeline_run import pipeline_run
from tasks.settings import Conduct, Privacy, Publish, Warehouse
from tasks.warehouse import connection as connection_module
from tasks.warehouse import schema
from tasks.warehouse.connection import reading, warehouse_engine, writing
from tasks.warehouse.errors import LockHeldError
from tasks.warehouse.lock import pipeline_lock


@pytest.fixture
def engine(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/warehouse.db"
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", url)
    monkeypatch.setattr(connection_module, "LOCK_WAIT_MILLISECONDS", 10)
    engine = warehouse_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine):
    """Another connection, which can keep all others from writing."""
    other = sa.create_engine(engine.url)
    with other.connect() as connection:
        yield connection
        connection.rollback()
    other.dispose()


def run(**changed):
    conduct = Conduct(asked_by="ada", wait_seconds=0, **changed)
    return pipeline_run("malls", warehouse=Warehouse(), conduct=conduct, privacy=Privacy(), publish=Publish())


def runs(engine):
    with reading(engine) as connection:
        return connection.execute(sa.select(schema.runs.c.status, schema.runs.c.failure)).all()


def fail(error, writer):
    """A run that fails while nobody can write to the warehouse."""
    with run():
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        raise error


def test_a_failure_that_cannot_be_recorded_is_told_with_its_cause_first(engine, writer):
    with pytest.raises(DataError) as caught:
        fail(DataError("the reference table is empty; fill it"), writer)
    assert str(caught.value) == (
        "the reference table is empty; fill it; the warehouse could not be told that the run failed (database is "
        "locked); see that it can be written to"
    )
    writer.rollback()
    assert [row.status for row in runs(engine)] == ["running"]


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), KeyboardInterrupt()], ids=["error", "keyboard"])
def test_what_is_no_error_of_ours_stays_what_it_is_with_a_note(engine, writer, error):
    with pytest.raises(type(error)) as caught:
        fail(error, writer)
    assert caught.value is error
    assert error.__notes__ == [
        "the warehouse could not be told that the run failed (database is locked); see that it can be written to"
    ]
    writer.rollback()
    assert len(runs(engine)) == 1


def test_a_refusal_that_cannot_be_recorded_is_told_with_the_holder_of_the_lock(engine, writer):
    # So that there are tables, and the pipeline.
    with suppress(DataError), run():
        raise DataError("the reference table is empty; fill it")
    with pipeline_lock(engine, "malls", run_id="nightly", timeout_seconds=0):
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(LockHeldError) as caught, run():
            pytest.fail("began")
    assert "is locked by run nightly" in str(caught.value)
    assert "the warehouse could not be told that the run was refused (database is locked)" in str(caught.value)


def test_a_failure_is_recorded_and_raised_as_it_is(engine):
    error = DataError("the reference table is empty; fill it")
    with pytest.raises(DataError) as caught, run():
        raise error
    assert caught.value is error
    assert str(error) == "the reference table is empty; fill it"
    assert runs(engine) == [("failed", "the reference table is empty; fill it")]


def test_a_transaction_that_a_signal_cut_off_does_not_keep_the_failure_from_the_record(engine):
    def struck_before_the_block_began():
        struck = writing(engine)
        # As `with` does, before it knows how to leave.
        struck.__enter__()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), run():
        struck_before_the_block_began()
    assert runs(engine) == [("failed", "interrupted at the keyboard")]
