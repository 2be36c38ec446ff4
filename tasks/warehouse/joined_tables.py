"""A pipeline's joined table: the columns of both tables side by side, as of its last run, for whoever reads from there.

It stands beside the tables of the warehouse under a name of the pipeline's choice, and is written in the transaction of
the run. Its columns are query_id, those of the query table, reference_id, those of the reference table,
match_probability and run_id, in this order: what belongs to which table is told by where it stands. Which tables a
pipeline has written is told by the parameters of its runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fuzzyjoin.joining import MATCH_PROBABILITY, SUFFIX, JoinedRows, id_places, joined_table
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.schema import matches, runs
from tasks.warehouse.staging import fill

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["JoinedTable", "erase_joined", "require_free", "write_joined"]

QUERY_ID: Final = "query_id"
REFERENCE_ID: Final = "reference_id"
RUN_ID: Final = "run_id"
OWN: Final = (QUERY_ID, REFERENCE_ID, MATCH_PROBABILITY, RUN_ID)
"""Columns that every joined table has; those of the query and the reference table give way."""

QUERY_SUFFIX: Final = "_query"
MOST_BYTES: Final = 63
"""PostgreSQL cuts a longer name off."""


@dataclass(frozen=True)
class JoinedTable:
    """What a run publishes.

    Attributes
    ----------
    name
        Of the table in the warehouse.
    query, reference
        The tables as the run read them, with the columns that are shown, as text.
    query_id, reference_id
        Their id columns.
    """

    name: str
    query: pd.DataFrame
    reference: pd.DataFrame
    query_id: str
    reference_id: str


def require_free(connection: Connection, pipeline: str, name: str) -> None:
    """Refuse the name of a table or view that the pipeline did not write.

    Raises
    ------
    WarehouseError
        If there is one.
    """
    there = _columns(connection, name)
    if there and not (name in _published(connection, pipeline) and _is_joined(there)):
        raise WarehouseError(
            f"publish.joined is {name!r}, but the warehouse has a table or view of that name which no run of "
            f"{pipeline!r} wrote; choose another name, or remove it"
        )


def write_joined(connection: Connection, pipeline: str, run_id: str, joined: JoinedTable, *, whole: bool) -> None:
    """Bring a joined table to the matches that hold now, in the caller's transaction, once they are written.

    Parameters
    ----------
    connection, pipeline, run_id
        Of the run.
    joined
        What is published.
    whole
        Whether `joined.query` is the whole query table. Otherwise the rows of the table that it does not name stay.

    Raises
    ------
    WarehouseError
        If the name is taken, a column's name cannot be stored, or a table of other columns cannot be replaced.
    DataError
        If a text holds what the database cannot store.
    """
    require_free(connection, pipeline, joined.name)
    frame = _frame(connection, pipeline, run_id, joined)
    table = _table(joined.name, frame.columns)
    there = _columns(connection, joined.name)
    if there and there != list(frame.columns):
        _drop(connection, table)
    if there != list(frame.columns):
        table.create(connection)
    incoming = _table("fuzzyjoin_incoming_joined", frame.columns, prefixes=["TEMPORARY"])
    incoming.create(connection)
    fill(connection, incoming, _arrow(frame))
    old = sa.delete(table)
    if not whole:
        old = old.where(table.c[QUERY_ID].in_(sa.select(incoming.c[QUERY_ID])))
    connection.execute(old)
    connection.execute(sa.insert(table).from_select(list(frame.columns), sa.select(incoming)))
    incoming.drop(connection)


def erase_joined(connection: Connection, pipeline: str, side: str, row_id: str, instead: str) -> int:
    """Put a word in place of all values of a row in the joined tables of a pipeline; in how many rows of theirs.

    The ids stay. `side` is "query" or "reference".
    """
    count = 0
    for name in sorted(_published(connection, pipeline)):
        there = _columns(connection, name)
        if not _is_joined(there):
            # Somebody removed it.
            continue
        place = there.index(REFERENCE_ID)
        values = there[1:place] if side == "query" else there[place + 1 : -2]
        table = _table(name, there)
        held = sa.and_(
            table.c[f"{side}_id"] == row_id, sa.or_(*(table.c[value].is_distinct_from(instead) for value in values))
        )
        count += int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(held)) or 0)
        connection.execute(sa.update(table).where(held).values(dict.fromkeys(values, instead)))
    return count


def _published(connection: Connection, pipeline: str) -> set[str]:
    """The names under which runs of the pipeline wrote a joined table."""
    parameters = sa.select(runs.c.parameters).where(
        runs.c.pipeline == pipeline, runs.c.status == "succeeded", runs.c.parameters.contains('"publish"')
    )
    found = (json.loads(text).get("publish") or {} for text in connection.scalars(parameters.distinct()))
    return {publish["joined"] for publish in found if publish.get("joined")}


def _is_joined(columns: Sequence[str]) -> bool:
    """Whether columns are those of a joined table."""
    return columns[:1] == [QUERY_ID] and columns[-2:] == [MATCH_PROBABILITY, RUN_ID] and REFERENCE_ID in columns


def _columns(connection: Connection, name: str) -> list[str]:
    """The columns of a table or view, in order; none if there is none of that name."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT name FROM pragma_table_info(:name) ORDER BY cid"
    else:
        asked = (
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = :name ORDER BY ordinal_position"
        )
    return list(connection.scalars(sa.text(asked), {"name": name}))


