"""A real Prefect server with a worker, and a real browser."""

import os
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import sync_playwright

from tests.flows.pipelines import Pipeline, Runner
from tests.prefect_server import prefect_server, prefect_worker

CHECKOUT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # The UI asks the Internet how to count its visitors, whatever the server is told; no name resolves here.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Chromium refuses to run as root in its sandbox.
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
)


@pytest.fixture(scope="session")
def server(postgresql_server):
    """A server on PostgreSQL: on SQLite some requests fail with "database is locked" as soon as a worker runs."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE prefect")
    database_url = postgresql_server.replace("postgresql:", "postgresql+asyncpg:").replace("/postgres?", "/prefect?")
    home = Path(tempfile.mkdtemp(prefix="prefect"))
    with prefect_server(home, checkout=CHECKOUT, database_url=database_url) as started:
        yield started
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def worker(server):
    """The server, with a worker that runs from the checkout what is deployed to the pool `fuzzyjoin`."""
    server.prefect("work-pool", "create", "fuzzyjoin", "--type", "process")
    with prefect_worker(server, pool="fuzzyjoin"):
        yield server


@pytest.fixture
def browser_page(server):
    """A page of the server's UI.

    The browser ends with the test: as long as Playwright runs, this thread has a running event loop, and Prefect
    hands out coroutines instead of results.
    """
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS) as browser,
    ):
        yield browser.new_page(base_url=f"{server.url}/v2/", viewport={"width": 1400, "height": 1100})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failure comes with what the server and the worker wrote, and with a picture of the page."""
    report = yield
    if report.failed and (server := item.funcargs.get("server")):
        for log in sorted(server.home.glob("*.log")):
            report.sections.append((log.name, log.read_text(errors="replace")[-4000:]))
        if page := item.funcargs.get("browser_page"):
            picture = f"{tempfile.mkdtemp(prefix='page')}/page.png"
            page.screenshot(path=picture, full_page=True)
            report.sections.append(("picture of the page", picture))
    return report


@pytest.fixture(scope="session")
def runner(server):
    """Runs flows of the checkout, each in a process of its own, with the server."""
    started = Runner(server.environment, server.home / "runner.log")
    yield started
    started.close()


@pytest.fixture
def database_url(request, tmp_path):
    """URL of an empty database of the kind that the test is parametrised with, else of a SQLite file."""
    kind = getattr(request, "param", "sqlite")
    if kind != "postgresql":
        yield f"{kind}:///{tmp_path}/warehouse.db"
        return
    with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as connection:
        name = f"warehouse_{uuid4().hex}"
        connection.execute(f"CREATE DATABASE {name}")
        yield request.getfixturevalue("postgresql_server").replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pipeline(runner, database_url, tmp_path):
    return Pipeline(runner=runner, url=database_url, folder=tmp_path / "pipeline")


@pytest.fixture
def beside(runner, tmp_path):
    """A pipeline of the same tables in a SQLite file, with a storage of its own."""
    return Pipeline(runner=runner, url=f"sqlite:///{tmp_path}/beside.db", folder=tmp_path / "beside")
