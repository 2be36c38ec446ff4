"""Program search: the task that learns a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from fuzzyjoin import DataError, learn_program
from tasks.handles import InputHandle, ProgramHandle
from tasks.ingestion import load_snapshot
from tasks.orchestration.run_progress import shown_progress
from tasks.store.named_files import store_file

if TYPE_CHECKING:
    from tasks.settings import Search

__all__ = ["TargetUnreachableError", "search_program"]


class TargetUnreachableError(DataError):
    """No program reaches the precision target."""


@task(name="search program", task_run_name="search program")
def search_program(reference: InputHandle, query: InputHandle, search: Search) -> ProgramHandle:
    """Learn a program on two tables (see `fuzzyjoin.learn_program`).

    Raises
    ------
    TargetUnreachableError
        If the program found joins nothing: promoted, it would close every match there is.
    """
    with shown_progress("program search") as progress:
        program = learn_program(
            load_snapshot(reference.table),
            load_snapshot(query.table),
            list(zip(reference.columns, query.columns, strict=True)),
            id=(reference.id_column, query.id_column),
            precision_target=search.precision_target,
            min_probability=search.least_probability,
            method=search.method,
            space=search.named_space,
            negative_rules=search.negative_rules,
            progress=progress,
        )
    if not program.reachable:
        raise TargetUnreachableError(
            f"no program reaches the precision target {search.precision_target:g} on these tables; the pipeline's "
            "current program, if there is one, stays in use: compare other columns, or lower precision_target"
        )
    return ProgramHandle(
        program_id=program.program_id,
        file=store_file("programs", ".json", program.save),
        precision_target=search.precision_target,
        precision_estimate=program.precision_estimate,
    )
