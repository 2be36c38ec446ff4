"""What the pipeline costs beside the library: a run of match_tables less the same library calls made alone.

The runs are made in this process, on a real Prefect server that is started for them and keeps its records in SQLite.
"new" runs find nothing in the cache of results, "again" runs find all of it, so that the library does nothing in them.
One run before them loads what is imported late. "beside" is a run's seconds less the library's own; the bundled example
has 201 reference rows and 227 query rows. "CPU here" is what a run costs this process, the library included: where the
machine is busy, seconds say less. With --worker one more line tells how long a run takes by way of a deployment
and a worker's process, from the request to the run's end: the process has to import everything again.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._measure import Column, print_table, say, write_json
from fuzzyjoin import Matcher, index_reference, learn_program
from tests.prefect_server import prefect_server, prefect_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.prefect_server import PrefectServer

__all__ = ["main"]

CHECKOUT: Final = Path(__file__).parents[1]
EXAMPLE: Final = CHECKOUT / "docs/examples/autofj50/ShoppingMall"
SIDES: Final = {"reference": EXAMPLE / "left.csv", "query": EXAMPLE / "right.csv"}
TABLES: Final = {
    **{role: {"kind": "file", "path": str(path)} for role, path in SIDES.items()},
    "compare": ["title"],
}
DEPLOYMENT: Final = "match_tables/match-tables"

TABLE: Final = (
    Column("runs", "kind", 6),
    Column("median (s)", "seconds", 10, ".2f"),
    Column("library (s)", "library", 11, ".2f"),
    Column("beside (s)", "beside", 10, ".2f"),
    Column("slowest beside (s)", "slowest", 18, ".2f"),
    Column("CPU here (s)", "cpu", 12, ".2f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Start a server, measure and print a row a kind of run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="of each kind; default: 5")
    parser.add_argument("--worker", action="store_true", help="measure a run of a deployment by a worker, too")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = f"sqlite+aiosqlite:///{home}/prefect.db"
        with prefect_server(home, checkout=CHECKOUT, database_url=database) as server:
            server.environment.update(
                FUZZYJOIN_WAREHOUSE_URL=f"sqlite:///{home}/warehouse.db",
                FUZZYJOIN_STORAGE=f"{home}/storage",
                PREFECT_LOGGING_LEVEL="ERROR",
            )
            os.environ.update(server.environment)
            rows = print_table(TABLE, _rows(home, arguments.runs))
            round_trip = _round_trip(server) if arguments.worker else None
    if round_trip is not None:
        say(f"by way of a deployment and a worker's process: {round_trip:.1f} s")
    write_json(arguments.json, {"orchestration": rows, "worker_seconds": round_trip})


def _rows(home: Path, count: int) -> Iterator[dict[str, Any]]:
    # The orchestrator reads the server's address when it is imported.
    from flows.match_tables import match_tables  # noqa: PLC0415
    from tasks.settings import Tables  # noqa: PLC0415

    def run(storage: str) -> None:
        os.environ["FUZZYJOIN_STORAGE"] = str(home / storage)
        match_tables(pipeline="benchmark", tables=Tables.model_validate(TABLES))

    run("first")
    _library()
    alone = median(_seconds(_library) for _ in range(count))
    for kind, library, storages in (
        ("new", alone, [f"new-{number}" for number in range(count)]),
        ("again", 0.0, ["first"] * count),
    ):
        before = time.process_time()
        seconds = [_seconds(partial(run, storage)) for storage in storages]
        yield {
            "kind": kind,
            "seconds": median(seconds),
            "library": library,
            "beside": median(seconds) - library,
            "slowest": max(seconds) - library,
            "cpu": (time.process_time() - before) / count,
        }


def _library() -> None:
    reference, query = (pd.read_csv(path, dtype=str) for path in SIDES.values())
    program = learn_program(reference, query, "title", id="id")
    with tempfile.TemporaryDirectory() as folder:
        Matcher.open(index_reference(program, reference, folder, id="id"), program).lookup(query, id="id")


def _round_trip(server: PrefectServer) -> float:
    server.prefect("work-pool", "create", "fuzzyjoin", "--type", "process")
    server.prefect("deploy", "--prefect-file", "deployments/prefect.yaml", "--name", "match-tables")
    with prefect_worker(server, pool="fuzzyjoin"):
        return _seconds(lambda: server.run_in_state(server.start_run(DEPLOYMENT, tables=TABLES), "COMPLETED"))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    command(main)
