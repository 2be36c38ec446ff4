"""The warehouse at the command line.

| module | holds |
|---|---|
| `app` | the app that the commands belong to |
| `answers` | commands that only read |
| `orders` | commands that change something |
| `options` | arguments and options that several commands share |
| `session` | the warehouse that a command works on, and what it says |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.cli import exit_code
from tasks.warehouse.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it is done, 1 if the warehouse has no answer, 2 if the call is wrong.

    A replay that differs from the run exits with 1 as well.
    """
    return exit_code(app, argv, prog_name="python -m tasks.warehouse")
