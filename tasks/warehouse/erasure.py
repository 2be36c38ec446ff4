"""A person's values are removed, and that they were is kept.

Ids, runs, labels and figures stay: who was joined to what and why remains on record, without the texts. What this
cannot reach is told in `Erasure.in_words`: the source itself, backups, the database's own logs, and words of negative
rules, since programs are never changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sqlalchemy as sa

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import read_table
from fuzzyjoin.negative_rules import NegativeRules
from fuzzyjoin.tables import as_text, choose_id
from fuzzyjoin.text import blocking_text, lower
from tasks.ingestion.snapshots import is_content_hash, snapshot_path
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.schema import decisions, erasures, matches, programs, query_rows, runs, unmatched

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    import pandas as pd
    from sqlalchemy.engine import Connection, Engine

__all__ = ["ERASED", "Erasure", "Subject", "erase"]

ERASED = "[erased]"
"""Stands where a text was."""
Side: TypeAlias = Literal["query", "reference"]


@dataclass(frozen=True)
class Subject:
    """Whose values are removed: the row of this id in the pipeline's query or reference table."""

    side: Side
    row_id: str

    def __post_init__(self) -> None:
        if not self.row_id:
            raise WarehouseError(f"{self.side}_id is empty; name the row whose values are removed")

    def __str__(self) -> str:
        return f"{self.side} {self.row_id}"


@dataclass(frozen=True)
class Erasure:
    """What was removed.

    Attributes
    ----------
    subject
        Whose values.
    matches_redacted
        Rows of matches, and of query rows that were not joined, past and present, whose text was removed.
    snapshots
        Content hashes of the snapshots deleted.
    rules
        Negative rules that hold a word of the text, each with the id of its program. They are still there.
    """

    subject: Subject
    matches_redacted: int
    snapshots: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]

    def in_words(self) -> str:
        """What was removed and what is left to do, as several lines."""
        lines = [
            f"{self.subject}: {self.matches_redacted} match rows redacted, {len(self.snapshots)} snapshots deleted."
        ]
        lines += [f"Deleted snapshot {name}: runs that read it cannot be replayed any more." for name in self.snapshots]
        lines += [
            f"Program {program_id} still has the negative rule {rule}, which holds a word of the erased text; programs "
            "are never changed."
            for program_id, rule in self.rules
        ]
        lines.append(
            "Remove the row from the source as well, or the next run reads it again. Backups and the database's own "
            "logs are not touched."
        )
        return "\n".join(lines)


def erase(
    engine: Engine,
    pipeline: str,
    subject: Subject,
    folder: str | Path,
    *,
    by: str,
    reason: str,
    at: datetime,
    timeout_seconds: float = 60,
) -> Erasure:
    """Remove a person's values from a pipeline's matches and snapshots, and record that it was done.

    The record and the redaction commit together, after the snapshots are deleted; if that breaks off, do it again.

    Parameters
    ----------
    engine
        The warehouse.
    pipeline
        The pipeline's name.
    subject
        Whose values.
    folder
        Where the snapshots are.
    by, reason
        Who decided it and why; kept on record, so the reason should not repeat what is erased.
    at
        When.
    timeout_seconds
        How long to wait for a run of the pipeline to end.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered, by or reason is empty, or nothing of this id is there; or, when all is done,
        if the free space of a SQLite file could not be cleared.
    LockHeldError
        If a run of the pipeline goes on for longer.
    DataError
        If a snapshot cannot be read or deleted: nothing is recorded.
    """
    for name, value in (("by", by), ("reason", reason)):
        if not value:
            raise WarehouseError(f"{name} is empty; an auditor needs it: give one")
    with pipeline_lock(engine, pipeline, run_id=f"of an erasure by {by}", timeout_seconds=timeout_seconds):
        with reading(engine) as connection:
            require_pipeline(connection, pipeline)
            holding = _snapshots(connection, pipeline, subject, folder)
        in_snapshots = {text for texts in holding.values() for text in texts}
        with writing(engine) as connection:
            rules = _rules(connection, pipeline, in_snapshots.union(_texts(connection, pipeline, subject)))
            redacted = _redact(connection, pipeline, subject)
            if not redacted and not holding:
                raise WarehouseError(f"{subject} of {pipeline!r} has no values in matches or snapshots; check the id")
            erasure = Erasure(subject, redacted, tuple(sorted(holding)), rules)
            _record(connection, pipeline, erasure, by=by, reason=reason, at=at)
            for name in holding:
                _delete(snapshot_path(folder, name))
        _forget_free_space(engine)
    return erasure


def _of(pipeline: str, subject: Subject) -> tuple[sa.Column[str], sa.ColumnElement[bool]]:
    text = matches.c[f"{subject.side}_text"]
    row = sa.and_(matches.c.pipeline == pipeline, matches.c[f"{subject.side}_id"] == subject.row_id)
    return text, sa.and_(row, text.is_distinct_from(ERASED))


def _texts(connection: Connection, pipeline: str, subject: Subject) -> list[str]:
    text, there = _of(pipeline, subject)
    best, there_too = _of_unmatched(pipeline, subject)
    found = sa.union(sa.select(text).where(there), sa.select(best).where(there_too))
    return [value for value in connection.scalars(found) if value]


