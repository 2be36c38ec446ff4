"""A run that fails in any way says so: failed, why, and no match is touched."""

import signal
import time
from pathlib import Path

import pytest

from tasks.warehouse import schema
from tests.flows.pipelines import require_consistent

pytestmark = pytest.mark.slow

PLACES = ("reference ingested", "inputs recorded", "searched", "decision made", "program applied", "staged", "opened")
WAYS = {
    "an error": (0, "PlaceError: {place}"),
    "a cancellation": (signal.SIGTERM, "its process was told to end (SIGTERM)"),
    "the keyboard": (signal.SIGINT, "interrupted at the keyboard"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_a_run_that_is_broken_off_is_on_record_with_the_reason(pipeline, place, way):
    how, reason = WAYS[way]

    ended = pipeline.ends(place=place, how=how)

    # Told to end, the orchestrator lets the process die of it once the run has been told.
    assert "error" in ended or ended == {"killed": signal.SIGTERM}
    (run,) = pipeline.runs()
    assert run["status"] == "failed"
    assert run["failure"].startswith(reason.format(place=place))
    assert pipeline.rows(schema.matches) == []

    pipeline.run()
    require_consistent(pipeline)
    assert [run["status"] for run in pipeline.runs()] == ["failed", "succeeded"]


def test_a_failure_after_the_matches_are_in_leaves_them_and_the_success(pipeline):
    ended = pipeline.ends(place="in the artifacts", how=0)

    assert ended["message"] == "in the artifacts"
    (run,) = pipeline.runs()
    assert (run["status"], run["matches_opened"]) == ("succeeded", len(pipeline.matches()))


def test_nothing_is_pickled_whether_a_run_succeeds_or_fails(pipeline, server):
    since = time.time() - 1
    pipeline.run()
    pipeline.run()
    pipeline.ends(search={"precision_target": 0.9999999})
    pipeline.ends(place="program applied", how=0)

    written = [path for folder in (pipeline.storage, server.home) for path in files(folder, since)]
    # Of the tasks beside the tables, and of the flows where the orchestrator keeps them.
    assert {"results", "storage"} <= {path.parent.name for path in written}
    pickled = [path for path in written if path.suffix not in {".db", ".log"} and is_pickle(path)]
    assert pickled == []


def files(folder, since):
    return [path for path in Path(folder).rglob("*") if path.is_file() and path.stat().st_mtime >= since]


def is_pickle(path):
    """Pickles of protocols 4 and 5 begin so; within a result record they are in base64."""
    content = path.read_bytes()
    return any(mark in content for mark in (b"\x80\x04\x95", b"\x80\x05\x95", b'"type":"pickle"', b"gASV", b"gAWV"))
