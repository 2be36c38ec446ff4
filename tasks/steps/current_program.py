"""The program that a pipeline uses, as a handle."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import Program, UsageError
from tasks.handles import ProgramHandle, RunHandle
from tasks.orchestration.credentials import opened_warehouse
from tasks.store.named_files import store_file
from tasks.warehouse.connection import reading
from tasks.warehouse.pipelines import current_program_id
from tasks.warehouse.programs import load_program

__all__ = ["current_program", "program_handle", "require_current_program"]


@task(name="current program", task_run_name="current program", cache_policy=NO_CACHE)
def current_program(run: RunHandle) -> ProgramHandle | None:
    """The program that the pipeline uses, None before the first was approved."""
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        program_id = current_program_id(connection, run.pipeline)
        program = load_program(connection, program_id) if program_id else None
    return None if program is None else program_handle(program)


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


def program_handle(program: Program) -> ProgramHandle | None:
    """A program as it travels between tasks; None if it has no learning record."""
    if program.learning_record is None:
        return None
    return ProgramHandle(
        program_id=program.program_id,
        file=store_file("programs", ".json", program.save),
        precision_target=program.learning_record.precision_target,
        precision_estimate=program.precision_estimate,
    )
