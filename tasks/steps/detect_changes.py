"""What an incremental run must look at: the task that compares the query table with what was matched before."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from tasks.handles import InputHandle, ProgramHandle, RunHandle
from tasks.ingestion import load_snapshot, write_snapshot
from tasks.orchestration.credentials import opened_warehouse
from tasks.store.folders import storage_folder
from tasks.warehouse.connection import reading
from tasks.warehouse.query_rows import basis_of, changed_rows, row_hashes

__all__ = ["DetectedChanges", "detect_changes"]


class DetectedChanges(BaseModel):
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


@task(name="detect changes", task_run_name="detect changes", cache_policy=NO_CACHE)
def detect_changes(
    run: RunHandle, program: ProgramHandle, reference: InputHandle, query: InputHandle
) -> DetectedChanges:
    """Find the query rows whose match can differ from the one they have.

    They are the rows that are new or hold another text; and all that were last matched by another program or on another
    reference table: the tokens' weights come from the whole reference table, so that one row more moves every distance.
    """
    frame = load_snapshot(query.table)
    basis = basis_of(program.program_id, reference.table.content_hash)
    hashes = row_hashes(frame, query.id_column, query.columns_read)
    with opened_warehouse(run.warehouse) as engine, reading(engine) as connection:
        changes = changed_rows(connection, run.pipeline, hashes, basis=basis)
    wanted = {*changes.new, *changes.changed, *changes.stale}
    rows = frame[frame[query.id_column].isin(wanted)]
    return DetectedChanges(
        query=query.model_copy(update={"table": write_snapshot(rows, storage_folder() / "parts"), "order": None})
        if wanted
        else None,
        gone=changes.gone,
        why=(
            f"{len(changes.new):,} rows are new, {len(changes.changed):,} hold another text, {len(changes.stale):,} "
            f"were matched by another program or on another reference, {len(changes.unchanged):,} are as they were; "
            f"{len(changes.gone):,} matched before are not in the table."
        ),
    )
