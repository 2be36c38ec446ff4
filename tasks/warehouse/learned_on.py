"""Which tables a program was learned on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.runs import InputState
from tasks.warehouse.schema import learning_records, runs

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["LearnedOn", "last_learned_on"]


@dataclass(frozen=True)
class LearnedOn:
    """What a run that learned a program read.

    Attributes
    ----------
    reference, query
        Its tables.
    parameters
        What it was asked to do, JSON values.
    """

    reference: InputState
    query: InputState
    parameters: Any


def last_learned_on(connection: Connection, pipeline: str, program_id: str) -> LearnedOn:
    """What a program of a pipeline was last learned on.

    Raises
    ------
    WarehouseError
        If it is not on record.
    """
    newest = (
        sa.select(runs)
        .join(learning_records, learning_records.c.run_id == runs.c.run_id)
        .where(runs.c.pipeline == pipeline, learning_records.c.program_id == program_id)
        .order_by(learning_records.c.learned_at.desc())
        .limit(1)
    )
    run = connection.execute(newest).first()
    if run is None or run.reference_fingerprint is None:
        raise WarehouseError("the tables that it was learned on are not on record")
    return LearnedOn(
        reference=InputState(fingerprint=run.reference_fingerprint, rows=run.reference_rows),
        query=InputState(fingerprint=run.query_fingerprint, rows=run.query_rows),
        parameters=json.loads(run.parameters),
    )
