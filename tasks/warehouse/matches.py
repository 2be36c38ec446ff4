"""A run's matches and unmatched rows go into the warehouse with its closing record, wholly or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import sqlalchemy as sa

from tasks.warehouse.connection import writing
from tasks.warehouse.current_estimate import estimate_of_current, estimate_of_run
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.joined_tables import write_joined
from tasks.warehouse.programs import require_program
from tasks.warehouse.query_rows import basis_of, store_row_hashes
from tasks.warehouse.runs import require_running, update_running
from tasks.warehouse.schema import EVIDENCE, UtcTimestamp, matches, runs
from tasks.warehouse.staging import GONE, INCOMING, results_table, staged
from tasks.warehouse.steadiness import same_match
from tasks.warehouse.unmatched import write_unmatched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from sqlalchemy.engine import Connection, Engine

    from fuzzyjoin.definition import PrecisionEstimate
    from tasks.warehouse.joined_tables import JoinedTable

__all__ = ["Changes", "Covers", "RunResult", "write_matches"]

MATCHED_ANEW = "matched anew"
UNMATCHED = "unmatched: "

Covers: TypeAlias = Literal["all", "changes", "part"]


@dataclass(frozen=True)
class RunResult:
    """What a run found, as in `fuzzyjoin.JoinResult`.

    Attributes
    ----------
    program_id
        The stored program that decided.
    matched, unmatched
        The result's frames.
    precision_estimate
        The estimate for these matches; that of all matches that hold, whichever runs found them, is made of it or of
        the matches (see `tasks.warehouse.current_estimate`).
    covers
        "all" if the run looked at the whole query table: matches of rows that it does not name are closed.
        "changes" if it read the whole query table and looked at new and changed rows only: others keep their matches.
        "part" if it read a part of the query table: rows that it did not look at keep their matches.
    gone
        With "changes", the ids of query rows that were deleted.
    row_hashes
        What the rows that the run looked at, matched or not, held: as `tasks.warehouse.query_rows.row_hashes` gives it.
        Without them the next `changed_rows` counts these rows as new.
    joined
        The joined table that is published with the matches, if one is.
    """

    program_id: str
    matched: pd.DataFrame
    unmatched: pd.DataFrame
    precision_estimate: PrecisionEstimate
    covers: Covers = "all"
    gone: Sequence[str] = ()
    row_hashes: pd.DataFrame | None = None
    joined: JoinedTable | None = None

    def __post_init__(self) -> None:
        if self.covers not in get_args(Covers):
            raise WarehouseError(f"covers is {self.covers!r}; give one of {', '.join(get_args(Covers))}")


@dataclass(frozen=True)
class Changes:
    """How many matches a run opened, closed and left untouched; a changed match is closed and opened again."""

    opened: int
    closed: int
    unchanged: int


def write_matches(engine: Engine, run_id: str, outcome: RunResult, *, at: datetime) -> Changes:
    """Write a run's matches, the rows that it did not join, and its end.

    What the run found again by the same program is left untouched (see `tasks.warehouse.steadiness`).

    Parameters
    ----------
    engine
        The warehouse.
    run_id
        The running run; its pipeline's lock is held by the caller.
    outcome
        What it found.
    at
        From when the new matches hold; never before the end of the pipeline's last run, whatever a clock says that was
        put back.

    Raises
    ------
    RunEndedError
        If the run is not running any more: nothing is written.
    WarehouseError
        If the program is not stored, or the joined table cannot be written: nothing is.
    DataError
        If the matches are not fit to be stored: nothing is written.
    """
    table = results_table(outcome.matched, outcome.unmatched, outcome.gone, outcome.row_hashes)
    estimate = outcome.precision_estimate
    with writing(engine) as connection:
        pipeline = require_running(connection, run_id)
        require_program(connection, outcome.program_id)
        # First of all: the row's lock keeps a later run from taking this one for dead before it commits.
        update_running(
            connection,
            run_id,
            program_id=outcome.program_id,
            precision_estimate=estimate.value,
            precision_low=estimate.low,
            precision_high=estimate.high,
            precision_level=estimate.level,
            precision_calibrated=estimate.calibrated,
            query_rows_unmatched=len(outcome.unmatched),
            covers=outcome.covers,
        )
        at = _not_before_the_last(connection, pipeline, at)
        with staged(connection, table):
            closed = _close(connection, pipeline, run_id, outcome, at)
            opened = _open(connection, pipeline, run_id, outcome, at)
            write_unmatched(
                connection,
                pipeline,
                run_id,
                program_id=outcome.program_id,
                covers_all=outcome.covers == "all",
                at=at,
            )
            basis = _basis(connection, run_id, outcome)
            store_row_hashes(connection, pipeline, run_id, basis=basis, covers_all=outcome.covers == "all")
        if outcome.joined is not None:
            write_joined(connection, pipeline, run_id, outcome.joined, whole=outcome.covers != "part")
        changes = Changes(opened=opened, closed=closed, unchanged=len(outcome.matched) - opened)
        if outcome.covers == "all":
            current = estimate_of_run(estimate)
        else:
            current = estimate_of_current(connection, pipeline, changed=bool(opened or closed))
        update_running(
            connection,
            run_id,
            status="succeeded",
            ended_at=at,
            matches_opened=changes.opened,
            matches_closed=changes.closed,
            matches_unchanged=changes.unchanged,
            matches_current=_rows(connection, _current(pipeline)),
            **current.columns(),
        )
    return changes


def _not_before_the_last(connection: Connection, pipeline: str, at: datetime) -> datetime:
    # Else a match could end before it began.
    ended = sa.select(sa.func.max(runs.c.ended_at)).where(
        runs.c.pipeline == pipeline, runs.c.status == "succeeded", runs.c.covers.is_not(None)
    )
    last: datetime | None = connection.scalar(ended)
    return at if last is None else max(at, last)


def _basis(connection: Connection, run_id: str, outcome: RunResult) -> str:
    fingerprint = connection.scalar(sa.select(runs.c.reference_fingerprint).where(runs.c.run_id == run_id))
    return basis_of(outcome.program_id, fingerprint)


def _close(connection: Connection, pipeline: str, run_id: str, outcome: RunResult, at: datetime) -> int:
    same_row = INCOMING.c.query_id == matches.c.query_id
    confirmed = sa.and_(matches.c.program_id == outcome.program_id, same_match(matches, INCOMING))
    close = sa.update(matches).where(_current(pipeline))
    written = {"valid_to": at, "closed_by_run": run_id}
    # One statement for the rows that the run looked at and one for the others: each is a join of whole tables, where a
    # single one would look every row up.
    because = sa.case(
        (INCOMING.c.reference_id.is_not(None), MATCHED_ANEW),
        (INCOMING.c.reason.is_not(None), sa.literal(UNMATCHED) + INCOMING.c.reason),
        else_=GONE,
    )
    looked_at = close.where(same_row, ~confirmed).values(closed_because=because, **written)
    count = connection.execute(looked_at).rowcount
    if outcome.covers == "all":
        not_named = close.where(~sa.exists().where(same_row)).values(closed_because=GONE, **written)
        count += connection.execute(not_named).rowcount
    return _count(connection, count, matches.c.closed_by_run == run_id)


def _open(connection: Connection, pipeline: str, run_id: str, outcome: RunResult, at: datetime) -> int:
    still_current = sa.exists().where(_current(pipeline), matches.c.query_id == INCOMING.c.query_id)
    written_by: dict[str, sa.ColumnElement[Any]] = {
        "pipeline": sa.literal(pipeline, sa.Text),
        "program_id": sa.literal(outcome.program_id, sa.Text),
        "opened_by_run": sa.literal(run_id, sa.Text),
        "valid_from": sa.literal(at, UtcTimestamp),
    }
    names = ["query_id", "reference_id", *EVIDENCE]
    new = sa.select(*[*written_by.values(), *(INCOMING.c[name] for name in names)]).where(
        INCOMING.c.reference_id.is_not(None), ~still_current
    )
    count = connection.execute(sa.insert(matches).from_select([*written_by, *names], new)).rowcount
    return _count(connection, count, matches.c.opened_by_run == run_id)


def _current(pipeline: str) -> sa.ColumnElement[bool]:
    return sa.and_(matches.c.pipeline == pipeline, matches.c.valid_to.is_(None))


def _count(connection: Connection, told: int, written: sa.ColumnElement[bool]) -> int:
    # DuckDB does not tell how many rows a statement changed.
    if told >= 0:
        return told
    return _rows(connection, written)


def _rows(connection: Connection, which: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(matches).where(which)) or 0)
