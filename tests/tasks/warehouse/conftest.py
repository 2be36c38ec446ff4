"""Real, empty, migrated warehouses: a SQLite file, a PostgreSQL server from a wheel, a DuckDB file."""

import pytest
import sqlalchemy as sa

from tasks.warehouse.connection import warehouse_engine
from tasks.warehouse.migrations import migrate_up

DATABASES = ("sqlite", "postgresql", "duckdb")


@pytest.fixture
def database_url(request, tmp_path):
    """URL of an empty database of the kind that the test is parametrised with."""
    if request.param != "postgresql":
        yield f"{request.param}:///{tmp_path}/warehouse.db"
        return
    server = request.getfixturevalue("postgresql_server")
    admin = sa.create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE warehouse"))
    yield server.replace("/postgres?", "/warehouse?")
    with admin.connect() as connection:
        connection.execute(sa.text("DROP DATABASE warehouse WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def empty(database_url):
    engine = warehouse_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def warehouse(empty):
    migrate_up(empty)
    return empty


def pytest_generate_tests(metafunc):
    if "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", DATABASES, indirect=True)
