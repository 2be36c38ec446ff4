"""Files that are on the disk before their name is: a machine that loses power leaves whole files or none."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sync_file", "sync_folder"]


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk. Do so before the file is renamed into place."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk. Do so after a file was renamed into it."""
    # Some file systems cannot sync a folder; the rename is still one step there.
    with suppress(OSError):
        sync_file(path)
