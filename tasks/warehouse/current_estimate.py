"""The precision estimate of all matches that hold, whichever runs found them.

A run over all query rows found every match that holds at its end, so that its own estimate is theirs. After a run that
looked at some rows only, the estimate is made of the matches:

- Where scorers decided, it is the mean of the match probabilities, as it is for a run. If all matches are of one
  program, its frozen calibration gives the interval too.
- The estimate of a union is a tally over one whole join, of pairs that its matches do not tell. It stays as it was
  while no match changes; after that it is not known before the next run over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from fuzzyjoin.definition import Scorer
from tasks.warehouse.programs import load_program
from tasks.warehouse.schema import matches, runs

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from fuzzyjoin.definition import PrecisionEstimate

__all__ = ["CurrentEstimate", "estimate_of_current", "estimate_of_run"]

UNITS: Final = 1_000_000_000
"""Probabilities are added up in whole billionths: exactly, in whatever order the database meets them."""

NOTHING: Final = "no match holds"
UNION: Final = (
    "not known for all matches that hold: the estimate of a program without a scorer is made over all query rows; the "
    "next run of match_tables makes it"
)


@dataclass(frozen=True)
class CurrentEstimate:
    """Estimated precision of the matches that hold at a run's end.

    Attributes
    ----------
    value
        The estimate, in [0, 1]; None if it is not known.
    low, high, level
        An interval and its level; None if there is none.
    note
        Why a part of it is missing; None if there is nothing to say.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    note: str | None = None

    def columns(self) -> dict[str, float | str | None]:
        """As the columns of `fuzzyjoin_runs`."""
        figures = {"estimate": self.value, "low": self.low, "high": self.high, "level": self.level, "note": self.note}
        return {f"current_precision_{name}": figure for name, figure in figures.items()}


def estimate_of_run(estimate: PrecisionEstimate) -> CurrentEstimate:
    """That of a run over all query rows."""
    note = NOTHING if estimate.value is None else None
    return CurrentEstimate(estimate.value, estimate.low, estimate.high, estimate.level, note)


def estimate_of_current(connection: Connection, pipeline: str, *, changed: bool) -> CurrentEstimate:
    """That of the matches that hold now.

    Parameters
    ----------
    connection
        To the warehouse, in the transaction of the run that ends.
    pipeline
        The pipeline's name.
    changed
        Whether the run opened or closed a match; if not, the estimate of the run before it still holds.
    """
    if not changed and (before := _of_last_run(connection, pipeline)) is not None:
        return before
    units = sa.cast(sa.func.round(matches.c.precision_estimate * UNITS), sa.BigInteger)
    of_programs = (
        sa.select(matches.c.program_id, sa.func.count(), sa.func.count(units), sa.func.sum(units))
        .where(matches.c.pipeline == pipeline, matches.c.valid_to.is_(None))
        .group_by(matches.c.program_id)
    )
    held = {program_id: tuple(figures) for program_id, *figures in connection.execute(of_programs)}
    if not held:
        return CurrentEstimate(None, note=NOTHING)
    definitions = [load_program(connection, program_id).definition for program_id in held]
    rows, with_probability, total = (
        sum(int(part or 0) for part in parts) for parts in zip(*held.values(), strict=True)
    )
    if with_probability < rows or not all(isinstance(definition.decision, Scorer) for definition in definitions):
        return CurrentEstimate(None, note=UNION)
    value = min(max(total / (UNITS * rows), 0.0), 1.0)
    if len(definitions) > 1:
        note = f"without an interval, because the matches are of {len(definitions)} programs"
        return CurrentEstimate(value, note=note)
    # Bring the library's kernels, which reading the warehouse does without.
    from fuzzyjoin.scoring import LEVEL, interval  # noqa: PLC0415 - as above

    low, high = interval(value, rows, definitions[0].between_task_sd, LEVEL)
    return CurrentEstimate(value, low, high, LEVEL)


def _of_last_run(connection: Connection, pipeline: str) -> CurrentEstimate | None:
    """What the pipeline's last run with matches left on record."""
    names = ("estimate", "low", "high", "level", "note")
    last = (
        sa.select(*(runs.c[f"current_precision_{name}"] for name in names))
        .where(runs.c.pipeline == pipeline, runs.c.status == "succeeded", runs.c.covers.is_not(None))
        .order_by(runs.c.ended_at.desc(), runs.c.started_at.desc(), runs.c.run_id.desc())
    )
    row = connection.execute(last.limit(1)).first()
    return None if row is None or row[0] is None else CurrentEstimate(*row)
