"""What the flow tests ask for: the deployments' names, tables, and pipelines that wait for a person."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from fuzzyjoin import learn_program
from tasks.warehouse.connection import writing
from tasks.warehouse.decisions import approve, propose
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.pipelines import register_pipeline
from tasks.warehouse.programs import store_program
from tasks.warehouse.runs import Attempt, end_run, start_run

CHECKOUT = Path(__file__).parents[2]
EXAMPLE = CHECKOUT / "docs/examples/autofj50/ShoppingMall"
FLOWS = ("match_tables", "learn_program", "apply_program", "sync_warehouse", "review_program")
DEPLOYMENTS = {name: f"{name}/{name.replace('_', '-')}" for name in FLOWS}


def tables_in(folder):
    """The `tables` parameter for a copy of the bundled example."""
    for side in ("left", "right"):
        shutil.copy(EXAMPLE / f"{side}.csv", folder)
    sides = {"reference": "left", "query": "right"}
    return {
        **{role: {"kind": "file", "path": str(folder / f"{side}.csv")} for role, side in sides.items()},
        "compare": ["title"],
    }


def two_programs():
    """Two different programs, the first more precise."""
    reference, query = (pd.read_csv(EXAMPLE / f"{side}.csv", dtype=str) for side in ("left", "right"))
    return [
        learn_program(reference, query, "title", id="id", method="autofj", space="large", precision_target=target)
        for target in (0.9, 0.7)
    ]


def propose_in(engine, pipeline, current, proposed):
    """Make a pipeline under review, with a current program and a proposed one."""
    at = datetime.now(UTC)
    migrate_up(engine)
    with writing(engine) as connection:
        register_pipeline(connection, pipeline, promotion="review", at=at)
    start_run(engine, Attempt(f"setup-{pipeline}", pipeline, triggered_by="a test", code_version="0"), at=at)
    with writing(engine) as connection:
        for program in (current, proposed):
            store_program(connection, program, run_id=f"setup-{pipeline}", at=at)
            propose(connection, pipeline, program.program_id, by="run setup", at=at)
            if program is current:
                approve(connection, pipeline, program.program_id, by="a test", at=at)
    end_run(engine, f"setup-{pipeline}", program_id=None, at=at)
