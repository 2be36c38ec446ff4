"""Runs as they were recorded: all of a pipeline's, and everything about one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.runs import Validation
from tasks.warehouse.schema import run_audit, runs, validations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["RunAudit", "as_number", "audit_run", "estimate_in_words", "recent_runs"]


LOOKED_AT = {
    "all": "all query rows",
    "changes": "new, changed and deleted query rows",
    "part": "new and changed rows of a part of the query table",
}


@dataclass(frozen=True)
class RunAudit:
    """A run as it was recorded, with the results of its checks; `parameters` are JSON values, passwords masked.

    `covers`, the counts of matches and `query_rows_unmatched` are None where the run wrote no matches. The figures
    `precision_…` are of the matches that it found among the rows that it looked at, the figures `current_precision_…`
    of all `matches_current` that held at its end, with a note where one of them is missing.
    `learned_precision_target` and `learned_precision_estimate` are those of the newest record of learning its program
    when it ended. The `measured` figures are those of its newest labelled audit.
    """

    run_id: str
    pipeline: str
    status: str
    triggered_by: str
    code_version: str
    parameters: Mapping[str, Any]
    reference_fingerprint: str | None
    reference_rows: int | None
    query_fingerprint: str | None
    query_rows: int | None
    program_id: str | None
    precision_estimate: float | None
    precision_low: float | None
    precision_high: float | None
    precision_level: float | None
    precision_calibrated: bool | None
    covers: str | None
    matches_opened: int | None
    matches_closed: int | None
    matches_unchanged: int | None
    matches_current: int | None
    current_precision_estimate: float | None
    current_precision_low: float | None
    current_precision_high: float | None
    current_precision_level: float | None
    current_precision_note: str | None
    query_rows_unmatched: int | None
    started_at: datetime
    ended_at: datetime | None
    failure: str | None
    learned_precision_target: float | None
    learned_precision_estimate: float | None
    program_in_words: str | None
    measured_precision: float | None
    measured_precision_low: float | None
    measured_precision_high: float | None
    measured_recall: float | None
    measured_recall_low: float | None
    measured_recall_high: float | None
    measured_level: float | None
    measured_by: str | None
    measured_at: datetime | None
    validations: tuple[Validation, ...] = field(default=())

    def line(self) -> str:
        """The run in one line."""
        told = f"{self.run_id}  {self.status}  {self.started_at.isoformat()}  by {self.triggered_by}"
        if self.covers is not None:
            told += (
                f"  {self.matches_opened} opened, {self.matches_closed} closed, {self.matches_unchanged} unchanged, "
                f"{self.matches_current} current"
            )
        if self.measured_precision is not None:
            told += f"  measured precision {as_number(self.measured_precision)}"
        return told if self.failure is None else f"{told}  ({self.failure.partition(chr(10))[0]})"

    def in_words(self) -> str:
        """All that is known about the run, as several lines."""
        ended = "has not ended" if self.ended_at is None else f"ended {self.ended_at.isoformat()}"
        lines = [
            f"Run {self.run_id} of pipeline {self.pipeline}: {self.status}.",
            f"Triggered by {self.triggered_by}, code {self.code_version}.",
            f"Started {self.started_at.isoformat()}, {ended}.",
            f"Parameters: {json.dumps(self.parameters, ensure_ascii=False)}",
            f"Reference {_table(self.reference_fingerprint, self.reference_rows)}.",
            f"Query {_table(self.query_fingerprint, self.query_rows)}.",
        ]
        if self.failure is not None:
            lines.append(f"Why it ended so: {self.failure}")
        if self.covers is not None:
            looked_at = LOOKED_AT[self.covers]
            lines += [
                (
                    f"It looked at {looked_at}: {self.matches_opened} matches opened, {self.matches_closed} closed, "
                    f"{self.matches_unchanged} found again; {self.query_rows_unmatched} rows unmatched."
                ),
                f"Matches at its end: {self.matches_current}{_rate(self)}.",
                *self._estimates(),
                *_measured(self),
            ]
        lines += self.checks_in_words(passed=True)
        if self.learned_precision_target is not None:
            lines.append(
                f"Its program was last learned for a precision target of {as_number(self.learned_precision_target)}, "
                f"with an estimate of {as_number(self.learned_precision_estimate)}."
            )
        return "\n".join([*lines, self.program_in_words or "No program is on record for it."])

    def _estimates(self) -> list[str]:
        if self.covers == "all":
            return [f"Precision estimate {estimate_in_words(self)}."]
        current = f"Precision estimate of these matches: {self.current_estimate_in_words()}."
        return [current, *self.estimate_of_its_rows()]

    def current_estimate_in_words(self) -> str:
        """The estimate of all matches that held at its end, with its interval, if they are known."""
        value, low, high = self.current_precision_estimate, self.current_precision_low, self.current_precision_high
        if value is None:
            return self.current_precision_note or "not recorded by the version that ran"
        if low is None or high is None:
            reason = self.current_precision_note or "the method's own, without an interval"
            return f"{as_number(value)} ({reason})"
        interval = f"{as_number(low)} to {as_number(high)}"
        return f"{as_number(value)} ({interval} at level {as_number(self.current_precision_level)})"

    def estimate_of_its_rows(self) -> list[str]:
        """The estimate of the matches that it found, as a line, where these are not all that hold."""
        if self.covers == "all" or self.precision_estimate is None:
            return []
        return [f"Precision estimate of the matches that it found: {estimate_in_words(self)}."]

    def checks_in_words(self, *, passed: bool) -> list[str]:
        """How many checks failed, then a line for each of these, or for every one if those that passed are wanted."""
        failed = [check for check in self.validations if not check.passed]
        shown = self.validations if passed else failed
        return [
            f"{len(self.validations)} checks, {len(failed)} failed{':' if shown else '.'}",
            *(
                (
                    f"  {check.severity}, {check.subject}: {check.expectation}, was {check.observed}, expected "
                    f"{check.expected}{'' if check.passed else ': FAILED'}"
                )
                for check in shown
            ),
        ]


def audit_run(connection: Connection, run_id: str) -> RunAudit:
    """Everything about a run.

    Raises
    ------
    WarehouseError
        If there is none of this id.
    """
    row = connection.execute(sa.select(run_audit).where(run_audit.c.run_id == run_id)).first()
    if row is None:
        raise WarehouseError(f"run {run_id!r} does not exist; the command runs lists a pipeline's")
    checks = connection.execute(
        sa.select(validations).where(validations.c.run_id == run_id).order_by(validations.c.number)
    ).mappings()
    told = tuple(Validation(**{part.name: check[part.name] for part in fields(Validation)}) for check in checks)
    return _audit(row._asdict(), told)


def recent_runs(connection: Connection, pipeline: str, *, limit: int) -> tuple[RunAudit, ...]:
    """A pipeline's last runs, the newest first, without their checks.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered, or the limit is not 1 or more.
    """
    require_pipeline(connection, pipeline)
    if limit < 1:
        raise WarehouseError(f"limit is {limit}; give 1 or more")
    newest = sa.select(runs.c.run_id).where(runs.c.pipeline == pipeline)
    newest = newest.order_by(runs.c.started_at.desc(), runs.c.run_id.desc()).limit(limit)
    told = sa.select(run_audit).where(run_audit.c.run_id.in_(newest))
    rows = connection.execute(told.order_by(run_audit.c.started_at.desc(), run_audit.c.run_id.desc()))
    return tuple(_audit(row._asdict(), ()) for row in rows)


def estimate_in_words(run: RunAudit) -> str:
    """The run's precision estimate with its interval, if there is one."""
    if run.precision_low is None or run.precision_high is None:
        return f"{as_number(run.precision_estimate)} (the method's own, without an interval)"
    interval = f"{as_number(run.precision_low)} to {as_number(run.precision_high)}"
    return f"{as_number(run.precision_estimate)} ({interval} at level {as_number(run.precision_level)})"


