"""A run's results as a temporary table, by each database's fastest way in; it is gone when the transaction is."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv

from fuzzyjoin.errors import DataError
from fuzzyjoin.tables import as_text
from tasks.warehouse.schema import EVIDENCE, UNMATCHED_EVIDENCE, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

__all__ = ["GONE", "INCOMING", "OF_THE_BEST", "fill", "results_table", "staged"]

MATCH_NAMES = ("query_id", "reference_id", *EVIDENCE)
NAMES = (*MATCH_NAMES, "best_reference_id", "reason", "row_hash")
# Of an unmatched row, the columns of a match hold what is known of its best candidate.
OF_THE_BEST = {
    "best_probability": "precision_estimate",
    "best_reference_text": "reference_text",
    "best_configuration": "configuration",
    "best_distance": "distance",
    "best_threshold": "threshold",
}
ARROW_TYPES = {sa.Text: pa.string(), sa.Double: pa.float64(), sa.Integer: pa.int64()}
COPY_BYTES = 1 << 20
FEW_ROWS = 2_000
GONE = "query row gone"

INCOMING = sa.Table(
    "fuzzyjoin_incoming",
    sa.MetaData(),
    sa.Column("query_id", sa.Text),
    *(sa.Column(name, matches.c[name].type) for name in MATCH_NAMES[1:]),
    sa.Column("best_reference_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("row_hash", sa.Text),
    prefixes=["TEMPORARY"],
)
"""One row a query row that the run looked at. Without a reference_id it has no match, and the reason says why; without
that too it is no longer there."""


def results_table(
    matched: pd.DataFrame, unmatched: pd.DataFrame, gone: Sequence[str], row_hashes: pd.DataFrame | None
) -> pa.Table:
    """One Arrow table of all that a run found, in the columns of `INCOMING`.

    Parameters
    ----------
    matched, unmatched
        As in `fuzzyjoin.JoinResult`.
    gone
        Ids of query rows that are no longer there.
    row_hashes
        query_id and row_hash of the rows of `matched` and `unmatched`, or None.

    Raises
    ------
    DataError
        If a column is missing, an id is missing or stands twice, a text is not valid Unicode, or the hashes are of
        other rows.
    """
    for argument, frame, needed in (
        ("matched", matched, MATCH_NAMES),
        ("unmatched", unmatched, ("query_id", "reason")),
    ):
        missing = [name for name in needed if name not in frame.columns]
        if missing:
            raise DataError(f"{argument} has no column {missing[0]!r}; give the frames of a JoinResult")
    # By name: a result may lack what a version before this one did not tell of the best candidate.
    told = [name for name in ("query_id", *UNMATCHED_EVIDENCE) if name in unmatched.columns]
    rest = unmatched[told].rename(columns=OF_THE_BEST)
    lost = pd.DataFrame({"query_id": pd.Series(list(gone), dtype=object)})
    # In one piece: the CSV writer puts stray bytes where a piece is empty.
    table = pa.concat_tables([_arrow(frame) for frame in (matched, rest, lost)]).combine_chunks()
    _check_ids(table, len(matched))
    return table if row_hashes is None else _with_hashes(table, row_hashes, len(table) - len(lost))


@contextmanager
def staged(connection: Connection, table: pa.Table) -> Iterator[None]:
    """Make `INCOMING` hold a table inside the caller's transaction.

    Raises
    ------
    DataError
        If a text holds what the database cannot store.
    """
    INCOMING.create(connection)
    fill(connection, INCOMING, table)
    if connection.dialect.name == "sqlite":
        # Made at the end, in one go; the ids are unique already.
        connection.exec_driver_sql(f"CREATE INDEX temp.{INCOMING.name}_rows ON {INCOMING.name} (query_id)")
    elif connection.dialect.name == "postgresql":
        _plan_for(connection, table.num_rows)
    yield
    INCOMING.drop(connection)


def fill(connection: Connection, target: sa.Table, table: pa.Table) -> None:
    """Insert rows into a table of the same columns in the same order, query_id among them, by the fastest way in.

    Raises
    ------
    DataError
        If a text holds what the database cannot store.
    """
    {"sqlite": _insert, "postgresql": _copy, "duckdb": _register}[connection.dialect.name](connection, target, table)


def _with_hashes(table: pa.Table, row_hashes: pd.DataFrame, looked_at: int) -> pa.Table:
    missing = [name for name in ("query_id", "row_hash") if name not in row_hashes.columns]
    if missing:
        raise DataError(f"row_hashes has no column {missing[0]!r}; give what the function row_hashes gives")
    ids = pa.array(_id_texts(row_hashes["query_id"]), pa.string(), from_pandas=True)
    hashes = pa.array(row_hashes["row_hash"], pa.string(), from_pandas=True)
    places = pc.index_in(table["query_id"][:looked_at], ids)
    if places.null_count or hashes.null_count or len(ids) != looked_at:
        raise DataError(
            f"row_hashes has {len(ids)} rows, but {looked_at} query rows are matched or unmatched, or names other "
            "ones; give one hash for each of these rows and no other"
        )
    column = pa.concat_arrays([*pc.take(hashes, places).chunks, pa.nulls(len(table) - looked_at, pa.string())])
    return table.set_column(table.schema.get_field_index("row_hash"), "row_hash", column)


def _arrow(frame: pd.DataFrame) -> pa.Table:
    columns = []
    for name in NAMES:
        kind = ARROW_TYPES[type(INCOMING.c[name].type)]
        if name not in frame.columns:
            columns.append(pa.nulls(len(frame), kind))
            continue
        values = frame[name]
        if name.endswith("_id"):
            values = _id_texts(values)
        try:
            columns.append(pa.array(values, type=kind, from_pandas=True))
        except (pa.ArrowException, UnicodeEncodeError) as error:
            raise DataError(f"column {name!r} cannot be stored as {kind}: {error}; mend it in its source") from None
    return pa.table(dict(zip(NAMES, columns, strict=True)))


def _id_texts(values: pd.Series) -> pd.Series:
    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        return values
    return pd.Series([as_text(value) or None for value in values], dtype=object)


def _check_ids(table: pa.Table, matched: int) -> None:
    ids = table["query_id"]
    if ids.null_count or table["reference_id"][:matched].null_count:
        raise DataError("an id of a match is missing; every row needs its query_id, every match its reference_id")
    counts = ids.value_counts()
    twice = counts.filter(pc.greater(counts.field("counts"), 1)) if isinstance(counts, pa.StructArray) else []
    if len(twice):
        first = twice[0]["values"].as_py()
        raise DataError(f"query_id {first!r} stands more than once in the results; a query row has one match at most")


def _insert(connection: Connection, target: sa.Table, table: pa.Table) -> None:
    if table.num_rows:
        statement = str(sa.insert(target).compile(dialect=connection.dialect))
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        connection.exec_driver_sql(statement, rows)


def _register(connection: Connection, target: sa.Table, table: pa.Table) -> None:
    driver: Any = connection.connection.driver_connection
    driver.register("fuzzyjoin_arrow", table)
    names = table.column_names
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in names]
    connection.execute(
        sa.insert(target).from_select(names, sa.select(*columns).select_from(sa.table("fuzzyjoin_arrow")))
    )
    driver.unregister("fuzzyjoin_arrow")


def _copy(connection: Connection, target: sa.Table, table: pa.Table) -> None:
    _refuse_nul(table)
    buffer = BytesIO()
    # Every value is quoted and a missing one is not, so that an empty text stays one.
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    content = buffer.getbuffer()
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {target.name} FROM STDIN CSV") as copy:
        for start in range(0, len(content), COPY_BYTES):
            copy.write(content[start : start + COPY_BYTES])


def _plan_for(connection: Connection, rows: int) -> None:
    """Let PostgreSQL know what it has been given."""
    # Without statistics the planner takes a temporary table for a small one; and those of the matches can be as old as
    # the first load, when it would look up 200,000 rows one by one.
    connection.execute(sa.text(f"ANALYZE {INCOMING.name} (query_id)"))
    if rows > FEW_ROWS:
        connection.execute(sa.text("SET LOCAL enable_nestloop = off"))
        # The joins of whole tables then need no files.
        connection.execute(sa.text("SET LOCAL work_mem = '256MB'"))


def _refuse_nul(table: pa.Table) -> None:
    for name in table.column_names:
        if pa.types.is_string(table.schema.field(name).type):
            holds = pc.match_substring(table[name], "\0")
            if pc.any(holds).as_py():
                query_id = table.filter(pc.fill_null(holds, fill_value=False))["query_id"][0].as_py()
                raise DataError(
                    f"{name} of query row {query_id!r} holds a NUL character, which PostgreSQL cannot store; remove it"
                )
