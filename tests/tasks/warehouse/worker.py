"""A whole run in a process of its own: `python -m tests.tasks.warehouse.worker URL RUN DAY ROWS [STOP]`.

STOP names the place at which the process kills itself as `kill -9` does.
"""

import os
import signal
import sys
from contextlib import contextmanager

from tasks.warehouse import matches as module
from tasks.warehouse.connection import warehouse_engine, writing
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.matches import RunResult, write_matches
from tasks.warehouse.programs import store_program
from tasks.warehouse.runs import Validation, record_validations
from tests.tasks.warehouse.cases import ESTIMATE, begin, day, found, hashes, program

STOPS = ("locked", "begun", "validated", "stored", "staged", "closed", "opened", "hashed", "committed")


def main(url, run_id, number, rows, stop=None):
    def reach(place):
        if place == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    def then(name, place):
        """Make a step of the transaction end at a place."""
        step = getattr(module, name)

        def wrapped(*arguments, **options):
            result = step(*arguments, **options)
            reach(place)
            return result

        setattr(module, name, wrapped)

    then("_close", "closed")
    then("_open", "opened")
    then("store_row_hashes", "hashed")
    stage = module.staged

    @contextmanager
    def staged(connection, table):
        with stage(connection, table):
            reach("staged")
            yield

    module.staged = staged
    engine, at = warehouse_engine(url), day(int(number))
    with pipeline_lock(engine, "malls", run_id=run_id, timeout_seconds=120):
        reach("locked")
        begin(engine, run_id, at=at)
        reach("begun")
        record_validations(engine, run_id, [Validation("query", "unique ids", "hard", passed=True)], at=at)
        reach("validated")
        # Each size has a program of its own, so that every run replaces every match of the one before.
        with writing(engine) as connection:
            program_id = store_program(connection, program(int(rows) / 1000), run_id=run_id, at=at)
        reach("stored")
        matches, unmatched = found(int(rows))
        kept = hashes(matches, unmatched, q0=run_id)
        write_matches(engine, run_id, RunResult(program_id, matches, unmatched, ESTIMATE, row_hashes=kept), at=at)
        reach("committed")


if __name__ == "__main__":
    main(*sys.argv[1:])
