"""Learning a program: blocking, negative rules, then the search over columns and configurations."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.columns import select_columns
from fuzzyjoin.distances import prepare_columns
from fuzzyjoin.errors import UsageError
from fuzzyjoin.join_functions import AnyJoinFunction, JoinFunction, Space, resolve_space
from fuzzyjoin.negative_rules import NegativeRules, learn_rules
from fuzzyjoin.program import (
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Definition,
    LearningRecord,
    PrecisionEstimate,
    Program,
    TableRecord,
    Union,
)
from fuzzyjoin.threads import while_running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.candidates import Candidates
    from fuzzyjoin.search import UnionFound
    from fuzzyjoin.stopwatch import Stopwatch
    from fuzzyjoin.tables import KeyTable

__all__ = ["LearningSettings", "learn"]

DEFAULT_SPACES = {"auto": "large", "autofj": "small"}
"""Methods with the space each searches unless another is named; auto is what measures best (benchmarks.autofj50)."""


@dataclass(frozen=True)
class LearningSettings:
    """How to learn, checked once.

    Attributes
    ----------
    method
        "auto" or "autofj".
    space_name
        "small", "medium", "large", or "custom" for a dict or list of the user's.
    functions
        The join functions to search.
    precision_target
        In (0, 1).
    negative_rules
        Whether to learn and apply negative rules.
    """

    method: str
    space_name: str
    functions: tuple[AnyJoinFunction, ...]
    precision_target: float
    negative_rules: bool

    @classmethod
    def of(cls, method: str, space: Space | None, precision_target: float, *, negative_rules: bool) -> LearningSettings:
        """Check the caller's arguments.

        Raises
        ------
        UsageError
            If an argument is out of range or unknown.
        """
        if method not in DEFAULT_SPACES:
            raise UsageError(f"method is {method!r}; expected one of {', '.join(DEFAULT_SPACES)}")
        if not 0.0 < precision_target < 1.0:
            raise UsageError(f"precision_target is {precision_target}; expected a share between 0 and 1, such as 0.9")
        space = DEFAULT_SPACES[method] if space is None else space
        name = space if isinstance(space, str) else "custom"
        return cls(method, name, resolve_space(space), precision_target, negative_rules)


def learn(candidates: Candidates, settings: LearningSettings, watch: Stopwatch) -> Program:
    """Learn a program on two tables (paper, sections 3 and 4). If the target is out of reach it joins nothing."""
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
    return Program(
        definition=_definition(candidates, settings.functions, rules, weights, union),
        learning_record=_record(candidates, settings, union),
    )


def _definition(
    candidates: Candidates,
    functions: Sequence[AnyJoinFunction],
    rules: NegativeRules,
    weights: Sequence[float],
    union: UnionFound | None,
) -> Definition:
    names = zip(candidates.reference.column_names, candidates.query.column_names, weights, strict=True)
    blocking = candidates.blocking
    return Definition(
        columns=tuple(Column(reference=left, query=right, weight=weight) for left, right, weight in names),
        blocking=Blocking(k=blocking) if isinstance(blocking, int) else Blocking(method=blocking.name),
        negative_rules=rules.pairs,
        decision=Union(
            configurations=tuple(
                Configuration(join_function=_named(functions[place]), threshold=threshold)
                for place, threshold in (union.configurations if union else ())
            )
        ),
    )


def _named(function: AnyJoinFunction) -> JoinFunction | CustomFunctionName:
    return function if isinstance(function, JoinFunction) else CustomFunctionName(custom=function.name)


def _record(candidates: Candidates, settings: LearningSettings, union: UnionFound | None) -> LearningRecord:
    return LearningRecord(
        method=settings.method,
        space=settings.space_name,
        join_functions=len(settings.functions),
        precision_target=settings.precision_target,
        precision_estimate=PrecisionEstimate(value=union.precision_estimate if union else None),
        joined=union.joined if union else 0,
        reference=_table_record(candidates.reference),
        query=_table_record(candidates.query),
        versions=_versions(),
    )


def _table_record(table: KeyTable) -> TableRecord:
    rows = len(table)
    return TableRecord(
        fingerprint=table.fingerprint(),
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
