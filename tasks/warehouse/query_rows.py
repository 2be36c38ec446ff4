"""What each query row held when it was last matched, so that only new and changed rows need matching."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from fuzzyjoin.errors import DataError
from fuzzyjoin.tables import as_text, require_column
from tasks.warehouse.pipelines import require_pipeline
from tasks.warehouse.schema import matches, query_rows, unmatched
from tasks.warehouse.staging import INCOMING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

__all__ = ["RowChanges", "basis_of", "changed_rows", "row_hashes", "store_row_hashes"]

HASH_BYTES = 16


@dataclass(frozen=True)
class RowChanges:
    """Ids of query rows against what the pipeline last matched, as text.

    Attributes
    ----------
    new, changed, stale, unchanged
        Rows of the table, in its order. A stale row holds what it held, but was matched by another program or on
        another reference table.
    gone
        Rows that were matched, or looked at, and are not in the table any more; in ascending order.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    stale: tuple[str, ...]
    gone: tuple[str, ...]
    unchanged: tuple[str, ...]


def row_hashes(frame: pd.DataFrame, id_column: str, columns: Sequence[str]) -> pd.DataFrame:
    """One hash a row of the text that a program compares.

    Parameters
    ----------
    frame
        The query table.
    id_column
        Its id column.
    columns
        The compared columns, in the order of the program.

    Returns
    -------
    pandas.DataFrame
        Columns query_id (the id as text) and row_hash (32 hexadecimal digits), rows in the order of the table. Equal
        texts have equal hashes, whatever the column's dtype and on every machine.

    Raises
    ------
    UsageError
        If the table has no such column.
    DataError
        If an id is missing, or a text is not valid Unicode.

    Examples
    --------
    >>> import pandas as pd
    >>> towns = pd.DataFrame({"id": [1, 2], "name": ["Bergen", None]})
    >>> row_hashes(towns, "id", ["name"])["query_id"].tolist()
    ['1', '2']
    """
    for name in (id_column, *columns):
        require_column(frame, name, "query", "columns")
    ids, *texts = ([as_text(cell) for cell in frame[name].to_numpy(dtype=object)] for name in (id_column, *columns))
    if "" in ids:
        raise DataError(
            f"query column {id_column!r} has no value in row {ids.index('') + 1}; give every row an id of its own"
        )
    # Lengths beside the text, so that no two rows share one stream of bytes.
    streams = ["".join([f"{len(text)}:{text}" for text in row]) for row in zip(*texts, strict=True)]
    try:
        hashes = [blake2b(stream.encode(), digest_size=HASH_BYTES).hexdigest() for stream in streams]
    except UnicodeEncodeError:
        raise DataError(
            f"query columns {', '.join(columns)} hold half a character (a lone surrogate); mend the text, or read the "
            "file again in its true encoding"
        ) from None
    return pd.DataFrame({"query_id": ids, "row_hash": hashes}, dtype=object)


def basis_of(program_id: str, reference_fingerprint: str | None) -> str:
    """Names what, beside its own text, a query row's match depends on: 32 hexadecimal digits.

    The weight of a token comes from the whole reference table, so any other reference table is another basis.
    """
    return blake2b(f"{program_id} {reference_fingerprint}".encode(), digest_size=HASH_BYTES).hexdigest()


def changed_rows(connection: Connection, pipeline: str, row_hashes: pd.DataFrame, *, basis: str) -> RowChanges:
    """Tell the query rows whose match can differ from the one that they have from the others.

    A row that was matched by a run which kept no hashes counts as new, and as gone if it is no longer there.

    Parameters
    ----------
    connection
        To the warehouse.
    pipeline
        The pipeline's name.
    row_hashes
        Of the whole query table, as the function of that name gives them.
    basis
        Of the program and the reference table that are to be used (see `basis_of`).

    Raises
    ------
    WarehouseError
        If the pipeline is not registered.
    DataError
        If an id stands twice.
    """
    require_pipeline(connection, pipeline)
    now = dict(zip(row_hashes["query_id"], row_hashes["row_hash"], strict=True))
    if len(now) < len(row_hashes):
        twice = row_hashes["query_id"][row_hashes["query_id"].duplicated()].iloc[0]
        raise DataError(f"row_hashes holds the query_id {twice!r} twice; ids must be unique")
    stored = sa.select(query_rows.c.query_id, query_rows.c.row_hash, query_rows.c.basis)
    rows = connection.execute(stored.where(query_rows.c.pipeline == pipeline)).all()
    known = {row.query_id: row.row_hash for row in rows}
    on_another = {row.query_id for row in rows if row.basis != basis}
    current = sa.select(matches.c.query_id).where(matches.c.pipeline == pipeline, matches.c.valid_to.is_(None))
    same = [query_id for query_id, held in now.items() if known.get(query_id) == held]
    not_joined = sa.select(unmatched.c.query_id).where(unmatched.c.pipeline == pipeline, unmatched.c.valid_to.is_(None))
    there_before = known.keys() | set(connection.scalars(sa.union_all(current, not_joined)))
    return RowChanges(
        new=tuple(query_id for query_id in now if query_id not in known),
        changed=tuple(query_id for query_id, held in now.items() if known.get(query_id, held) != held),
        gone=tuple(sorted(there_before - now.keys())),
        stale=tuple(query_id for query_id in same if query_id in on_another),
        unchanged=tuple(query_id for query_id in same if query_id not in on_another),
    )


def store_row_hashes(connection: Connection, pipeline: str, run_id: str, *, basis: str, covers_all: bool) -> None:
    """Bring `fuzzyjoin_query_rows` to what `INCOMING` holds, in the caller's transaction; rows that are right stay.

    A row that the run looked at without keeping its hash is forgotten: nobody could tell later what its match is of.
    """
    same_row = sa.and_(query_rows.c.pipeline == pipeline, query_rows.c.query_id == INCOMING.c.query_id)
    kept = sa.exists().where(INCOMING.c.query_id == query_rows.c.query_id, INCOMING.c.row_hash.is_not(None))
    looked_at = sa.exists().where(INCOMING.c.query_id == query_rows.c.query_id, INCOMING.c.row_hash.is_(None))
    forget = sa.delete(query_rows).where(query_rows.c.pipeline == pipeline, ~kept if covers_all else looked_at)
    connection.execute(forget)
    other_text = query_rows.c.row_hash != INCOMING.c.row_hash
    change = sa.update(query_rows).where(
        same_row, INCOMING.c.row_hash.is_not(None), sa.or_(other_text, query_rows.c.basis != basis)
    )
    changed_by = sa.case((other_text, run_id), else_=query_rows.c.changed_by_run)
    connection.execute(change.values(row_hash=INCOMING.c.row_hash, basis=basis, changed_by_run=changed_by))
    columns: list[sa.ColumnElement[Any]] = [
        sa.literal(pipeline, sa.Text),
        INCOMING.c.query_id,
        INCOMING.c.row_hash,
        sa.literal(basis, sa.Text),
        sa.literal(run_id, sa.Text),
    ]
    new = sa.select(*columns).where(INCOMING.c.row_hash.is_not(None), ~sa.exists().where(same_row))
    connection.execute(sa.insert(query_rows).from_select(list(query_rows.columns.keys()), new))
