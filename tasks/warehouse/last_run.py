"""What the pipeline's last run with matches left behind: to compare a run with, and to decide what to match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.schema import runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["LastRun", "last_success"]


@dataclass(frozen=True)
class LastRun:
    """A run that succeeded and left matches for its whole query table, though it may have looked at changes only.

    Attributes
    ----------
    run_id, program_id
        The run, and the program that decided.
    reference_fingerprint, reference_rows, query_fingerprint, query_rows
        The tables it read; None if it did not record them.
    matches
        Matches of the pipeline that held at its end.
    match_rate
        The same as a share of the query rows; None if those are not recorded, or none.
    ended_at
        When it ended.
    """

    run_id: str
    program_id: str
    reference_fingerprint: str | None
    reference_rows: int | None
    query_fingerprint: str | None
    query_rows: int | None
    matches: int
    match_rate: float | None
    ended_at: datetime


def last_success(connection: Connection, pipeline: str) -> LastRun | None:
    """The pipeline's last succeeded run that read the whole query table and wrote matches; None if there was none yet.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered.
    """
    require_pipeline(connection, pipeline)
    with_matches = (
        sa.select(runs)
        .where(runs.c.pipeline == pipeline, runs.c.status == "succeeded", runs.c.covers.in_(("all", "changes")))
        .order_by(runs.c.ended_at.desc(), runs.c.started_at.desc(), runs.c.run_id.desc())
    )
    last = connection.execute(with_matches.limit(1)).first()
    if last is None:
        return None
    return LastRun(
        run_id=last.run_id,
        program_id=last.program_id,
        reference_fingerprint=last.reference_fingerprint,
        reference_rows=last.reference_rows,
        query_fingerprint=last.query_fingerprint,
        query_rows=last.query_rows,
        matches=last.matches_current,
        match_rate=last.matches_current / last.query_rows if last.query_rows else None,
        ended_at=last.ended_at,
    )
