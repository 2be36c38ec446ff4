"""Tables in: the task that reads a source and keeps a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin.tables import choose_id, require_column
from tasks.credentials import source_engine
from tasks.handles import InputHandle
from tasks.ingestion import DatabaseSource, SourceUnavailableError, read_source, write_snapshot
from tasks.storage import snapshot_folder

if TYPE_CHECKING:
    import pandas as pd
    from prefect.client.schemas.objects import State, TaskRun

    from tasks.settings import Tables

__all__ = ["ingest_table"]


def _can_help(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Whether reading again can help: only if the database could not be reached."""
    return isinstance(state.result(raise_on_failure=False), SourceUnavailableError)


@task(
    name="ingest table",
    task_run_name="ingest {role}",
    retries=3,
    retry_delay_seconds=[2, 10, 60],
    retry_condition_fn=_can_help,
    # What a source holds is known only after it was read.
    cache_policy=NO_CACHE,
)
def ingest_table(tables: Tables, role: Literal["reference", "query"]) -> InputHandle:
    """Read one of the tables, and keep its id and its compared columns as a snapshot."""
    source = tables.reference if role == "reference" else tables.query
    if isinstance(source, DatabaseSource):
        engine = source_engine(source)
        try:
            frame = read_source(source, engine=engine)
        finally:
            engine.dispose()
    else:
        frame = read_source(source)
    return keep(frame, tables, role)


def keep(frame: pd.DataFrame, tables: Tables, role: Literal["reference", "query"]) -> InputHandle:
    """Keep what a run compares of a table: the id column first, so that a replay finds it again."""
    id_column = choose_id(frame, role, (tables.reference_id if role == "reference" else tables.query_id) or None)
    columns = tables.columns(role)
    for column in columns:
        require_column(frame, column, role, "compare")
    names = list(dict.fromkeys([id_column, *columns]))
    return InputHandle(
        role=role,
        table=write_snapshot(frame[names], snapshot_folder()),
        id_column=id_column,
        columns=tuple(columns),
    )
