"""Programs, each stored once under its content's name, and the records of learning them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fuzzyjoin import Program
from tasks.warehouse.connection import add_if_missing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.schema import learning_records, programs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["load_program", "require_program", "store_program"]


def store_program(connection: Connection, program: Program, *, run_id: str, at: datetime) -> str:
    """Store a program unless it is there, and the record of how this run learned it; give the program_id.

    Doing it again for the same run changes nothing.
    """
    content = program.as_json()
    program_id = program.program_id
    add_if_missing(
        connection,
        programs,
        program_id=program_id,
        schema_version=content["schema_version"],
        definition=json.dumps(content["program"], ensure_ascii=False),
        in_words=program.model_copy(update={"learning_record": None}).explain(),
        stored_at=at,
    )
    record = program.learning_record
    if record is not None:
        learned = json.dumps(content["learning_record"], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(json.dumps([program_id, run_id, learned]).encode()).hexdigest()
        add_if_missing(
            connection,
            learning_records,
            record_id=f"sha256:{digest}",
            program_id=program_id,
            run_id=run_id,
            content=learned,
            precision_target=record.precision_target,
            precision_estimate=record.precision_estimate.value,
            reference_fingerprint=record.reference.fingerprint,
            query_fingerprint=record.query.fingerprint,
            learned_at=at,
        )
    return program_id


def load_program(connection: Connection, program_id: str, *, at: datetime | None = None) -> Program:
    """A stored program with the learning record that is its newest, or that was so at a time.

    Raises
    ------
    WarehouseError
        If there is none of this id.
    DataError
        If what is stored is not what its id says.
    """
    require_program(connection, program_id)
    stored = connection.execute(sa.select(programs).where(programs.c.program_id == program_id)).one()
    newest = (
        sa.select(learning_records.c.content)
        .where(learning_records.c.program_id == program_id)
        .order_by(learning_records.c.learned_at.desc(), learning_records.c.record_id)
        .limit(1)
    )
    if at is not None:
        newest = newest.where(learning_records.c.learned_at <= at)
    record = connection.scalar(newest)
    content = {
        "schema_version": stored.schema_version,
        "program_id": program_id,
        "program": json.loads(stored.definition),
        "learning_record": json.loads(record) if record else None,
    }
    return Program.from_json(json.dumps(content), source=f"program {program_id} of the warehouse")


def require_program(connection: Connection, program_id: str) -> None:
    """Check that a program is stored.

    Raises
    ------
    WarehouseError
        If it is not.
    """
    if connection.scalar(sa.select(programs.c.program_id).where(programs.c.program_id == program_id)) is None:
        raise WarehouseError(f"program_id {program_id!r} is not in the warehouse; store the program first")
