"""Snapshots are kept as long as the user says, and longer where a run still needs them."""

import os
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tasks.ingestion.snapshots import SnapshotMissingError
from tasks.store.code_version import code_version
from tasks.warehouse import schema
from tasks.warehouse.connection import writing
from tasks.warehouse.replay import replay
from tests.flows.pipelines import Pipeline

pytestmark = pytest.mark.slow

DAYS = 30


def snapshots(pipeline):
    return {f"sha256:{path.stem}" for path in (pipeline.storage / "snapshots").glob("*.parquet")}


def age(pipeline, *, days):
    """Make all of a pipeline's files older."""
    then = time.time() - days * 86400
    for path in pipeline.storage.rglob("*"):
        os.utime(path, (then, then))


def test_old_snapshots_go_unless_a_run_needs_them(pipeline, monkeypatch):
    other = Pipeline(runner=pipeline.runner, url=pipeline.url, folder=pipeline.folder, name="towns")
    other.query = other.query.iloc[:100].reset_index(drop=True)
    first, of_other = pipeline.run(), other.run_row(other.run())
    pipeline.change_query_rows()
    second = pipeline.run()
    leftover = pipeline.storage / "snapshots" / ".fuzzyjoin-0123456789ab.tmp"
    half_program = pipeline.storage / "programs" / ".fuzzyjoin-0123456789ab.tmp"
    for path in (leftover, half_program):
        path.write_text("half")
    programs = {path.name for path in (pipeline.storage / "programs").glob("*.json")}
    age(pipeline, days=DAYS + 1)
    backdate(pipeline, timedelta(days=DAYS + 1))
    read = {run["run_id"]: run for run in pipeline.runs()}

    pipeline.change_query_rows(shift=1)
    third = pipeline.run_row(pipeline.run(conduct={"keep_days": DAYS}))

    kept = snapshots(pipeline)
    assert read[first]["query_fingerprint"] not in kept
    assert read[second]["query_fingerprint"] not in kept
    assert {third["query_fingerprint"], third["reference_fingerprint"], of_other["query_fingerprint"]} <= kept
    assert not leftover.exists()
    assert not half_program.exists()
    assert programs <= {path.name for path in (pipeline.storage / "programs").iterdir()}

    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(pipeline.storage))
    with pipeline.engine() as engine:
        again = replay(engine, third["run_id"], pipeline.storage / "snapshots", code_now=code_version())
        assert again.same == again.compared == len(pipeline.query)
        with pytest.raises(SnapshotMissingError, match="snapshot"):
            replay(engine, first, pipeline.storage / "snapshots", code_now=code_version())


def test_a_quiet_night_cleans_up_as_well_and_0_days_keep_everything(pipeline):
    pipeline.run("sync_warehouse")
    whole = pipeline.query
    pipeline.change_query_rows()
    pipeline.run("sync_warehouse")
    unfinished = pipeline.storage / "indexes" / ".building-0123"
    (unfinished / "half").mkdir(parents=True)
    age(pipeline, days=DAYS + 1)
    backdate(pipeline, timedelta(days=DAYS + 1))
    before = snapshots(pipeline)
    (index,) = set((pipeline.storage / "indexes").iterdir()) - {unfinished}

    pipeline.run("sync_warehouse")
    assert snapshots(pipeline) == before
    assert unfinished.exists()
    assert index.exists()
    pipeline.run("sync_warehouse", conduct={"keep_days": DAYS})
    assert len(snapshots(pipeline)) == 2
    # A quiet night uses no index; the next row that changes builds it again.
    for kind in ("indexes", "partitions", "matches", "results"):
        assert list((pipeline.storage / kind).iterdir()) == []
    assert not whole.equals(pipeline.query)


def backdate(pipeline, by):
    """Make the runs so far older, as no run ever would."""
    with pipeline.engine() as engine, writing(engine) as connection:
        for run in pipeline.runs():
            change = sa.update(schema.runs).where(schema.runs.c.run_id == run["run_id"])
            connection.execute(change.values(started_at=run["started_at"] - by))
