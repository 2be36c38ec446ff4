"""What was tried: each step here commits on its own, so that it stays whatever becomes of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from tasks.scrubbing import scrub, without_secrets
from tasks.warehouse.connection import writing
from tasks.warehouse.errors import RunEndedError, WarehouseError
from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.schema import runs, validations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

__all__ = [
    "Attempt",
    "InputState",
    "Validation",
    "end_run",
    "record_failure",
    "record_inputs",
    "record_refusal",
    "record_validations",
    "require_running",
    "start_run",
    "update_running",
]

DIED = "its process ended without recording an end; found when the next run began"


@dataclass(frozen=True)
class Attempt:
    """A run that is about to begin.

    Attributes
    ----------
    run_id
        Unique; made up by the caller, such as a UUID.
    pipeline
        A registered pipeline's name.
    triggered_by
        The person, schedule or automation that asked for the run.
    code_version
        Of this project, such as a commit.
    parameters
        What the run was asked to do, JSON values; passwords in them are masked before they are stored.
    """

    run_id: str
    pipeline: str
    triggered_by: str
    code_version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("run_id", "pipeline", "triggered_by", "code_version"):
            if not getattr(self, name):
                raise WarehouseError(f"{name} is empty; an auditor needs it: give one")


@dataclass(frozen=True)
class InputState:
    """What a table held when it was read: its content fingerprint, which ignores row order, and its rows."""

    fingerprint: str
    rows: int


@dataclass(frozen=True)
class Validation:
    """One check of an input or of the output, with its numbers.

    Attributes
    ----------
    subject
        What was checked: reference, query or output.
    expectation
        What was expected of it, in words.
    severity
        A hard failure stops the run before it writes matches, a soft one is a warning.
    passed
        Whether it held.
    observed, expected
        The numbers, as text.
    """

    subject: Literal["reference", "query", "output"]
    expectation: str
    severity: Literal["hard", "soft"]
    passed: bool
    observed: str | None = None
    expected: str | None = None


def start_run(engine: Engine, attempt: Attempt, *, at: datetime) -> None:
    """Record that a run begins, and that earlier runs of its pipeline which never ended have died.

    The caller holds the pipeline's lock: whoever else held it is gone.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered or the run_id is taken.
    """
    dead = (
        sa.update(runs)
        .where(runs.c.pipeline == attempt.pipeline, runs.c.status == "running")
        .values(status="died", ended_at=at, failure=DIED)
    )
    with writing(engine) as connection:
        connection.execute(dead)
        _insert(connection, attempt, status="running", started_at=at)


def record_refusal(engine: Engine, attempt: Attempt, reason: str, *, at: datetime) -> None:
    """Record a run that could not even begin, for example because another one holds the lock.

    DuckDB lets one process at a time open its file: there this can fail while the holder of the lock works.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered or the run_id is taken.
    """
    with writing(engine) as connection:
        _insert(connection, attempt, status="refused", started_at=at, ended_at=at, failure=scrub(reason))


def record_inputs(engine: Engine, run_id: str, *, reference: InputState, query: InputState) -> None:
    """Record what the run reads.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    with writing(engine) as connection:
        update_running(
            connection,
            run_id,
            reference_fingerprint=reference.fingerprint,
            reference_rows=reference.rows,
            query_fingerprint=query.fingerprint,
            query_rows=query.rows,
        )


def record_validations(engine: Engine, run_id: str, results: Sequence[Validation], *, at: datetime) -> None:
    """Record results of checks, after those recorded before.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    with writing(engine) as connection:
        require_running(connection, run_id)
        count = sa.select(sa.func.count()).select_from(validations).where(validations.c.run_id == run_id)
        first = int(connection.scalar(count) or 0)
        rows = [
            {
                "run_id": run_id,
                "number": first + place,
                "subject": result.subject,
                "expectation": result.expectation,
                "severity": result.severity,
                "passed": result.passed,
                "observed": result.observed,
                "expected": result.expected,
                "checked_at": at,
            }
            for place, result in enumerate(results)
        ]
        if rows:
            connection.execute(sa.insert(validations), rows)


def record_failure(engine: Engine, run_id: str, failure: str, *, at: datetime) -> None:
    """Record that the run has failed, and why; passwords in the text are masked.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    with writing(engine) as connection:
        update_running(connection, run_id, status="failed", ended_at=at, failure=scrub(failure))


def end_run(engine: Engine, run_id: str, *, program_id: str | None, at: datetime) -> None:
    """Record the success of a run that writes no matches: one that learns a program or finds nothing to do.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    with writing(engine) as connection:
        update_running(connection, run_id, status="succeeded", ended_at=at, program_id=program_id)


def update_running(connection: Connection, run_id: str, **values: Any) -> None:  # noqa: ANN401 - column values
    """Change a run's row in the caller's transaction, which then keeps others from changing it.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    change = sa.update(runs).where(runs.c.run_id == run_id, runs.c.status == "running").values(**values)
    if connection.execute(change.returning(runs.c.run_id)).first() is None:
        require_running(connection, run_id)


def require_running(connection: Connection, run_id: str) -> str:
    """The name of the running run's pipeline.

    Raises
    ------
    RunEndedError
        If the run is not running.
    """
    row = connection.execute(sa.select(runs.c.pipeline, runs.c.status).where(runs.c.run_id == run_id)).first()
    if row is None or row.status != "running":
        state = "does not exist" if row is None else f"is {row.status}"
        raise RunEndedError(f"run {run_id!r} {state}; only a running run writes: start a new one")
    return str(row.pipeline)


def _insert(connection: Connection, attempt: Attempt, **values: Any) -> None:  # noqa: ANN401 - column values
    require_pipeline(connection, attempt.pipeline)
    if connection.scalar(sa.select(runs.c.run_id).where(runs.c.run_id == attempt.run_id)) is not None:
        raise WarehouseError(f"run_id {attempt.run_id!r} is taken; give every attempt an id of its own")
    connection.execute(
        sa.insert(runs).values(
            run_id=attempt.run_id,
            pipeline=attempt.pipeline,
            triggered_by=scrub(attempt.triggered_by),
            code_version=attempt.code_version,
            parameters=json.dumps(
                without_secrets(attempt.parameters), sort_keys=True, default=lambda value: scrub(str(value))
            ),
            **values,
        )
    )
