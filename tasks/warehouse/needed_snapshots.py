"""Which snapshots are still needed by a run that is to be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tasks.warehouse.last_run import last_success
from tasks.warehouse.schema import runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["needed_snapshots"]


def needed_snapshots(connection: Connection, pipeline: str, *, before: datetime) -> frozenset[str]:
    """Fingerprints of all tables that runs read, those that only old runs of one pipeline read left out.

    Parameters
    ----------
    connection
        To the warehouse.
    pipeline
        The pipeline's name.
    before
        A run of it that started earlier is old, unless it is the last that read the whole query table.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered.
    """
    last = last_success(connection, pipeline)
    needed = sa.or_(runs.c.pipeline != pipeline, runs.c.started_at >= before)
    if last is not None:
        needed = sa.or_(needed, runs.c.run_id == last.run_id)
    sides = (runs.c.reference_fingerprint, runs.c.query_fingerprint)
    return frozenset(
        name for side in sides for name in connection.scalars(sa.select(side).where(needed, side.is_not(None)))
    )