def _of_unmatched(pipeline: str, subject: Subject) -> tuple[sa.Column[str], sa.ColumnElement[bool]]:
    """The same of rows that were not joined: the row itself, or their best candidate."""
    side = "query" if subject.side == "query" else "best_reference"
    text = unmatched.c[f"{side}_text"]
    row = sa.and_(unmatched.c.pipeline == pipeline, unmatched.c[f"{side}_id"] == subject.row_id)
    return text, sa.and_(row, text.is_distinct_from(ERASED))


def _redact_unmatched(connection: Connection, pipeline: str, subject: Subject) -> int:
    text, there = _of_unmatched(pipeline, subject)
    count = int(connection.scalar(sa.select(sa.func.count()).select_from(unmatched).where(there)) or 0)
    connection.execute(sa.update(unmatched).where(there).values({text: ERASED}))
    return count


def _redact(connection: Connection, pipeline: str, subject: Subject) -> int:
    not_joined = _redact_unmatched(connection, pipeline, subject)
    text, there = _of(pipeline, subject)
    count = not_joined + int(connection.scalar(sa.select(sa.func.count()).select_from(matches).where(there)) or 0)
    connection.execute(sa.update(matches).where(there).values({text: ERASED}))
    if subject.side == "query":
        # The hash of a name tells the name to whoever guesses it.
        of_row = sa.and_(query_rows.c.pipeline == pipeline, query_rows.c.query_id == subject.row_id)
        connection.execute(sa.delete(query_rows).where(of_row))
    return count


def _record(connection: Connection, pipeline: str, erasure: Erasure, *, by: str, reason: str, at: datetime) -> None:
    count = sa.select(sa.func.count()).select_from(erasures).where(erasures.c.pipeline == pipeline)
    values: dict[str, Any] = {
        "pipeline": pipeline,
        "number": int(connection.scalar(count) or 0) + 1,
        f"{erasure.subject.side}_id": erasure.subject.row_id,
        "erased_by": by,
        "reason": reason,
        "erased_at": at,
        "matches_redacted": erasure.matches_redacted,
        "snapshots_deleted": len(erasure.snapshots),
        "snapshots": json.dumps(erasure.snapshots),
    }
    connection.execute(sa.insert(erasures).values(values))


def _snapshots(connection: Connection, pipeline: str, subject: Subject, folder: str | Path) -> dict[str, list[str]]:
    """The content hashes of the snapshots of the pipeline's table that hold the row, with its texts there."""
    fingerprint = runs.c[f"{subject.side}_fingerprint"]
    read = sa.select(fingerprint, runs.c.parameters).where(runs.c.pipeline == pipeline, fingerprint.is_not(None))
    id_columns: dict[str, set[str | None]] = {}
    for name, parameters in connection.execute(read.distinct()):
        tables = json.loads(parameters).get("tables") or {}
        if is_content_hash(name):
            id_columns.setdefault(name, set()).add(tables.get(f"{subject.side}_id"))
    rows = {}
    for name, columns in id_columns.items():
        path = snapshot_path(folder, name)
        if path.exists():
            rows[name] = _texts_in(read_table(path), subject, columns)
    return {name: texts for name, texts in rows.items() if texts}


def _texts_in(table: pd.DataFrame, subject: Subject, id_columns: Collection[str | None]) -> list[str]:
    """The cells of the row, the id among them; none if the table does not hold it."""
    columns: set[str] = set()
    for name in id_columns:
        try:
            columns.add(choose_id(table, subject.side, name))
        except (DataError, UsageError):
            # Which column it was cannot be told: any may hold the id.
            columns.update(table.columns)
    held = table[list(columns)].map(as_text).eq(subject.row_id).any(axis="columns")
    return [as_text(cell) for cell in table[held].to_numpy(dtype=object).ravel()]


def _rules(connection: Connection, pipeline: str, texts: Collection[str]) -> tuple[tuple[str, str], ...]:
    words = {word for text in blocking_text([[lower(text) for text in texts]]) for word in text.split()}
    used = sa.union(
        *(sa.select(table.c.program_id).where(table.c.pipeline == pipeline) for table in (matches, runs, decisions))
    )
    stored = sa.select(programs.c.program_id, programs.c.definition).where(programs.c.program_id.in_(used))
    found = []
    for program_id, definition in connection.execute(stored.order_by(programs.c.program_id)):
        rules = NegativeRules(tuple(json.loads(definition)["negative_rules"]))
        sides = zip(rules.pairs, *rules.sides(), strict=True)
        found += [(program_id, rule) for rule, first, second in sides if {first, second} & words]
    return tuple(found)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be deleted ({error.strerror or error}); nothing is recorded: check the permissions of its "
            "folder and erase again"
        ) from None


def _forget_free_space(engine: Engine) -> None:
    # A SQLite file keeps the old text in its free space and its log, where any editor shows it.
    if engine.dialect.name != "sqlite":
        return
    driver: Any = engine.dialect.dbapi
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        reason = "others read it" if busy else None
    except driver.Error as error:
        reason = str(error)
    finally:
        connection.close()
    if reason is not None:
        raise WarehouseError(
            f"the values are erased and that is on record, but the file still holds them in its free space ({reason}); "
            f"run VACUUM and PRAGMA wal_checkpoint(TRUNCATE) on {engine.url.database} while nobody uses it"
        )
