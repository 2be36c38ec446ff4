"""A source is only read: what else a statement asks for is refused by the database, where it can refuse.

A transaction that is rolled back is not enough: SQLite's driver runs `DROP TABLE` outside of it, and a query may begin
with `COMMIT`, attach a file or write one.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from fuzzyjoin.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["open_for_reading", "reading_only", "require_database", "require_select"]

# Flags of the session and files: `query_only` does not keep a statement from these.
_DENIED: Final = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT}
# Pragmas that only tell; full-text tables ask for the last one.
_TELLING: Final = {
    "database_list",
    "foreign_key_list",
    "index_info",
    "index_list",
    "table_info",
    "table_list",
    "table_xinfo",
    "data_version",
}
# PIVOT is a MULTI: it finds its columns first.
_DUCKDB_READS: Final = {"SELECT", "MULTI", "CALL"}


@contextmanager
def reading_only(connection: sa.Connection) -> Iterator[None]:
    """A transaction in which the database refuses to write, and which is rolled back.

    SQLite, PostgreSQL, DuckDB, MySQL and MariaDB refuse; any other database rolls back what its transactions hold.
    """
    with _TRANSACTIONS.get(connection.dialect.name, _rolled_back)(connection):
        yield


def require_database(engine: sa.Engine, label: str) -> None:
    """Raise `UsageError` if a SQLite file does not exist: the driver would make an empty one."""
    database = engine.url.database or ""
    if engine.dialect.name != "sqlite" or database in {"", ":memory:"} or database.startswith("file:"):
        return
    if not Path(database).exists():
        raise UsageError(f"{label}: there is no database {database!r}; check the path in its URL")


def require_select(connection: sa.Connection, statement: sa.Executable, label: str) -> None:
    """Raise `DataError` if DuckDB is asked for more than one statement, or for one that does not read.

    Its read-only transactions still write files (`COPY … TO`) and attach databases.
    """
    if connection.dialect.name != "duckdb":
        return
    import duckdb  # noqa: PLC0415 - an extra

    sql = str(statement.compile(dialect=connection.dialect))  # type: ignore[attr-defined]
    try:
        kinds = [str(part.type).rpartition(".")[2] for part in duckdb.extract_statements(sql)]
    except duckdb.Error:
        # The database says what is wrong with it.
        return
    if len(kinds) != 1:
        raise DataError(f"{label}: holds {len(kinds)} statements; a source is only read: write one SELECT")
    if kinds[0] not in _DUCKDB_READS:
        raise DataError(f"{label}: is a statement of kind {kinds[0]}; a source is only read: write one SELECT")


def open_for_reading(engine: sa.Engine) -> None:
    """Let an engine open a DuckDB file for reading, unless this process has it open for writing."""
    if engine.dialect.name != "duckdb" or (engine.url.database or "").partition(":")[0] in {"", "md", "motherduck"}:
        return

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, arguments: Any, options: dict[str, Any]) -> Any:  # noqa: ANN401 - the driver's
        try:
            return dialect.connect(*arguments, **{**options, "read_only": True})
        except dialect.dbapi.Error:
            if not Path(str(engine.url.database)).exists():
                raise
            # Open in this process, and differently; or with a log to be replayed.
            return None


@contextmanager
def _rolled_back(connection: sa.Connection) -> Iterator[None]:
    with connection.begin() as transaction:
        yield
        # Not all drivers roll back when a connection goes back to the pool.
        transaction.rollback()


@contextmanager
def _postgresql(connection: sa.Connection) -> Iterator[None]:
    with _rolled_back(connection.execution_options(postgresql_readonly=True)):
        # From the first query on the transaction cannot be made one that writes.
        connection.exec_driver_sql("SELECT 1")
        yield


@contextmanager
def _sqlite(connection: sa.Connection) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    with _rolled_back(connection):
        if not driver.in_transaction:
            # The driver begins one for INSERT and the like alone. Within one nothing can be vacuumed into a file.
            connection.exec_driver_sql("BEGIN")
        before = connection.exec_driver_sql("PRAGMA query_only").scalar_one()
        connection.exec_driver_sql("PRAGMA query_only = ON")
        driver.set_authorizer(_authorize)
        try:
            yield
        finally:
            # The connection goes back to its pool, unless it broke off.
            if not connection.invalidated:
                driver.set_authorizer(None)
                driver.execute(f"PRAGMA query_only = {int(before)}")


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    telling = action != sqlite3.SQLITE_PRAGMA or (first or "").casefold() in _TELLING
    loads = action == sqlite3.SQLITE_FUNCTION and (second or "").casefold() == "load_extension"
    return sqlite3.SQLITE_OK if action not in _DENIED and telling and not loads else sqlite3.SQLITE_DENY


@contextmanager
def _duckdb(connection: sa.Connection) -> Iterator[None]:
    with _rolled_back(connection):
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("BEGIN TRANSACTION READ ONLY")
        yield


@contextmanager
def _mysql(connection: sa.Connection) -> Iterator[None]:
    with _rolled_back(connection):
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
        yield


_TRANSACTIONS: Final[dict[str, Callable[[sa.Connection], AbstractContextManager[None]]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "duckdb": _duckdb,
    "mysql": _mysql,
    "mariadb": _mysql,
}
