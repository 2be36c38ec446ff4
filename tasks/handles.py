"""What travels between tasks: names of files and of records, never tables."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fuzzyjoin.definition import PrecisionEstimate
from fuzzyjoin.index import IndexNeeds
from tasks.ingestion import TableHandle
from tasks.settings import Privacy, Publish, Warehouse
from tasks.store.named_files import FileHandle

__all__ = ["IndexHandle", "InputHandle", "PairsHandle", "PartHandle", "ProgramHandle", "ResultHandle", "RunHandle"]


class Handle(BaseModel):
    """Immutable and small."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunHandle(Handle):
    """A run that is recorded in a warehouse.

    Attributes
    ----------
    run_id, pipeline
        Of the run's row.
    warehouse
        Where that row is.
    privacy
        What may be seen of the data.
    publish
        What is put into the warehouse beside the matches.
    """

    run_id: str
    pipeline: str
    warehouse: Warehouse
    privacy: Privacy
    publish: Publish = Publish()


class InputHandle(Handle):
    """An input table as it was read.

    Attributes
    ----------
    role
        "reference" or "query".
    table
        Its snapshot: the id column, the compared columns, then those that must be equal.
    id_column, columns, equal
        Their names.
    source
        What messages call the table: its file's name, or the table or query of a database. It enters no cache key.
    order
        Where the snapshot's rows stand in the source, as a file; None if that is not known. It enters no cache key:
        the order of the rows changes no result.
    whole
        The table with all its columns, as a file, if it is published. It enters no cache key.
    """

    role: Literal["reference", "query"]
    table: TableHandle
    id_column: str
    columns: tuple[str, ...]
    equal: tuple[str, ...] = ()
    source: str = Field(default="", exclude=True)
    order: FileHandle | None = Field(default=None, exclude=True)
    whole: FileHandle | None = Field(default=None, exclude=True)

    @property
    def columns_read(self) -> tuple[str, ...]:
        """All columns on which a row's match depends."""
        return *self.columns, *self.equal


class ProgramHandle(Handle):
    """A program with its learning record, as a file.

    Attributes
    ----------
    program_id
        What decides a match.
    file
        The program file.
    precision_target
        What was asked of it.
    precision_estimate
        What was estimated when it was learned.
    """

    program_id: str
    file: FileHandle
    precision_target: float
    precision_estimate: PrecisionEstimate


class IndexHandle(Handle):
    """The index of a reference table, to learn on or to join by.

    Attributes
    ----------
    path
        Its folder, whose name tells what it is made of.
    blocks
        What it holds for blocking; the rules and forms of a program are left out, because there can be many.
    """

    path: str
    blocks: IndexNeeds


class PairsHandle(Handle):
    """The candidate pairs of the query rows that a program is learned on.

    Attributes
    ----------
    file
        A `fuzzyjoin.BlockedPairs`, as a file.
    query_rows, query_pairs
        How many query rows these are, and their candidate pairs.
    """

    file: FileHandle
    query_rows: int
    query_pairs: int


class PartHandle(Handle):
    """What a program found for a partition of the query rows.

    Attributes
    ----------
    matches, unmatched
        The frames of a `fuzzyjoin.JoinResult`, as files.
    matched_rows, unmatched_rows
        Rows of the two frames.
    tally
        Mass and pairs of a union's `fuzzyjoin.joining.union.Tally`; None where a scorer decides.
    curve
        Its points (see `fuzzyjoin.program.curve.CurvePoint`): matched, mass, pairs.
    warnings, seconds
        As in `ResultHandle`.
    """

    matches: FileHandle
    unmatched: FileHandle
    matched_rows: int
    unmatched_rows: int
    tally: tuple[int, int] | None
    curve: tuple[tuple[int, int, int], ...]
    warnings: tuple[str, ...]
    seconds: dict[str, float]


class ResultHandle(Handle):
    """What a program found, as files.

    Attributes
    ----------
    program_id
        The program that decided.
    matches, unmatched
        The frames of a `fuzzyjoin.JoinResult`.
    curve
        What stricter and looser thresholds would find (see `fuzzyjoin.precision_curve`).
    precision_estimate
        Of these matches.
    matched_rows, unmatched_rows
        Rows of the two frames.
    warnings
        What the library has to say, one sentence each.
    seconds
        Seconds a stage of the library, of all partitions together.
    """

    program_id: str
    matches: FileHandle
    unmatched: FileHandle
    curve: FileHandle
    precision_estimate: PrecisionEstimate
    matched_rows: int
    unmatched_rows: int
    warnings: tuple[str, ...]
    seconds: dict[str, float]