def _frame(connection: Connection, pipeline: str, run_id: str, joined: JoinedTable) -> pd.DataFrame:
    """The rows of the joined table: every query row that the run read, beside its match that holds now."""
    query, reference = joined.query, joined.reference
    names = _names(connection, query.columns, reference.columns)
    held = sa.select(matches.c.query_id, matches.c.reference_id, matches.c.precision_estimate).where(
        matches.c.pipeline == pipeline, matches.c.valid_to.is_(None)
    )
    found = pd.DataFrame(connection.execute(held).all(), columns=["query_id", "reference_id", "precision_estimate"])
    read = id_places(query[joined.query_id])
    # Of a part of the query table the matches of the other rows hold too.
    found = found[read.get_indexer(id_places(found["query_id"])) >= 0]
    rows = JoinedRows.of(found, query[joined.query_id], id_places(reference[joined.reference_id]))
    ids = reference[joined.reference_id].to_frame(REFERENCE_ID)
    of_query, of_reference = names[: query.shape[1]], names[query.shape[1] :]
    beside = pd.concat([ids, reference.set_axis(of_reference, axis=1)], axis=1)
    table = joined_table(query.set_axis(of_query, axis=1), beside, rows, "left")
    table.insert(0, QUERY_ID, query[joined.query_id].to_numpy())
    return table.assign(**{RUN_ID: run_id})


def _names(connection: Connection, query: Iterable[str], reference: Iterable[str]) -> list[str]:
    """What the columns of both tables are called. SQL takes names for equal that differ in case alone."""
    taken = set(OWN)
    names = []
    for columns, suffix in ((query, QUERY_SUFFIX), (reference, SUFFIX)):
        for column in columns:
            name = column
            while name.casefold() in taken:
                name += suffix
            taken.add(name.casefold())
            names.append(name)
    long = [name for name in names if len(name.encode()) > MOST_BYTES]
    if long and connection.dialect.name == "postgresql":
        raise WarehouseError(
            f"publish.joined: the column name {long[0]!r} has more than {MOST_BYTES} bytes, and PostgreSQL would cut "
            "it off; rename the column in its source"
        )
    return names


def _table(name: str, columns: Iterable[str], prefixes: Sequence[str] = ()) -> sa.Table:
    kinds = {MATCH_PROBABILITY: sa.Double}
    return sa.Table(
        name,
        sa.MetaData(),
        *(sa.Column(column, kinds.get(column, sa.Text)) for column in columns),
        prefixes=list(prefixes),
    )


def _drop(connection: Connection, table: sa.Table) -> None:
    try:
        table.drop(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise WarehouseError(
            f"publish.joined: the columns of the tables have changed, and {table.name!r} cannot be recreated "
            f"({reason}); remove what depends on it, or publish under another name"
        ) from None


def _arrow(frame: pd.DataFrame) -> pa.Table:
    columns = {
        name: pa.array(frame[name], pa.float64() if name == MATCH_PROBABILITY else pa.string(), from_pandas=True)
        for name in frame.columns
    }
    return pa.table(columns)
