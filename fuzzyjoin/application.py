"""Applying a stored program to tables. The search is not needed and not imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.candidates import Candidates
from fuzzyjoin.distances import WeightedColumns
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.join_functions import JoinFunction
from fuzzyjoin.matching import UnionMatches, match_union
from fuzzyjoin.program import CustomFunctionName, Union
from fuzzyjoin.result import result_of
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import as_frame, choose_columns, key_tables, require_text
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fuzzyjoin.blocked import BlockedPairs
    from fuzzyjoin.blocking import Blocker, CandidatePairs
    from fuzzyjoin.join_functions import AnyJoinFunction, CustomJoinFunction
    from fuzzyjoin.program import Program
    from fuzzyjoin.result import JoinResult
    from fuzzyjoin.tables import IdColumn, KeyTable, Table
    from fuzzyjoin.threads import Progress, Work

__all__ = ["Decisions", "apply_program", "apply_to_candidates", "program_candidates", "program_configurations"]


@dataclass(frozen=True)
class Decisions:
    """What a program decided for every query row of two tables, in positions.

    `allowed` are the candidate pairs that the negative rules left.
    """

    program: Program
    candidates: Candidates
    allowed: CandidatePairs
    matches: UnionMatches


def apply_program(
    program: Program,
    reference: Table,
    query: Table,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    strict: bool = False,
    blocker: Blocker | None = None,
    join_functions: Sequence[CustomJoinFunction] = (),
    pairs: BlockedPairs | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> JoinResult:
    """Join two tables by a stored program.

    Parameters
    ----------
    program
        What `learn_program` gave or `Program.load` read.
    reference, query
        pandas frames or Arrow tables with the columns that the program names.
    id
        The id column of both tables, or (reference id, query id); by default `id`, else the first unique column.
    strict
        Refuse a reference table other than the one that the program was learned on, instead of warning.
    blocker, join_functions
        The user's own parts that the program names.
    pairs
        Candidate pairs that `block_tables` found on the same tables, in place of blocking them here.
    threads
        Threads to use; by default the processors of this process. The result does not depend on it.
    progress
        Called with a stage's name and the share done.

    Returns
    -------
    JoinResult
        Each query row's match depends on the program, the reference table and that row alone.

    Raises
    ------
    UsageError
        If a column, or a part that the program names, is missing.
    DataError
        If a table cannot be joined, or under `strict` if the reference table is another.
    """
    watch = Stopwatch()
    with watch.stage("tables"):
        candidates, warnings = program_candidates(
            program,
            reference,
            query,
            id_column=id,
            strict=strict,
            blocker=blocker,
            pairs=pairs,
            work=choose_work(threads, progress),
        )
    own = {function.name: function for function in join_functions}
    return result_of(apply_to_candidates(program, candidates, own, watch), watch, warnings)


def program_candidates(
    program: Program,
    reference: Table,
    query: Table,
    *,
    id_column: IdColumn,
    strict: bool,
    blocker: Blocker | None,
    pairs: BlockedPairs | None,
    work: Work,
) -> tuple[Candidates, tuple[str, ...]]:
    """The tables as the program looks at them, and what the caller should know; arguments as for `apply_program`."""
    frames = as_frame(reference, "reference"), as_frame(query, "query")
    columns = [(column.reference, column.query) for column in program.columns]
    reference_table, query_table = key_tables(*frames, *choose_columns(columns, id_column, *frames))
    # Of the query table nothing is asked: a row is decided the same whatever rows it comes with.
    require_text(reference_table)
    warnings = _reference_warnings(program, reference_table, strict=strict)
    blocking = _blocking(program, blocker)
    if pairs is not None:
        _require_pairs(pairs, blocking, reference_table, query_table)
    return Candidates(reference_table, query_table, blocking, work, program.negative_rules, pairs), warnings


def apply_to_candidates(
    program: Program, candidates: Candidates, own: Mapping[str, AnyJoinFunction], watch: Stopwatch
) -> Decisions:
    """Decide every query row of prepared tables; `own` are the user's join functions by name."""
    configurations = program_configurations(program, own)
    with watch.stage("blocking"):
        _ = candidates.query_pairs
    with watch.stage("negative rules"):
        allowed = candidates.allowed_pairs(program.negative_rules)
    with watch.stage("matching"):
        weights = tuple(column.weight for column in program.columns)
        matches = match_union(WeightedColumns(candidates.columns, (weights,)), configurations, allowed, candidates)
    return Decisions(program, candidates, allowed, matches)


def program_configurations(program: Program, own: Mapping[str, AnyJoinFunction]) -> list[tuple[AnyJoinFunction, float]]:
    """The join functions of the program's union with their thresholds; `own` are the user's by name."""
    decision = program.definition.decision
    if not isinstance(decision, Union):
        raise UsageError(
            f"program {program.program_id} decides by the scorer {decision.name!r}; this version applies unions of "
            "configurations only: use the version that learned it"
        )
    return [
        (_function(configuration.join_function, own), configuration.threshold)
        for configuration in decision.configurations
    ]


def _reference_warnings(program: Program, reference: KeyTable, *, strict: bool) -> tuple[str, ...]:
    record = program.learning_record
    if record is None:
        return (
            "the program has no learning record, so nobody can tell whether it was learned on this reference table",
        )
    if record.reference.fingerprint == reference.fingerprint():
        return ()
    message = (
        f"the reference table ({len(reference)} rows) is not the one that the program was learned on "
        f"({record.reference.rows} rows): estimates may be off"
    )
    if strict:
        raise DataError(f"{message}; learn again, or apply without strict")
    return (message,)


def _blocking(program: Program, blocker: Blocker | None) -> int | Blocker:
    asked = program.definition.blocking
    if blocker is not None and blocker.name == asked.method:
        return blocker
    if blocker is not None or asked.k is None:
        given = f"{blocker.name!r}" if blocker else "not given"
        raise UsageError(
            f"the program was learned with the blocker {asked.method!r} but blocker is {given}; give that one"
        )
    return asked.k


def _require_pairs(pairs: BlockedPairs, blocking: int | Blocker, reference: KeyTable, query: KeyTable) -> None:
    """Raise a UsageError unless the pairs are those that the program's blocking would find on these tables."""
    pairs.require_tables(reference, query)
    if pairs.k != blocking:
        raise UsageError(
            f"pairs hold {pairs.k} candidates a row, but the program looks at "
            f"{blocking if isinstance(blocking, int) else repr(blocking.name)}; apply it without pairs"
        )


def _function(named: JoinFunction | CustomFunctionName, own: Mapping[str, AnyJoinFunction]) -> AnyJoinFunction:
    if isinstance(named, JoinFunction):
        return named
    if named.custom not in own:
        raise UsageError(
            f"the program uses the join function {named.custom!r}, which is not built in; give it in join_functions"
        )
    return own[named.custom]
