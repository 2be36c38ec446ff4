"""Rows of a table or a query from any database that SQLAlchemy reaches, as text. No message ever holds a password."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from fuzzyjoin.errors import DataError, UsageError
from tasks.ingestion.cells import cell_text
from tasks.ingestion.read_only import open_for_reading, reading_only, require_database, require_select
from tasks.ingestion.sources import TableSource
from tasks.scrubbing import mask_secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import URL

    from tasks.ingestion.sources import DatabaseSource, QuerySource

__all__ = ["SourceUnavailableError", "engine_of", "read_database"]

# Bounds the Python objects alive at one time; the Arrow columns they become are several times smaller.
_ROWS_A_BATCH = 50_000


class SourceUnavailableError(DataError):
    """There is no connection to the database, or it broke off: running again can help."""


def engine_of(source: DatabaseSource, *, url: str | None = None) -> sa.Engine:
    """Make the engine of a source's database.

    Parameters
    ----------
    source
        Names the environment variable that holds the URL.
    url
        The URL, where it does not come from the environment.

    Raises
    ------
    UsageError
        If the variable is not set, holds no URL, or the URL's driver is not installed.
    """
    name = f"url_variable: the environment variable {source.url_variable!r}"
    if url is None:
        url = os.environ.get(source.url_variable, "")
        if not url:
            raise UsageError(f"{name} is not set; set it to the database's URL")
    else:
        name = f"url_block: the Secret block {source.url_block!r}"
    try:
        engine = sa.create_engine(_with_our_driver(make_url(url)), hide_parameters=True)
    except (ImportError, NoSuchModuleError):
        driver = url.split(":", maxsplit=1)[0]
        raise UsageError(
            f"{name} asks for {driver!r}, which is not installed; install its driver, or name another one in the URL"
        ) from None
    except (ArgumentError, ValueError):
        # The cause quotes the URL.
        raise UsageError(
            f"{name} holds no database URL; it looks like postgresql://user:password@host/database"
        ) from None
    open_for_reading(engine)
    return engine


def read_database(source: TableSource | QuerySource, engine: sa.Engine) -> pa.Table:
    """Read the rows of a table or query. The database refuses to write meanwhile, where it can (see `reading_only`).

    Parameters
    ----------
    source
        What to read.
    engine
        The database.

    Returns
    -------
    pyarrow.Table
        All columns large_string; null where a value is missing.

    Raises
    ------
    UsageError
        If a named column does not exist, or the statement returns no rows at all or lacks a parameter's value.
    SourceUnavailableError
        If there is no connection.
    DataError
        If the database refuses, two columns share a name, or a value does not read as text.
    """
    label = _label(source)
    with _named(label, engine), closing(_connect(label, engine)) as connection, reading_only(connection):
        statement = _statement(source, connection)
        require_select(connection, statement, label)
        parameters = {} if isinstance(source, TableSource) else source.parameters
        # Closed on an error too: a driver keeps an open cursor on the server.
        with connection.execution_options(yield_per=_ROWS_A_BATCH).execute(statement, parameters) as result:
            if not result.returns_rows:
                raise UsageError(f"{label}: the statement returns no rows; write a SELECT")
            return _table(result, source.columns, label)


def _with_our_driver(url: URL) -> URL:
    """The URL with the driver that is installed, where it names none: SQLAlchemy's own choice for PostgreSQL is not."""
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _connect(label: str, engine: sa.Engine) -> sa.Connection:
    require_database(engine, label)
    try:
        return engine.connect()
    except DBAPIError as error:
        raise _unavailable(label, engine, error) from None


def _label(source: TableSource | QuerySource) -> str:
    if isinstance(source, TableSource):
        return f"table {'.'.join(filter(None, (source.schema_name, source.table)))!r}"
    return "query"


def _statement(source: TableSource | QuerySource, connection: sa.Connection) -> sa.Executable:
    if not isinstance(source, TableSource):
        return sa.text(source.sql)
    table = sa.table(source.table, schema=source.schema_name or None)
    everything: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(table)
    if not source.columns:
        return everything
    # SQLite takes a quoted name that it does not know for a text.
    names = list(connection.execute(everything.limit(0)).keys())
    _require_columns(source.columns, names, _label(source))
    return sa.select(*map(sa.column, source.columns)).select_from(table)


def _table(result: sa.CursorResult[Any], wanted: Sequence[str], label: str) -> pa.Table:
    names = list(result.keys())
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"{label}: returns two columns named {repeated[0]!r}; rename one with AS")
    _require_columns(wanted, names, label)
    chosen = [(name, names.index(name)) for name in (wanted or names)]
    batches: list[list[pa.Array]] = [[] for _ in chosen]
    for rows in result.partitions():
        for (name, place), chunks in zip(chosen, batches, strict=True):
            try:
                chunks.append(pa.array([cell_text(row[place], name) for row in rows], pa.large_string()))
            except UnicodeEncodeError:
                raise DataError(
                    f"{label}: column {name!r} has half a character (a lone surrogate); mend the text in the database"
                ) from None
            except DataError as error:
                raise DataError(f"{label}: {error}") from None
    columns = [pa.chunked_array(chunks, pa.large_string()) for chunks in batches]
    return pa.table(columns, names=[name for name, _ in chosen])


def _require_columns(wanted: Sequence[str], names: Sequence[str], label: str) -> None:
    for name in wanted:
        if name not in names:
            raise UsageError(f"columns: {label} has no column {name!r}; its columns are {', '.join(names)}")


@contextmanager
def _named(label: str, engine: sa.Engine) -> Iterator[None]:
    """Turn what SQLAlchemy says into an error without statement, parameters and password, and without its cause."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable(label, engine, error) from None
        raise DataError(
            f"{label}: the database {_name(engine)} refuses ({_reason(error, engine)}); check the statement, the "
            "names in it, and that the user may read them; a source is only read: write one SELECT"
        ) from None
    except SQLAlchemyError as error:
        raise UsageError(
            f"{label}: cannot be run ({_reason(error, engine)}); give every :name in the statement a value in "
            "parameters, and write \\: for a colon that begins no name"
        ) from None


def _unavailable(label: str, engine: sa.Engine, error: DBAPIError) -> SourceUnavailableError:
    return SourceUnavailableError(
        f"{label}: no connection to the database {_name(engine)} ({_reason(error, engine)}); check that it runs and "
        "that the URL names its host, user and password, then run again"
    )


def _name(engine: sa.Engine) -> str:
    """The database as messages call it: its URL without password and options."""
    return repr(engine.url.set(query={}).render_as_string())


def _reason(error: SQLAlchemyError, engine: sa.Engine) -> str:
    """The first line of what the driver says, without statement, list of parameters and link."""
    said = str(getattr(error, "orig", None) or error).strip().split("\n", maxsplit=1)[0]
    return mask_secrets_of(engine.url, said.split(" (Background on this error", maxsplit=1)[0])
