"""The README is true: its commands run, its Python runs, its links lead somewhere, its make targets exist."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
# make is not run from inside make: its targets are only looked up.
SHELL_BLOCKS = [text for language, text in BLOCKS if language == "sh" and not text.startswith("make ")]
PYTHON_BLOCKS = [text for language, text in BLOCKS if language == "python"]
MAKE_TARGETS = sorted(set(re.findall(r"\bmake ([a-z][a-z-]*)(?=[`\s])(?=[^\n]*(?:`|#))", README)))


@pytest.fixture
def newcomer_folder(tmp_path, monkeypatch):
    """An empty folder with what commands need of the checkout in it, so that outputs stay out of the checkout."""
    for folder in ("deployments", "docs", "flows", "tasks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("FUZZYJOIN_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    return tmp_path


def test_readme_has_blocks_of_each_kind():
    assert len(SHELL_BLOCKS) >= 2
    assert len(PYTHON_BLOCKS) >= 2
    assert {language for language, _ in BLOCKS} == {"python", "sh", "sql"}
    assert {"run", "test", "test-slow", "lint", "lock", "clean"} <= set(MAKE_TARGETS)


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=lambda block: block.rstrip().split("\n")[-1][-60:])
def test_shell_block_runs(newcomer_folder, block):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=newcomer_folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    outputs = re.findall(r"(?:(?:-o|--[\w-]+-out) |=sqlite:///)(\S+)", block)
    assert outputs
    assert [name for name in outputs if not (newcomer_folder / name).stat().st_size] == []


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: block.rstrip().split("\n")[-1][:40])
def test_python_block_runs_and_finds_matches(newcomer_folder, block):
    script = newcomer_folder / "example.py"
    script.write_text(block, encoding="utf-8")
    result = runpy.run_path(str(script))["result"]
    assert len(result.matches) > 0


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_make_target_exists(target):
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    run = subprocess.run(["make", "-n", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_link_leads_to_a_file(link):
    assert (ROOT / link).is_file()
