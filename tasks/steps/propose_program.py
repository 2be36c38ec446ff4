"""A learned program is proposed: the tasks that hold it against the current one and record what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import Program
from tasks.orchestration.credentials import opened_warehouse
from tasks.steps.current_program import program_handle
from tasks.store.named_files import checked
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import propose
from tasks.warehouse.pipelines import current_program_id, require_pipeline
from tasks.warehouse.programs import load_program, store_program
from tasks.warehouse.runs import require_running

if TYPE_CHECKING:
    from tasks.handles import ProgramHandle, ResultHandle, RunHandle
    from tasks.settings import Conduct

__all__ = ["comparable_program", "propose_program"]

ESTIMATE_TOLERANCE: Final = 0.01
"""How far below the target the estimate of a program may lie that still does as well as a newly learned one."""
MATCHES_TOLERANCE: Final = 0.05
"""Which share of the new one's matches it may miss."""


@task(name="comparable program", task_run_name="comparable program", cache_policy=NO_CACHE)
def comparable_program(run: RunHandle, learned: ProgramHandle, conduct: Conduct) -> ProgramHandle | None:
    """The current program, if the one just learned replaces it only for doing better.

    None if there is nothing to compare: the two are the same, were asked for different things, a person decides, or the
    newest is wanted in any case.
    """
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        pipeline = require_pipeline(connection, run.pipeline)
        if pipeline.current_program_id in {None, learned.program_id}:
            return None
        current = load_program(connection, pipeline.current_program_id)
    if pipeline.promotion != "automatic" or conduct.replacement == "always":
        return None
    return program_handle(current) if _asked(current) == _asked(Program.load(checked(learned.file))) else None


@task(name="propose program", task_run_name="propose program", cache_policy=NO_CACHE)
def propose_program(run: RunHandle, program: ProgramHandle, current_result: ResultHandle | None = None) -> str:
    """Store a learned program and propose it.

    Parameters
    ----------
    run, program
        The run, and what it learned.
    current_result
        What a comparable program finds on the same tables; if that is as good, the current program stays.

    Returns
    -------
    str
        What became of it, as a sentence.
    """
    now = datetime.now(UTC)
    learned = Program.load(checked(program.file))
    with opened_warehouse(run.warehouse) as engine, writing(engine) as connection:
        require_running(connection, run.run_id)
        store_program(connection, learned, run_id=run.run_id, at=now)
        before = current_program_id(connection, run.pipeline)
        if current_result and current_result.program_id == before and _does_as_well(current_result, learned):
            return "The current program does as well on these tables and stays in use; this one is kept on record."
        decision = propose(connection, run.pipeline, program.program_id, by=f"run {run.run_id}", at=now)
    if decision == "approval":
        return "It is the pipeline's current program from now on."
    if decision == "proposal":
        return "It is proposed: a person approves or refuses it in the flow review_program."
    if before == program.program_id:
        return "It is the pipeline's current program already."
    return "It was proposed before and still waits for a person's answer in the flow review_program."


def _asked(program: Program) -> tuple[object, ...]:
    """What a program was asked for, and of which code."""
    record = program.learning_record
    return (
        [(column.reference, column.query) for column in program.columns],
        [(column.reference, column.query) for column in program.definition.equal],
        program.definition.decision.model_dump(include={"kind", "min_probability"}),
        program.definition.blocking.equal_rows,
        bool(program.definition.negative_rules),
        record and (record.method, record.space, record.precision_target, record.versions.get("fuzzyjoin")),
    )


def _does_as_well(found: ResultHandle, learned: Program) -> bool:
    """Whether what was found is within the tolerances of the target and of what the learned program joins.

    Shares of the query rows are compared: the learned one may have been learned on a sample of them. The last program
    does not enter, so that small losses cannot add up.
    """
    record, estimate = learned.learning_record, found.precision_estimate.value
    rows = found.matched_rows + found.unmatched_rows
    if record is None or estimate is None or not rows:
        return False
    return (
        estimate >= record.precision_target - ESTIMATE_TOLERANCE
        and found.matched_rows / rows >= (1.0 - MATCHES_TOLERANCE) * record.joined_share
    )
