"""Learning a program: by the scorer, or by negative rules and a search over columns and configurations."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from fuzzyjoin.blocking import NegativeRules, learn_rules
from fuzzyjoin.compare import AnyJoinFunction, JoinFunction, prepare_columns
from fuzzyjoin.definition import (
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Decision,
    Definition,
    Equal,
    LearningRecord,
    PrecisionEstimate,
    QuerySample,
    TableRecord,
    Union,
)
from fuzzyjoin.distribution import DISTRIBUTION
from fuzzyjoin.search.column_selection import select_columns
from fuzzyjoin.search.query_sample import drawn_rows
from fuzzyjoin.threads import while_running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fuzzyjoin.blocking import BlockedPairs
    from fuzzyjoin.compare import Candidates
    from fuzzyjoin.scoring import BestCandidates, ScoredRun, TrainedScorer
    from fuzzyjoin.search.settings import LearningSettings
    from fuzzyjoin.search.union_search import UnionFound
    from fuzzyjoin.stopwatch import Stopwatch
    from fuzzyjoin.tables import KeyTable

__all__ = ["Learned", "learn", "learn_from_run", "rows_to_learn_on"]


MOST_ALONE: Final = 0.5
"""Share of the reference rows with no other row of equal value above which an estimate is doubtful."""


@dataclass(frozen=True)
class Learned:
    """What learning found.

    Attributes
    ----------
    definition, learning_record
        What decides, and what is known of how it was learned.
    best
        The best candidates of all query rows, where a scorer looked at them: joining the same rows starts from these.
    """

    definition: Definition
    learning_record: LearningRecord
    best: BestCandidates | None = None


def learn(
    candidates: Candidates,
    settings: LearningSettings,
    watch: Stopwatch,
    scorer: TrainedScorer | None = None,
    *,
    pairs: BlockedPairs | None = None,
) -> Learned:
    """Learn a definition on two tables; if the target is out of reach it joins nothing.

    Parameters
    ----------
    candidates
        Of the whole tables.
    settings
        How to learn.
    watch
        Told the seconds a stage.
    scorer
        Decides where the settings ask for one; by default the shipped scorer does.
    pairs
        Those of the rows to learn on, if they were found before (see `block_to_learn`).

    Raises
    ------
    UsageError
        If the pairs are of other rows, or of another blocking.
    DataError
        If the pairs name rows that are not there.
    """
    asked, sample = rows_to_learn_on(candidates, settings)
    if pairs is not None:
        pairs.require_tables(asked.reference, asked.query)
        pairs.require_blocking(asked.blocker, asked.blocking)
        asked = replace(asked, found=pairs)
    if not settings.by_scorer:
        return learn_by_search(asked, settings, watch)
    from fuzzyjoin.scoring import score_run, shipped_scorer  # noqa: PLC0415 - the search does without its kernels

    scorer = scorer or shipped_scorer()
    with watch.stage("blocking"):
        _ = asked.query_pairs
    with watch.stage("scoring"):
        scored = score_run(asked, scorer, runner_up=sample is None)
        return learn_from_run(scored, candidates, settings, scorer, sample)


def rows_to_learn_on(candidates: Candidates, settings: LearningSettings) -> tuple[Candidates, QuerySample | None]:
    """The candidates of the query rows to learn on: of a long table that a scorer learns on, a sample."""
    rows = settings.rows_learned_on(len(candidates.query))
    if rows == len(candidates.query):
        return candidates, None
    sample = QuerySample(rows=rows, seed=settings.sample_seed)
    return candidates.of_queries(drawn_rows(candidates.query, sample.rows, sample.seed)), sample


def learn_from_run(
    scored: ScoredRun,
    candidates: Candidates,
    settings: LearningSettings,
    scorer: TrainedScorer,
    sample: QuerySample | None = None,
) -> Learned:
    """Learn from query rows that are scored: all of the candidates', or a sample of them.

    Blocking and token weights are those of the whole reference table, so that a score means the same when the program
    is applied.
    """
    from fuzzyjoin.scoring import disagreements, learn_decision  # noqa: PLC0415 - as above

    learned = learn_decision(
        scored,
        scorer,
        settings.precision_target,
        min_probability=settings.min_probability,
        review_probability=settings.review_probability,
    )
    calibration = {
        "adjustment": learned.adjustment.as_json(),
        "probabilities": list(learned.probabilities),
        "between_task_sd": learned.between_task_sd,
    }
    return Learned(
        definition=_definition(candidates, NegativeRules(()), scored.weights, learned.decision, calibration),
        learning_record=_record(
            candidates,
            settings,
            learned.headline,
            learned.joined,
            estimates=learned.estimates,
            warnings=disagreements(learned.estimates),
            query_sample=sample,
        ),
        best=scored.best if sample is None else None,
    )


def learn_by_search(candidates: Candidates, settings: LearningSettings, watch: Stopwatch) -> Learned:
    """Search the union of configurations that joins most at the target (paper, sections 3 and 4)."""
    with watch.stage("blocking"):
        query_pairs = candidates.query_pairs
        # Blocking the reference holds no lock of the interpreter, so text is made ready for the search meanwhile.
        reference_pairs = while_running(
            lambda: candidates.reference_pairs,
            lambda: prepare_columns(candidates.columns, settings.functions),
            candidates.work,
        )
    rules = NegativeRules(())
    if settings.negative_rules:
        with watch.stage("negative rules"):
            rules = learn_rules(reference_pairs, candidates.index.words)
            query_pairs = candidates.allowed_pairs(rules)
    with watch.stage("search"):
        weights, union = select_columns(
            candidates.columns,
            settings.functions,
            query_pairs,
            reference_pairs,
            precision_target=settings.precision_target,
            work=candidates.work,
        )
    estimate = PrecisionEstimate(value=union.precision_estimate if union else None)
    return Learned(
        definition=_definition(candidates, rules, weights, _union(settings.functions, union)),
        learning_record=_record(candidates, settings, estimate, union.joined if union else 0),
    )


def _union(functions: Sequence[AnyJoinFunction], found: UnionFound | None) -> Union:
    return Union(
        configurations=tuple(
            Configuration(join_function=_named(functions[place]), threshold=threshold)
            for place, threshold in (found.configurations if found else ())
        )
    )


def _definition(
    candidates: Candidates,
    rules: NegativeRules,
    weights: Sequence[float],
    decision: Decision,
    calibration: dict[str, Any] | None = None,
) -> Definition:
    names = zip(candidates.reference.column_names, candidates.query.column_names, weights, strict=True)
    must_equal = zip(candidates.reference.rule_names, candidates.query.rule_names, strict=True)
    blocking = candidates.blocking
    equal_rows: Literal["separate", "merged"] = "separate" if candidates.reference.equal is None else "merged"
    return Definition(
        columns=tuple(Column(reference=left, query=right, weight=weight) for left, right, weight in names),
        equal=tuple(Equal(reference=left, query=right) for left, right in must_equal),
        blocking=Blocking(method=candidates.blocker, k=blocking, equal_rows=equal_rows)
        if isinstance(blocking, int)
        else Blocking(method=blocking.name, equal_rows=equal_rows),
        negative_rules=rules.pairs,
        decision=decision,
        calibration=calibration,
    )


def _named(function: AnyJoinFunction) -> JoinFunction | CustomFunctionName:
    return function if isinstance(function, JoinFunction) else CustomFunctionName(custom=function.name)


def _record(
    candidates: Candidates,
    settings: LearningSettings,
    estimate: PrecisionEstimate,
    joined: int,
    *,
    estimates: Mapping[str, PrecisionEstimate] | None = None,
    warnings: tuple[str, ...] = (),
    query_sample: QuerySample | None = None,
) -> LearningRecord:
    return LearningRecord(
        method=settings.method,
        space=settings.space_name,
        join_functions=len(settings.functions),
        precision_target=settings.precision_target,
        precision_estimate=estimate,
        estimates=dict(estimates or {}),
        warnings=(*warnings, *_few_rivals(candidates)),
        joined=joined,
        reference=_table_record(candidates.reference),
        query=_table_record(candidates.query),
        query_sample=query_sample,
        versions=_versions(),
    )


def _few_rivals(candidates: Candidates) -> tuple[str, ...]:
    """What the user should know if most reference rows are alone with the values that must be equal."""
    rows, names = len(candidates.reference), " and ".join(candidates.reference.rule_names)
    alone = rows - candidates.rows_with_others[1].size
    if alone <= MOST_ALONE * rows:
        return ()
    message = (
        f"{alone:,} of {rows:,} different reference rows have no other row of the same {names}: little shows how near "
        "wrong matches come, and the precision can be lower than estimated; label a sample (fuzzyjoin audit)"
    )
    return (message,)


def _table_record(table: KeyTable) -> TableRecord:
    fingerprint, table = table.fingerprint(), table.whole()
    rows = len(table)
    return TableRecord(
        fingerprint=fingerprint,
        rows=rows,
        distinct_keys=table.distinct_keys(),
        filled=tuple(sum(map(bool, column)) / rows for column in table.columns),
        median_length=tuple(float(np.median([len(value) for value in column])) for column in table.columns),
    )


def _versions() -> dict[str, str]:
    """Versions that can change a result; the processor's architecture is one of them."""
    packages = ("numba", "numpy", "pandas", "pystemmer", "rapidfuzz")
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "fuzzyjoin": version(DISTRIBUTION),
    } | {package: version(package) for package in packages}
