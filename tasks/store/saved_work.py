"""What is kept to save work, and may be deleted at any time."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING, Final

from fuzzyjoin.errors import DataError
from tasks.store.folders import storage_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["delete_saved_work"]

LEFTOVER: Final = ".fuzzyjoin-*.tmp"
"""Names of the files that a process leaves behind if it is killed while it writes."""

# A result names files of the other kinds, so results go first: none is left that names a deleted file.
SAVED_WORK: Final = ("results", "matches", "partitions", "pairs", "indexes", "parts", "orders", "whole_tables")
# Of these only what a killed process has left half-written.
KEPT: Final = ("programs", "validations")


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
