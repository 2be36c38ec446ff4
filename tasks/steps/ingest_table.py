"""Tables in: the task that reads a source and keeps a snapshot."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from fuzzyjoin.errors import DataError
from fuzzyjoin.files import found_layout, layout_note
from fuzzyjoin.tables import choose_id, needs_numbers, require_column
from fuzzyjoin.terminal import for_terminal
from tasks.handles import InputHandle
from tasks.ingestion import (
    DatabaseSource,
    FileSource,
    SourceUnavailableError,
    TableSource,
    read_input,
    write_ordered_snapshot,
)
from tasks.orchestration.credentials import source_engine
from tasks.store.folders import snapshot_folder
from tasks.store.named_files import store_file

if TYPE_CHECKING:
    import pandas as pd
    from prefect.client.schemas.objects import State, TaskRun

    from fuzzyjoin.kernels.types import Int64Array
    from tasks.ingestion import InputSource
    from tasks.settings import Publish, Tables

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
def ingest_table(tables: Tables, role: Literal["reference", "query"], publish: Publish | None = None) -> InputHandle:
    """Read one of the tables, and keep its id and its compared columns as a snapshot; all columns, if published."""
    source = tables.reference if role == "reference" else tables.query
    if isinstance(source, DatabaseSource):
        engine = source_engine(source)
        try:
            frame = read_input(source, engine=engine)
        finally:
            engine.dispose()
    else:
        frame = read_input(source)
        layout = source.layout
        if note := layout_note(source.path, layout, found_layout(source.path, layout)):
            get_run_logger().warning("%s", for_terminal(note))
    handle = keep(frame, tables, role)
    if publish is None or not publish.joined:
        return handle
    # Not a snapshot: no run can be replayed better with the other columns, so they go with what was saved for a while.
    whole = store_file("whole_tables", ".parquet", partial(frame.to_parquet, index=False))
    return handle.model_copy(update={"whole": whole})


def keep(frame: pd.DataFrame, tables: Tables, role: Literal["reference", "query"]) -> InputHandle:
    """Keep what a run compares of a table: the id column first, so that a replay finds it again."""
    named = (tables.reference_id if role == "reference" else tables.query_id) or None
    if named is None and needs_numbers(frame):
        raise DataError(
            f"{role} has no column `id` and no column whose values are present and unique; name one as {role}_id, or "
            "add one to the source. Rows are not numbered here: the warehouse keeps matches by id from run to run, and "
            "a row's number names another row once the table changes"
        )
    id_column = choose_id(frame, role, named)
    columns, equal = tables.columns(role), tables.equal_columns(role)
    for setting, named_columns in (("compare", columns), ("equal", equal)):
        for column in named_columns:
            require_column(frame, column, role, setting)
    names = list(dict.fromkeys([id_column, *columns, *equal]))
    table, places = write_ordered_snapshot(frame[names], snapshot_folder())
    return InputHandle(
        role=role,
        table=table,
        id_column=id_column,
        columns=tuple(columns),
        equal=tuple(equal),
        source=_named(tables.reference if role == "reference" else tables.query),
        order=store_file("orders", ".npy", partial(_write, places)),
    )


def _named(source: InputSource) -> str:
    if isinstance(source, FileSource):
        return Path(source.path).name
    return f"table {source.table}" if isinstance(source, TableSource) else "the query's result"


def _write(places: Int64Array, path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, places, allow_pickle=False)
