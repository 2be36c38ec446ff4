"""A real Prefect server and a real worker, as processes of their own, and the REST calls that the tests make."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

PREFECT = Path(sys.executable).with_name("prefect")
LOGS_UNDER_WAY = 2.5
TERMINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The server looks up its list of worker types on the Internet, and takes its own when nobody answers.
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}


def wait_for(what, find, *, timeout):
    """The first true value that `find` returns."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if found := find():
            return found
        time.sleep(0.1)
    message = f"{what}: not within {timeout} s"
    raise TimeoutError(message)


def kill_all_of(home):
    """End what runs in a Prefect home: the worker gives every flow run a session of its own."""
    mark = f"PREFECT_HOME={home}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


@contextmanager
def running(command, *, log, cwd, environment):
    """A process of a Prefect home, nothing of which outlives it; a failure shows the end of its log."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    except BaseException as error:
        error.add_note(f"{log}:\n{log.read_text(errors='replace')[-4000:]}")
        raise
    finally:
        kill_all_of(environment["PREFECT_HOME"])
        process.wait()


@dataclass(frozen=True, kw_only=True)
class PrefectServer:
    """Where a server listens, what its clients need in their environment, and what can be asked of it.

    A deployment is named as Prefect names it: "flow/deployment".
    """

    url: str
    home: Path
    checkout: Path
    environment: dict[str, str]
    http: httpx.Client

    def prefect(self, *arguments):
        """What the `prefect` command, called in the checkout, prints; it never asks anything."""
        done = subprocess.run(
            [PREFECT, "--no-prompt", *arguments],
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def answer(self, method, path, **body):
        """The response, whatever its status; a server whose database is locked is asked again, as Prefect does it."""
        for _ in range(20):
            response = self.http.request(method, path, json=body)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        return response

    def ask(self, method, path, **body):
        """The content of a response that is no error."""
        response = self.answer(method, path, **body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def deployment(self, name):
        return self.ask("GET", f"deployments/name/{name}")

    def create_run(self, deployment, parameters):
        """The response to the wish for a run: 201 and the run, or 409 and why not."""
        path = f"deployments/{self.deployment(deployment)['id']}/create_flow_run"
        return self.answer("POST", path, parameters=parameters)

    def start_run(self, deployment, **parameters):
        """The id of a new run."""
        response = self.create_run(deployment, parameters)
        assert response.status_code == httpx.codes.CREATED, response.text
        return response.json()["id"]

    def runs(self, deployment, **state):
        """A deployment's runs in a state, such as type={"any_": ["SCHEDULED"]}; what starts first comes first."""
        chosen = {"id": {"any_": [self.deployment(deployment)["id"]]}}
        order = "EXPECTED_START_TIME_ASC"
        return self.ask("POST", "flow_runs/filter", deployments=chosen, flow_runs={"state": state}, sort=order)

    def run_in_state(self, run, *states, timeout=60):
        """The run once the type or the name of its state is among `states`; another end fails the test."""

        def reached():
            found = self.ask("GET", f"flow_runs/{run}")
            if {found["state_type"], found["state_name"]} & set(states):
                return found
            assert found["state_type"] not in TERMINAL, (found["state"], self.logs(run))
            return None

        return wait_for(f"run {run} in {states}", reached, timeout=timeout)

    def resume(self, run, answer):
        """The verdict on an answer to a paused run: its "status" is ACCEPT, REJECT or ABORT, "details" say why."""
        return self.ask("POST", f"flow_runs/{run}/resume", run_input=answer)

    def artifacts(self, run):
        """The artifacts of a run, by key."""
        found = self.ask("POST", "artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
        return {artifact["key"]: artifact for artifact in found}

    def logs(self, run):
        """The messages of a run; they arrive up to two seconds after they were written."""
        found = self.ask("POST", "logs/filter", logs={"flow_run_id": {"any_": [run]}}, sort="TIMESTAMP_ASC")
        return [line["message"] for line in found]

    def all_logs(self, run):
        """The messages of a run that has ended, once nothing has come for as long as a message can be under way."""
        seen, since = [], time.monotonic()
        while time.monotonic() - since < LOGS_UNDER_WAY:
            time.sleep(0.2)
            if len(now := self.logs(run)) > len(seen):
                seen, since = now, time.monotonic()
        return seen

    def everything(self, run):
        """All that the server tells about a run: parameters, states, tasks, artifacts, events and logs, as text."""
        of_run = {"id": {"any_": [run]}}
        told = [
            self.all_logs(run),
            self.ask("GET", f"flow_runs/{run}"),
            self.answer("GET", f"flow_run_states/?flow_run_id={run}").json(),
            self.ask("POST", "task_runs/filter", flow_runs=of_run),
            self.ask("POST", "artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}}),
            self.ask("POST", "events/filter", filter={"any_resource": {"id": [f"prefect.flow-run.{run}"]}}),
        ]
        return json.dumps(told, ensure_ascii=False)


@contextmanager
def prefect_server(home, *, checkout, database_url):
    """A server that keeps its files in `home`, runs all its services and talks to this machine only."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"{url}/api", "FUZZYJOIN_HOME": str(checkout)}
    # Whatever checkout is installed, the flow runs import this one.
    environment = inherited | QUIET | own | {"PYTHONPATH": str(checkout)}
    of_server = environment | {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url}
    command = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port]
    with (
        running(command, log=home / "server.log", cwd=home, environment=of_server) as process,
        httpx.Client(base_url=f"{url}/api/", timeout=60, trust_env=False) as http,
    ):

        def healthy():
            assert process.poll() is None, f"the server ended with {process.returncode}"
            with suppress(httpx.TransportError):
                return http.get("health").is_success
            return False

        wait_for("the server", healthy, timeout=400)
        yield PrefectServer(url=url, home=home, checkout=checkout, environment=environment, http=http)


@contextmanager
def prefect_worker(server, *, pool):
    """A process worker of a pool, once the server has heard of it."""
    command = [PREFECT, "worker", "start", "--pool", pool, "--type", "process"]
    environment = server.environment | {"PREFECT_WORKER_QUERY_SECONDS": "1"}
    with running(command, log=server.home / "worker.log", cwd=server.checkout, environment=environment):

        def online():
            workers = server.answer("POST", f"work_pools/{pool}/workers/filter")
            return workers.is_success and any(worker["status"] == "ONLINE" for worker in workers.json())

        wait_for(f"a worker of {pool}", online, timeout=240)
        yield
