"""A first run on a busy machine waits for its temporary server, as long as the user says if they say it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VARIABLE = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
SECONDS = f"from prefect.settings import {VARIABLE} as setting; print(setting.value())"


def seconds(tmp_path, imported, *, environment=(), profile=None):
    """How long a process that imports a module would wait."""
    if profile:
        (tmp_path / "profiles.toml").write_text(f'active = "own"\n[profiles.own]\n{VARIABLE} = "{profile}"\n')
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-c", f"import {imported}; {SECONDS}"],
        cwd=ROOT,
        env={**inherited, "PREFECT_HOME": str(tmp_path), **dict(environment)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["match_tables", "review_program"])
def test_a_flow_waits_for_two_minutes(tmp_path, flow):
    assert seconds(tmp_path, f"flows.{flow}") == 120


@pytest.mark.slow
def test_what_the_environment_says_stays(tmp_path):
    assert seconds(tmp_path, "flows.match_tables", environment={VARIABLE: "45"}) == 45


@pytest.mark.slow
def test_what_a_profile_says_stays(tmp_path):
    assert seconds(tmp_path, "flows.match_tables", profile=33) == 33
