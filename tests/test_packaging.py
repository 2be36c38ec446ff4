"""What is installed: the wheel's contents, the lock files, the supported Python range."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.wheel_suite import build_wheel, run_suite

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What each lock has to hold.
DECLARED = {
    "deployments/requirements.lock": [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["pipeline"],
        *EXTRAS["duckdb"],
        *EXTRAS["dask"],
        *GROUPS["build"],
    ],
    "deployments/test.lock": [*GROUPS["lint"], *GROUPS["test"]],
    "deployments/installer.lock": GROUPS["installer"],
    "benchmarks/train.lock": GROUPS["train"],
}
LOCKS = {path: (ROOT / path).read_text(encoding="utf-8") for path in DECLARED}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names(declared):
    return {canonical(re.split(r"[<>=!~ ;\[]", entry)[0]) for entry in declared}


def locked(lock):
    """The version that a lock names for each package."""
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        return archive.namelist()


def test_wheel_holds_the_library_only(wheel_names):
    version = PROJECT["project"]["version"]
    assert {name.split("/")[0] for name in wheel_names} == {"fuzzyjoin", f"fuzzyjoin_tables-{version}.dist-info"}


def test_wheel_holds_the_type_marker_and_the_licence(wheel_names):
    assert "fuzzyjoin/py.typed" in wheel_names
    assert any(name.endswith("/licenses/LICENSE") for name in wheel_names)


@pytest.mark.slow
def test_the_commands_work_from_the_wheel(tmp_path):
    # `make test-wheel` runs all tests of the library.
    assert run_suite(tmp_path, ["--quiet", "-m", "not slow", "tests/cli/test_cli.py"]) == 0


@pytest.mark.parametrize("path", LOCKS)
def test_every_declared_dependency_is_locked(path):
    assert names(DECLARED[path]) <= set(locked(LOCKS[path]))


def test_running_installs_nothing_that_only_tests_need():
    assert names(DECLARED["deployments/test.lock"]).isdisjoint(locked(LOCKS["deployments/requirements.lock"]))


@pytest.mark.parametrize("path", ["deployments/test.lock", "benchmarks/train.lock"])
def test_a_further_lock_agrees_with_the_first(path):
    first = locked(LOCKS["deployments/requirements.lock"])
    further = locked(LOCKS[path])
    common = set(first) & set(further)
    assert common
    assert {name: further[name] for name in common} == {name: first[name] for name in common}


@pytest.mark.parametrize("path", LOCKS)
def test_every_locked_version_has_a_hash(path):
    entries = re.split(r"^(?=[\w.-]+==)", LOCKS[path], flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("path", LOCKS)
def test_lock_names_no_registry_and_no_path_of_a_machine(path):
    text = re.sub(r"#   -c deployments/requirements\.lock", "", LOCKS[path])
    assert re.findall(r"https?://|file:|--index-url|--find-links|@ |(?<![\w-])/\w+/", text) == []


@pytest.mark.parametrize("path", ["Makefile", "deployments/Containerfile"])
def test_whatever_is_installed_from_the_index_has_to_have_its_hash(path):
    commands = re.findall(r"\bpip (?:install|sync) .*", (ROOT / path).read_text(encoding="utf-8"))
    assert len(commands) >= 3
    assert [line for line in commands if "--require-hashes" not in line and "--editable ." not in line] == []


def test_the_makefile_takes_the_installer_that_is_declared():
    (least,) = re.findall(r"^UV_AT_LEAST := (\S+)$", MAKEFILE, flags=re.MULTILINE)
    assert GROUPS["installer"] == [f"uv>={least}"]


def test_readme_and_makefile_state_the_supported_python_range():
    first, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"]).groups()
    last = int(beyond) - 1
    assert f"Python 3.{first} to 3.{last}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {last})" in MAKEFILE
