"""Explicit cache keys: a task whose inputs, settings and code are as before gives what it gave then.

Results are handles, kept as JSON beside the files that they name; nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from prefect.cache_policies import CachePolicy
from pydantic import BaseModel

from tasks.handles import RunHandle
from tasks.store.code_version import code_version
from tasks.store.folders import storage_folder

if TYPE_CHECKING:
    from pathlib import Path

    from prefect import Task
    from prefect.context import TaskRunContext

__all__ = ["ContentKey", "cached", "is_kept", "kept_ranges"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LIBRARIES: Final = ("numba", "numpy", "pandas", "pystemmer", "rapidfuzz")
"""Packages whose version can change a result."""

RANGE: Final = ("start", "stop")
"""Parameters of a task that is done for a range of rows; the key ends with them, so that ranges can be listed."""


@dataclass
class ContentKey(CachePolicy):
    """A key made of the task's name, its parameters, the code and the libraries; which run asks does not enter."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **_: object
    ) -> str | None:
        """The key; a result under it whose files are gone is forgotten first."""
        del flow_parameters
        key = _key(task_ctx.task.name, inputs)
        _forget_if_stale(result_folder() / key)
        return key


def result_folder() -> Path:
    """Where results are kept."""
    return storage_folder() / "results"


def cached(task: Task[Parameters, Result]) -> Task[Parameters, Result]:
    """The task with its results kept in today's storage folder and found by content."""
    folder = result_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return task.with_options(
        persist_result=True, result_storage=folder, result_serializer="json", cache_policy=ContentKey()
    )


def is_kept(task: Task[..., Any], inputs: dict[str, Any]) -> bool:
    """Whether a cached task was run with these inputs before, and what it gave is still there."""
    record = result_folder() / _key(task.name, inputs)
    _forget_if_stale(record)
    return record.is_file()


def kept_ranges(task: Task[..., Any], inputs: dict[str, Any]) -> list[tuple[int, int]]:
    """The ranges of rows for which a cached task was run before; `inputs` are the others."""
    before = _key(task.name, inputs)
    ranges = []
    for record in result_folder().glob(f"{before}-*-*"):
        bounds = record.name.removeprefix(f"{before}-").split("-")
        if all(bound.isdecimal() for bound in bounds) and len(bounds) == len(RANGE):
            start, stop = map(int, bounds)
            if is_kept(task, {**inputs, "start": start, "stop": stop}):
                ranges.append((start, stop))
    return sorted(ranges)


def _key(task_name: str, inputs: dict[str, Any]) -> str:
    bounds = [inputs[name] for name in RANGE if name in inputs]
    named = {name: value for name, value in inputs.items() if name not in RANGE}
    parts = {
        "task": task_name,
        "inputs": {name: _plain(value) for name, value in named.items() if not isinstance(value, RunHandle)},
        "code": code_version(),
        "machine": platform.machine(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return "-".join([task_name.replace(" ", "-"), digest[:32], *map(str, bounds)])


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _forget_if_stale(record: Path) -> None:
    """Forget a result that cannot be used; the files of one that can become as young as this use of them."""
    try:
        for path in _paths(json.loads(record.read_text("utf-8"))):
            os.utime(path)
    except (FileNotFoundError, ValueError):
        # The orchestrator writes results in place, so a killed process leaves half of one.
        record.unlink(missing_ok=True)


def _paths(value: object) -> list[str]:
    """Every path that a kept result names, at any depth; the result itself is JSON inside JSON."""
    if isinstance(value, dict):
        own = [value["path"]] if isinstance(value.get("path"), str) else []
        inner = json.loads(value["result"]) if isinstance(value.get("result"), str) else None
        return [*own, *_paths(inner), *(path for part in value.values() for path in _paths(part))]
    if isinstance(value, list):
        return [path for part in value for path in _paths(part)]
    return []
