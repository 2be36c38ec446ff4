"""Which matches changed between two runs, and which of program, reference and query can have caused it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import sqlalchemy as sa

from fuzzyjoin.terminal import printable
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.schema import match_changes, matches, runs
from tasks.warehouse.staging import GONE
from tasks.warehouse.steadiness import differing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

__all__ = ["Cause", "ChangedMatch", "changed_by_run", "changed_matches", "totals"]

Cause: TypeAlias = Literal["program", "reference", "query"]
Kind: TypeAlias = Literal["gained", "lost", "redirected", "rewritten"]
Side: TypeAlias = dict[str, sa.Row]  # type: ignore[type-arg]


@dataclass(frozen=True)
class ChangedMatch:
    """A query row whose match differs between two runs.

    Attributes
    ----------
    query_id
        The row.
    before, after
        The reference ids, None where the row had no match.
    query_text, before_text, after_text
        What was compared: of the query row as it was last matched, and of the reference rows.
    causes
        "query" alone if the row's own text changed under the same program and reference, or the row is gone;
        else every one of the three that differs between the runs and can have changed this match.
    """

    query_id: str
    before: str | None
    after: str | None
    causes: tuple[Cause, ...]
    query_text: str | None = field(default=None, compare=False)
    before_text: str | None = field(default=None, compare=False)
    after_text: str | None = field(default=None, compare=False)

    @property
    def kind(self) -> Kind:
        """What became of the row: gained a match, lost it, was led to another reference row, or is matched as before.

        >>> ChangedMatch("q1", None, "r1", ()).kind, ChangedMatch("q1", "r1", "r2", ()).kind
        ('gained', 'redirected')
        """
        if self.before is None:
            return "gained"
        if self.after is None:
            return "lost"
        return "rewritten" if self.before == self.after else "redirected"

    def line(self) -> str:
        """The change in one line."""
        query = _named(self.query_id, self.query_text)
        before, after = _reference(self.before, self.before_text), _reference(self.after, self.after_text)
        return f"{query}: {before} -> {after}, changed by: {' or '.join(self.causes) or 'unknown'}"


def totals(changed: Sequence[ChangedMatch]) -> str:
    """How many query rows changed, and how.

    >>> totals([ChangedMatch("q1", None, "r1", ()), ChangedMatch("q2", "r2", "r2", ())])
    '2 changed: 1 gained, 0 lost, 0 redirected, 1 rewritten (same reference row, other evidence)'
    """
    counts = Counter(change.kind for change in changed)
    told = ", ".join(f"{counts[kind]:,} {kind}" for kind in get_args(Kind))
    return f"{len(changed):,} changed: {told} (same reference row, other evidence)"


def changed_matches(connection: Connection, earlier_run: str, later_run: str) -> tuple[ChangedMatch, ...]:
    """The matches that differ between what two runs left behind, by query id.

    A match differs if its program, its reference row or any of its evidence does; figures that moved less than what
    makes `write_matches` write a match again count as the same (see `tasks.warehouse.steadiness`).

    Raises
    ------
    WarehouseError
        If the runs are not of one pipeline, have not both succeeded, or are in the wrong order.
    """
    first, second = _run(connection, earlier_run), _run(connection, later_run)
    if first.pipeline != second.pipeline:
        raise WarehouseError(
            f"runs are of pipelines {first.pipeline!r} and {second.pipeline!r}; compare runs of the same pipeline"
        )
    if first.ended_at > second.ended_at:
        raise WarehouseError(f"earlier_run {earlier_run!r} ended after later_run {later_run!r}; swap them")
    before = _changed_side(connection, first.pipeline, first.ended_at, second.ended_at)
    after = _changed_side(connection, first.pipeline, second.ended_at, first.ended_at)
    same_program = first.program_id == second.program_id
    same_reference = first.reference_fingerprint == second.reference_fingerprint
    same_query = first.query_fingerprint == second.query_fingerprint
    changed = []
    for query_id in sorted(before.keys() | after.keys()):
        old, new = before.get(query_id), after.get(query_id)
        if old is not None and new is not None and _same(old, new):
            continue
        causes: list[Cause] = []
        if not same_program:
            causes.append("program")
        if not same_reference:
            causes.append("reference")
        if _query_changed(old, new, same_query=same_query):
            causes.append("query")
        if old is not None and new is None and old.closed_because == GONE:
            causes = ["query"]
        changed.append(_change(query_id, old, new, causes))
    return tuple(changed)


def changed_by_run(connection: Connection, run_id: str) -> tuple[ChangedMatch, ...]:
    """The matches that a run changed, compared with what held before it, by query id.

    Raises
    ------
    WarehouseError
        If the run has not succeeded.
    """
    _run(connection, run_id)
    view = match_changes.c
    # All at once: DuckDB ends a result where another statement begins.
    rows = connection.execute(sa.select(match_changes).where(view.run_id == run_id)).all()
    closed, opened = (
        {row.query_id: row for row in connection.execute(sa.select(matches).where(column == run_id))}
        for column in (matches.c.closed_by_run, matches.c.opened_by_run)
    )
    changed = []
    for row in rows:
        causes: list[Cause] = [cause for cause in get_args(Cause) if row._mapping[f"{cause}_changed"]]  # noqa: SLF001 - its public name
        if row.closed_because == GONE:
            causes = ["query"]
        changed.append(_change(row.query_id, closed.get(row.query_id), opened.get(row.query_id), causes))
    return tuple(sorted(changed, key=lambda change: change.query_id))


def _run(connection: Connection, run_id: str) -> sa.Row:  # type: ignore[type-arg]
    row = connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).first()
    if row is None or row.status != "succeeded":
        state = "does not exist" if row is None else f"is {row.status}"
        raise WarehouseError(f"run {run_id!r} {state}; compare runs that succeeded")
    return row


def _changed_side(connection: Connection, pipeline: str, then: datetime, other: datetime) -> Side:
    """The matches that held at one time and not at the other."""
    held = _held_at(then)
    rows = connection.execute(sa.select(matches).where(matches.c.pipeline == pipeline, held, ~_held_at(other)))
    return {row.query_id: row for row in rows}


def _held_at(time: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(matches.c.valid_from <= time, sa.or_(matches.c.valid_to.is_(None), matches.c.valid_to > time))


def _same(old: sa.Row, new: sa.Row) -> bool:  # type: ignore[type-arg]
    return old.program_id == new.program_id and not differing(old._asdict(), new._asdict())


def _change(query_id: str, old: sa.Row | None, new: sa.Row | None, causes: Sequence[Cause]) -> ChangedMatch:  # type: ignore[type-arg]
    last = new if new is not None else old
    return ChangedMatch(
        query_id=query_id,
        before=_reference_id(old),
        after=_reference_id(new),
        causes=tuple(causes),
        query_text=None if last is None else last.query_text,
        before_text=None if old is None else old.reference_text,
        after_text=None if new is None else new.reference_text,
    )


def _reference(reference_id: str | None, text: str | None) -> str:
    return "no match" if reference_id is None else _named(reference_id, text)


def _named(row_id: str, text: str | None) -> str:
    return f"{row_id} ({printable(text)})" if text else row_id


def _reference_id(row: sa.Row | None) -> str | None:  # type: ignore[type-arg]
    return None if row is None else str(row.reference_id)


def _query_changed(old: sa.Row | None, new: sa.Row | None, *, same_query: bool) -> bool:  # type: ignore[type-arg]
    if old is not None and new is not None:
        return bool(old.query_text != new.query_text)
    return not same_query
