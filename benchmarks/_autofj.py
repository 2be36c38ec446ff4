"""The reference implementation, `autofj` 0.0.6: its own virtual environment and a process that joins in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self, cast

import pandas as pd

from benchmarks._data import ID, autofj_wheel, cache_folder

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks._data import Task

__all__ = ["AutoFJProcess", "AutoFJResult", "autofj_python"]

# It needs the interfaces that numpy 2, pandas 2.2 and setuptools 81 removed.
PINS: Final = ("numpy<2", "pandas<2.2", "setuptools<81")
LAST_PYTHON: Final = (3, 12)
WORKER: Final = Path(__file__).with_name("_autofj_worker.py")


def autofj_python() -> Path:
    """Return the interpreter of the environment that holds `autofj`, installed on the first call."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment = cache_folder() / f"autofj-venv-{version}"
    python = environment / "bin" / "python"
    ready = environment / "ready"
    if ready.is_file():
        return python
    if sys.version_info[:2] > LAST_PYTHON:
        raise SystemExit(
            f"autofj needs numpy<2, which has no wheel for Python {version}; run this with Python 3.11 or 3.12"
        )
    sys.stderr.write(f"installing autofj 0.0.6 into {environment} (once)\n")
    venv.create(environment, clear=True, with_pip=True)
    packages = [str(autofj_wheel()), *PINS]
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    if subprocess.run(install, check=False).returncode != 0:  # noqa: S603 (written above, no user input)
        raise SystemExit(f"could not install autofj into {environment}; see pip's message above")
    # Written last: an interrupted installation starts from scratch.
    ready.touch()
    return python


@dataclass(frozen=True, kw_only=True)
class AutoFJResult:
    """What it joined, the seconds of the join call alone, and its largest process's peak memory so far."""

    matches: pd.DataFrame
    seconds: float
    peak_mb: float


class AutoFJProcess:
    """A process of the reference implementation; it waits while the other side is measured."""

    def __init__(self, *, space: str, n_jobs: int, precision_target: float) -> None:
        self._options = {"space": space, "n_jobs": n_jobs, "precision_target": precision_target}
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            [autofj_python(), WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its tie-breaking follows the order of sets of strings.
            env={**os.environ, "PYTHONHASHSEED": "0"},
            encoding="utf-8",
        )
        self._requests = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self.import_seconds = float(self._answer()["import_seconds"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def join(self, task: Task, folder: Path) -> AutoFJResult:
        """Join a task."""
        request = {**self._options, "folder": str(folder.resolve()), "columns": task.columns, "id": ID}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        answer = self._answer()
        matches = pd.DataFrame(answer["pairs"], columns=["reference_id", "query_id"], dtype=str)
        return AutoFJResult(matches=matches, seconds=answer["seconds"], peak_mb=answer["peak_mb"])

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise SystemExit(f"autofj stopped with exit code {self._process.wait()}; see its message above")
        answer: dict[str, Any] = json.loads(line)
        return answer
