"""Ids as a person types them: whole, or as a beginning that only one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.schema import decisions, programs, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

__all__ = ["full_program_id", "full_run_id"]

HASH: Final = "sha256:"
CANDIDATES_SHOWN: Final = 10


def full_run_id(connection: Connection, given: str) -> str:
    """The id of the run that is meant; what was given, if no run's id begins so.

    Raises
    ------
    WarehouseError
        If several runs' ids begin so; the message lists them.
    """
    start = _start(given)
    found = connection.execute(
        sa.select(runs.c.run_id, runs.c.status, runs.c.started_at)
        .where(_begins(runs.c.run_id, start))
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
    ).all()
    if start in {run.run_id for run in found}:
        return start
    shown = [f"{run.run_id} ({run.status}, {run.started_at.isoformat(timespec='seconds')})" for run in found]
    return _only("run", given, [run.run_id for run in found], shown)


def full_program_id(connection: Connection, given: str, *, pipeline: str | None = None) -> str:
    """The id of the program that is meant; what was given, if no program's id begins so.

    Parameters
    ----------
    connection
        To the warehouse.
    given
        With or without ``sha256:``.
    pipeline
        Only programs that were decided on in this pipeline are meant.

    Raises
    ------
    WarehouseError
        If several programs' ids begin so; the message lists them.
    """
    start = _start(given)
    column = programs.c.program_id
    chosen = sa.select(column).where(sa.or_(_begins(column, start), _begins(column, f"{HASH}{start}")))
    if pipeline is not None:
        decided = sa.select(decisions.c.program_id).where(decisions.c.pipeline == pipeline)
        chosen = chosen.where(column.in_(decided))
    found = list(connection.scalars(chosen.order_by(column)))
    for whole in (start, f"{HASH}{start}"):
        if whole in found:
            return whole
    return _only("program", given, found, found)


def _start(given: str) -> str:
    # As ids are shortened where they are shown.
    return given.removesuffix("…").removesuffix("...")


def _begins(column: sa.Column[str], start: str) -> sa.ColumnElement[bool]:
    # Not LIKE, which takes upper and lower case for the same on SQLite.
    return sa.and_(sa.literal(start) != "", sa.func.substr(column, 1, len(start)) == start)


def _only(kind: str, given: str, found: Sequence[str], shown: Sequence[str]) -> str:
    if not found:
        return given
    if len(found) == 1:
        return found[0]
    more = f", and {len(shown) - CANDIDATES_SHOWN} more" if len(shown) > CANDIDATES_SHOWN else ""
    raise WarehouseError(
        f"{kind} id {given!r} fits {len(found)} {kind}s: {', '.join(shown[:CANDIDATES_SHOWN])}{more}; give more of it"
    )
