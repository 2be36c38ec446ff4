"""Where the pipeline keeps its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["DEFAULT_STORAGE", "STORAGE_VARIABLE", "snapshot_folder", "storage_folder"]

STORAGE_VARIABLE: Final = "FUZZYJOIN_STORAGE"
DEFAULT_STORAGE: Final = "fuzzyjoin-storage"


def storage_folder() -> Path:
    """The folder that the environment variable `FUZZYJOIN_STORAGE` names, else one in the working folder."""
    return Path(os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE).resolve()


def snapshot_folder() -> Path:
    """Where the snapshots of inputs are kept."""
    return storage_folder() / "snapshots"
