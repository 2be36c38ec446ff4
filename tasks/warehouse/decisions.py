"""Which program a pipeline uses: proposals, approvals, refusals and rollbacks, added and never changed.

The pipeline's current program is that of its last approval or rollback; each decision and the current program it
leaves behind commit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import sqlalchemy as sa

from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.pipelines import current_program_id, require_pipeline
from tasks.warehouse.programs import require_program
from tasks.warehouse.schema import decisions, learning_records, pipelines, runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["AUTOMATIC", "Decision", "approve", "history", "open_proposals", "propose", "refuse", "roll_back"]

Kind: TypeAlias = Literal["proposal", "approval", "refusal", "rollback"]

PROMOTIONS = ("approval", "rollback")
AUTOMATIC = "automatic promotion"
"""Who approves under automatic promotion."""


@dataclass(frozen=True)
class Decision:
    """A decision about a pipeline's program: the how-manieth, of which kind, by whom, why and when."""

    number: int
    kind: Kind
    program_id: str
    decided_by: str
    reason: str | None
    decided_at: datetime


def propose(connection: Connection, pipeline: str, program_id: str, *, by: str, at: datetime) -> Kind | None:
    """Propose a stored program that was just learned.

    Returns
    -------
    Kind or None
        "approval" under automatic promotion; "proposal" where a person must now approve or refuse; None if there is
        nothing to decide: it is proposed already, or it is the current program and its newest estimate is no lower than
        the one that it was approved with.

    Raises
    ------
    WarehouseError
        If the pipeline or the program is not in the warehouse.
    """
    promotion = _hold(connection, pipeline).promotion
    require_program(connection, program_id)
    same = program_id == current_program_id(connection, pipeline)
    if same and (promotion == "automatic" or not _estimate_fell(connection, pipeline, program_id)):
        return None
    if promotion == "automatic":
        _decide(connection, pipeline, "approval", program_id, by=AUTOMATIC, reason=f"learned by {by}", at=at)
        return "approval"
    if program_id in {proposal.program_id for proposal in open_proposals(connection, pipeline)}:
        return None
    reason = "the same program with a lower precision estimate" if same else None
    _decide(connection, pipeline, "proposal", program_id, by=by, reason=reason, at=at)
    return "proposal"


def approve(
    connection: Connection, pipeline: str, program_id: str, *, by: str, at: datetime, reason: str | None = None
) -> None:
    """Make a proposed program the current one.

    Raises
    ------
    WarehouseError
        If the program is not proposed.
    """
    _answer(connection, pipeline, "approval", program_id, by=by, reason=reason, at=at)


def refuse(
    connection: Connection, pipeline: str, program_id: str, *, by: str, at: datetime, reason: str | None = None
) -> None:
    """Turn a proposed program down; the current one stays in use.

    Raises
    ------
    WarehouseError
        If the program is not proposed.
    """
    _answer(connection, pipeline, "refusal", program_id, by=by, reason=reason, at=at)


def roll_back(
    connection: Connection, pipeline: str, program_id: str, *, by: str, at: datetime, reason: str | None = None
) -> None:
    """Make a program current again that was so before.

    Raises
    ------
    WarehouseError
        If it never was the pipeline's current program, or is so now.
    """
    current = _hold(connection, pipeline).current_program_id
    earlier = {made.program_id for made in history(connection, pipeline) if made.kind in PROMOTIONS}
    if program_id not in earlier:
        raise WarehouseError(f"program_id {program_id!r} was never current in {pipeline!r}; propose it instead")
    if program_id == current:
        raise WarehouseError(f"program_id {program_id!r} is current in {pipeline!r}; name an earlier one to go back to")
    _decide(connection, pipeline, "rollback", program_id, by=by, reason=reason, at=at)


def history(connection: Connection, pipeline: str) -> tuple[Decision, ...]:
    """All decisions of a pipeline, the oldest first."""
    rows = connection.execute(
        sa.select(decisions).where(decisions.c.pipeline == pipeline).order_by(decisions.c.number)
    ).mappings()
    return tuple(Decision(**{name: value for name, value in row.items() if name != "pipeline"}) for row in rows)


def open_proposals(connection: Connection, pipeline: str) -> tuple[Decision, ...]:
    """The proposals that nobody has approved or refused yet, the oldest first."""
    waiting: dict[str, Decision] = {}
    for made in history(connection, pipeline):
        if made.kind == "proposal":
            waiting[made.program_id] = made
        else:
            waiting.pop(made.program_id, None)
    return tuple(waiting.values())


def _answer(
    connection: Connection, pipeline: str, kind: Kind, program_id: str, *, by: str, reason: str | None, at: datetime
) -> None:
    _hold(connection, pipeline)
    if program_id not in {proposal.program_id for proposal in open_proposals(connection, pipeline)}:
        raise WarehouseError(f"program_id {program_id!r} is not proposed in {pipeline!r}; look at open_proposals")
    _decide(connection, pipeline, kind, program_id, by=by, reason=reason, at=at)


def _hold(connection: Connection, pipeline: str) -> sa.Row:  # type: ignore[type-arg]
    """The pipeline's row, which others can decide on only after this transaction: two who answer at once see it."""
    same = sa.update(pipelines).where(pipelines.c.pipeline == pipeline).values(decisions=pipelines.c.decisions)
    connection.execute(same)
    return require_pipeline(connection, pipeline)


def _decide(
    connection: Connection, pipeline: str, kind: Kind, program_id: str, *, by: str, reason: str | None, at: datetime
) -> None:
    require_program(connection, program_id)
    if not by:
        raise WarehouseError("by is empty; say who decides")
    values: dict[str, object] = {"decisions": pipelines.c.decisions + 1}
    if kind in PROMOTIONS:
        values["current_program_id"] = program_id
    count = sa.update(pipelines).where(pipelines.c.pipeline == pipeline).values(values)
    number = int(connection.execute(count.returning(pipelines.c.decisions)).scalar_one())
    connection.execute(
        sa.insert(decisions).values(
            pipeline=pipeline,
            number=number,
            kind=kind,
            program_id=program_id,
            decided_by=by,
            reason=reason,
            decided_at=at,
        )
    )


def _estimate_fell(connection: Connection, pipeline: str, program_id: str) -> bool:
    """Whether the pipeline's newest record of its current program estimates less than the one it was approved with.

    Not less than the record before: of a slow fall every step is small, and the person who refused the first step
    would never be asked again.
    """
    records = (
        sa.select(learning_records.c.precision_estimate, learning_records.c.learned_at)
        .join(runs, runs.c.run_id == learning_records.c.run_id)
        .where(runs.c.pipeline == pipeline, learning_records.c.program_id == program_id)
        .order_by(learning_records.c.learned_at.desc(), learning_records.c.record_id)
    )
    learned = connection.execute(records).all()
    promoted = [made.decided_at for made in history(connection, pipeline) if made.kind in PROMOTIONS]
    if not learned or not promoted:
        return False
    # A program that came from elsewhere, such as another pipeline, is measured by the first record here.
    approved = next((record for record in learned if record.learned_at <= promoted[-1]), learned[-1])
    return bool((learned[0].precision_estimate or 0.0) < (approved.precision_estimate or 0.0))