def as_number(value: float | None) -> str:
    """A figure with four digits.

    >>> as_number(1 / 3), as_number(None)
    ('0.3333', 'unknown')
    """
    return "unknown" if value is None else f"{value:.4g}"


def _audit(row: Mapping[str, Any], checks: tuple[Validation, ...]) -> RunAudit:
    names = {part.name for part in fields(RunAudit)} - {"parameters", "validations"}
    return RunAudit(**{name: row[name] for name in names}, parameters=json.loads(row["parameters"]), validations=checks)


def _table(fingerprint: str | None, rows: int | None) -> str:
    return "not recorded" if fingerprint is None else f"{fingerprint} ({rows} rows)"


def _measured(run: RunAudit) -> list[str]:
    """The labelled audit of a run in a line, if there is one."""
    if run.measured_at is None:
        return []
    shares = [("precision", run.measured_precision, run.measured_precision_low, run.measured_precision_high)]
    if run.measured_recall_low is not None:
        shares.append(("recall at most", run.measured_recall, run.measured_recall_low, run.measured_recall_high))
    told = [f"{name} {as_number(value)} ({as_number(low)} to {as_number(high)})" for name, value, low, high in shares]
    by = f"by labels of {run.measured_by}, recorded {run.measured_at.isoformat()}"
    return [f"Measured {', '.join(told)} at level {as_number(run.measured_level)}, {by}."]


def _rate(run: RunAudit) -> str:
    # Of a part of the query table, the matches that hold are no share.
    if not run.query_rows or run.matches_current is None or run.covers == "part":
        return ""
    return f" ({run.matches_current / run.query_rows:.1%} of {run.query_rows} query rows)"
