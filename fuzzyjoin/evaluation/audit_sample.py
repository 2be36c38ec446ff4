"""Drawing the sample: matches and near-misses, the same number from each band of distance, in a blind order."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.evaluation.audit_design import AuditDesign, DrawnTable, Population, SampledPair
from fuzzyjoin.evaluation.intervals import BANDS, band_rows, rows_drawn
from fuzzyjoin.evaluation.label_sheet import SHEET_COLUMNS, cell, values_hash
from fuzzyjoin.evaluation.own_estimate import own_estimate
from fuzzyjoin.tables import as_frame, as_text, choose_columns, identified, key_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.definition import PrecisionEstimate
    from fuzzyjoin.evaluation.label_sheet import AuditLabels
    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.program import Program
    from fuzzyjoin.tables import IdColumn, KeyTable, Table

__all__ = ["AuditSample", "draw_audit"]


@dataclass(frozen=True)
class AuditSample:
    """A sample to label.

    Attributes
    ----------
    sheet
        What the person sees, one row a pair in an order that tells nothing: `number`, the values of both rows in
        `query` and `reference`, `label` (empty, but for earlier labels) and `note`; all text.
    design
        What the report needs beside the labels.
    warnings
        What the caller should know, one sentence each.
    """

    sheet: pd.DataFrame
    design: AuditDesign
    warnings: tuple[str, ...] = ()


_AS_WRITTEN = "give the table that join or apply wrote"


@dataclass(frozen=True)
class _Row:
    """A row of a population, before anything is drawn."""

    query_id: str
    reference_id: str
    distance: float

    def chance(self, seed: int, purpose: str) -> str:
        """A number that only seed and ids decide, apart for each purpose: the order of rows must not enter."""
        text = json.dumps([seed, self.query_id, self.reference_id, purpose])
        return hashlib.sha256(text.encode()).hexdigest()


def draw_audit(
    program: Program,
    reference: Table,
    query: Table,
    matches: Table,
    unmatched: Table | None = None,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    from_matches: int = 120,
    from_near_misses: int = 80,
    seed: int = 0,
    show: Sequence[str] = (),
    earlier: tuple[AuditDesign, AuditLabels] | None = None,
    precision_estimate: PrecisionEstimate | None = None,
    run_id: str | None = None,
) -> AuditSample:
    """Draw pairs for a person to label.

    Both populations, joined rows and rows that have a best candidate but were not joined, are parted by distance into
    four bands of as equal numbers of rows as can be, and each band gives the same number of rows, without replacement.
    The same ids, distances and seed give the same sample, whatever the order of any table; a larger number gives the
    smaller sample and more.

    Parameters
    ----------
    program
        The program that joined.
    reference, query
        The tables that it joined: frames (see `fuzzy_join`).
    matches, unmatched
        What `JoinResult` holds or `fuzzyjoin join` wrote; as text too. Without `unmatched` recall cannot be measured.
        Rows that people decided on are left out.
    id
        The id column of both tables, or (reference id, query id); by default `id`, else the first unique column.
    from_matches, from_near_misses
        Pairs to draw, each rounded up to a multiple of four; all where there are fewer.
    seed
        Another seed gives another sample.
    show
        Further columns to show beside the compared ones, of whichever table has them.
    earlier
        Design and labels of an earlier sample: the labels of pairs that are drawn again, with the same values, are
        kept.
    precision_estimate
        The estimate of the join, such as `JoinResult` holds; by default the one that joining these query rows states.
        For a union of configurations they are joined again to tell it.
    run_id
        The run of a pipeline that joined, to be kept in the design.

    Returns
    -------
    AuditSample

    Raises
    ------
    UsageError
        If a number is out of range, or a column is missing.
    DataError
        If nothing is joined, or matches, unmatched and the tables do not belong together.

    Examples
    --------
    >>> import pandas as pd, fuzzyjoin
    >>> reference = pd.DataFrame({"id": ["a", "b", "c"], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": ["x", "y"], "name": ["Grand Mal", "Lake Centre"]})
    >>> result = fuzzyjoin.fuzzy_join(reference, query, on="name", space="small")
    >>> sample = fuzzyjoin.draw_audit(result.program, reference, query, result.matches, result.unmatched)
    >>> sample.sheet[["number", "query", "reference"]].values.tolist()
    [['1', '[name] Lake Centre', '[name] Lake Center'], ['2', '[name] Grand Mal', '[name] Grand Mall']]
    """
    for name, value in (("from_matches", from_matches), ("from_near_misses", from_near_misses)):
        if value < (name == "from_matches"):
            raise UsageError(f"{name} is {value}; expected {int(name == 'from_matches')} or more, for example 80")
    frames, _ = identified(as_frame(reference, "reference"), as_frame(query, "query"), id)
    columns = [(column.reference, column.query) for column in program.columns]
    tables = key_tables(*frames, *choose_columns(columns, id, *frames))
    matches, decided = _of_the_program(as_frame(matches, "matches"))
    joined = _rows(matches, "matches", ("reference_id", "distance"), tables)
    if not joined:
        raise DataError("matches has no rows: nothing was joined, so there is nothing to label", argument="matches")
    left = None
    if unmatched is not None:
        rest, more_decided = _of_the_program(as_frame(unmatched, "unmatched"))
        left = _rows(rest, "unmatched", ("best_reference_id", "best_distance"), tables)
        decided += more_decided
    _require_apart(joined, left, len(tables[1]) - decided)
    near = None if left is None else [row for row in left if row.reference_id]

    matched, drawn = _draw(joined, "match", from_matches, seed)
    missed, more = (None, []) if near is None else _draw(near, "near-miss", from_near_misses, seed)
    pairs = sorted([*drawn, *more], key=lambda pair: pair[0].chance(seed, "order"))
    shown = [
        _shown(
            table, frame, show, [row.reference_id if table.role == "reference" else row.query_id for row, _, _ in pairs]
        )
        for table, frame in zip(tables, frames, strict=True)
    ]
    _require_shown(show, *frames)
    warnings: tuple[str, ...] = ()
    if precision_estimate is None:
        precision_estimate, warnings = own_estimate(program, tables, frames, matches)
    design = AuditDesign(
        program_id=program.program_id,
        reference=DrawnTable(fingerprint=tables[0].fingerprint(), rows=len(tables[0])),
        query=DrawnTable(fingerprint=tables[1].fingerprint(), rows=len(tables[1])),
        seed=seed,
        precision_estimate=precision_estimate,
        matches=matched,
        near_misses=missed,
        without_candidate=None if left is None or near is None else len(left) - len(near),
        pairs=tuple(
            SampledPair(
                number=number,
                population=population,
                band=band,
                query_id=row.query_id,
                reference_id=row.reference_id,
                shown=values_hash(query_cell, reference_cell),
            )
            for number, ((row, population, band), reference_cell, query_cell) in enumerate(
                zip(pairs, *shown, strict=True), start=1
            )
        ),
        run_id=run_id,
    )
    return AuditSample(_sheet(design, shown, earlier), design, warnings)


_Drawn = tuple[_Row, Literal["match", "near-miss"], int]


def _draw(
    rows: list[_Row], population: Literal["match", "near-miss"], wanted: int, seed: int
) -> tuple[Population, list[_Drawn]]:
    """Part a population into bands and draw from each those rows whose hash is lowest."""
    ordered = sorted(rows, key=lambda row: (row.distance, row.query_id))
    sizes, taken = band_rows(len(rows)), rows_drawn(len(rows), wanted)
    drawn: list[_Drawn] = []
    start = 0
    for band in range(BANDS):
        members = sorted(ordered[start : start + sizes[band]], key=lambda row: row.chance(seed, "draw"))
        drawn += [(row, population, band) for row in members[: taken[band]]]
        start += sizes[band]
    return Population(rows=sizes, drawn=taken), drawn


def _of_the_program(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows that the program decided on, and how many people did: those say nothing of the program."""
    if "decided_by" not in frame.columns:
        return frame, 0
    by_people = frame["decided_by"].map(as_text) != ""
    return frame[~by_people], int(by_people.sum())


def _rows(frame: pd.DataFrame, name: str, columns: tuple[str, str], tables: tuple[KeyTable, KeyTable]) -> list[_Row]:
    """The rows of matches or unmatched, checked against the tables they are of."""
    reference_column, distance_column = columns
    for column in ("query_id", *columns):
        if column not in frame.columns:
            raise UsageError(f"{name} has no column {column!r}", argument=name, column=column, remedy=_AS_WRITTEN)
    rows = [
        _Row(as_text(query_id), as_text(reference_id), _distance(distance, name, place, distance_column))
        for place, (query_id, reference_id, distance) in enumerate(
            zip(frame["query_id"], frame[reference_column], frame[distance_column], strict=True), start=1
        )
    ]
    if name == "matches" and not all(row.reference_id for row in rows):
        place = next(place for place, row in enumerate(rows, start=1) if not row.reference_id)
        raise DataError(
            f"matches row {place}: reference_id is empty; a match is a query id and a reference id",
            argument="matches",
            column="reference_id",
            row=place,
        )
    reference, query = tables
    places = query.positions(pd.Series([row.query_id for row in rows], dtype=object), name)
    _require_texts(frame, name, "query_text", query, places)
    near = np.array([bool(row.reference_id) for row in rows], np.bool_)
    places = np.full(len(rows), -1, np.int64)
    places[near] = reference.positions(frame[reference_column][near], name)
    _require_texts(frame, name, reference_column.replace("_id", "_text"), reference, places)
    return rows


def _require_texts(frame: pd.DataFrame, name: str, column: str, table: KeyTable, places: Int64Array) -> None:
    """The values that were compared are those of the table, where the frame has them."""
    if column not in frame.columns:
        return
    for row, (text, here) in enumerate(zip(frame[column], table.texts(places), strict=True), start=1):
        if as_text(text) != here:
            raise DataError(
                f"{name} row {row}: {column} is {as_text(text)!r}, but the {table.role} table has {here!r}",
                argument=name,
                column=column,
                row=row,
                remedy="give the tables that were joined",
            )


def _distance(value: object, name: str, row: int, column: str) -> float:
    text = as_text(value)
    if not text:
        # A best candidate without a distance is the farthest there is.
        return math.inf
    try:
        distance = float(text)
    except ValueError:
        distance = math.nan
    if math.isnan(distance):
        raise DataError(
            f"{name} row {row}: {column} is {text!r}; expected a number",
            argument=name,
            column=column,
            row=row,
            remedy=_AS_WRITTEN,
        )
    return distance


def _require_apart(joined: list[_Row], left: list[_Row] | None, query_rows: int) -> None:
    """Every query row is joined or not joined, and once."""
    seen: set[str] = set()
    for name, rows in (("matches", joined), ("unmatched", left or [])):
        for place, row in enumerate(rows, start=1):
            if row.query_id in seen:
                raise DataError(
                    f"{name} row {place}: the query id {row.query_id!r} occurs a second time",
                    argument=name,
                    column="query_id",
                    row=place,
                    remedy="give the two tables that one join wrote",
                )
            seen.add(row.query_id)
    if left is not None and len(seen) != query_rows:
        raise DataError(
            f"matches and unmatched hold {len(seen)} query rows, the query table {query_rows}",
            argument="matches",
            remedy="give the tables of one join",
        )


def _require_shown(show: Sequence[str], reference: pd.DataFrame, query: pd.DataFrame) -> None:
    for name in show:
        if name not in reference.columns and name not in query.columns:
            raise UsageError(
                f"show names {name!r}, which neither table has; the columns are {', '.join(map(str, query.columns))} "
                f"and {', '.join(map(str, reference.columns))}"
            )


def _shown(table: KeyTable, frame: pd.DataFrame, show: Sequence[str], ids: list[str]) -> list[str]:
    """What the person sees of some rows of a table."""
    names = [*table.column_names, *(name for name in show if name in frame.columns and name not in table.column_names)]
    rows = table.source_rows[table.positions(pd.Series(ids, dtype=object), "the sample")]
    columns = [frame[name].to_numpy(dtype=object)[rows] for name in names]
    return [cell(names, [as_text(value) for value in values]) for values in zip(*columns, strict=True)]


def _sheet(
    design: AuditDesign, shown: list[list[str]], earlier: tuple[AuditDesign, AuditLabels] | None
) -> pd.DataFrame:
    kept: dict[tuple[str, str, str], tuple[str, str]] = {}
    if earlier is not None:
        for pair, label, note in zip(earlier[0].pairs, earlier[1].labels, earlier[1].notes, strict=True):
            kept[pair.query_id, pair.reference_id, pair.shown] = label or "", note
    known = [kept.get((pair.query_id, pair.reference_id, pair.shown), ("", "")) for pair in design.pairs]
    columns = (
        [str(pair.number) for pair in design.pairs],
        shown[1],
        shown[0],
        [label for label, _ in known],
        [note for _, note in known],
    )
    return pd.DataFrame(dict(zip(SHEET_COLUMNS, columns, strict=True)), dtype="str")
