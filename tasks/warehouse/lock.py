"""One run of a pipeline at a time.

PostgreSQL keeps an advisory lock for a session of its own (a proxy that shares sessions between clients breaks it).
SQLite and DuckDB are files of one machine: a file beside the database is locked by the operating system. Either way
the lock of a killed process is free at once, and nothing has to be cleaned up.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tasks.warehouse.connection import writing
from tasks.warehouse.errors import LockHeldError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from sqlalchemy.engine import Connection, Engine

__all__ = ["pipeline_lock"]

POLL_SECONDS = 0.1

HOLDER = sa.text(
    "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND ((l.classid::bigint << 32) | l.objid::bigint) = :key"
)


@contextmanager
def pipeline_lock(engine: Engine, pipeline: str, *, run_id: str, timeout_seconds: float) -> Iterator[None]:
    """Hold the pipeline's lock.

    On DuckDB, which lets one process at a time open the file, the lock is the whole warehouse's: take it before any
    other use of the engine.

    Parameters
    ----------
    engine
        The warehouse.
    pipeline
        The pipeline's name.
    run_id
        Who holds the lock; told to those who wait for it in vain.
    timeout_seconds
        How long to wait for it, 0 or more.

    Raises
    ------
    LockHeldError
        If another run still holds it then; the message says which.
    """
    hold = _postgresql_lock if engine.dialect.name == "postgresql" else _file_lock
    with hold(engine, pipeline, run_id, timeout_seconds):
        yield


@contextmanager
def _postgresql_lock(engine: Engine, pipeline: str, run_id: str, timeout_seconds: float) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(f"fuzzyjoin {pipeline}".encode()).digest()[:8], signed=True)
    with writing(engine) as probe:
        probe.execute(sa.text("SELECT 1"))
    # Not in a transaction, which would hold back vacuum for as long as the run takes.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        try:
            session.execute(sa.text("SELECT set_config('application_name', :name, false)"), {"name": f"run {run_id}"})
            _wait(
                pipeline,
                timeout_seconds,
                attempt=lambda: bool(session.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key})),
                holder=lambda: _postgresql_holder(session, key),
            )
            yield
        finally:
            # Said at once: the server may take a while to see that the session is closed.
            # Whatever fails here, it must not stand in the place of what the run failed of.
            with suppress(SQLAlchemyError):
                session.execute(sa.text("SELECT pg_advisory_unlock_all()"))
            # A closed session frees its locks even if this process hangs on; the pool would keep it open.
            session.invalidate()


def _postgresql_holder(session: Connection, key: int) -> str:
    row = session.execute(HOLDER, {"key": key}).first()
    return f"{row.application_name} (PostgreSQL session {row.pid})" if row else "a run that has just ended"


@contextmanager
def _file_lock(engine: Engine, pipeline: str, run_id: str, timeout_seconds: float) -> Iterator[None]:
    with _opened(_lock_file(engine, pipeline)) as file:
        _wait(pipeline, timeout_seconds, attempt=lambda: _try_lock(file), holder=lambda: _file_holder(file))
        file.truncate(0)
        file.write(f"run {run_id} (process {os.getpid()} on {socket.gethostname()})")
        file.flush()
        try:
            yield
        finally:
            # As above; the lock itself goes with the open file.
            with suppress(OSError):
                file.truncate(0)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise WarehouseError(
            f"the lock file {path} cannot be opened ({error.strerror or error}); make its folder, or let this user "
            "write there"
        ) from None


def _lock_file(engine: Engine, pipeline: str) -> Path:
    # Whichever link leads to the database, its lock is one file.
    database = Path(str(engine.url.database)).resolve()
    if engine.dialect.name == "duckdb":
        return Path(f"{database}.lock")
    return Path(f"{database}.{hashlib.sha256(pipeline.encode()).hexdigest()[:16]}.lock")


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file_holder(file: TextIO) -> str:
    file.seek(0)
    return file.read() or "a run that is just beginning or ending"


def _wait(pipeline: str, timeout_seconds: float, *, attempt: Callable[[], bool], holder: Callable[[], str]) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not attempt():
        if time.monotonic() >= deadline:
            raise LockHeldError(
                f"pipeline {pipeline!r} is locked by {holder()}, after waiting {timeout_seconds:g} s; "
                "let it finish, or wait longer with timeout_seconds"
            )
        time.sleep(POLL_SECONDS)
