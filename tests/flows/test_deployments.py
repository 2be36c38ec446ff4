"""What deployments/deploy.sh registers with a real server, and that its automations tell of a failed run."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.flows.cases import CHECKOUT, DEPLOYMENTS
from tests.prefect_server import wait_for

pytestmark = pytest.mark.slow

FILE = yaml.safe_load((CHECKOUT / "deployments/prefect.yaml").read_text())
AUTOMATIONS = yaml.safe_load((CHECKOUT / "deployments/automations.yaml").read_text())["automations"]


def test_every_deployment_of_the_file_is_there(deployed):
    names = [entry["name"] for entry in deployed.ask("POST", "deployments/filter")]

    assert sorted(names) == sorted(entry["name"] for entry in FILE["deployments"])


def test_only_the_flow_that_waits_for_a_person_has_no_limit(deployed):
    unlimited = [name for name in DEPLOYMENTS.values() if deployed.deployment(name)["global_concurrency_limit"] is None]

    assert unlimited == ["review_program/review-program"]


@pytest.mark.parametrize(("flow", "days"), [("learn_program", 7), ("apply_program", 1)])
def test_a_cron_schedule_creates_scheduled_runs(deployed, flow, days):
    runs = wait_for(
        "scheduled runs", lambda: deployed.runs(DEPLOYMENTS[flow], type={"any_": ["SCHEDULED"]}), timeout=60
    )
    starts = [datetime.fromisoformat(run["expected_start_time"]) for run in runs]

    assert all(run["auto_scheduled"] for run in runs)
    assert {later - sooner for sooner, later in pairwise(starts)} == {timedelta(days=days)}


def test_deploying_again_changes_nothing_and_says_no_error(deployed, deploy):
    def registered():
        kinds = ("deployments", "automations", "work_pools")
        return {kind: sorted(one["name"] for one in deployed.ask("POST", f"{kind}/filter")) for kind in kinds}

    before = registered()
    printed = deploy()

    assert registered() == before
    assert before["automations"] == sorted(entry["name"] for entry in AUTOMATIONS)
    assert "error" not in printed.lower()
    assert "not found" not in printed.lower()


def test_a_failed_run_is_told_to_a_person(deployed, messages):
    run = deployed.start_run(DEPLOYMENTS["apply_program"], pipeline="told")
    reason = deployed.run_in_state(run, "FAILED")["state"]["message"]

    def told():
        return [message for message in messages[1] if message["body"].startswith("apply told:")]

    (message,) = wait_for("a message", told, timeout=30)
    assert message == {"subject": "fuzzyjoin: apply_program failed", "body": f"apply told: {reason}"}
    assert "'told' has no program yet" in reason


def test_a_run_with_warnings_is_told_to_a_person(deployed, messages):
    run = deployed.start_run(DEPLOYMENTS["match_tables"], pipeline="warned", checks={"query": {"longest": 5}})
    ended = deployed.run_in_state(run, "COMPLETED", timeout=600)

    assert ended["state"]["message"].endswith(", 1 warning")
    subject = "fuzzyjoin: 1 warnings about the inputs of warned"
    (message,) = wait_for("a message", lambda: [one for one in messages[1] if one["subject"] == subject], timeout=60)
    assert message["body"].startswith("query 'title': texts have 1 to 5 characters: observed ")


@pytest.mark.parametrize("automation", AUTOMATIONS, ids=lambda entry: entry["name"])
def test_an_automation_names_its_notification_block(deployed, automation):
    (found,) = [one for one in deployed.ask("POST", "automations/filter") if one["name"] == automation["name"]]

    assert found["enabled"]
    assert "NOTIFICATION_BLOCK_ID" not in json.dumps(found)


def deploying(server, url, *, wait_seconds):
    """deployments/deploy.sh at work, for the server at an address, which may not be there yet."""
    return subprocess.Popen(
        ["sh", "deployments/deploy.sh"],
        cwd=CHECKOUT,
        env=server.environment
        | {
            "PREFECT_API_URL": f"{url}/api",
            "FUZZYJOIN_SERVER_WAIT_SECONDS": wait_seconds,
            "PATH": f"{Path(sys.executable).parent}:{server.environment['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def relay(port, target):
    """Passes what is sent to a port on to another one and back, as soon as it is there."""
    loop = asyncio.new_event_loop()

    async def copy(reader, writer):
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def passed_on(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    listening = loop.run_until_complete(asyncio.start_server(passed_on, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    listening.close()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.1))
    loop.close()


@pytest.fixture
def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_deploying_waits_for_a_server_that_has_just_been_started(deployed, free_port):
    with deploying(deployed, f"http://127.0.0.1:{free_port}", wait_seconds="100") as process:
        time.sleep(8)
        assert process.poll() is None
        with relay(free_port, int(deployed.url.rpartition(":")[2])):
            said = process.communicate()[0]
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_a_server_that_does_not_answer_is_named_in_one_line(server, free_port):
    with deploying(server, f"http://127.0.0.1:{free_port}", wait_seconds="1") as process:
        said = process.communicate()[0]
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert said.startswith(f"no answer from the server at http://127.0.0.1:{free_port}/api within 1 seconds; start it")
