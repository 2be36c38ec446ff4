"""A run of a pipeline around the tasks of a flow: its lock, its record, and the clean-up after it."""

from __future__ import annotations

import getpass
import socket
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from traceback import clear_frames
from typing import TYPE_CHECKING, Any

from prefect import get_client, get_run_logger, runtime
from prefect.exceptions import MissingContextError, TerminationSignal
from sqlalchemy.exc import DBAPIError

from fuzzyjoin.errors import FuzzyJoinError
from tasks.handles import RunHandle
from tasks.orchestration.credentials import opened_warehouse
from tasks.orchestration.temporary_server import wait_for_temporary_server
from tasks.run.old_files import delete_old_files
from tasks.scrubbing import scrub
from tasks.store.code_version import code_version
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import LockHeldError, RunEndedError
from tasks.warehouse.joined_tables import require_free
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.pipelines import register_pipeline
from tasks.warehouse.runs import Attempt, record_failure, record_refusal, start_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from sqlalchemy.engine import Engine

    from tasks.settings import Conduct, Privacy, Publish, Warehouse
    from tasks.warehouse.pipelines import Promotion

__all__ = ["pipeline_run"]

# Here, because every flow that makes a run imports this, and before it begins.
wait_for_temporary_server()


@contextmanager
def pipeline_run(
    pipeline: str,
    *,
    warehouse: Warehouse,
    conduct: Conduct,
    privacy: Privacy,
    publish: Publish,
    **parameters: BaseModel,
) -> Iterator[RunHandle]:
    """Hold the pipeline's lock and keep a record of the run: that it began, and if it fails, why.

    The flow records the run's success (see `tasks.run.completion`); files that nobody needs any more are deleted then.

    Parameters
    ----------
    pipeline
        The pipeline's name.
    warehouse, conduct, privacy
        Where the record goes, and how the run behaves.
    publish
        What the run puts into the warehouse beside the matches.
    parameters
        What else the run was asked to do, for the record.

    Raises
    ------
    LockHeldError
        If another run of the pipeline works for longer than `conduct.wait_seconds`; the message says which.
    WarehouseError
        If the warehouse cannot be reached, or something else stands where the run is to publish.
    """
    asked = {"warehouse": warehouse, "conduct": conduct, "privacy": privacy, "publish": publish, **parameters}
    attempt = Attempt(
        run_id=_run_id(),
        pipeline=pipeline,
        triggered_by=conduct.asked_by or _trigger(),
        code_version=code_version(),
        parameters={
            "flow": runtime.flow_run.flow_name,
            **{name: settings.model_dump(mode="json") for name, settings in asked.items()},
        },
    )
    handle = RunHandle(
        run_id=attempt.run_id,
        pipeline=pipeline,
        warehouse=warehouse,
        privacy=privacy,
        publish=publish,
    )
    with opened_warehouse(warehouse) as engine, ExitStack() as held:
        try:
            held.enter_context(
                pipeline_lock(engine, pipeline, run_id=attempt.run_id, timeout_seconds=conduct.wait_seconds)
            )
        except LockHeldError as error:
            # DuckDB lets nobody in beside the holder of its lock.
            if engine.dialect.name != "duckdb":
                with _cause_kept(error, engine, "that the run was refused"):
                    _prepare(engine, pipeline, promotion=None)
                    record_refusal(engine, attempt, str(error), at=datetime.now(UTC))
            raise
        _prepare(engine, pipeline, promotion=None if conduct.promotion == "as set before" else conduct.promotion)
        start_run(engine, attempt, at=datetime.now(UTC))
        with _failures_recorded(engine, attempt.run_id):
            if publish.joined:
                # Not only when it is written, after an hour of work.
                with reading(engine) as connection:
                    require_free(connection, pipeline, publish.joined)
            yield handle
            # By now the flow has recorded the run's success.
            delete_old_files(handle, conduct.keep_days)


def _prepare(engine: Engine, pipeline: str, *, promotion: Promotion | None) -> None:
    migrate_up(engine)
    with writing(engine) as connection:
        register_pipeline(connection, pipeline, promotion=promotion, at=datetime.now(UTC))


@contextmanager
def _failures_recorded(engine: Engine, run_id: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # A signal can strike between the begin of a transaction and the block that ends it; the frame that was
        # struck then keeps the transaction, and this process would wait for itself.
        clear_frames(error.__traceback__)
        with _cause_kept(error, engine, "that the run failed"):
            record_failure(engine, run_id, _in_words(error), at=datetime.now(UTC))
        raise


@contextmanager
def _cause_kept(cause: BaseException, engine: Engine, what: str) -> Iterator[None]:
    """Record what became of a run: if that fails as well, the cause says so and is what the caller raises."""
    try:
        yield
    except RunEndedError:
        # Its matches are in; what failed came after, and the flow run's state tells of it.
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not why the run failed
        told = f"the warehouse could not be told {what} ({_reason(error, engine)}); see that it can be written to"
    else:
        return
    if isinstance(cause, FuzzyJoinError):
        # Its message alone is shown.
        cause.args = (f"{cause}; {told}",)
    else:
        cause.add_note(told)
    with suppress(MissingContextError):
        get_run_logger().error("%s", told)


def _reason(error: Exception, engine: Engine) -> str:
    """The first line of what the warehouse's driver says, without a password and without the statement."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return scrub(said, engine.url).strip().partition("\n")[0] or type(error).__name__


def _in_words(error: BaseException) -> str:
    if isinstance(error, FuzzyJoinError):
        return str(error)
    if isinstance(error, TerminationSignal):
        return "its process was told to end (SIGTERM): the run was cancelled, or its worker stopped"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted at the keyboard"
    return f"{type(error).__name__}: {error}"


def _run_id() -> str:
    """The flow run's id; a flow run that is begun again is another attempt."""
    count = int(runtime.flow_run.run_count or 1)
    flow_run_id = str(runtime.flow_run.id)
    return flow_run_id if count == 1 else f"{flow_run_id}.{count}"


def _trigger() -> str:
    """Who or what made the flow run."""
    with get_client(sync_client=True) as client:
        flow_run: Any = client.read_flow_run(runtime.flow_run.id)
        deployment = client.read_deployment(flow_run.deployment_id).name if flow_run.deployment_id else None
    if deployment is None:
        return f"{getpass.getuser()} on {socket.gethostname()}"
    maker = flow_run.created_by
    if flow_run.auto_scheduled:
        return f"schedule of deployment {deployment}"
    if maker is None:
        # The server knows no users.
        return f"somebody through Prefect's UI or API who left asked_by empty, deployment {deployment}"
    return f"{(maker.type or 'user').lower()} {maker.display_value or maker.id}, deployment {deployment}"
