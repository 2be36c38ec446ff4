"""The library's tests against the built wheel: `python -m tests.wheel_suite [PYTEST ARGUMENT …]`, as `make test-wheel`.

The wheel is installed into an environment of its own, which takes the locked dependencies from this interpreter's, but
not the checkout that is installed there. The tests are copied away from the checkout, whose packages they would import.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What tests the checkout around the library, or needs it.
NOT_OF_THE_LIBRARY = (
    "flows",
    "tasks",
    "test_benchmarks.py",
    "test_docs.py",
    "test_docs_pipeline.py",
    "test_endings.py",
    "test_import_contract.py",
    "test_packaging.py",
    "test_readme.py",
    "test_scorer_benchmark.py",
    "wheel_suite.py",
)
WHERE = (
    "import fuzzyjoin, sysconfig; print(fuzzyjoin.__file__ == sysconfig.get_path('purelib') + '/fuzzyjoin/__init__.py')"
)


def build_wheel(folder):
    """Build the wheel into a folder."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(folder):
    """The interpreter of an environment that holds the wheel."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    # A path in such a file is searched after the environment's own, and the files of this kind in it do not count:
    # by one of them the checkout is installed.
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    uv = shutil.which("uv") or f"{sys.prefix}/uv/bin/uv"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", build_wheel(folder)], check=True)
    return python


def copy_tests(folder):
    """Copy the library's tests and what they read."""
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__", *NOT_OF_THE_LIBRARY))
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    shutil.copy(ROOT / "pyproject.toml", folder)


def run_suite(folder, arguments):
    """Run tests of the library against the wheel; the exit code is pytest's."""
    python = install_wheel(folder)
    copied = folder / "copied"
    copy_tests(copied)
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    found = subprocess.run(
        [python, "-c", WHERE], cwd=copied, env=environment, capture_output=True, text=True, check=True
    )
    if found.stdout != "True\n":
        sys.exit(f"the tests would not import the wheel in {folder}")
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=copied, env=environment, check=False).returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(run_suite(Path(name), sys.argv[1:] or ["--quiet", "-m", "not slow", "tests"]))
