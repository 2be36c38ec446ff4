"""The warehouse that a command works on, and what a command says."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from fuzzyjoin.terminal import for_terminal
from tasks.scrubbing import scrub
from tasks.warehouse.connection import shown, warehouse_engine, warehouse_url
from tasks.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

__all__ = ["say", "warehouse"]


@contextmanager
def warehouse() -> Iterator[Engine]:
    """The warehouse that the environment names; what its driver finds wrong is an error of the warehouse."""
    engine = warehouse_engine(warehouse_url())
    try:
        yield engine
    except DBAPIError as error:
        reason = scrub(str(error.orig), engine.url).partition("\n")[0]
        raise WarehouseError(
            f"warehouse {shown(engine)}: {reason}; is it migrated? If not: python -m tasks.warehouse migrate"
        ) from None
    finally:
        engine.dispose()


def say(text: str) -> None:
    """Write a line, or several, to standard output; what cells hold does nothing to the terminal."""
    sys.stdout.write(f"{for_terminal(text)}\n")
