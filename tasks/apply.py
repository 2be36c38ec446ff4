"""Application: the task that joins query rows by a program."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
from prefect import task

from fuzzyjoin import BlockedPairs, Program, precision_curve
from tasks.handles import InputHandle, ProgramHandle, ResultHandle
from tasks.ingestion import load_snapshot
from tasks.progress import shown_progress
from tasks.storage import FileHandle, checked, store

if TYPE_CHECKING:
    from fuzzyjoin import JoinResult

__all__ = ["join_query_rows", "load_frame"]


@task(name="apply program", task_run_name="apply program")
def join_query_rows(
    program: ProgramHandle, reference: InputHandle, query: InputHandle, pairs: FileHandle | None = None
) -> ResultHandle:
    """Join the query rows by a program (see `fuzzyjoin.Program.apply`); without pairs they are blocked first."""
    learned = Program.load(checked(program.file))
    tables = load_snapshot(reference.table), load_snapshot(query.table)
    ids = reference.id_column, query.id_column
    found = _pairs_for(learned, pairs)
    with shown_progress("applying the program") as progress:
        result = learned.apply(*tables, id=ids, pairs=found, progress=progress)
        curve = precision_curve(learned, *tables, id=ids, pairs=found, progress=progress)
    return _kept(result, curve)


def load_frame(handle: FileHandle) -> pd.DataFrame:
    """One of a result's frames."""
    return pd.read_parquet(checked(handle))


def _pairs_for(program: Program, handle: FileHandle | None) -> BlockedPairs | None:
    """The pairs, if they are what the program would find by itself."""
    if handle is None:
        return None
    pairs = BlockedPairs.load(checked(handle))
    asked = program.definition.blocking
    return pairs if (pairs.blocker, pairs.k) == (asked.method, asked.k) else None


def _kept(result: JoinResult, curve: pd.DataFrame) -> ResultHandle:
    matches, unmatched, kept_curve = (
        store("matches", ".parquet", partial(frame.to_parquet, index=False))
        for frame in (result.matches, result.unmatched, curve)
    )
    return ResultHandle(
        program_id=result.program.program_id,
        matches=matches,
        unmatched=unmatched,
        curve=kept_curve,
        precision_estimate=result.precision_estimate,
        matched_rows=len(result.matches),
        unmatched_rows=len(result.unmatched),
        warnings=result.warnings,
        seconds=result.seconds,
    )
