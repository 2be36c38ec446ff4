"""From the index of a reference table to the index of the same table with some rows more and some less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from fuzzyjoin.compare import ReferenceParts
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.index.folder import find_index, is_index, open_index, storable, write_index
from fuzzyjoin.index.needs import IndexNeeds
from fuzzyjoin.program import Program
from fuzzyjoin.tables import as_frame, is_table, key_table, require_column, require_text
from fuzzyjoin.text import Texts
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fuzzyjoin.kernels.types import BoolArray, Int64Array
    from fuzzyjoin.tables import KeyTable, Missing, Table
    from fuzzyjoin.threads import Progress, Work

__all__ = ["change_index", "update_index"]


def update_index(
    index: str | Path,
    program: Program | str | Path,
    *,
    append: Table | None = None,
    delete: Table | Iterable[Any] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make the index of a changed reference table from the index of the table as it was.

    The new index stands beside the old one, under the name that `index_reference` gives it, and a row looked up in it
    has the match that it has in an index built from scratch. The old one stays as it is, for whoever has it open.

    Parameters
    ----------
    index
        The folder that `index_reference` or `update_index` returned.
    program
        The program that it was built for, or its file.
    append
        Rows to append: a frame (see `fuzzy_join`) with the id column and the reference columns of the index. A
        row that the index holds already, with the same id and texts, is passed over. Ids stay whole numbers if all are,
        else they become text.
    delete
        Ids of rows to delete, as they came or as text, or a table that has them in the id column. An id can be deleted
        and appended in one call: a changed row.
    threads, progress
        As for `Program.apply`.

    Returns
    -------
    pathlib.Path
        The new index; the old one, if nothing changes.

    Raises
    ------
    UsageError
        If there is no such index, it was built for another program, `append` lacks a column, or `delete` is one text.
    DataError
        If an id to append is missing, occurs twice, or is that of another row of the index; if an id to delete is not
        in the index; if no row, or no text in a column, is left; if an index cannot be read or written.

    Notes
    -----
    What was made of each row is taken over, so that a change takes a small part of the time of building. A scorer also
    asks for the neighbours of reference rows. They take most of the time of building, and any change of the table
    moves them for nearly every row, if only in the last digits. They are found when a lookup first needs them, those of
    its candidates alone, and kept while the `Matcher` is open: right after a change a row is looked up more slowly, and
    joining a long query table finds the neighbours of all its candidates. `index_reference`, asked for the index of the
    changed table, finds them all and keeps them in the index, also while others have it open.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from fuzzyjoin import Matcher, index_reference, learn_program, update_index
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> program = learn_program(reference, query, on="name", space="small")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index = index_reference(program, reference, folder)
    ...     more = pd.DataFrame({"id": [4], "name": ["South Market"]})
    ...     changed = update_index(index, program, append=more, delete=[2])
    ...     rows = pd.DataFrame({"id": ["x", "y"], "name": ["south markt", "north plazza"]})
    ...     found = Matcher.open(changed, program).lookup(rows)
    >>> found.matches[["query_id", "reference_id"]].values.tolist()
    [['x', 4]]
    """
    loaded = program if isinstance(program, Program) else Program.load(program)
    needs = IndexNeeds.of(loaded.definition)
    return change_index(Path(index), needs, append=append, delete=delete, work=choose_work(threads, progress))


def change_index(
    path: Path, needs: IndexNeeds, *, append: Table | None = None, delete: Table | Iterable[Any] = (), work: Work
) -> Path:
    """Make the index of a changed table from one that is known by what it holds (see `update_index`).

    Parameters
    ----------
    path
        The index.
    needs
        What it holds, and the new one will.
    append, delete
        As for `update_index`.
    work
        Threads and progress.

    Returns
    -------
    pathlib.Path
        The new index; the old one, if nothing changes.

    Raises
    ------
    UsageError, DataError
        As for `update_index`.
    """
    path = path.resolve()
    side = open_index(path, needs)
    held = side.table.whole()
    deleted = np.zeros(len(held), np.bool_)
    deleted[held.positions(_ids_to_delete(held, delete), "delete")] = True
    appended = _without_known(_rows_to_append(held, append, needs.missing), held, deleted)
    own, more = _with_ids_alike(held, appended)
    rows = _rows_together(own, more, deleted)
    if rows.size == 0:
        raise DataError(
            "delete names every row of the index", argument="delete", remedy="keep or append at least one row"
        )
    every = _together(own, more, rows)
    require_text(every)
    table = storable(needs.candidates_of(every))
    changed = find_index(path.parent, needs, table)
    if is_index(changed):
        return changed
    added = storable(needs.candidates_of(more))
    new_side = side.merged(
        replace(side, table=added, known=ReferenceParts()), _compared_rows(rows, table, side.table, added), table
    )
    write_index(changed, new_side, needs, work, all_neighbours=False)
    return changed


