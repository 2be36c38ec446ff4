"""The folder of a pipeline's files, and files named by their content in it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "VARIABLE",
    "FileHandle",
    "checked",
    "delete_saved_work",
    "snapshot_folder",
    "storage_folder",
    "store",
]

VARIABLE: Final = "FUZZYJOIN_STORAGE"
DEFAULT: Final = "fuzzyjoin-storage"
LEFTOVER: Final = ".fuzzyjoin-*.tmp"
"""Names of the files that a process leaves behind if it is killed while it writes."""

# A result names files of the other kinds, so results go first: none is left that names a deleted file.
SAVED_WORK: Final = ("results", "matches", "partitions", "indexes", "parts", "orders")
# Of these only what a killed process has left half-written.
KEPT: Final = ("programs", "validations")


class FileHandle(BaseModel):
    """Names a file by its content; small enough to travel between tasks.

    Attributes
    ----------
    path
        The file.
    content_hash
        ``sha256:`` and 64 digits, of its bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    content_hash: str


def storage_folder() -> Path:
    """The folder that the environment variable `FUZZYJOIN_STORAGE` names, else one in the working folder."""
    return Path(os.environ.get(VARIABLE) or DEFAULT).resolve()


def snapshot_folder() -> Path:
    """Where the snapshots of inputs are kept."""
    return storage_folder() / "snapshots"


def store(kind: str, ending: str, write: Callable[[Path], object]) -> FileHandle:
    """Write a file under its content's name; it appears at once and whole.

    Parameters
    ----------
    kind
        Its folder in the storage folder.
    ending
        Of its name, with the dot.
    write
        Writes the content to the path that it is given.

    Raises
    ------
    UsageError
        If the folder cannot be written to.
    """
    folder = storage_folder() / kind
    with ExitStack() as clean_up:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f".fuzzyjoin-{secrets.token_hex(6)}.tmp"
            clean_up.callback(_remove, temporary)
            write(temporary)
            name = _hash(temporary)
            path = folder / f"{name}{ending}"
            sync_file(temporary)
            temporary.replace(path)
            sync_folder(folder)
        except OSError as error:
            raise UsageError(
                f"{VARIABLE}: {folder} cannot be written to ({error.strerror or error}); name a folder that can"
            ) from None
    return FileHandle(path=str(path), content_hash=f"sha256:{name}")


def checked(handle: FileHandle) -> Path:
    """The path of a stored file, after a look at whether it is still what the handle names.

    Raises
    ------
    DataError
        If the file is gone or was changed.
    """
    path = Path(handle.path)
    if not path.is_file():
        raise DataError(f"{path}: the file is gone; was the folder that {VARIABLE} names moved or cleaned? Run again")
    if f"sha256:{_hash(path)}" != handle.content_hash:
        raise DataError(f"{path}: the file was changed after it was written; delete it and run again")
    return path


def delete_saved_work(before: float | None = None) -> int:
    """Delete what was kept to save work: results, indexes, and the files that they are made of.

    Parameters
    ----------
    before
        Seconds since 1970: only what was last used earlier. None deletes all.

    Returns
    -------
    int
        How many files and indexes.

    Raises
    ------
    DataError
        If one cannot be deleted; all others are.
    """
    deleted = 0
    failures: list[str] = []
    for kinds, pattern in ((SAVED_WORK, "*"), (KEPT, LEFTOVER)):
        for kind in kinds:
            folder = storage_folder() / kind
            try:
                paths = sorted(path for path in folder.iterdir() if path.match(pattern))
            except FileNotFoundError:
                continue
            except OSError as error:
                failures.append(f"{folder}: cannot be looked into ({error.strerror or error})")
                continue
            for path in paths:
                try:
                    deleted += _deleted(path, before)
                except OSError as error:
                    failures.append(f"{path}: cannot be deleted ({error.strerror or error})")
    if failures:
        others = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
        raise DataError(f"{failures[0]}{others}; check the permissions of its folder and run again")
    return deleted


def _deleted(path: Path, before: float | None) -> bool:
    try:
        if before is not None and path.stat().st_mtime >= before:
            return False
        if path.is_dir() and not path.is_symlink():
            # An index is a folder; who has it open keeps its files until the end. It leaves its place at once: half
            # deleted, by a process that is killed, it would be taken for an index.
            leaving = path.with_name(f".deleted-{secrets.token_hex(8)}")
            path.rename(leaving)
            shutil.rmtree(leaving)
        else:
            path.unlink()
    except FileNotFoundError:
        # Another run's clean-up was faster.
        return False
    return True


def _remove(path: Path) -> None:
    # What cannot be removed is a leftover, and no reason to hide why it was not finished.
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
