"""Pipelines: named, recurring match jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import sqlalchemy as sa

from tasks.warehouse.connection import add_if_missing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.schema import pipelines

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["Promotion", "current_program_id", "register_pipeline", "require_pipeline"]

Promotion: TypeAlias = Literal["automatic", "review"]
"""Whether a newly learned program becomes the current one by itself, or after a person's approval."""


def register_pipeline(connection: Connection, pipeline: str, *, promotion: Promotion | None, at: datetime) -> None:
    """Make a pipeline, or set the promotion of the one there is.

    Without a promotion the one there is stays as it is, and a new one is automatic.

    Raises
    ------
    WarehouseError
        If the name is empty or the promotion unknown.
    """
    if not pipeline:
        raise WarehouseError("pipeline is an empty name; give one")
    if promotion is not None and promotion not in get_args(Promotion):
        raise WarehouseError(f"promotion is {promotion!r}; give one of {', '.join(get_args(Promotion))}")
    add_if_missing(
        connection, pipelines, pipeline=pipeline, promotion=promotion or "automatic", decisions=0, created_at=at
    )
    if promotion is not None:
        change = sa.update(pipelines).where(pipelines.c.pipeline == pipeline, pipelines.c.promotion != promotion)
        connection.execute(change.values(promotion=promotion))


def require_pipeline(connection: Connection, pipeline: str) -> sa.Row:  # type: ignore[type-arg]
    """The pipeline's row.

    Raises
    ------
    WarehouseError
        If it is not registered.
    """
    row = connection.execute(sa.select(pipelines).where(pipelines.c.pipeline == pipeline)).first()
    if row is None:
        raise WarehouseError(f"pipeline {pipeline!r} is not in the warehouse; register it first")
    return row


def current_program_id(connection: Connection, pipeline: str) -> str | None:
    """The program that the pipeline applies, None before the first approval.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered.
    """
    found = require_pipeline(connection, pipeline).current_program_id
    return None if found is None else str(found)