def _ids_to_delete(table: KeyTable, delete: Table | Iterable[Any]) -> pd.Series:
    if is_table(delete):
        frame = as_frame(cast("Table", delete), "delete")
        require_column(frame, table.id_column, "delete", "id")
        return frame[table.id_column]
    if isinstance(delete, str):
        raise UsageError(f"delete is the text {delete!r}", argument="delete", remedy="give a list of ids")
    return pd.Series(list(cast("Iterable[Any]", delete)), dtype=object)


def _rows_to_append(table: KeyTable, rows: Table | None, missing: Missing) -> KeyTable:
    """The rows to append as a table like that of the index."""
    none = table.some(np.empty(0, np.int64))
    if rows is None:
        return none
    frame = as_frame(rows, "append")
    named = ((table.id_column,), "id"), (table.column_names, "on"), (table.rule_names, "equal")
    for column, argument in ((name, argument) for names, argument in named for name in names):
        require_column(frame, column, "append", argument)
    if not len(frame):
        return none
    return key_table(
        frame,
        role="append",
        id_column=table.id_column,
        columns=table.column_names,
        missing=missing,
        equal=table.rule_names,
    )


def _without_known(appended: KeyTable, table: KeyTable, deleted: BoolArray) -> KeyTable:
    """The rows to append without those that stay in the table anyway; another row's id is an error."""
    places = table.find(appended.id_texts())
    stays = places >= 0
    stays[stays] = ~deleted[places[stays]]
    for row in np.flatnonzero(stays).tolist():
        if appended.key(row) != table.key(int(places[row])):
            raise DataError(
                f"append has the id {appended.key(row)[-1]!r}, which another row of the index has in column "
                f"{table.id_column!r}",
                argument="append",
                column=table.id_column,
                remedy="delete that id in the same call to change the row, or give a new id",
            )
    return appended.some(np.flatnonzero(~stays))


def _with_ids_alike(table: KeyTable, appended: KeyTable) -> tuple[KeyTable, KeyTable]:
    """Both tables laid out, their ids as text unless all are whole numbers."""
    laid_out = storable(appended)
    if type(table.ids) is type(laid_out.ids):
        return table, laid_out
    own, more = (replace(part, ids=Texts.of(part.id_texts())) for part in (table, laid_out))
    return own, more


def _rows_together(table: KeyTable, appended: KeyTable, deleted: BoolArray) -> Int64Array:
    """Canonical order of the rows that stay and the appended ones, as positions in the table, then in `appended`."""
    rows = np.insert(np.arange(len(table)), table.places_of(appended), np.arange(len(appended)) + len(table))
    gone = np.append(deleted, np.zeros(len(appended), np.bool_))
    together: Int64Array = rows[~gone[rows]]
    return together


def _compared_rows(rows: Int64Array, changed: KeyTable, held: KeyTable, added: KeyTable) -> Int64Array:
    """What the compared rows of the changed table are, as positions in the held table, then in the added one.

    `rows` are all rows of the changed table, as positions in all rows of these two. Rows with the same key are compared
    alike, so that any of them will do.
    """
    if changed.equal is None or held.equal is None or added.equal is None:
        return rows
    first = rows[changed.equal.starts[:-1]]
    own = np.searchsorted(held.equal.starts, first, side="right") - 1
    other = np.searchsorted(added.equal.starts, first - held.rows_in_all, side="right") - 1
    return np.where(first < held.rows_in_all, own, len(held) + other).astype(np.int64)


def _together(table: KeyTable, appended: KeyTable, rows: Int64Array) -> KeyTable:
    """The changed table; in its caller's the appended rows are the last."""
    source = np.append(table.source_rows, table.source_rows.max() + 1 + appended.source_rows)[rows]
    source_rows = np.empty(rows.size, np.int64)
    source_rows[np.argsort(source)] = np.arange(rows.size)
    ids = (
        Texts.of(table.ids).merged(Texts.of(appended.ids), rows)
        if isinstance(table.ids, Texts)
        else np.append(table.ids, appended.ids)[rows]
    )
    columns, rule_columns = (
        tuple(Texts.of(own).merged(Texts.of(more), rows) for own, more in zip(*both, strict=True))
        for both in ((table.columns, appended.columns), (table.rule_columns, appended.rule_columns))
    )
    changed = replace(
        table,
        ids=ids,
        columns=columns,
        rule_columns=rule_columns,
        source_rows=source_rows,
        known_fingerprint=None,
    )
    return replace(changed, known_fingerprint=changed.fingerprint())
