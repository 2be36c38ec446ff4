"""What a proposed program would change: the tables that it was learned on, joined by it and by the current one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from fuzzyjoin import FuzzyJoinError
from fuzzyjoin.tables import as_text
from tasks.handles import InputHandle, ProgramHandle, ResultHandle
from tasks.ingestion import TableHandle, load_snapshot
from tasks.ingestion.snapshots import snapshot_path
from tasks.orchestration.credentials import opened_warehouse
from tasks.run.masking import masked_texts
from tasks.settings import Conduct, Privacy, Warehouse
from tasks.steps.current_program import program_handle
from tasks.steps.join_query_rows import join_query_rows
from tasks.store.folders import snapshot_folder
from tasks.store.named_files import load_frame
from tasks.warehouse.connection import reading
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.learned_on import last_learned_on
from tasks.warehouse.programs import load_program
from tasks.warehouse.replay import id_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin import Program

__all__ = ["Effect", "Example", "effect_of"]

Role: TypeAlias = Literal["reference", "query"]
Kind: TypeAlias = Literal["gained", "lost", "redirected"]

EXAMPLES_SHOWN: Final = 5
"""Of each kind."""


class Example(BaseModel):
    """A query row that is joined otherwise, with what may be seen of the texts.

    Attributes
    ----------
    kind
        Whether it gains a match, loses it, or is led to another reference row.
    query, before, after
        Ids with texts; before and after are empty where the row has no match.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    query: str
    before: str
    after: str


class Effect(BaseModel):
    """What changes if a proposed program takes the place of the current one.

    Attributes
    ----------
    rows
        Query rows that were compared.
    joined, joined_now
        How many of them the proposed and the current program join.
    gained, lost, redirected
        How many of them gain a match, lose it, or are led to another reference row.
    examples
        Some of these, the first of each kind by id.
    unknown
        Why nothing can be said, or empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = 0
    joined: int = 0
    joined_now: int = 0
    gained: int = 0
    lost: int = 0
    redirected: int = 0
    examples: tuple[Example, ...] = ()
    unknown: str = ""

    def in_words(self) -> str:
        """The counts as a sentence.

        >>> Effect(rows=227, joined=191, joined_now=182, gained=12, lost=3, redirected=2).in_words()
        '12 rows gained, 3 lost, 2 redirected: 191 of 227 query rows would be joined instead of 182.'
        """
        if self.unknown:
            return f"Which rows would change is not known: {self.unknown}."
        return (
            f"{self.gained:,} rows gained, {self.lost:,} lost, {self.redirected:,} redirected: {self.joined:,} of "
            f"{self.rows:,} query rows would be joined instead of {self.joined_now:,}."
        )


class _Tables(BaseModel):
    """What is compared: both tables, and the programs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: InputHandle
    query: InputHandle
    proposed: ProgramHandle
    current: ProgramHandle | None


def effect_of(
    pipeline: str, program_id: str, current_id: str | None, warehouse: Warehouse, shown_columns: Sequence[str]
) -> Effect:
    """Join the tables that a proposed program was learned on by it and by the current one, and compare.

    Nothing is written into the warehouse. What cannot be joined any more, such as deleted snapshots, is no error.
    """
    try:
        tables = learned_tables(pipeline, program_id, current_id, warehouse)
        proposed = _found(tables, tables.proposed)
        current = None if tables.current is None else _found(tables, tables.current)
        return compare(tables, proposed, current, Privacy(shown_columns=tuple(shown_columns)))
    except FuzzyJoinError as error:
        return Effect(unknown=" ".join(str(error).split()).rstrip("."))


def _found(tables: _Tables, program: ProgramHandle) -> ResultHandle:
    return join_query_rows(program, tables.reference, tables.query, Conduct().partition_rows)


@task(name="tables of the proposal", task_run_name="tables of the proposal", cache_policy=NO_CACHE)
def learned_tables(pipeline: str, program_id: str, current_id: str | None, warehouse: Warehouse) -> _Tables:
    """The snapshots that a program of a pipeline was last learned on.

    Raises
    ------
    WarehouseError
        If it is not on record which these are.
    SnapshotMissingError
        If they are gone.
    """
    with opened_warehouse(warehouse) as engine, reading(engine) as connection:
        learned_on = last_learned_on(connection, pipeline, program_id)
        program = load_program(connection, program_id)
        current = load_program(connection, current_id) if current_id else None
    snapshots = [
        TableHandle(str(snapshot_path(snapshot_folder(), table.fingerprint)), table.fingerprint, table.rows, ())
        for table in (learned_on.reference, learned_on.query)
    ]
    ids = id_columns(learned_on.parameters, *map(load_snapshot, snapshots))
    proposed = program_handle(program)
    if proposed is None:
        raise WarehouseError("it has no learning record")
    return _Tables(
        reference=_input("reference", snapshots[0], ids[0], program),
        query=_input("query", snapshots[1], ids[1], program),
        proposed=proposed,
        current=program_handle(current) if current else None,
    )


def _input(role: Role, table: TableHandle, id_column: str, program: Program) -> InputHandle:
    columns, equal = (
        tuple(getattr(column, role) for column in pairs) for pairs in (program.columns, program.definition.equal)
    )
    return InputHandle(role=role, table=table, id_column=id_column, columns=columns, equal=equal)


@task(name="compare programs", task_run_name="compare programs", cache_policy=NO_CACHE)
def compare(tables: _Tables, proposed: ResultHandle, current: ResultHandle | None, privacy: Privacy) -> Effect:
    """Count the query rows that two programs join otherwise."""
    after = _joined(load_frame(proposed.matches))
    before = {} if current is None else _joined(load_frame(current.matches))
    changed: dict[Kind, list[str]] = {
        "gained": sorted(after.keys() - before.keys()),
        "lost": sorted(before.keys() - after.keys()),
        "redirected": sorted(row for row in after.keys() & before.keys() if after[row] != before[row]),
    }
    texts = [masked_texts(side, privacy) for side in (tables.query, tables.reference)]
    examples = tuple(
        Example(
            kind=kind,
            query=_named(row, texts[0]),
            before=_named(before.get(row), texts[1]),
            after=_named(after.get(row), texts[1]),
        )
        for kind, rows in changed.items()
        for row in rows[:EXAMPLES_SHOWN]
    )
    return Effect(
        rows=tables.query.table.rows,
        joined=len(after),
        joined_now=len(before),
        gained=len(changed["gained"]),
        lost=len(changed["lost"]),
        redirected=len(changed["redirected"]),
        examples=examples,
    )


def _joined(matches: pd.DataFrame) -> dict[str, str]:
    """Reference ids by query id."""
    return {
        as_text(query_id): as_text(reference_id)
        for query_id, reference_id in zip(matches["query_id"], matches["reference_id"], strict=True)
    }


def _named(row_id: str | None, texts: pd.Series) -> str:
    if row_id is None:
        return ""
    text = texts.get(row_id)
    return f"{row_id} ({text})" if text else row_id
