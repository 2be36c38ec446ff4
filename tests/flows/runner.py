"""Runs flows in processes of their own, several at once if asked, and ends them at named places.

`python -m tests.flows.runner` reads a list of jobs a line, as JSON, and answers each line with a list of what came of
them. What takes long to import is imported once: every job is a fork of this process, and starts in a moment.
"""

import importlib
import json
import os
import signal
import sys

FLOWS = ("match_tables", "learn_program", "apply_program", "sync_warehouse")

# Where a run can be ended: what is called there, whether before or after, and at which call of it.
PLACES = {
    "before the lock": ("tasks.run.pipeline_run:pipeline_lock", "before", 1),
    "locked": ("tasks.run.pipeline_run:migrate_up", "before", 1),
    "tables made": ("tasks.warehouse.migrations:command.upgrade", "after", 1),
    "pipeline registered": ("tasks.run.pipeline_run:register_pipeline", "after", 1),
    "run begun": ("tasks.run.pipeline_run:start_run", "after", 1),
    "snapshot half written": ("pyarrow.parquet:write_table", "after", 1),
    "reference ingested": ("flows.match_tables:ingest_table", "after", 1),
    "query ingested": ("flows.match_tables:ingest_table", "after", 2),
    "inputs recorded": ("tasks.steps.validate_inputs:record_inputs", "after", 1),
    "inputs validated": ("tasks.steps.validate_inputs:record_validations", "after", 1),
    "result half written": ("prefect.filesystems:LocalFileSystem.write_path", "half", 1),
    "reference indexed": ("flows.match_tables:index_to_learn", "after", 1),
    "pairs half kept": ("fuzzyjoin.blocking.blocked_pairs:BlockedPairs.save", "after", 1),
    "query rows blocked": ("tasks.steps.block_query_rows:store_file", "after", 1),
    "searching": ("tasks.orchestration.run_progress:_Bar.__call__", "before", 5),
    "searched": ("tasks.steps.search_program:store_file", "before", 1),
    "program stored": ("tasks.steps.propose_program:store_program", "after", 1),
    "decision made": ("tasks.steps.propose_program:propose", "after", 1),
    "proposed": ("flows.match_tables:propose_program", "after", 1),
    "partition half kept": ("tasks.steps.join_partition:store_file", "after", 1),
    "partition joined": ("tasks.steps.join_partition:store_file", "after", 2),
    "third partition": ("tasks.steps.join_partition:load_rows", "before", 3),
    "program applied": ("tasks.steps.join_query_rows:_kept", "after", 1),
    "matches validated": ("tasks.steps.validate_matches:record_validations", "after", 1),
    "writing": ("tasks.warehouse.matches:update_running", "after", 1),
    "staged": ("tasks.warehouse.matches:_close", "before", 1),
    "closed": ("tasks.warehouse.matches:_close", "after", 1),
    "opened": ("tasks.warehouse.matches:_open", "after", 1),
    "rows kept": ("tasks.warehouse.matches:store_row_hashes", "after", 1),
    "end written": ("tasks.warehouse.matches:update_running", "after", 2),
    "committed": ("tasks.steps.materialise_matches:write_matches", "after", 1),
    "materialised": ("flows.match_tables:materialise_matches", "after", 1),
    "in the artifacts": ("tasks.steps.publish_result:create_markdown_artifact", "after", 1),
    "before the clean-up": ("tasks.run.pipeline_run:delete_old_files", "before", 1),
}


class PlaceError(Exception):
    """What a run fails with where it is made to."""


def end_at(place, how):
    """Make this process end itself at a place: by a signal's number, or by an error if that is 0."""
    target, when, at_call = PLACES[place]
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    step = getattr(owner, name)
    calls = 0

    def end():
        if not how:
            raise PlaceError(place)
        os.kill(os.getpid(), how)

    def stopping(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls != at_call:
            return step(*arguments, **options)
        if when == "before":
            end()
        elif when == "half":
            options["content"] = options["content"][: len(options["content"]) // 2]
        result = step(*arguments, **options)
        if when != "before":
            end()
        return result

    setattr(owner, name, stopping)


def run(job):
    """What came of a job: the run's id, or which error it ended with."""
    os.environ.update(job["environment"])
    if job.get("place"):
        end_at(job["place"], job["how"])
    flow = getattr(importlib.import_module(f"flows.{job['flow']}"), job["flow"])
    try:
        return {"run": flow(**job["parameters"])}
    except BaseException as error:  # noqa: BLE001 - a signal's error is an answer as well
        return {"error": type(error).__name__, "message": str(error)}


def start(job):
    """A process of its own for a job, and the pipe on which it tells what came of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, json.dumps(run(job)).encode())
        os._exit(0)
    os.close(writer)
    return child, reader


def outcome(child, reader):
    """What a job's process told, or by which signal it was killed before it told anything."""
    with open(reader, "rb") as answer:  # noqa: PTH123 - it is no path
        told = answer.read()
    _, status = os.waitpid(child, 0)
    return {"killed": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else json.loads(told)


def main():
    # What flows print goes to the log; what this process answers, to who asked.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for flow in FLOWS:
        importlib.import_module(f"flows.{flow}")
    importlib.import_module("great_expectations")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        children = [start(job) for job in json.loads(line)]
        answers.write(json.dumps([outcome(*child) for child in children]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
