"""Why a query row had no match at a time: what the warehouse knows of it, of its last match and of who looked at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.run_audit import as_number
from tasks.warehouse.schema import matches, query_rows, runs, unmatched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["NoMatch", "why_not"]


@dataclass(frozen=True)
class NoMatch:
    """What is known of a query row that had no match.

    Attributes
    ----------
    pipeline, query_id, at
        Which row, and when.
    unmatched
        Why it was not joined then, a row of `fuzzyjoin_unmatched`; None if that is not on record.
    closed
        Its last match before, a row of `fuzzyjoin_matches`; None if it had none.
    known
        Whether the warehouse knows what the row holds, now.
    changed_by
        The run that found it as it now is, new or changed; a row of `fuzzyjoin_runs`.
    looked_at_by
        The last run until then that surely looked at it; None if that is not on record.
    """

    pipeline: str
    query_id: str
    at: datetime
    unmatched: Mapping[str, Any] | None
    closed: Mapping[str, Any] | None
    known: bool
    changed_by: Mapping[str, Any] | None
    looked_at_by: Mapping[str, Any] | None

    def in_words(self) -> str:
        """The answer as several lines."""
        lines = [f"Query {self.query_id} of pipeline {self.pipeline} had no match at {self.at.isoformat()}."]
        if self.unmatched is not None:
            lines = _reason(self.unmatched)
        if self.closed is not None:
            lines.append(
                f"Its last match before, to reference {self.closed['reference_id']}, was closed by run "
                f"{self.closed['closed_by_run']} at {self.closed['valid_to'].isoformat()}: "
                f"{self.closed['closed_because']}."
            )
        if self.unmatched is None:
            lines.append(self._looked_at())
        return "\n".join(lines)

    def _looked_at(self) -> str:
        if self.looked_at_by is not None:
            run = self.looked_at_by
            return (
                f"Run {run['run_id']}, triggered by {run['triggered_by']}, looked at it under program "
                f"{run['program_id']} on {run['ended_at'].isoformat()} and joined it to nothing. The version that ran "
                "kept no reasons; the next run that looks at the row does. Now `fuzzyjoin explain` tells it, from the "
                "tables and the program, which the command program exports."
            )
        if self.changed_by is not None:
            return (
                f"Whether it was looked at by then is not on record: run {self.changed_by['run_id']} found it new or "
                f"changed on {self.changed_by['ended_at'].isoformat()}, after that time."
            )
        if self.closed is not None:
            return "It is not among the pipeline's query rows now."
        return (
            "The warehouse knows no such query row: it was never looked at, or it was not joined and is gone, or its "
            "runs kept no row hashes."
        )


def why_not(connection: Connection, pipeline: str, query_id: str, *, at: datetime) -> NoMatch:
    """What the warehouse knows of a query row that had no match at a time.

    Parameters
    ----------
    connection
        To the warehouse.
    pipeline, query_id
        Which row.
    at
        The time, with its time zone.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered.
    """
    require_pipeline(connection, pipeline)
    row = connection.execute(
        sa.select(query_rows).where(query_rows.c.pipeline == pipeline, query_rows.c.query_id == query_id)
    ).first()
    closed = _closed(connection, pipeline, query_id, at)
    not_joined = _unmatched(connection, pipeline, query_id, at)
    changed_by = None if row is None else _run(connection, runs.c.run_id == row.changed_by_run)
    looked_at_by = None
    if changed_by is not None and changed_by["ended_at"] <= at:
        # Since then every run over all rows has looked at it.
        over_all = _run(connection, runs.c.pipeline == pipeline, runs.c.covers == "all", runs.c.ended_at <= at)
        known = [changed_by] if over_all is None else [changed_by, over_all]
        looked_at_by = max(known, key=lambda run: run["ended_at"])
    elif closed is not None and closed["closed_because"].startswith("unmatched"):
        looked_at_by = _run(connection, runs.c.run_id == closed["closed_by_run"])
    return NoMatch(
        pipeline=pipeline,
        query_id=query_id,
        at=at,
        unmatched=not_joined,
        closed=closed,
        known=row is not None,
        changed_by=changed_by,
        looked_at_by=looked_at_by,
    )


def _reason(row: Mapping[str, Any]) -> list[str]:
    """Why a row was not joined, the candidate that came nearest, and who looked."""
    text = "" if row["query_text"] is None else f" ({row['query_text']})"
    until = "still so" if row["valid_to"] is None else f"until {row['valid_to'].isoformat()}"
    lines = [
        f"Query {row['query_id']}{text} was joined to nothing: {row['reason']}.",
        (
            f"Run {row['opened_by_run']} found this at {row['valid_from'].isoformat()}, {until}; program "
            f"{row['program_id']}."
        ),
    ]
    if row["valid_to"] is not None:
        lines.append(f"Then run {row['closed_by_run']} closed this: {row['closed_because']}.")
    if row["best_reference_id"] is None:
        return [*lines, "It had no candidate."]
    best = f"Best candidate: reference {row['best_reference_id']}"
    if row["best_reference_text"] is not None:
        best += f" ({row['best_reference_text']})"
    if row["best_probability"] is not None:
        best += f", match probability {as_number(row['best_probability'])}"
    if row["best_distance"] is not None:
        best += f"; distance {as_number(row['best_distance'])}"
    if row["best_threshold"] is not None:
        best += f", at most {as_number(row['best_threshold'])} joins"
    return [*lines, f"{best}."]


def _unmatched(connection: Connection, pipeline: str, query_id: str, at: datetime) -> Mapping[str, Any] | None:
    held = sa.select(unmatched).where(
        unmatched.c.pipeline == pipeline,
        unmatched.c.query_id == query_id,
        unmatched.c.valid_from <= at,
        sa.or_(unmatched.c.valid_to.is_(None), unmatched.c.valid_to > at),
    )
    row = connection.execute(held).first()
    return None if row is None else row._asdict()


def _closed(connection: Connection, pipeline: str, query_id: str, at: datetime) -> Mapping[str, Any] | None:
    before = sa.select(matches).where(
        matches.c.pipeline == pipeline, matches.c.query_id == query_id, matches.c.valid_to <= at
    )
    row = connection.execute(before.order_by(matches.c.valid_to.desc()).limit(1)).first()
    return None if row is None else row._asdict()


def _run(connection: Connection, *which: sa.ColumnElement[bool]) -> Mapping[str, Any] | None:
    newest = sa.select(runs).where(runs.c.status == "succeeded", *which).order_by(runs.c.ended_at.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else row._asdict()
