"""Databases' URLs, from the environment or from a Prefect Secret block, never from a parameter."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prefect.blocks.system import Secret

from fuzzyjoin.errors import UsageError
from tasks.ingestion.database import engine_of
from tasks.warehouse.connection import URL_VARIABLE, warehouse_engine, warehouse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Engine

    from tasks.ingestion import DatabaseSource
    from tasks.settings import Warehouse

__all__ = ["opened_warehouse", "source_engine"]


def source_engine(source: DatabaseSource) -> Engine:
    """The engine of a source's database.

    Raises
    ------
    UsageError
        If there is no such block or variable, or what it holds is no URL.
    """
    if not source.url_block:
        return engine_of(source)
    return engine_of(source, url=_secret(source.url_block))


@contextmanager
def opened_warehouse(settings: Warehouse) -> Iterator[Engine]:
    """The engine of the warehouse, for as long as it is needed.

    Raises
    ------
    UsageError, WarehouseError
        If there is no such block, or what it or the variable holds is no URL of a warehouse.
    """
    engine = warehouse_engine(_warehouse_url(settings))
    try:
        yield engine
    finally:
        engine.dispose()


def _warehouse_url(settings: Warehouse) -> URL | str:
    if settings.url_block:
        return _secret(settings.url_block)
    environment = dict(os.environ)
    # Only the default variable may be missing: one that was named on purpose and is not set is a mistake.
    if settings.url_variable != URL_VARIABLE:
        if not environment.get(settings.url_variable):
            raise UsageError(
                f"warehouse.url_variable: the environment variable {settings.url_variable!r} is not set; set it to "
                "the warehouse's URL"
            )
        environment[URL_VARIABLE] = environment[settings.url_variable]
    return warehouse_url(environment)


def _secret(name: str) -> str:
    try:
        block: Any = Secret.load(name)
    except ValueError:
        raise UsageError(
            f"url_block: Prefect has no Secret block {name!r}; make it in the UI under Blocks, or leave it out and "
            "set the environment variable"
        ) from None
    value = block.get()
    if not isinstance(value, str) or not value:
        raise UsageError(f"url_block: the Secret block {name!r} holds no text; put the database's URL into it")
    return value
