"""Where the tasks come from: AutoFJ-50 (fetched once, checked, cached) and any folder of tasks on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ID", "Task", "autofj50_folder", "autofj_wheel", "cache_folder", "read_task", "task_names"]

ID: Final = "id"

AUTOFJ_REQUIREMENT: Final = "autofj==0.0.6"
AUTOFJ_WHEEL: Final = "autofj-0.0.6-py3-none-any.whl"
AUTOFJ_SHA256: Final = "647aac65288a03ef6eed24ece2f11d4e52d6a780fb1e6125dfe1874df6e6597b"
TASK_FILES: Final = ("left.csv", "right.csv", "gt.csv")
TASK_ENTRY: Final = re.compile(r"autofj/benchmark/(?P<task>\w+)/(?P<file>(left|right|gt)\.csv)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Two tables to join, the columns to join them on, and the true matches as pairs of `id_l` and `id_r`."""

    name: str
    reference: pd.DataFrame
    query: pd.DataFrame
    truth: pd.DataFrame
    columns: tuple[str, ...]


def cache_folder() -> Path:
    """Return the folder that keeps what the benchmarks fetch and install, made if absent."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "fuzzyjoin-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def autofj_wheel() -> Path:
    """Return the checked wheel of the reference implementation, fetched from the package index if not yet cached."""
    wheel = cache_folder() / AUTOFJ_WHEEL
    if wheel.is_file() and _sha256(wheel) == AUTOFJ_SHA256:
        return wheel
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", *options, AUTOFJ_REQUIREMENT]
        if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 (written above, no user input)
            raise SystemExit(f"could not fetch {AUTOFJ_REQUIREMENT} with pip; give the tasks by --data DIR instead")
        fetched = Path(folder) / AUTOFJ_WHEEL
        found = _sha256(fetched) if fetched.is_file() else "no such file"
        if found != AUTOFJ_SHA256:
            raise SystemExit(f"{AUTOFJ_WHEEL}: sha256 is {found}, expected {AUTOFJ_SHA256}; nothing was kept")
        fetched.replace(wheel)
    return wheel


def autofj50_folder(data: Path | None = None) -> Path:
    """Return the folder of AutoFJ-50's tasks: the one given, else the cached copy of the wheel's."""
    if data is not None:
        return data
    unpacked = cache_folder() / "autofj-50"
    if not unpacked.is_dir():
        wheel = autofj_wheel()
        with tempfile.TemporaryDirectory(dir=unpacked.parent) as folder:
            fresh = Path(folder) / "autofj-50"
            _unpack_tasks(wheel, fresh)
            # The rename comes last: an interrupted run leaves no folder that looks whole.
            fresh.rename(unpacked)
    return unpacked


def task_names(folder: Path, chosen: Sequence[str] | None = None) -> list[str]:
    """Return the names of the tasks in `folder`, sorted, or the chosen ones in the order given."""
    if not folder.is_dir():
        raise SystemExit(f"{folder}: no such folder; expected a folder of tasks, each with {', '.join(TASK_FILES)}")
    found = sorted(path.name for path in folder.iterdir() if all((path / file).is_file() for file in TASK_FILES))
    if not found:
        raise SystemExit(f"{folder}: holds no task; expected folders, each with {', '.join(TASK_FILES)}")
    unknown = [name for name in chosen or () if name not in found]
    if unknown:
        raise SystemExit(f"{folder}: no task {', '.join(unknown)}; there are {', '.join(found)}")
    return list(chosen or found)


def read_task(folder: Path, on: Sequence[str] = ()) -> Task:
    """Read one task: ids as text, empty cells as missing.

    It is joined on the columns given, else on those that its meta.json names, else on all that its tables share.
    """
    reference, query = _read_table(folder / "left.csv"), _read_table(folder / "right.csv")
    return Task(
        name=folder.name,
        reference=reference,
        query=query,
        truth=_read_table(folder / "gt.csv")[["id_l", "id_r"]],
        columns=_join_columns(folder, reference, query, on),
    )


def _join_columns(folder: Path, reference: pd.DataFrame, query: pd.DataFrame, on: Sequence[str]) -> tuple[str, ...]:
    shared = [name for name in reference.columns if name in query.columns and name != ID]
    absent = [name for name in on if name not in shared]
    if absent or not shared:
        raise SystemExit(f"{folder}: no shared column {', '.join(absent)}; left.csv and right.csv share {shared}")
    if on:
        return tuple(on)
    meta = folder / "meta.json"
    stated = json.loads(meta.read_text(encoding="utf-8")).get("columns", ()) if meta.is_file() else ()
    return tuple(name for name in stated if name in shared) or tuple(shared)


def _read_table(path: Path) -> pd.DataFrame:
    # "NA" and "null" are names like any other: only an empty cell is missing.
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    return table.mask(table == "")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack_tasks(wheel: Path, folder: Path) -> None:
    """Unpack the three files of every task; a target is built from two checked names, never from a stored path."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            named = TASK_ENTRY.fullmatch(entry)
            if named:
                target = folder / named["task"] / named["file"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))
