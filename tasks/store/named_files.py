"""Files named by their content: written whole or not at all, and checked when they are read."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import BaseModel, ConfigDict

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import sync_file, sync_folder
from tasks.store.folders import STORAGE_VARIABLE, storage_folder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FileHandle", "checked", "load_frame", "store_file"]


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


def store_file(kind: str, ending: str, write: Callable[[Path], object]) -> FileHandle:
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
                f"{STORAGE_VARIABLE}: {folder} cannot be written to ({error.strerror or error}); name a folder that can"
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
        raise DataError(
            f"{path}: the file is gone; was the folder that {STORAGE_VARIABLE} names moved or cleaned? Run again"
        )
    if f"sha256:{_hash(path)}" != handle.content_hash:
        raise DataError(f"{path}: the file was changed after it was written; delete it and run again")
    return path


def load_frame(handle: FileHandle) -> pd.DataFrame:
    """A stored Parquet file as a frame."""
    return pd.read_parquet(checked(handle))


def _remove(path: Path) -> None:
    # What cannot be removed is a leftover, and no reason to hide why it was not finished.
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
