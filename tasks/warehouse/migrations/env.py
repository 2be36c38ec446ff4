"""Alembic runs this: it migrates over the connection that the caller holds."""

from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl

from tasks.warehouse.migrations import VERSION_TABLE


class DuckDBImpl(PostgresqlImpl):
    """Alembic does not know DuckDB, whose dialect is that of PostgreSQL; naming it here registers it."""

    __dialect__ = "duckdb"


context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
