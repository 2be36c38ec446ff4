"""What is installed: the wheel's contents, the lock file, the supported Python range."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "deployments/requirements.lock").read_text(encoding="utf-8")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_names():
    return {canonical(name) for name in re.findall(r"^([\w.-]+)==", LOCK, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_the_library_only(wheel_names):
    version = PROJECT["project"]["version"]
    assert {name.split("/")[0] for name in wheel_names} == {"fuzzyjoin", f"fuzzyjoin-{version}.dist-info"}


def test_wheel_holds_the_type_marker_and_the_licence(wheel_names):
    assert "fuzzyjoin/py.typed" in wheel_names
    assert any(name.endswith("/licenses/LICENSE") for name in wheel_names)


def test_every_declared_dependency_is_locked():
    groups = PROJECT["dependency-groups"]
    extras = PROJECT["project"]["optional-dependencies"]
    declared = [*PROJECT["project"]["dependencies"], *groups["build"], *groups["lint"], *groups["test"]]
    declared += [*extras["pipeline"], *extras["duckdb"], *extras["dask"]]
    assert {canonical(re.split(r"[<>=!~ ;\[]", entry)[0]) for entry in declared} <= locked_names()


def test_every_locked_version_has_a_hash():
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_lock_names_no_registry_and_no_path():
    assert re.findall(r"https?://|file:|--index-url|--find-links|@ |(?<![\w-])/\w+/", LOCK) == []


def test_readme_and_makefile_state_the_supported_python_range():
    first, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"]).groups()
    last = int(beyond) - 1
    assert f"Python 3.{first} to 3.{last}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {last})" in (ROOT / "Makefile").read_text(encoding="utf-8")
