"""What an incremental run must look at: the task that compares the query table with what was matched before."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from tasks.credentials import opened_warehouse
from tasks.handles import InputHandle, ProgramHandle, RunHandle
from tasks.ingestion import load_snapshot, write_snapshot
from tasks.storage import snapshot_folder
from tasks.warehouse.connection import reading
from tasks.warehouse.last_run import last_success
from tasks.warehouse.query_rows import changed_rows, row_hashes

__all__ = ["Work", "detect_changes"]


class Work(BaseModel):
    """The query rows that a run must look at.

    Attributes
    ----------
    query
        These rows; None if there are none.
    gone
        Ids of rows that were matched before and are no longer there.
    why
        What makes them be looked at, as a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: InputHandle | None
    gone: tuple[str, ...]
    why: str


@task(name="detect changes", cache_policy=NO_CACHE)
def detect_changes(run: RunHandle, program: ProgramHandle, reference: InputHandle, query: InputHandle) -> Work:
    """Find the query rows whose match can differ from the one they have.

    Under another program or reference table these are all: the tokens' weights come from the whole reference table, so
    that one row more or less moves every distance. Else they are the rows that are new or hold another text.
    """
    frame = load_snapshot(query.table)
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        last = last_success(connection, run.pipeline)
        changes = changed_rows(connection, run.pipeline, row_hashes(frame, query.id_column, query.columns))
    gone = tuple(changes.gone)
    if last is None or last.program_id != program.program_id:
        return Work(query=query, gone=gone, why="Another program than the last run's: all rows are matched anew.")
    if last.reference_fingerprint != reference.table.content_hash:
        return Work(query=query, gone=gone, why="The reference table has changed: all rows are matched anew.")
    wanted = {*changes.new, *changes.changed}
    why = f"{len(changes.new)} rows are new and {len(changes.changed)} have changed; {len(gone)} are gone."
    if not wanted:
        return Work(query=None, gone=gone, why=why)
    rows = frame[frame[query.id_column].isin(wanted)]
    return Work(
        query=query.model_copy(update={"table": write_snapshot(rows, snapshot_folder())}),
        gone=gone,
        why=why,
    )
