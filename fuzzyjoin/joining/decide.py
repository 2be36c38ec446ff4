"""Applying a stored program to tables. The search is not needed and not imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fuzzyjoin.compare.candidates import Candidates
from fuzzyjoin.compare.distances import WeightedColumns
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.compare.join_functions import JoinFunction
from fuzzyjoin.joining.union import Matches, match_union
from fuzzyjoin.definition.definition import CustomFunctionName, PrecisionEstimate, Scorer
from fuzzyjoin.joining.result_tables import result_of
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables.key_table import as_frame, choose_columns, identified, key_tables, require_text
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fuzzyjoin.blocking.blocked_pairs import BlockedPairs
    from fuzzyjoin.blocking.token_blocking import Blocker, CandidatePairs
    from fuzzyjoin.compare.join_functions import AnyJoinFunction, CustomJoinFunction
    from fuzzyjoin.definition.definition import Program, Union
    from fuzzyjoin.joining.result_tables import JoinResult
    from fuzzyjoin.scoring.scorer import TrainedScorer
    from fuzzyjoin.tables.key_table import IdColumn, KeyTable, Table
    from fuzzyjoin.threads import Progress, Work

__all__ = [
    "Decisions",
    "apply_program",
    "apply_to_candidates",
    "asked_blocking",
    "drift_warnings",
    "named_scorer",
    "program_candidates",
    "program_configurations",
    "reference_warnings",
]

DRIFT_ROWS: Final = 100
"""Query rows below which nothing is said of drift."""

DRIFT: Final = 0.1
DRIFT_BY_CHANCE: Final = 4.0
"""How far the share of joined rows may move: in all, and in standard deviations."""


@dataclass(frozen=True)
class Decisions:
    """What a program decided for every query row of two tables, in positions.

    `allowed` are the candidate pairs that the negative rules left, `estimate` the estimated precision of the matches.
    """

    program: Program
    candidates: Candidates
    allowed: CandidatePairs
    matches: Matches
    estimate: PrecisionEstimate


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
    scorer: str | Path | None = None,
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
        The id column of both tables, or (reference id, query id); by default `id`, else the first unique column. Rows
        of a table that has neither are numbered from 1, which `warnings` tells.
    strict
        Refuse a reference table other than the one that the program was learned on, instead of warning.
    blocker, join_functions
        The user's own parts that the program names.
    pairs
        Candidate pairs that `block_tables` found on the same tables, in place of blocking them here.
    scorer
        The scorer file that the program names, where that is not the shipped one.
    threads
        Threads to use; by default the processors of this process. The result does not depend on it.
    progress
        Called with a stage's name and the share done.

    Returns
    -------
    JoinResult
        Each query row's match depends on the program, the reference table and that row alone. A query table without
        rows gives tables without rows.

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
    given = None
    if scorer is not None:
        from fuzzyjoin.scoring.scorer import load_scorer  # noqa: PLC0415 - unions do without its kernels

        given = load_scorer(scorer)
    decisions = apply_to_candidates(program, candidates, own, watch, given)
    drifted = drift_warnings(program, len(candidates.query), int(decisions.matches.joined.sum()))
    return result_of(decisions, watch, (*warnings, *drifted))


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
    frames, numbered = identified(as_frame(reference, "reference"), as_frame(query, "query"), id_column)
    columns = [(column.reference, column.query) for column in program.columns]
    whole, query_table = key_tables(*frames, *choose_columns(columns, id_column, *frames))
    reference_table = program.candidates_of(whole)
    # Of the query table nothing is asked: a row is decided the same whatever rows it comes with.
    require_text(reference_table)
    warnings = reference_warnings(program, reference_table, strict=strict)
    blocking, built_in = asked_blocking(program, blocker), program.built_in_blocker
    if pairs is not None:
        pairs.require_tables(reference_table, query_table)
        pairs.require_blocking(built_in, blocking)
    candidates = Candidates(
        reference_table, query_table, blocking, work, program.negative_rules, blocker=built_in, found=pairs
    )
    return candidates, (*warnings, *numbered)


def apply_to_candidates(
    program: Program,
    candidates: Candidates,
    own: Mapping[str, AnyJoinFunction],
    watch: Stopwatch,
    scorer: TrainedScorer | None = None,
) -> Decisions:
    """Decide every query row of prepared tables; `own` are the user's join functions by name."""
    decision = program.definition.decision
    if isinstance(decision, Scorer):
        return _decide_by_scorer(program, decision, candidates, watch, scorer)
    configurations = program_configurations(decision, own)
    with watch.stage("blocking"):
        _ = candidates.query_pairs
    with watch.stage("negative rules"):
        allowed = candidates.allowed_pairs(program.negative_rules)
    with watch.stage("matching"):
        weights = tuple(column.weight for column in program.columns)
        matches = match_union(WeightedColumns(candidates.columns, (weights,)), configurations, allowed, candidates)
    estimate = PrecisionEstimate(value=matches.tally.precision_estimate if matches.tally else None)
    return Decisions(program, candidates, allowed, matches, estimate)


