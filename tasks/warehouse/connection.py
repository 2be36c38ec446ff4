"""An engine from a URL, the same behaviour on the three databases, and no way out for the password."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from tasks.scrubbing import is_secret_name, scrub
from tasks.warehouse.errors import WarehouseError, WarehouseUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["add_if_missing", "reading", "shown", "warehouse_engine", "warehouse_url", "writing"]

URL_VARIABLE = "FUZZYJOIN_WAREHOUSE_URL"
PASSWORD_VARIABLE = "FUZZYJOIN_WAREHOUSE_PASSWORD"  # noqa: S105 - the name of a variable, not a password
DEFAULT_URL = "sqlite:///fuzzyjoin-warehouse.db"
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "duckdb": "duckdb"}
LOCK_WAIT_MILLISECONDS = 30_000
READS_ONLY = "fuzzyjoin_reads_only"


def warehouse_url(environment: Mapping[str, str] = os.environ) -> URL:
    """The warehouse's URL from the environment.

    Parameters
    ----------
    environment
        `FUZZYJOIN_WAREHOUSE_URL` names the database, by default a SQLite file in the working directory;
        `FUZZYJOIN_WAREHOUSE_PASSWORD` is its password, so that the URL itself need not hold one.

    Raises
    ------
    WarehouseError
        If the URL cannot be read.
    """
    url = _parsed(environment.get(URL_VARIABLE) or DEFAULT_URL)
    password = environment.get(PASSWORD_VARIABLE)
    # Databases that are files have none.
    return url.set(password=password) if password and url.get_backend_name() == "postgresql" else url


def warehouse_engine(url: str | URL) -> Engine:
    """An engine for the warehouse.

    Parameters
    ----------
    url
        `sqlite:///FILE`, `postgresql://USER@HOST/DATABASE` (psycopg 3) or `duckdb:///FILE`.

    Raises
    ------
    WarehouseError
        If the URL cannot be read, names another database, or a database in memory (it would end with the process,
        and the audit trail with it), or if the driver is not installed.
    """
    parsed = _parsed(url)
    dialect = parsed.get_backend_name()
    if dialect not in DRIVERS:
        raise WarehouseError(f"url names the database {dialect!r}; give one of {', '.join(DRIVERS)}")
    if dialect != "postgresql" and (parsed.database or "").partition(":")[0] in {"", "file"}:
        raise WarehouseError(f"url names a {dialect} database without a plain file; give {dialect}:///FILE")
    # SQLAlchemy hides the password of a URL but not secrets among its options: the driver gets those apart.
    secrets = {name: value for name, value in parsed.query.items() if is_secret_name(name)}
    parsed = parsed.difference_update_query(secrets).set(drivername=DRIVERS[dialect])
    options: dict[str, Any] = {"poolclass": NullPool} if dialect == "duckdb" else {}
    try:
        # Rows hold what people typed: an error message must not show them.
        engine = sa.create_engine(parsed, hide_parameters=True, connect_args=secrets, **options)
    except (ImportError, NoSuchModuleError):
        extra = "duckdb" if dialect == "duckdb" else "pipeline"
        raise WarehouseError(f"the driver for {dialect} is missing; install the extra {extra!r}") from None
    if dialect == "sqlite":
        _prepare_sqlite(engine)
    return engine


def shown(engine: Engine) -> str:
    """The warehouse's URL as it may be shown."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that commits wholly or not at all.

    Raises
    ------
    WarehouseError
        If the warehouse cannot be reached; the message holds no password.
    """
    with _connected(engine) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and so waits for no writer.

    Raises
    ------
    WarehouseError
        If the warehouse cannot be reached; the message holds no password.
    """
    with _connected(engine) as connection:
        reader = connection.execution_options(**{READS_ONLY: True})
        with reader.begin():
            yield reader


def add_if_missing(connection: Connection, table: sa.Table, **values: object) -> None:
    """Insert a row unless there is one of its key, also if another transaction is just adding it."""
    # DuckDB's dialect is PostgreSQL's.
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(table).values(**values).on_conflict_do_nothing())


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except DBAPIError as error:
        reason = scrub(str(error.orig), engine.url).strip()
        raise WarehouseUnreachableError(
            f"warehouse {shown(engine)} cannot be reached: {reason}; check url and server"
        ) from None
    with connection:
        yield connection


def _parsed(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise WarehouseError("url is no database URL; give for example sqlite:///FILE") from None
    password = parsed.query.get("password")
    if isinstance(password, str):
        parsed = parsed.difference_update_query(["password"]).set(password=password)
    return parsed


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - a connection of the driver
        # The driver would begin transactions late and commit before DDL; SQLAlchemy's begin event does it right.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
