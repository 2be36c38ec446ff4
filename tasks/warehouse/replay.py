"""A run done again from its snapshots, and compared with the matches that it left behind."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

import fuzzyjoin
from fuzzyjoin.tables import as_text, choose_id
from tasks.ingestion.snapshots import (
    SnapshotMissingError,
    TableHandle,
    is_content_hash,
    load_snapshot,
    snapshot_path,
)
from tasks.warehouse.connection import reading
from tasks.warehouse.erasure import ERASED
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.programs import load_program
from tasks.warehouse.run_audit import RunAudit, as_number, audit_run
from tasks.warehouse.schema import erasures, matches
from tasks.warehouse.staging import results_table
from tasks.warehouse.steadiness import FIGURES, differing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import pandas as pd
    from sqlalchemy.engine import Connection, Engine

    from fuzzyjoin import Program

__all__ = ["Difference", "Replay", "RunInputs", "replay", "run_inputs"]

Match = dict[str, Any]
TEXTS = ("query_text", "reference_text")


@dataclass(frozen=True)
class Difference:
    """A query row that is matched otherwise now; `then` and `now` are matches, None where it has none."""

    query_id: str
    then: Mapping[str, Any] | None
    now: Mapping[str, Any] | None

    def in_words(self) -> str:
        """The difference in one line."""
        then, now = self.then, self.now
        if then is None or now is None or then["reference_id"] != now["reference_id"]:
            return f"{self.query_id}: {_joined(then)} then, {_joined(now)} now"
        return f"{self.query_id}: " + ", ".join(
            f"{name} {_shown(name, then[name])} then, {_shown(name, now[name])} now" for name in differing(then, now)
        )


@dataclass(frozen=True)
class Replay:
    """What came of doing a run again.

    Attributes
    ----------
    run_id
        The run.
    compared
        Query rows of its snapshot, matched or not.
    same
        How many of them are decided as they were, figures within the limit of `tasks.warehouse.steadiness`.
    differences
        The others, by query id.
    code_then, code_now
        The version of this project that the run recorded, and the one that did it again.
    versions
        Name, then and now of each part that the program's learning record names with another version; now is None
        where it is not installed.
    """

    run_id: str
    compared: int
    same: int
    differences: tuple[Difference, ...]
    code_then: str
    code_now: str
    versions: tuple[tuple[str, str, str | None], ...]

    def in_words(self) -> str:
        """The outcome as several lines."""
        lines = [f"Run {self.run_id} done again: {self.same} of {self.compared} query rows are decided as they were."]
        lines += [difference.in_words() for difference in self.differences]
        same_code = self.code_then == self.code_now
        lines.append(f"Code {self.code_then} then, {'the same' if same_code else self.code_now} now.")
        lines += [
            f"{name} {then} when the program was learned, {now or 'none'} now" for name, then, now in self.versions
        ]
        return "\n".join(lines)


def replay(engine: Engine, run_id: str, folder: str | Path, *, code_now: str) -> Replay:
    """Apply a run's program to the snapshots that it read, and compare with the matches that held when it ended.

    Nothing is written.

    Parameters
    ----------
    engine
        The warehouse.
    run_id
        A run that succeeded and wrote matches.
    folder
        Where the snapshots are.
    code_now
        The version of this project that runs now.

    Raises
    ------
    WarehouseError
        If the run does not exist or wrote no matches, or if a snapshot was erased.
    SnapshotMissingError
        If a snapshot is gone for another reason.
    UsageError
        If the program needs parts of the user's, such as a blocker, which the warehouse does not hold.
    DataError
        If a snapshot is not what its name says.
    """
    inputs = run_inputs(engine, run_id, folder)
    program, run, then = inputs.program, inputs.run, inputs.held
    ids, now = _apply(inputs)
    differences = [
        Difference(query_id, then.get(query_id), now.get(query_id))
        for query_id in ids
        if not _same(then.get(query_id), now.get(query_id))
    ]
    return Replay(
        run_id=run_id,
        compared=len(ids),
        same=len(ids) - len(differences),
        differences=tuple(differences),
        code_then=run.code_version,
        code_now=code_now,
        versions=_other_versions(program),
    )


@dataclass(frozen=True)
class RunInputs:
    """A run, its program, the tables that it read, and the matches that held when it ended, by query id."""

    run: RunAudit
    program: Program
    reference: pd.DataFrame
    query: pd.DataFrame
    held: dict[str, Match]

    @property
    def id_columns(self) -> tuple[str, str]:
        """The id columns of both tables."""
        return id_columns(self.run.parameters, self.reference, self.query)


def run_inputs(engine: Engine, run_id: str, folder: str | Path) -> RunInputs:
    """What a run was made of; parameters and errors as for `replay`."""
    with reading(engine) as connection:
        run = audit_run(connection, run_id)
        if run.status != "succeeded" or run.covers is None or run.program_id is None or run.ended_at is None:
            raise WarehouseError(f"run {run_id!r} is {run.status} and wrote no matches; name one that did")
        return RunInputs(
            run=run,
            program=load_program(connection, run.program_id, at=run.ended_at),
            reference=_snapshot(connection, folder, "reference", run.reference_fingerprint, run.reference_rows),
            query=_snapshot(connection, folder, "query", run.query_fingerprint, run.query_rows),
            held=_held(connection, run.pipeline, run.ended_at),
        )


def id_columns(parameters: Mapping[str, Any], reference: pd.DataFrame, query: pd.DataFrame) -> tuple[str, str]:
    """The id columns that a run used: those of its parameters, else what the library takes by default."""
    tables = parameters.get("tables") or {}
    return (
        choose_id(reference, "reference", tables.get("reference_id") or None),
        choose_id(query, "query", tables.get("query_id") or None),
    )


def _apply(inputs: RunInputs) -> tuple[list[str], dict[str, Match]]:
    """The ids of the query table in ascending order, and the matches of those that have one."""
    found = inputs.program.apply(inputs.reference, inputs.query, id=inputs.id_columns)
    rows = results_table(found.matches, found.unmatched, (), None).to_pylist()
    ids = sorted(as_text(value) for value in inputs.query[inputs.id_columns[1]])
    return ids, {row["query_id"]: row for row in rows if row["reference_id"] is not None}


def _held(connection: Connection, pipeline: str, at: datetime) -> dict[str, Match]:
    held = sa.select(matches).where(
        matches.c.pipeline == pipeline,
        matches.c.valid_from <= at,
        sa.or_(matches.c.valid_to.is_(None), matches.c.valid_to > at),
    )
    return {row.query_id: row._asdict() for row in connection.execute(held)}


def _snapshot(
    connection: Connection, folder: str | Path, side: str, fingerprint: str | None, rows: int | None
) -> pd.DataFrame:
    if fingerprint is None or not is_content_hash(fingerprint):
        raise WarehouseError(
            f"the run recorded no snapshot of its {side} table (but {fingerprint}); it cannot be replayed"
        )
    path = snapshot_path(folder, fingerprint)
    try:
        return load_snapshot(TableHandle(str(path), fingerprint, rows or 0, ()))
    except SnapshotMissingError:
        for erased in connection.execute(sa.select(erasures).order_by(erasures.c.erased_at)):
            if fingerprint in json.loads(erased.snapshots):
                raise WarehouseError(
                    f"the snapshot {fingerprint} of the {side} table was erased by {erased.erased_by} on "
                    f"{erased.erased_at.isoformat()} ({erased.reason}); the run cannot be done again"
                ) from None
        raise


def _same(then: Match | None, now: Match | None) -> bool:
    if then is None or now is None:
        return then is now
    # What an erased text was is not known any more; the rest still tells.
    kept = {name: ERASED if then[name] == ERASED else now[name] for name in TEXTS}
    return not differing(then, {**now, **kept})


def _other_versions(program: Program) -> tuple[tuple[str, str, str | None], ...]:
    if program.learning_record is None:
        return ()
    changed = []
    for name, then in sorted(program.learning_record.versions.items()):
        now = _version(name)
        if now != then:
            changed.append((name, then, now))
    return tuple(changed)


def _version(name: str) -> str | None:
    of_no_distribution = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        # Its distribution has another name.
        "fuzzyjoin": fuzzyjoin.__version__,
    }
    try:
        return of_no_distribution[name] if name in of_no_distribution else version(name)
    except PackageNotFoundError:
        return None


def _joined(match: Mapping[str, Any] | None) -> str:
    return "unmatched" if match is None else f"joined to {match['reference_id']}"


def _shown(name: str, value: object) -> str:
    return as_number(value) if name in FIGURES and isinstance(value, float) else repr(value)