def _decide_by_scorer(
    program: Program, decision: Scorer, candidates: Candidates, watch: Stopwatch, scorer: TrainedScorer | None
) -> Decisions:
    from fuzzyjoin.scoring.decision import match_by_scorer  # noqa: PLC0415 - unions do without its kernels

    found = named_scorer(decision, scorer)
    with watch.stage("blocking"):
        _ = candidates.query_pairs
    with watch.stage("scoring"):
        matches, estimate = match_by_scorer(candidates, found, program.definition)
    return Decisions(program, candidates, candidates.query_pairs, matches, estimate)


def named_scorer(decision: Scorer, given: TrainedScorer | None) -> TrainedScorer:
    """The scorer that a program names: the one given, else the shipped one, or one that was shipped earlier.

    Raises
    ------
    UsageError
        If neither has the program's hash.
    """
    from fuzzyjoin.scoring.scorer import earlier_scorer, shipped_scorer  # noqa: PLC0415 - unions do without its kernels

    scorer = given or shipped_scorer()
    if given is None and scorer.hash != decision.hash:
        scorer = earlier_scorer(decision.name, decision.hash) or scorer
    if scorer.hash != decision.hash:
        raise UsageError(
            f"the program decides by the scorer {decision.name!r} ({decision.hash}), but the one "
            f"{'given' if given else 'shipped'} is {scorer.name!r} ({scorer.hash}); give its file as scorer"
        )
    return scorer


def program_configurations(union: Union, own: Mapping[str, AnyJoinFunction]) -> list[tuple[AnyJoinFunction, float]]:
    """The join functions of a union with their thresholds; `own` are the user's by name."""
    return [
        (_function(configuration.join_function, own), configuration.threshold) for configuration in union.configurations
    ]


def reference_warnings(program: Program, reference: KeyTable, *, strict: bool) -> tuple[str, ...]:
    """What the caller should know if this is not the table that the program was learned on; `strict` refuses it."""
    record = program.learning_record
    if record is None:
        return (
            "the program has no learning record, so nobody can tell whether it was learned on this reference table",
        )
    if record.reference.fingerprint == reference.fingerprint():
        return ()
    message = (
        f"the reference table ({reference.rows_in_all} rows) is not the one that the program was learned on "
        f"({record.reference.rows} rows): estimates may be off"
    )
    if strict:
        raise DataError(message, argument="reference", remedy="learn again, or apply without strict")
    return (message,)


def drift_warnings(program: Program, rows: int, joined: int) -> tuple[str, ...]:
    """What the caller should know if another share of the query rows is joined than when the program was learned.

    What decides stays as it is; but where the rows are of another kind, its estimate need not hold.
    """
    record = program.learning_record
    if record is None or rows < DRIFT_ROWS or record.learned_rows < DRIFT_ROWS:
        return ()
    share, learned = joined / rows, record.joined_share
    together = (joined + record.joined) / (rows + record.learned_rows)
    chance = math.sqrt(together * (1.0 - together) * (1.0 / rows + 1.0 / record.learned_rows))
    if abs(share - learned) <= max(DRIFT, DRIFT_BY_CHANCE * chance):
        return ()
    message = (
        f"{share:.0%} of these {rows:,} query rows are joined, but {learned:.0%} were when the program was learned: "
        "they are other kinds of rows, and the estimate may be off; label a sample (fuzzyjoin audit), or learn again"
    )
    return (message,)


def asked_blocking(program: Program, blocker: Blocker | None) -> int | Blocker:
    """The k of the built-in blocker that a program asks for, or the user's blocker that it names.

    Raises
    ------
    UsageError
        If the user's blocker is missing or another.
    """
    asked = program.definition.blocking
    if blocker is not None and blocker.name == asked.method:
        return blocker
    if blocker is not None or asked.k is None:
        given = f"{blocker.name!r}" if blocker else "not given"
        raise UsageError(
            f"the program was learned with the blocker {asked.method!r} but blocker is {given}; give that one"
        )
    return asked.k


def _function(named: JoinFunction | CustomFunctionName, own: Mapping[str, AnyJoinFunction]) -> AnyJoinFunction:
    if isinstance(named, JoinFunction):
        return named
    if named.custom not in own:
        raise UsageError(
            f"the program uses the join function {named.custom!r}, which is not built in; give it in join_functions"
        )
    return own[named.custom]
