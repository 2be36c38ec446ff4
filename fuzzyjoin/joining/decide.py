"""Deciding query rows by a stored definition. The search is not needed and not imported."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.compare import Candidates, JoinFunction, WeightedColumns
from fuzzyjoin.definition import PrecisionEstimate, Scorer
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.joining.union import match_union
from fuzzyjoin.tables import table_pair

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fuzzyjoin.blocking import BlockedPairs, Blocker, CandidatePairs
    from fuzzyjoin.compare import AnyJoinFunction, Matches
    from fuzzyjoin.definition import CustomFunctionName, Definition, LearningRecord, Union
    from fuzzyjoin.joining.pair_decisions import DecidedRows, PairDecisions
    from fuzzyjoin.scoring import BestCandidates, TrainedScorer
    from fuzzyjoin.stopwatch import Stopwatch
    from fuzzyjoin.tables import IdColumn, KeyTable, Table
    from fuzzyjoin.threads import Work

__all__ = [
    "Decisions",
    "asked_blocking",
    "configurations_of",
    "decide",
    "drift_warnings",
    "given_scorer",
    "named_scorer",
    "reference_warnings",
    "tables_to_join",
]

DRIFT_ROWS: Final = 100
"""Query rows below which nothing is said of drift."""

DRIFT: Final = 0.1
DRIFT_BY_CHANCE: Final = 4.0
"""How far the share of joined rows may move: in all, and in standard deviations."""


@dataclass(frozen=True)
class Decisions:
    """What was decided for every query row of two tables, in positions.

    `allowed` are the candidate pairs that the negative rules left, `estimate` the estimated precision of the matches.
    `best` are the best candidates, where a scorer decided. `decided` are the rows that people decided on: `matches` is
    as they say, and `estimate` leaves them out.
    """

    definition: Definition
    candidates: Candidates
    allowed: CandidatePairs
    matches: Matches
    estimate: PrecisionEstimate
    best: BestCandidates | None = None
    decided: DecidedRows | None = None

    @property
    def joined(self) -> int:
        """How many query rows are joined."""
        return int(self.matches.joined.sum())


def tables_to_join(
    definition: Definition,
    record: LearningRecord | None,
    reference: Table,
    query: Table,
    *,
    id_column: IdColumn,
    strict: bool,
    blocker: Blocker | None,
    pairs: BlockedPairs | None,
    work: Work,
) -> tuple[Candidates, tuple[str, ...]]:
    """The tables as a definition looks at them, and what the caller should know; arguments as for `Program.apply`."""
    columns, equal = (
        [(column.reference, column.query) for column in pairs_of] for pairs_of in (definition.columns, definition.equal)
    )
    tables = table_pair(reference, query, columns, id_column, definition.missing, equal)
    compared = definition.candidates_of(tables.reference)
    warnings = reference_warnings(record, compared, strict=strict)
    blocking, built_in = asked_blocking(definition, blocker), definition.built_in_blocker
    if pairs is not None:
        pairs.require_tables(compared, tables.query)
        pairs.require_blocking(built_in, blocking)
    candidates = Candidates(compared, tables.query, blocking, work, definition.rules(), blocker=built_in, found=pairs)
    return candidates, (*warnings, *tables.warnings)


def decide(  # noqa: PLR0917 - what decides, what is decided, and what is at hand
    definition: Definition,
    candidates: Candidates,
    own: Mapping[str, AnyJoinFunction],
    watch: Stopwatch,
    scorer: TrainedScorer | None = None,
    best: BestCandidates | None = None,
    *,
    pair_scores: bool = False,
    people: PairDecisions | None = None,
) -> Decisions:
    """Decide every query row of prepared tables.

    Parameters
    ----------
    definition, candidates
        What decides, and the tables.
    own
        The user's join functions by name.
    watch
        Told the seconds a stage.
    scorer
        The scorer that the definition names, where that is not the shipped one.
    best
        The best candidates of these very rows, if learning found them already.
    pair_scores
        Whether to keep the scores of all candidates, for `candidate_table`.
    people
        What people decided on pairs; their word stands over the program's.
    """
    decided = None if people is None else people.on(candidates.query, candidates.reference)
    decision = definition.decision
    if isinstance(decision, Scorer):
        from fuzzyjoin.scoring import best_of_queries, headline, match_by_scorer  # noqa: PLC0415 - unions do without its kernels

        found = named_scorer(decision, scorer)
        with watch.stage("blocking"):
            _ = candidates.query_pairs
        with watch.stage("scoring"):
            if best is None or pair_scores:
                best = best_of_queries(candidates, definition.weights, found, pair_scores=pair_scores)
            matches, estimate = match_by_scorer(best, definition)
            if decided is not None:
                left = matches.joined & ~decided.mask(matches.joined.size)
                estimate = headline(matches.probability[left], definition.between_task_sd)
                matches = _as_decided(matches, decided)
        return Decisions(definition, candidates, candidates.query_pairs, matches, estimate, best, decided)
    configurations = configurations_of(decision, own)
    with watch.stage("blocking"):
        _ = candidates.query_pairs
    with watch.stage("negative rules"):
        allowed = candidates.allowed_pairs(definition.rules())
        if decided is not None:
            # A union's estimate counts every pair that some configuration joins.
            rows = np.repeat(decided.mask(len(candidates.query)), np.diff(allowed.indptr))
            allowed = allowed.keep(~rows)
    with watch.stage("matching"):
        columns = WeightedColumns(candidates.columns, (definition.weights,))
        matches = match_union(columns, configurations, allowed, candidates)
    estimate = PrecisionEstimate(value=matches.tally.precision_estimate if matches.tally else None)
    if decided is not None:
        matches = _as_decided(matches, decided)
    return Decisions(definition, candidates, allowed, matches, estimate, decided=decided)


def _as_decided(matches: Matches, decided: DecidedRows) -> Matches:
    """The matches with those rows as people decided on them. No figure of a program is said of such a match."""
    rows, pinned = decided.rows, decided.reference >= 0
    joined, reference = matches.joined.copy(), matches.reference.copy()
    joined[rows] = pinned
    reference[rows[pinned]] = decided.reference[pinned]
    configuration, runner_up = matches.configuration.copy(), matches.runner_up.copy()
    configuration[rows] = -1
    runner_up[rows] = -1
    distance, second, probability = (
        values.copy() for values in (matches.distance, matches.runner_up_distance, matches.probability)
    )
    distance[rows[pinned]] = np.nan
    second[rows] = np.inf
    probability[rows[pinned]] = np.nan
    return replace(
        matches,
        joined=joined,
        reference=reference,
        distance=distance,
        configuration=configuration,
        runner_up=runner_up,
        runner_up_distance=second,
        probability=probability,
    )


def given_scorer(path: str | Path | None) -> TrainedScorer | None:
    """The scorer of a file; None stands for the shipped one."""
    if path is None:
        return None
    from fuzzyjoin.scoring import load_scorer  # noqa: PLC0415 - unions do without its kernels

    return load_scorer(path)


def named_scorer(decision: Scorer, given: TrainedScorer | None) -> TrainedScorer:
    """The scorer that a program names: the one given, else the shipped one, or one that was shipped earlier.

    Raises
    ------
    UsageError
        If neither has the program's hash.
    """
    from fuzzyjoin.scoring import earlier_scorer, shipped_scorer  # noqa: PLC0415 - unions do without its kernels

    scorer = given or shipped_scorer()
    if given is None and scorer.hash != decision.hash:
        scorer = earlier_scorer(decision.name, decision.hash) or scorer
    if scorer.hash != decision.hash:
        raise UsageError(
            f"the program decides by the scorer {decision.name!r} ({decision.hash}), but the one "
            f"{'given' if given else 'shipped'} is {scorer.name!r} ({scorer.hash}); give its file as scorer"
        )
    return scorer


def configurations_of(union: Union, own: Mapping[str, AnyJoinFunction]) -> list[tuple[AnyJoinFunction, float]]:
    """The join functions of a union with their thresholds; `own` are the user's by name."""
    return [
        (_function(configuration.join_function, own), configuration.threshold) for configuration in union.configurations
    ]


def reference_warnings(record: LearningRecord | None, reference: KeyTable, *, strict: bool) -> tuple[str, ...]:
    """What the caller should know if this is not the table that the program was learned on; `strict` refuses it."""
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


def drift_warnings(record: LearningRecord | None, rows: int, joined: int) -> tuple[str, ...]:
    """What the caller should know if another share of the query rows is joined than when the program was learned.

    What decides stays as it is; but where the rows are of another kind, its estimate need not hold.
    """
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


def asked_blocking(definition: Definition, blocker: Blocker | None) -> int | Blocker:
    """The k of the built-in blocker that a program asks for, or the user's blocker that it names.

    Raises
    ------
    UsageError
        If the user's blocker is missing or another.
    """
    asked = definition.blocking
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
