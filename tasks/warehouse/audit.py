"""Why a query row was joined to what it was joined to, at any time: evidence, run, program, checks and decisions.

The same in SQL, for one match:

    SELECT * FROM fuzzyjoin_match_audit
    WHERE pipeline = :pipeline AND query_id = :query_id
      AND valid_from <= :date AND (valid_to IS NULL OR valid_to > :date)

SQLite compares times as text: there write the date as it is stored, in UTC, such as '2026-03-01 02:00:00.000000'.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tasks.warehouse.decisions import Decision, history
from tasks.warehouse.programs import load_program
from tasks.warehouse.run_audit import RunAudit, as_number, audit_run, estimate_in_words
from tasks.warehouse.schema import match_audit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fuzzyjoin import Program

__all__ = ["MatchAudit", "RunAudit", "why"]


@dataclass(frozen=True)
class MatchAudit:
    """All that is known about one match.

    Attributes
    ----------
    match
        The row of `fuzzyjoin_matches`, by column name: ids, evidence, program, runs, from when to when it held.
    run
        The run that wrote it.
    program
        The program that decided, with the record of its learning that was the newest when the run began.
    decisions
        The decisions on the pipeline's program up to that run.
    """

    match: Mapping[str, Any]
    run: RunAudit
    program: Program
    decisions: tuple[Decision, ...]

    def in_words(self) -> str:
        """The answer as several lines."""
        match, run = self.match, self.run
        until = "still holds" if match["valid_to"] is None else f"held until {match['valid_to'].isoformat()}"
        ended = "" if match["valid_to"] is None else f", when run {match['closed_by_run']} {_closing(match)}"
        lines = [
            (
                f"Query {match['query_id']} ({match['query_text']}) was joined to reference {match['reference_id']} "
                f"({match['reference_text']}) from {match['valid_from'].isoformat()}; this {until}{ended}."
            ),
            (
                f"Configuration {match['configuration']}, {match['join_function']}: distance "
                f"{as_number(match['distance'])}, at most {as_number(match['threshold'])} joins; estimated probability "
                f"that it is right: {as_number(match['precision_estimate'])}."
            ),
            _runner_up(match),
            (
                f"Run {run.run_id} of pipeline {run.pipeline}, triggered by {run.triggered_by} at "
                f"{run.started_at.isoformat()}, code {run.code_version}, parameters {json.dumps(run.parameters)}."
            ),
            (
                f"It read reference {run.reference_fingerprint} ({run.reference_rows} rows) and query "
                f"{run.query_fingerprint} ({run.query_rows} rows); precision estimate {estimate_in_words(run)}."
            ),
        ]
        lines += run.checks_in_words(passed=False)
        lines += [
            f"Decision {made.number}: {made.kind} of {made.program_id} by {made.decided_by} at "
            f"{made.decided_at.isoformat()}{f' ({made.reason})' if made.reason else ''}."
            for made in self.decisions
        ]
        return "\n".join([*lines, self.program.explain()])


def why(connection: Connection, pipeline: str, query_id: str, *, at: datetime) -> MatchAudit | None:
    """Why a query row was joined as it was at a time; None if it then had no match.

    Parameters
    ----------
    connection
        To the warehouse, such as from `tasks.warehouse.connection.reading`.
    pipeline, query_id
        Which row.
    at
        The time, with its time zone; a match that was replaced since is found all the same.
    """
    held = (
        match_audit.c.pipeline == pipeline,
        match_audit.c.query_id == query_id,
        match_audit.c.valid_from <= at,
        sa.or_(match_audit.c.valid_to.is_(None), match_audit.c.valid_to > at),
    )
    found = connection.execute(sa.select(match_audit).where(*held)).mappings().first()
    if found is None:
        return None
    of_the_run = ("run_", "program_in_words", "program_definition")
    match = {name: value for name, value in found.items() if not name.startswith(of_the_run)}
    run = audit_run(connection, match["opened_by_run"])
    program = load_program(connection, match["program_id"], at=match["valid_from"])
    earlier = tuple(made for made in history(connection, pipeline) if made.decided_at <= match["valid_from"])
    return MatchAudit(match=match, run=run, program=program, decisions=earlier)


def _closing(match: Mapping[str, Any]) -> str:
    because = match["closed_because"]
    return "matched the row anew" if because == "matched anew" else f"closed it ({because})"


def _runner_up(match: Mapping[str, Any]) -> str:
    if match["runner_up_id"] is None:
        return "There was no other candidate."
    return (
        f"Runner-up: reference {match['runner_up_id']} at distance {as_number(match['runner_up_distance'])}, "
        f"{as_number(match['margin'])} farther."
    )
