"""Program search: the task that learns a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task

from fuzzyjoin import BlockedPairs, DataError, Program
from fuzzyjoin.index import open_index
from fuzzyjoin.search import learn_from_pairs
from fuzzyjoin.threads import choose_work
from tasks.handles import IndexHandle, InputHandle, PairsHandle, ProgramHandle
from tasks.orchestration.run_progress import shown_progress
from tasks.steps.compared_rows import compared_rows
from tasks.store.named_files import checked, store_file

if TYPE_CHECKING:
    from tasks.settings import Search

__all__ = ["TargetUnreachableError", "search_program"]


class TargetUnreachableError(DataError):
    """No program reaches the precision target."""


@task(name="search program", task_run_name="search program")
def search_program(index: IndexHandle, pairs: PairsHandle, query: InputHandle, search: Search) -> ProgramHandle:
    """Learn a program from candidate pairs, by the reference table's index (see `fuzzyjoin.learn_program`).

    Raises
    ------
    TargetUnreachableError
        If the program found joins nothing: promoted, it would close every match there is.
    """
    side = open_index(Path(index.path), index.blocks)
    rows = compared_rows(query, index.blocks.missing)
    with shown_progress("program search") as progress:
        learned = learn_from_pairs(
            side, rows, BlockedPairs.load(checked(pairs.file)), search.learning_settings(), choose_work(None, progress)
        )
    definition = learned.definition.with_missing(index.blocks.missing)
    program = Program(definition=definition, learning_record=learned.learning_record)
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
