"""Brings a warehouse to the newest version of its tables, or back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tasks.warehouse.connection import writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

__all__ = ["VERSION_TABLE", "migrate_down", "migrate_up"]

VERSION_TABLE = "fuzzyjoin_alembic_version"
"""Apart from Alembic's default name, which other applications of the same database may use."""


def migrate_up(engine: Engine, *, revision: str = "head") -> None:
    """Bring the warehouse to a newer revision, in one transaction; nothing happens if it is there already."""
    with writing(engine) as connection:
        _one_at_a_time(connection)
        command.upgrade(_configuration(connection), revision)


def migrate_down(engine: Engine, *, revision: str = "base") -> None:
    """Bring the warehouse to an older revision, in one transaction; `base` removes every table and view."""
    with writing(engine) as connection:
        _one_at_a_time(connection)
        command.downgrade(_configuration(connection), revision)


def _one_at_a_time(connection: Connection) -> None:
    # Two first runs at once would make the same tables. SQLite and DuckDB let one writer in at a time as it is.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('fuzzyjoin migrations', 0))"))


def _configuration(connection: Connection) -> Config:
    configuration = Config()
    # The parser of the configuration would take a percent sign in the path for an interpolation.
    configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration
