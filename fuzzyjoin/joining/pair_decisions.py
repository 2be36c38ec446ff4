"""Decisions of people on pairs: they stand over what a program decides for a row, and change no program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from fuzzyjoin.errors import DataError
from fuzzyjoin.tables import as_frame, as_text, require_column
from fuzzyjoin.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzzyjoin.kernels.types import BoolArray, Int64Array
    from fuzzyjoin.tables import KeyTable, Table

__all__ = ["DECISION_COLUMNS", "NO_MATCH", "DecidedRows", "Decision", "PairDecisions"]

SOMEBODY: Final = "somebody"

NO_MATCH: Final = "none"
"""What stands in the place of a reference id where a query row must not be joined."""


class Decision(NamedTuple):
    """One line of a table of decisions; texts, "" where nothing is said."""

    query_id: str
    reference_id: str
    by: str
    when: str
    why: str
    query_text: str
    reference_text: str

    @property
    def subject(self) -> str:
        """What was decided on, for a message."""
        return f"decision on query row {self.query_id!r}"

    @property
    def who(self) -> str:
        """Who decided, and when, for a message."""
        return f"{self.by or SOMEBODY}{' on ' * bool(self.when)}{self.when}"

    @property
    def in_words(self) -> str:
        """What was decided, one sentence."""
        what = (
            "has no match"
            if self.reference_id == NO_MATCH
            else f"is joined to reference {printable(self.reference_id)}"
        )
        why = f" ({printable(self.why)})" if self.why else ""
        return f"Query {printable(self.query_id)} {what}: {printable(self.who)} decided so{why}."


DECISION_COLUMNS: Final = Decision._fields
"""Columns of a table of decisions; the first two are needed."""


@dataclass(frozen=True)
class PairDecisions:
    """What people decided on pairs of rows, as they wrote it down.

    Attributes
    ----------
    lines
        One decision each. `reference_id` is the id that the query row is joined to, "none" if it is joined to nothing,
        "" if earlier decisions on the row are taken back. `when` is a time that sorts as text (ISO 8601). `query_text`
        and `reference_text` are the compared values that the person saw.
    targets
        Where the reference rows that they name stand in one reference table, once `beside` looked.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = pd.DataFrame({"query_id": [7, 8], "reference_id": ["r1", "none"], "by": ["ada", "ada"]})
    >>> [(line.query_id, line.reference_id, line.by) for line in PairDecisions.of(asked).lines]
    [('7', 'r1', 'ada'), ('8', 'none', 'ada')]
    """

    lines: tuple[Decision, ...]
    targets: Mapping[str, int] | None = None

    @classmethod
    def of(cls, table: Table) -> PairDecisions:
        """Read a table of decisions; other columns are left alone.

        Raises
        ------
        UsageError
            If it is no table, or has no column query_id or reference_id.
        DataError
            If a row names no query row.
        """
        frame = as_frame(table, "decisions")
        for name in DECISION_COLUMNS[:2]:
            require_column(frame, name, "decisions")
        texts = [
            [as_text(value).strip() for value in frame[name]] if name in frame else [""] * len(frame)
            for name in DECISION_COLUMNS
        ]
        lines = tuple(map(Decision._make, zip(*texts, strict=True)))
        for row, line in enumerate(lines, start=1):
            if not line.query_id:
                raise DataError(
                    f"decisions has no query_id in row {row}",
                    argument="decisions",
                    column="query_id",
                    row=row,
                    remedy="say which query row is decided on, or delete the line",
                )
        return cls(lines)

    def beside(self, reference: KeyTable) -> PairDecisions:
        """The same decisions with their reference rows found, which takes a look at every id of the table."""
        named = [line.reference_id for line in self.lines]
        return replace(self, targets=dict(zip(named, reference.find(named).tolist(), strict=True)))

    def on(self, query: KeyTable, reference: KeyTable) -> DecidedRows:
        """What is decided for the rows of these tables. Of several decisions on a row the last one holds.

        Decisions on query rows that are not here are passed over: the table can be a part of the whole. Of decisions
        that were put `beside` a reference table this is the one.
        """
        if self.targets is None:
            return self.beside(reference).on(query, reference)
        places = query.find([decision.query_id for decision in self.lines])
        of_row: dict[int, list[Decision]] = {}
        for place, decision in zip(places.tolist(), self.lines, strict=True):
            if place >= 0:
                of_row.setdefault(place, []).append(decision)
        standing: dict[int, Decision] = {}
        conflicts = []
        for place, every in sorted(of_row.items()):
            last = max(decision.when for decision in every)
            latest = sorted(decision for decision in every if decision.when == last)
            if len({decision.reference_id for decision in latest}) > 1:
                told = "; ".join(f"{decision.who}: {decision.reference_id or 'taken back'}" for decision in latest)
                conflicts.append(f"{latest[0].subject}: two of one time differ ({told}), so the program decides")
            elif latest[-1].reference_id:
                standing[place] = latest[-1]
        targets = {place: self.targets[one.reference_id] for place, one in standing.items()}
        return _resolved(standing, targets, conflicts, query, reference)


@dataclass(frozen=True)
class DecidedRows:
    """The decisions that hold for the query rows of one join; one entry a decided row, ascending.

    Attributes
    ----------
    rows
        Positions of the query rows, (decided rows,).
    reference
        Position of the reference row that each is joined to, -1 if to none, (decided rows,).
    reference_ids
        The ids of these reference rows, as the caller's table has them; None for none.
    lines
        The decision on each.
    conflicts
        Decisions that do not hold, or that somebody should look at again, one sentence each.
    """

    rows: Int64Array
    reference: Int64Array
    reference_ids: np.ndarray
    lines: tuple[Decision, ...]
    conflicts: tuple[str, ...]

    def mask(self, size: int) -> BoolArray:
        """Which of so many query rows are decided."""
        decided = np.zeros(size, np.bool_)
        decided[self.rows] = True
        return decided


def _own_ids(reference: KeyTable, decided: list[Decision], targets: Int64Array) -> np.ndarray:
    """The ids as the caller's table has them: of several rows with equal values that which was named."""
    ids = np.empty(len(decided), object)
    for place, (one, target) in enumerate(zip(decided, targets.tolist(), strict=True)):
        if target >= 0:
            ids[place] = reference.own_id(target, one.reference_id)
    return ids


def _resolved(
    standing: dict[int, Decision], targets: dict[int, int], conflicts: list[str], query: KeyTable, reference: KeyTable
) -> DecidedRows:
    """The decisions that hold, by query row, and what became of the values since."""
    if any(one.reference_id == NO_MATCH and targets[place] >= 0 for place, one in standing.items()):
        raise DataError(
            f"the reference table has the id {NO_MATCH!r}, which in decisions means no match",
            argument="decisions",
            remedy="give that reference row another id",
        )
    for place, one in list(standing.items()):
        if targets[place] < 0 and one.reference_id != NO_MATCH:
            conflicts.append(
                f"{one.subject}: {one.who} joined it to {one.reference_id!r}, which is not in the reference table, "
                "so the program decides"
            )
            del standing[place]
    rows = np.array(list(standing), np.int64)
    found = np.array([targets[place] for place in standing], np.int64)
    decided = list(standing.values())
    for role, seen, now in (
        ("query", [one.query_text for one in decided], query.texts(rows)),
        ("reference", [one.reference_text for one in decided], reference.texts(found)),
    ):
        conflicts += [
            f"{one.subject}: the {role} row was {before!r} when {one.who} decided, and is {text!r}; the decision "
            "holds: look at it again"
            for one, target, before, text in zip(decided, found.tolist(), seen, now, strict=True)
            if before and before != text and (role == "query" or target >= 0)
        ]
    return DecidedRows(rows, found, _own_ids(reference, decided, found), tuple(decided), tuple(conflicts))
