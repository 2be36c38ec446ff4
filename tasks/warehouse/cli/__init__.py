"""The warehouse at the command line: migrate it, ask it why, compare runs and programs, decide on programs, erase.

| module | holds |
|---|---|
| `parser` | the commands and their arguments |
| `answers` | commands that only read |
| `orders` | commands that change something |
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.terminal import for_terminal
from tasks.scrubbing import scrub
from tasks.warehouse.cli.parser import make_parser
from tasks.warehouse.connection import shown, warehouse_engine, warehouse_url
from tasks.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Engine

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it is done, 1 if the warehouse has no answer, 2 if the call is wrong.

    A replay that differs from the run exits with 1 as well.
    """
    arguments = make_parser(__doc__.partition("\n")[0]).parse_args(argv)
    try:
        engine = warehouse_engine(warehouse_url())
        return _run(engine, arguments)
    except FuzzyJoinError as error:
        sys.stderr.write(f"{for_terminal(str(error))}\n")
        return error.exit_code


def _run(engine: Engine, arguments: argparse.Namespace) -> int:
    command: Callable[[Engine, argparse.Namespace], int] = arguments.command
    try:
        return command(engine, arguments)
    except DBAPIError as error:
        reason = scrub(str(error.orig), engine.url).partition("\n")[0]
        raise WarehouseError(
            f"warehouse {shown(engine)}: {reason}; is it migrated? If not: python -m tasks.warehouse migrate"
        ) from None
    finally:
        engine.dispose()
