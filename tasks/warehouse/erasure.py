"""A person's values are removed, and that they were is kept.

Ids, runs, labels and figures stay: who was joined to what and why remains on record, without the texts. What this
cannot reach is told in `Erasure.in_words`: the source itself, backups, the database's own logs, and words of negative
rules, since programs are never changed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from fuzzyjoin.blocking import NegativeRules
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import read_table
from fuzzyjoin.tables import as_text, choose_id
from fuzzyjoin.text import blocking_text, lower
from tasks.ingestion.snapshots import content_hash_of, is_content_hash, leftovers_in, snapshot_path, snapshots_in
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.joined_tables import erase_joined
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.schema import decisions, erasures, matches, programs, query_rows, runs, unmatched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    import pandas as pd
    from sqlalchemy.engine import Connection, Engine

__all__ = ["ERASED", "EarlierErasure", "Erasure", "Subject", "erase"]

ERASED = "[erased]"
"""Stands where a text was."""
CLOCKS_DIFFER: Final = 60.0
"""Seconds by which the clock of the files may differ from that of the runs."""
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
class EarlierErasure:
    """An erasure of the same values that is on record: who decided it, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Erasure:
    """What was found and removed.

    Attributes
    ----------
    subject
        Whose values.
    matches_redacted
        Rows of matches and of unmatched query rows, past and present, and of joined tables, whose text was removed.
    snapshots
        Content hashes of the snapshots deleted.
    rules
        Negative rules that hold a word of the text, each with the id of its program. They are still there.
    row_hashes
        Hashes of the row's text that were removed.
    saved_work
        Files and indexes deleted that were kept to save work; None if nobody was asked to delete them.
    earlier
        The erasures of these values that are on record from before, the oldest first.
    """

    subject: Subject
    matches_redacted: int
    snapshots: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]
    row_hashes: int = 0
    saved_work: int | None = None
    earlier: tuple[EarlierErasure, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the warehouse or a snapshot held anything of the row."""
        return bool(self.matches_redacted or self.snapshots or self.row_hashes)

    def in_words(self) -> str:
        """What was removed and what is left to do, as several lines."""
        lines = [f"{self.subject}: {self.matches_redacted} rows redacted, {len(self.snapshots)} snapshots deleted."]
        if self.saved_work is not None:
            lines.append(
                f"What was kept to save work may hold the values, and was deleted: {self.saved_work} files and indexes."
            )
        lines += [
            f"Erased before by {earlier.by} on {earlier.at.isoformat()} ({earlier.reason})." for earlier in self.earlier
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
    delete_saved_work: Callable[[], int] | None = None,
) -> Erasure:
    """Remove a person's values from saved work, from a pipeline's matches and snapshots, and record that it was done.

    Saved work goes first, then the snapshots; then the redaction and its record commit together; then the free space of
    a SQLite file is cleared. Whatever breaks that off: erase again, and what is left is removed.

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
    delete_saved_work
        Deletes what is kept to save work, which may hold the values, and says how many files that were.

    Returns
    -------
    Erasure
        What was found. It goes on record unless the warehouse and the snapshots held nothing, as after an erasure.

    Raises
    ------
    WarehouseError
        If the pipeline is not registered, by or reason is empty, or the row was never there; or, when all is done, if
        the free space of a SQLite file could not be cleared.
    LockHeldError
        If a run of the pipeline goes on for longer.
    DataError
        If a snapshot cannot be read or deleted, or saved work not deleted: nothing is recorded.
    """
    for name, value in (("by", by), ("reason", reason)):
        if not value:
            raise WarehouseError(f"{name} is empty; an auditor needs it: give one")
    with pipeline_lock(engine, pipeline, run_id=f"of an erasure by {by}", timeout_seconds=timeout_seconds):
        with reading(engine) as connection:
            require_pipeline(connection, pipeline)
        saved_work = None if delete_saved_work is None else _saved_work_deleted(delete_saved_work)
        with reading(engine) as connection:
            holding = _snapshots(connection, pipeline, subject, folder)
        in_snapshots = {text for texts in holding.values() for text in texts}
        with writing(engine) as connection:
            rules = _rules(connection, pipeline, in_snapshots.union(_texts(connection, pipeline, subject)))
            redacted = _redact(connection, pipeline, subject)
            hashes = _forget_hashes(connection, pipeline, subject)
            earlier = _earlier(connection, pipeline, subject)
            erasure = Erasure(subject, redacted, tuple(sorted(holding)), rules, hashes, saved_work, earlier)
            if erasure.found:
                _record(connection, pipeline, erasure, by=by, reason=reason, at=at)
            known = erasure.found or _is_known(connection, pipeline, subject)
            for name in holding:
                _delete(snapshot_path(folder, name))
        _delete_leftovers(folder)
        if not known:
            deleted = "" if saved_work is None else f"; {saved_work} files and indexes of saved work were deleted"
            raise WarehouseError(
                f"{subject} of {pipeline!r} has no values in matches or snapshots, now or before; check the id{deleted}"
            )
        _forget_free_space(engine)
    return erasure


def _saved_work_deleted(delete: Callable[[], int]) -> int:
    try:
        return delete()
    except DataError as error:
        raise DataError(f"the values may still be in saved work, and nothing is recorded: {error}") from None


def _of(pipeline: str, subject: Subject) -> list[tuple[sa.Table, sa.Column[str], sa.ColumnElement[bool]]]:
    """Each table that keeps texts of the subject, the column, and which of its rows hold one."""
    of_side = {"query": "query", "reference": "best_reference"}
    found = []
    for table, side in ((matches, subject.side), (unmatched, of_side[subject.side])):
        text = table.c[f"{side}_text"]
        row = sa.and_(table.c.pipeline == pipeline, table.c[f"{side}_id"] == subject.row_id)
        found.append((table, text, sa.and_(row, text.is_distinct_from(ERASED))))
    return found


def _texts(connection: Connection, pipeline: str, subject: Subject) -> list[str]:
    found = [sa.select(text).where(there).distinct() for _, text, there in _of(pipeline, subject)]
    return [value for texts in found for value in connection.scalars(texts) if value]


def _redact(connection: Connection, pipeline: str, subject: Subject) -> int:
    count = 0
    for table, text, there in _of(pipeline, subject):
        count += int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(there)) or 0)
        connection.execute(sa.update(table).where(there).values({text: ERASED}))
    return count + erase_joined(connection, pipeline, subject.side, subject.row_id, ERASED)


def _forget_hashes(connection: Connection, pipeline: str, subject: Subject) -> int:
    """Remove the hashes of the row's text: the hash of a name tells the name to whoever guesses it."""
    if subject.side != "query":
        return 0
    of_row = sa.and_(query_rows.c.pipeline == pipeline, query_rows.c.query_id == subject.row_id)
    count = int(connection.scalar(sa.select(sa.func.count()).select_from(query_rows).where(of_row)) or 0)
    connection.execute(sa.delete(query_rows).where(of_row))
    return count


def _earlier(connection: Connection, pipeline: str, subject: Subject) -> tuple[EarlierErasure, ...]:
    of_row = sa.and_(erasures.c.pipeline == pipeline, erasures.c[f"{subject.side}_id"] == subject.row_id)
    found = connection.execute(sa.select(erasures).where(of_row).order_by(erasures.c.number))
    return tuple(EarlierErasure(row.erased_by, row.erased_at, row.reason) for row in found)


def _is_known(connection: Connection, pipeline: str, subject: Subject) -> bool:
    """Whether the row was there before: in a match, an unmatched row or an erasure."""
    side = {"query": "query", "reference": "best_reference"}[subject.side]
    for table, column in ((matches, subject.side), (unmatched, side), (erasures, subject.side)):
        of_row = sa.and_(table.c.pipeline == pipeline, table.c[f"{column}_id"] == subject.row_id)
        if connection.execute(sa.select(table.c.pipeline).where(of_row).limit(1)).first() is not None:
            return True
    return False


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
    read = sa.select(fingerprint, runs.c.parameters).where(runs.c.pipeline == pipeline)
    id_columns: dict[str, set[str | None]] = {}
    ever: set[str | None] = {None}
    for name, parameters in connection.execute(read.distinct()):
        column = (json.loads(parameters).get("tables") or {}).get(f"{subject.side}_id") or None
        ever.add(column)
        if name is not None and is_content_hash(name):
            id_columns.setdefault(name, set()).add(column)
    there = {content_hash_of(path): path for path in _files(folder)}
    unrecorded = _unrecorded(connection, pipeline, there)
    asked = {**dict.fromkeys(unrecorded, ever), **id_columns}
    rows = {name: _texts_in(_table(there[name]), subject, columns) for name, columns in asked.items() if name in there}
    return {name: texts for name, texts in rows.items() if texts}


def _unrecorded(connection: Connection, pipeline: str, there: Mapping[str, Path]) -> set[str]:
    """The snapshots that a run of the pipeline wrote and was killed before it put them on record.

    No run of the warehouse names them, and they were written while such a run was at work: snapshots of another
    warehouse may stand in the same folder.
    """
    recorded = {
        name
        for column in (runs.c.reference_fingerprint, runs.c.query_fingerprint)
        for name in connection.scalars(sa.select(column).distinct())
    }
    broken = sa.select(runs.c.started_at, runs.c.ended_at).where(
        runs.c.pipeline == pipeline, runs.c.query_fingerprint.is_(None), runs.c.status != "refused"
    )
    spans = [
        (start.timestamp() - CLOCKS_DIFFER, end.timestamp() + CLOCKS_DIFFER if end else math.inf)
        for start, end in connection.execute(broken)
    ]
    return {
        name
        for name, path in there.items()
        if name not in recorded and any(start <= path.stat().st_mtime <= end for start, end in spans)
    }


def _table(path: Path) -> pd.DataFrame:
    try:
        return read_table(path)
    except DataError as error:
        raise DataError(
            f"{error}; the snapshot may hold the values, and nothing is recorded: delete it and erase again"
        ) from None


def _files(folder: str | Path) -> list[Path]:
    """The snapshots in a folder."""
    try:
        return snapshots_in(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: the folder of the snapshots cannot be looked into ({error.strerror or error}); nothing is "
            "recorded: check its permissions and erase again"
        ) from None


def _delete_leftovers(folder: str | Path) -> None:
    """Delete what a process that was killed left of a snapshot that it wrote."""
    for path in leftovers_in(folder):
        _delete(path)


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
            f"erase again while nobody uses {engine.url.database}"
        )
