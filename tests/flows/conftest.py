"""A real Prefect server with a worker and the project's deployments, and a real browser."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import expect, sync_playwright

from tasks.warehouse.connection import warehouse_engine
from tests.flows.cases import CHECKOUT, DEPLOYMENTS
from tests.flows.pipelines import Pipeline, Runner
from tests.prefect_server import prefect_server, prefect_worker

PYTHON = Path(sys.executable)
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

PASSWORD = "hunter2-correct-horse"  # noqa: S105 - no real one


@pytest.fixture(scope="session")
def server(postgresql_server):
    """A server on PostgreSQL: on SQLite some requests fail with "database is locked" as soon as a worker runs.

    Its flow runs write into a SQLite warehouse, by way of SOURCE_POSTGRESQL and WAREHOUSE_POSTGRESQL also elsewhere.
    """
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        for name in ("prefect", "of_deployments", "source"):
            connection.execute(f"CREATE DATABASE {name}")
    database_url = postgresql_server.replace("postgresql:", "postgresql+asyncpg:").replace("/postgres?", "/prefect?")
    home = Path(tempfile.mkdtemp(prefix="prefect"))
    with prefect_server(home, checkout=CHECKOUT, database_url=database_url) as started:
        started.environment.update(
            FUZZYJOIN_STORAGE=str(home / "storage"),
            FUZZYJOIN_WAREHOUSE_URL=f"sqlite:///{home}/warehouse.db",
            FUZZYJOIN_WAREHOUSE_PASSWORD=PASSWORD,
            WAREHOUSE_POSTGRESQL=postgresql_server.replace("/postgres?", "/of_deployments?"),
        )
        yield started
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def messages():
    """What a notification block sends to an address on this machine, and that address."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    listener = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listener.server_port}/", received
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.fixture(scope="session")
def deploy(server, messages):
    """A function that calls deployments/deploy.sh, with a notification block, and gives what it printed.

    The deployments run one run at a time; here several, so that the tests need not wait for each other.
    """
    made = f"""
from prefect.blocks.notifications import CustomWebhookNotificationBlock
told = {{"subject": "{{{{subject}}}}", "body": "{{{{body}}}}"}}
block = CustomWebhookNotificationBlock(name="test", url="{messages[0]}", json_data=told)
print(block.save("test"))
"""
    quiet = server.environment | {"PREFECT_LOGGING_LEVEL": "ERROR"}
    block = subprocess.run([PYTHON, "-c", made], env=quiet, capture_output=True, text=True, check=True).stdout.split()[
        -1
    ]
    environment = server.environment | {
        "FUZZYJOIN_NOTIFICATION_BLOCK_ID": block,
        "PATH": f"{PYTHON.parent}:{server.environment['PATH']}",
    }

    def call():
        command = ["sh", "deployments/deploy.sh"]
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        for name in DEPLOYMENTS.values():
            if limit := server.deployment(name)["global_concurrency_limit"]:
                server.answer("PATCH", f"v2/concurrency_limits/{limit['id']}", limit=20)
        return done.stdout

    return call


@pytest.fixture(scope="session")
def deployed(server, deploy):
    """The server with the project's deployments and a worker that runs them from the checkout."""
    deploy()
    with prefect_worker(server, pool="fuzzyjoin"):
        yield server


@pytest.fixture(scope="session")
def warehouse(server):
    """The warehouse that the worker's runs write into, unless they are told otherwise."""
    engine = warehouse_engine(server.environment["FUZZYJOIN_WAREHOUSE_URL"])
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def browser():
    """A browser, until the module's last test.

    As long as Playwright runs, this thread has a running event loop, and Prefect hands out coroutines instead of
    results: a module that uses it runs no flow in this process.
    """
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS) as started,
    ):
        yield started


@pytest.fixture
def browser_page(server, browser):
    """A page of the server's UI that knows nothing of earlier ones."""
    expect.set_options(timeout=30_000)  # ms, as long as Playwright waits for everything else
    with browser.new_context(base_url=f"{server.url}/v2/", viewport={"width": 1400, "height": 1100}) as context:
        yield context.new_page()


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
