"""Seconds to materialise matches into a real warehouse: the first run, the same matches again, and all of them changed.

A run's seconds are those of its one transaction, what every query row held included; the rows are made up beforehand.
"staged" is what getting the same rows into a temporary table takes alone: the other figures divided by it say more than
seconds where the machine is busy. "unmatched" is as many rows more, which are not joined. "hashes" is one hash a query
row, "asked" is that and which of them have changed.

Give the URL of a PostgreSQL database that may be filled: its fuzzyjoin tables are removed before and after. Its
password comes from FUZZYJOIN_WAREHOUSE_PASSWORD.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._measure import Column, print_table, write_json
from fuzzyjoin import Program
from fuzzyjoin.definition import PrecisionEstimate
from tasks.warehouse.connection import reading, warehouse_engine, warehouse_url, writing
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.matches import RunResult, write_matches
from tasks.warehouse.migrations import migrate_down, migrate_up
from tasks.warehouse.pipelines import register_pipeline
from tasks.warehouse.programs import store_program
from tasks.warehouse.query_rows import changed_rows, row_hashes
from tasks.warehouse.runs import Attempt, start_run
from tasks.warehouse.staging import results_table, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import URL, Engine

__all__ = ["main"]

T = TypeVar("T")

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
PIPELINE: Final = "benchmark"
FUNCTION: Final = {"preprocess": "lower", "tokenise": "3-gram", "weight": "uniform", "distance": "jaccard"}

TABLE: Final = (
    Column("database", "database", -12),
    Column("matches", "matches", 8, "d"),
    Column("staged (s)", "staged", 11, ".2f"),
    Column("first (s)", "first", 10, ".2f"),
    Column("same (s)", "same", 10, ".2f"),
    Column("changed (s)", "changed", 12, ".2f"),
    Column("changed/staged", "ratio", 15, ".1f"),
    Column("unmatched (s)", "unmatched", 14, ".2f"),
    Column("hashes (s)", "hashes", 11, ".2f"),
    Column("asked (s)", "asked", 10, ".2f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure each database and print a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warehouse", description=__doc__)
    parser.add_argument("--matches", type=int, default=200_000, metavar="N", help="default: 200000")
    parser.add_argument("--postgresql", metavar="URL", help="without it, SQLite and DuckDB only")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        urls = _urls(Path(folder), arguments.postgresql)
        rows = print_table(TABLE, (_measure(url, arguments.matches) for url in urls))
    write_json(arguments.json, {"warehouse": rows})


def _urls(folder: Path, postgresql: str | None) -> Iterator[str | URL]:
    yield f"sqlite:///{folder}/warehouse.db"
    if postgresql is not None:
        yield warehouse_url({**os.environ, "FUZZYJOIN_WAREHOUSE_URL": postgresql})
    yield f"duckdb:///{folder}/warehouse.duckdb"


def _measure(url: str | URL, matches: int) -> dict[str, Any]:
    engine = warehouse_engine(url)
    migrate_up(engine)
    migrate_down(engine)
    migrate_up(engine)
    try:
        with writing(engine) as connection:
            register_pipeline(connection, PIPELINE, promotion="automatic", at=START)
        found = _matches(matches)
        hashing, first = _timed(lambda: _outcome(found))
        changed = _outcome(found.assign(query_text=found["query_text"] + " corner"))
        staging, _ = _timed(lambda: _stage(engine, first))
        seconds = [_run(engine, day, outcome) for day, outcome in enumerate((first, first, changed))]
        unmatched = _run(engine, len(seconds), _left_out(found))
        asking, _ = _timed(lambda: _ask(engine, changed.matched))
    finally:
        migrate_down(engine)
        engine.dispose()
    return {
        "database": engine.dialect.name,
        "matches": matches,
        "staged": staging,
        **dict(zip(("first", "same", "changed"), seconds, strict=True)),
        "ratio": seconds[-1] / staging,
        "unmatched": unmatched,
        "hashes": hashing,
        "asked": asking,
    }


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def _outcome(found: pd.DataFrame) -> RunResult:
    hashes = row_hashes(found, "query_id", ["query_text"])
    return RunResult("", found, _unmatched(), PrecisionEstimate(value=0.9), row_hashes=hashes)


def _left_out(found: pd.DataFrame) -> RunResult:
    """As many rows that are not joined, each with a best candidate; the matches stay."""
    best = {"reference_id": "best_reference_id", "reference_text": "best_reference_text"}
    rows = found[["query_id", "query_text", *best, "distance", "threshold", "precision_estimate"]]
    rows = rows.rename(columns={**best, "precision_estimate": "best_probability"})
    rows = rows.rename(columns={name: f"best_{name}" for name in ("distance", "threshold")})
    rows = rows.assign(
        query_id="u" + rows["query_id"], reason="too unsure: the best candidate scores below the threshold"
    )
    hashes = row_hashes(rows, "query_id", ["query_text"])
    return RunResult("", found[:0], rows, PrecisionEstimate(), covers="part", row_hashes=hashes)


def _stage(engine: Engine, outcome: RunResult) -> None:
    table = results_table(outcome.matched, outcome.unmatched, (), outcome.row_hashes)
    with writing(engine) as connection, staged(connection, table):
        pass


def _ask(engine: Engine, found: pd.DataFrame) -> None:
    with reading(engine) as connection:
        changed_rows(connection, PIPELINE, row_hashes(found, "query_id", ["query_text"]), basis="")


def _run(engine: Engine, day: int, outcome: RunResult) -> float:
    run_id, at = f"run-{day}", START + timedelta(days=day)
    with pipeline_lock(engine, PIPELINE, run_id=run_id, timeout_seconds=0):
        start_run(engine, Attempt(run_id, PIPELINE, triggered_by="benchmark", code_version="benchmark"), at=at)
        with writing(engine) as connection:
            program_id = store_program(connection, _program(), run_id=run_id, at=at)
        return _timed(lambda: write_matches(engine, run_id, replace(outcome, program_id=program_id), at=at))[0]


def _program() -> Program:
    definition = {
        "columns": [{"reference": "name", "query": "name", "weight": 1.0}],
        "blocking": {"k": 10},
        "negative_rules": [],
        "decision": {"kind": "union", "configurations": [{"join_function": FUNCTION, "threshold": 0.3}]},
    }
    return Program.model_validate({"definition": definition})


def _matches(count: int) -> pd.DataFrame:
    place = np.arange(count)
    text = pd.Series(place).map("The {:07d}. shop at the corner of a street".format)
    distance = place % 97 / 331
    return pd.DataFrame(
        {
            "query_id": pd.Series(place).map("q{:07d}".format),
            "reference_id": pd.Series(place).map("r{:07d}".format),
            "precision_estimate": 1.0 / (1 + place % 3),
            "configuration": 0,
            "join_function": "lower/3-gram/uniform/jaccard",
            "distance": distance,
            "threshold": 0.3,
            "runner_up_id": pd.Series(place).map("s{:07d}".format),
            "runner_up_distance": distance + 0.1,
            "margin": 0.1,
            "query_text": text,
            "reference_text": text.str.upper(),
        }
    )


def _unmatched() -> pd.DataFrame:
    return pd.DataFrame({"query_id": [], "reason": []}, dtype=str)


if __name__ == "__main__":
    command(main)
