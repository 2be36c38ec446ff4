"""Query rows that were not joined, with the reason: opened and closed like matches, in the transaction of their run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from tasks.warehouse.schema import UNMATCHED_EVIDENCE, UtcTimestamp, unmatched
from tasks.warehouse.staging import GONE, INCOMING, OF_THE_BEST
from tasks.warehouse.steadiness import same_unmatched

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["JOINED", "LOOKED_AT_AGAIN", "write_unmatched"]

JOINED: Final = "joined"
LOOKED_AT_AGAIN: Final = "looked at again"

FOUND: Final = {name: INCOMING.c[OF_THE_BEST.get(name, name)] for name in UNMATCHED_EVIDENCE}
"""The evidence of an unmatched row as it stands in `INCOMING`."""


def write_unmatched(
    connection: Connection, pipeline: str, run_id: str, *, program_id: str, covers_all: bool, at: datetime
) -> None:
    """Bring `fuzzyjoin_unmatched` to what `INCOMING` holds, in the caller's transaction; rows that are right stay."""
    current = sa.and_(unmatched.c.pipeline == pipeline, unmatched.c.valid_to.is_(None))
    same_row = INCOMING.c.query_id == unmatched.c.query_id
    confirmed = sa.and_(
        INCOMING.c.reason.is_not(None), unmatched.c.program_id == program_id, same_unmatched(unmatched, FOUND)
    )
    because = sa.case(
        (INCOMING.c.reference_id.is_not(None), JOINED), (INCOMING.c.reason.is_not(None), LOOKED_AT_AGAIN), else_=GONE
    )
    close = sa.update(unmatched).where(current)
    written = {"valid_to": at, "closed_by_run": run_id}
    # Two statements, as with matches.
    connection.execute(close.where(same_row, ~confirmed).values(closed_because=because, **written))
    if covers_all:
        connection.execute(close.where(~sa.exists().where(same_row)).values(closed_because=GONE, **written))
    written_by: dict[str, sa.ColumnElement[Any]] = {
        "pipeline": sa.literal(pipeline, sa.Text),
        "query_id": INCOMING.c.query_id,
        "program_id": sa.literal(program_id, sa.Text),
        "opened_by_run": sa.literal(run_id, sa.Text),
        "valid_from": sa.literal(at, UtcTimestamp),
    }
    new = sa.select(*written_by.values(), *FOUND.values()).where(
        INCOMING.c.reason.is_not(None), ~sa.exists().where(current, same_row)
    )
    connection.execute(sa.insert(unmatched).from_select([*written_by, *FOUND], new))
