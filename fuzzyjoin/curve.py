"""How matches and estimated precision would change with stricter and looser thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fuzzyjoin.application import named_scorer, program_candidates, program_configurations
from fuzzyjoin.distances import WeightedColumns
from fuzzyjoin.matching import match_scaled
from fuzzyjoin.program import Union
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocked import BlockedPairs
    from fuzzyjoin.candidates import Candidates
    from fuzzyjoin.program import Program, Scorer
    from fuzzyjoin.tables import IdColumn, Table
    from fuzzyjoin.threads import Progress

__all__ = ["FACTORS", "precision_curve"]

FACTORS: Final = (0.0, 0.25, 0.5, 0.625, 0.75, 0.875, 1.0, 1.125, 1.25, 1.375, 1.5)
"""What the thresholds are multiplied by: from exact matches only to half as far again."""


def precision_curve(
    program: Program,
    reference: Table,
    query: Table,
    *,
    id: IdColumn = None,  # noqa: A002 - the column is called id
    factors: Sequence[float] = FACTORS,
    pairs: BlockedPairs | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Matches and estimated precision for thresholds tighter and looser than the program's.

    Parameters
    ----------
    program
        A program without parts of the user's own.
    reference, query, id, pairs, threads, progress
        As for `Program.apply`.
    factors
        What all thresholds are multiplied by, each 0 or more; 1 is the program as it is. A scorer's threshold is what
        its cut leaves to a perfect score, 1 - cut.

    Returns
    -------
    pandas.DataFrame
        One row a factor: `factor`, `matched` (query rows joined) and `precision_estimate` (in (0, 1], missing where
        nothing is joined). Empty for a program that joins nothing.

    Raises
    ------
    UsageError, DataError
        As for `Program.apply`.

    Examples
    --------
    >>> import pandas as pd, fuzzyjoin
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> program = fuzzyjoin.learn_program(reference, query, on="name", space="small")
    >>> fuzzyjoin.precision_curve(program, reference, query, factors=(0.0, 1.0))["matched"].tolist()
    [0, 2]
    """
    if not program.reachable:
        return pd.DataFrame({"factor": [], "matched": [], "precision_estimate": []})
    candidates, _ = program_candidates(
        program,
        reference,
        query,
        id_column=id,
        strict=False,
        blocker=None,
        pairs=pairs,
        work=choose_work(threads, progress),
    )
    decision = program.definition.decision
    if isinstance(decision, Union):
        found = _union_points(program, decision, candidates, factors)
    else:
        found = _scorer_points(program, decision, candidates, factors)
    return pd.DataFrame(
        {
            "factor": list(factors),
            "matched": [matched for matched, _ in found],
            "precision_estimate": np.array([estimate for _, estimate in found], np.float64),
        }
    )


def _union_points(
    program: Program, union: Union, candidates: Candidates, factors: Sequence[float]
) -> list[tuple[int, float | None]]:
    weights = tuple(column.weight for column in program.columns)
    found = match_scaled(
        WeightedColumns(candidates.columns, (weights,)),
        program_configurations(union, {}),
        factors,
        candidates.allowed_pairs(program.negative_rules),
        candidates,
    )
    return [
        (int(matches.joined.sum()), matches.tally.precision_estimate if matches.tally else None) for matches in found
    ]


def _scorer_points(
    program: Program, decision: Scorer, candidates: Candidates, factors: Sequence[float]
) -> list[tuple[int, float | None]]:
    from fuzzyjoin.scoring.decision import match_by_scorer  # noqa: PLC0415 - unions do without its kernels

    scorer, points = named_scorer(decision, None), []
    for factor in factors:
        cut = max(0.0, 1.0 - factor * (1.0 - (decision.cut or 0.0)))
        scaled = decision.model_copy(update={"cut": cut})
        matches, estimate = match_by_scorer(
            candidates, scorer, program.definition.model_copy(update={"decision": scaled})
        )
        points.append((int(matches.joined.sum()), estimate.value))
    return points
