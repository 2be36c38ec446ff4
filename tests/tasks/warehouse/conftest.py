"""Real, empty, migrated warehouses: a SQLite file, a PostgreSQL server from a wheel, a DuckDB file."""

import shutil
from functools import cache

import psycopg
import pytest

from tasks.warehouse.connection import warehouse_engine
from tasks.warehouse.migrations import migrate_up

DATABASES = ("sqlite", "postgresql", "duckdb")


@pytest.fixture(scope="session")
def migrated(request, tmp_path_factory):
    """A function that migrates an empty warehouse of a kind, once, and gives its file or its database's name.

    Tests work on copies of it: a copy takes a fraction of the time of the migrations.
    """

    @cache
    def of(kind):
        name = "migrated"
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            url = server.replace("/postgres?", f"/{name}?")
        else:
            name = tmp_path_factory.mktemp("migrated") / "warehouse.db"
            url = f"{kind}:///{name}"
        engine = warehouse_engine(url)
        migrate_up(engine)
        engine.dispose()
        return name

    return of


@pytest.fixture
def database_url(request, tmp_path, migrated):
    """URL of a database of the kind that the test is parametrised with; empty, unless the test asks for `warehouse`."""
    kind = request.param
    copied = migrated(kind) if "warehouse" in request.fixturenames else None
    if kind != "postgresql":
        file = tmp_path / "warehouse.db"
        if copied:
            shutil.copy(copied, file)
        yield f"{kind}:///{file}"
        return
    server = request.getfixturevalue("postgresql_server")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE warehouse TEMPLATE {copied or 'template1'}")
        yield server.replace("/postgres?", "/warehouse?")
        connection.execute("DROP DATABASE warehouse WITH (FORCE)")


@pytest.fixture
def empty(database_url):
    engine = warehouse_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def warehouse(empty):
    """An engine of a migrated database that holds nothing: with this fixture, `database_url` is a copy of one."""
    return empty


def pytest_generate_tests(metafunc):
    if "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", DATABASES, indirect=True)
