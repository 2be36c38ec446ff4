"""Programs, results and whole runs to put into a warehouse."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import sqlalchemy as sa

import fuzzyjoin
from fuzzyjoin import Program
from fuzzyjoin.definition import PrecisionEstimate
from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.matches import RunResult, write_matches
from tasks.warehouse.pipelines import register_pipeline
from tasks.warehouse.programs import store_program
from tasks.warehouse.query_rows import row_hashes
from tasks.warehouse.runs import Attempt, InputState, record_inputs, start_run

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ESTIMATE = PrecisionEstimate(value=0.93, low=0.9, high=0.96, level=0.95, calibrated=True)


def day(number):
    return START + timedelta(days=number)


def program(threshold=0.3, *, estimate=0.93, rules=(), k=10):
    """A program as learning leaves it, without learning it."""
    function = {"preprocess": "lower", "tokenise": "3-gram", "weight": "uniform", "distance": "jaccard"}
    table = {"fingerprint": "sha256:aa", "rows": 3, "distinct_keys": 3, "filled": [1.0], "median_length": [9.0]}
    return Program.model_validate(
        {
            "definition": {
                "columns": [{"reference": "name", "query": "name", "weight": 1.0}],
                "blocking": {"k": k},
                "negative_rules": rules,
                "decision": {
                    "kind": "union",
                    "configurations": [{"join_function": function, "threshold": threshold}],
                },
            },
            "learning_record": {
                "method": "autofj",
                "space": "small",
                "join_functions": 14,
                "precision_target": 0.9,
                "precision_estimate": {"value": estimate},
                "joined": 2,
                "reference": table,
                "query": table,
                "versions": {"fuzzyjoin": fuzzyjoin.__version__},
            },
        }
    )


def found(rows):
    """Frames as in a JoinResult: every third query row is unmatched, every second match has no runner-up."""
    place = np.arange(rows)
    matched = place % 3 != 2
    at = place[matched]
    lonely = at % 2 == 0
    runner_up = np.where(lonely, np.nan, 0.25 + at / 7.0)
    distance = at / 7.0
    matches = pd.DataFrame(
        {
            "query_id": [f"q{row}" for row in at],
            "reference_id": [f"r{row}" for row in at],
            "precision_estimate": 1.0 / (1 + at % 3),
            "configuration": 0,
            "join_function": "lower/3-gram/uniform/jaccard",
            "distance": distance,
            "threshold": 0.3,
            "runner_up_id": [None if alone else f"r{row + 1}" for row, alone in zip(at, lonely, strict=True)],
            "runner_up_distance": runner_up,
            "margin": runner_up - distance,
            "query_text": [f"Café “{row}”, a\tb\\N\nc" if row else "" for row in at],
            "reference_text": [f"Cafe {row}" for row in at],
        }
    )
    unmatched = pd.DataFrame({"query_id": [f"q{row}" for row in place[~matched]], "reason": "too far"})
    return matches, unmatched


def prepare(engine, *, pipeline="malls", promotion="automatic"):
    with writing(engine) as connection:
        register_pipeline(connection, pipeline, promotion=promotion, at=START)


def begin(engine, run_id, *, pipeline="malls", at=START, reference="sha256:r1", query="sha256:q1", parameters=None):
    attempt = Attempt(
        run_id=run_id,
        pipeline=pipeline,
        triggered_by="ada",
        code_version="abc123",
        parameters=parameters or {"precision_target": 0.9},
    )
    start_run(engine, attempt, at=at)
    record_inputs(engine, run_id, reference=InputState(reference, 300), query=InputState(query, 30))


def hashes(*frames, **held):
    """Of the rows of a result: by id, a text of their own unless it is given."""
    ids = [query_id for frame in frames for query_id in frame["query_id"]]
    texts = [held.get(query_id, f"text of {query_id}") for query_id in ids]
    return row_hashes(pd.DataFrame({"id": ids, "name": texts}), "id", ["name"])


def write(
    engine,
    run_id,
    matches,
    unmatched,
    *,
    at=START,
    using=None,
    pipeline="malls",
    covers="all",
    gone=(),
    kept=None,
    parameters=None,
    joined=None,
    **inputs,
):
    """A whole run, under its lock."""
    with pipeline_lock(engine, pipeline, run_id=run_id, timeout_seconds=60):
        begin(engine, run_id, pipeline=pipeline, at=at, parameters=parameters, **inputs)
        with writing(engine) as connection:
            program_id = store_program(connection, using or program(), run_id=run_id, at=at)
        outcome = RunResult(
            program_id=program_id,
            matched=matches,
            unmatched=unmatched,
            precision_estimate=ESTIMATE,
            covers=covers,
            gone=gone,
            row_hashes=kept,
            joined=joined,
        )
        return write_matches(engine, run_id, outcome, at=at)


def rows(engine, table, *order):
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(sa.select(table).order_by(*order)).mappings()]


def match_rows(engine):
    table = schema.matches
    return rows(engine, table, table.c.pipeline, table.c.query_id, table.c.valid_from)


def run_row(engine, run_id):
    return next(row for row in rows(engine, schema.runs) if row["run_id"] == run_id)
