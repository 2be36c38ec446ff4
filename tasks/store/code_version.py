"""Which code made a result: what a run records, and what a cached result depends on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import fuzzyjoin

__all__ = ["code_version"]

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("flows", "fuzzyjoin", "tasks")


@cache
def code_version() -> str:
    """The version of the package with a hash of its sources, which tells checkouts and images apart.

    >>> code_version() == code_version(), code_version().startswith(fuzzyjoin.__version__)
    (True, True)
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return f"{fuzzyjoin.__version__}+{digest.hexdigest()[:12]}"
