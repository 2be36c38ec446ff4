"""Which program a pipeline uses: the tasks that propose a learned program and look up the current one."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import Program, UsageError
from tasks.credentials import opened_warehouse
from tasks.handles import ProgramHandle, RunHandle
from tasks.storage import checked, store
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import propose
from tasks.warehouse.pipelines import current_program_id
from tasks.warehouse.programs import load_program, store_program

__all__ = ["current_program", "propose_program", "require_current_program"]


@task(name="propose program", task_run_name="propose program", cache_policy=NO_CACHE)
def propose_program(run: RunHandle, program: ProgramHandle) -> str:
    """Store a learned program and propose it.

    Returns
    -------
    str
        What became of it, as a sentence.
    """
    now = datetime.now(UTC)
    with opened_warehouse(run.warehouse) as engine, writing(engine) as connection:
        store_program(connection, Program.load(checked(program.file)), run_id=run.run_id, at=now)
        before = current_program_id(connection, run.pipeline)
        decision = propose(connection, run.pipeline, program.program_id, by=f"run {run.run_id}", at=now)
    if decision == "approval":
        return "It is the pipeline's current program from now on."
    if decision == "proposal":
        return "It is proposed: a person approves or refuses it in the flow review_program."
    if before == program.program_id:
        return "It is the pipeline's current program already."
    return "It was proposed before and still waits for a person's answer in the flow review_program."


@task(name="current program", task_run_name="current program", cache_policy=NO_CACHE)
def current_program(run: RunHandle) -> ProgramHandle | None:
    """The program that the pipeline uses, None before the first was approved."""
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        program_id = current_program_id(connection, run.pipeline)
        program = load_program(connection, program_id) if program_id else None
    if program is None or program.learning_record is None:
        return None
    return ProgramHandle(
        program_id=program.program_id,
        file=store("programs", ".json", program.save),
        precision_target=program.learning_record.precision_target,
        precision_estimate=program.precision_estimate,
    )


def require_current_program(run: RunHandle) -> ProgramHandle:
    """The program that the pipeline uses.

    Raises
    ------
    UsageError
        If it has none yet.
    """
    program = current_program(run)
    if program is None:
        raise UsageError(
            f"pipeline: {run.pipeline!r} has no program yet; run match_tables or learn_program first, and approve what "
            "it proposes if the pipeline is under review"
        )
    return program
