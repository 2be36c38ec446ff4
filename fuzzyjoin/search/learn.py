"""Learning a program: by the scorer, or by negative rules and a search over columns and configurations."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fuzzyjoin.blocking.token_blocking import default_k, scorer_k
from fuzzyjoin.search.column_selection import select_columns
from fuzzyjoin.compare.distances import prepare_columns
from fuzzyjoin.errors import UsageError
from fuzzyjoin.compare.join_functions import AnyJoinFunction, JoinFunction, Space, resolve_space
from fuzzyjoin.blocking.negative_rules import NegativeRules, learn_rules
from fuzzyjoin.definition.definition import (
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Decision,
    Definition,
    LearningRecord,
    PrecisionEstimate,
    Program,
    QuerySample,
    TableRecord,
    Union,
)
from fuzzyjoin.search.query_sample import SAMPLE_ROWS, drawn_rows
from fuzzyjoin.threads import while_running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fuzzyjoin.blocking.token_blocking import BlockerName
    from fuzzyjoin.compare.candidates import Candidates
    from fuzzyjoin.scoring.scorer import TrainedScorer
    from fuzzyjoin.search.union_search import UnionFound
    from fuzzyjoin.stopwatch import Stopwatch
    from fuzzyjoin.tables.key_table import KeyTable

__all__ = ["LearningSettings", "learn"]

METHODS = ("auto", "autofj")

MIN_PROBABILITY = 0.5
"""Match probability below which a scorer joins no row, unless another is named: such a row is rather wrong."""

DEFAULT_SPACE = "small"
"""The space that autofj searches unless another is named."""

SCORER_SPACE = "scorer"
"""What a learning record says in place of a space where a scorer decides."""


@dataclass(frozen=True)
class LearningSettings:
    """How to learn, checked once.

    Attributes
    ----------
    method
        "auto" or "autofj".
    space_name
        "small", "medium", "large", or "custom" for a dict or list of the user's; "scorer" where a scorer decides.
    functions
        The join functions to search; none where a scorer decides.
    precision_target
        In (0, 1).
    negative_rules
        Whether to learn and apply negative rules.
    min_probability
        Match probability below which no row is joined where a scorer decides, in [0, 1).
    sample_rows
        Query rows to learn on, at most, where a scorer decides; the search takes all.
    sample_seed
        What the sample is drawn by, if the query table has more rows.
    """

    method: str
    space_name: str
    functions: tuple[AnyJoinFunction, ...]
    precision_target: float
    negative_rules: bool
    min_probability: float = 0.0
    sample_rows: int = SAMPLE_ROWS
    sample_seed: int = 0

    @classmethod
    def of(
        cls,
        method: str,
        space: Space | None,
        precision_target: float,
        *,
        negative_rules: bool,
        min_probability: float | None = None,
    ) -> LearningSettings:
        """Check the caller's arguments; no `min_probability` stands for `MIN_PROBABILITY`.

        Raises
        ------
        UsageError
            If an argument is out of range or unknown.
        """
        if method not in METHODS:
            raise UsageError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
        if not 0.0 < precision_target < 1.0:
            raise UsageError(f"precision_target is {precision_target}; expected a share between 0 and 1, such as 0.9")
        if min_probability is not None and not 0.0 <= min_probability < 1.0:
            raise UsageError(
                f"min_probability is {min_probability}; expected a probability of at least 0 and below 1, such as 0.5"
            )
        if method == "auto" and space is None:
            least = MIN_PROBABILITY if min_probability is None else float(min_probability)
            return cls(method, SCORER_SPACE, (), precision_target, negative_rules=False, min_probability=least)
        if min_probability is not None:
            raise UsageError(
                f"min_probability is {min_probability}, but a union of configurations decides, whose number for a match"
                " is 1 / (1 + neighbours) and no match probability; leave min_probability out, or ask for method auto "
                "without a space"
            )
        space = DEFAULT_SPACE if space is None else space
        name = space if isinstance(space, str) else "custom"
        return cls(method, name, resolve_space(space), precision_target, negative_rules)

    def blocking(self, reference_rows: int) -> tuple[BlockerName, int]:
        """The built-in blocker that goes with the settings, and how many candidates a row it keeps."""
        if self.by_scorer:
            return "cosine", scorer_k(reference_rows)
        return "lexical", default_k(reference_rows)

    @property
    def by_scorer(self) -> bool:
        """Whether a scorer decides; else a union of configurations is searched."""
        return self.space_name == SCORER_SPACE


def learn(
    candidates: Candidates, settings: LearningSettings, watch: Stopwatch, scorer: TrainedScorer | None = None
) -> Program:
    """Learn a program on two tables; if the target is out of reach it joins nothing.

    `scorer` decides where the settings ask for one; by default the shipped scorer does.
    """
    if settings.by_scorer:
        from fuzzyjoin.scoring.scorer import shipped_scorer  # noqa: PLC0415 - the search does without its kernels

        return learn_by_scorer(candidates, settings, watch, scorer or shipped_scorer())
    return learn_by_search(candidates, settings, watch)


def learn_by_scorer(
    candidates: Candidates, settings: LearningSettings, watch: Stopwatch, scorer: TrainedScorer
) -> Program:
    """Let a scorer decide, with adjustment, prior, probabilities and cut learned on these tables.

    Of a long query table a sample is asked. Blocking and token weights are those of the whole reference table, so that
    a score means the same when the program is applied.
    """
    from fuzzyjoin.scoring.decision import disagreements, learn_decision  # noqa: PLC0415 - as above

    asked, sample = candidates, None
    if len(candidates.query) > settings.sample_rows:
        sample = QuerySample(rows=settings.sample_rows, seed=settings.sample_seed)
        asked = candidates.of_queries(drawn_rows(candidates.query, sample.rows, sample.seed))
    with watch.stage("blocking"):
        _ = asked.query_pairs
    with watch.stage("scoring"):
        learned = learn_decision(
            asked,
            scorer,
            settings.precision_target,
            min_probability=settings.min_probability,
            joined_next=sample is None,
        )
    return Program(
        definition=_definition(
            candidates,
            NegativeRules(()),
            learned.weights,
            learned.decision,
            {
                "adjustment": learned.adjustment.as_json(),
                "probabilities": list(learned.probabilities),
                "spread": learned.spread,
            },
        ),
        learning_record=_record(
            candidates,
            settings,
            learned.headline,
            learned.joined,
            estimates=learned.estimates,
            warnings=disagreements(learned.estimates),
            query_sample=sample,
        ),
    )


def learn_by_search(candidates: Candidates, settings: LearningSettings, watch: Stopwatch) -> Program:
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
    return Program(
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
    blocking = candidates.blocking
    equal_rows: Literal["separate", "merged"] = "separate" if candidates.reference.equal is None else "merged"
    return Definition(
        columns=tuple(Column(reference=left, query=right, weight=weight) for left, right, weight in names),
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
        warnings=warnings,
        joined=joined,
        reference=_table_record(candidates.reference),
        query=_table_record(candidates.query),
        query_sample=query_sample,
        versions=_versions(),
    )


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
    packages = ("fuzzyjoin", "numba", "numpy", "pandas", "pystemmer", "rapidfuzz")
    return {"machine": platform.machine(), "python": platform.python_version()} | {
        package: version(package) for package in packages
    }
