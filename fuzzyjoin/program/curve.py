"""How matches and estimated precision would change with stricter and looser thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fuzzyjoin.compare import Tally, WeightedColumns
from fuzzyjoin.definition import Union
from fuzzyjoin.joining import configurations_of, match_scaled, named_scorer, tables_to_join
from fuzzyjoin.threads import choose_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import BlockedPairs
    from fuzzyjoin.compare import Candidates
    from fuzzyjoin.definition import Scorer
    from fuzzyjoin.program.program import Program
    from fuzzyjoin.tables import IdColumn, Table
    from fuzzyjoin.threads import Progress

__all__ = ["FACTORS", "CurvePoint", "curve_frame", "curve_points", "precision_curve"]

FACTORS: Final = (0.0, 0.25, 0.5, 0.625, 0.75, 0.875, 1.0, 1.125, 1.25, 1.375, 1.5)
"""What the thresholds are multiplied by: from exact matches only to half as far again."""

PROBABILITY_UNITS: Final = 2.0**106
"""Units in which a scorer's probabilities are added up as whole numbers: down to 2^-53 they hold every one exactly."""


@dataclass(frozen=True)
class CurvePoint:
    """What one set of thresholds finds among some query rows; the points of batches of rows add up.

    Attributes
    ----------
    matched
        Query rows joined.
    mass, pairs
        What the estimate of precision is made of, a union's as in `Tally`; of a scorer the sum of the joined rows'
        probabilities, in units of 1 / `PROBABILITY_UNITS`, and their number.
    """

    matched: int
    mass: int
    pairs: int

    def __add__(self, other: CurvePoint) -> CurvePoint:
        return CurvePoint(self.matched + other.matched, self.mass + other.mass, self.pairs + other.pairs)


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
        What all thresholds are multiplied by, each 0 or more; 1 is the program as it is. A scorer's
        threshold is multiplied as the distance to a perfect score, 1 - threshold; above 1 the least match probability
        does not count.

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
        return curve_frame(program, [], factors)
    candidates, _ = tables_to_join(
        program.definition,
        program.learning_record,
        reference,
        query,
        id_column=id,
        strict=False,
        blocker=None,
        pairs=pairs,
        work=choose_work(threads, progress),
    )
    return curve_frame(program, [curve_points(program, candidates, factors)], factors)


def curve_points(
    program: Program, candidates: Candidates, factors: Sequence[float] = FACTORS
) -> tuple[CurvePoint, ...]:
    """One point a factor for the query rows of some candidates; none for a program that joins nothing."""
    if not program.reachable:
        return ()
    decision = program.definition.decision
    if isinstance(decision, Union):
        return _union_points(program, decision, candidates, factors)
    return _scorer_points(program, decision, candidates, factors)


def curve_frame(
    program: Program, batches: Sequence[Sequence[CurvePoint]], factors: Sequence[float] = FACTORS
) -> pd.DataFrame:
    """The curve of all batches together, as `precision_curve` gives it for a whole table."""
    if not program.reachable:
        return pd.DataFrame({"factor": [], "matched": [], "precision_estimate": []})
    by_union = isinstance(program.definition.decision, Union)
    points = [sum(column[1:], column[0]) for column in zip(*batches, strict=True)]
    return pd.DataFrame(
        {
            "factor": list(factors),
            "matched": [point.matched for point in points],
            "precision_estimate": np.array([_estimate(point, by_union=by_union) for point in points], np.float64),
        }
    )


def _estimate(point: CurvePoint, *, by_union: bool) -> float | None:
    if by_union:
        return Tally(point.mass, point.pairs).precision_estimate
    return min(point.mass / int(PROBABILITY_UNITS) / point.pairs, 1.0) if point.pairs else None


def _union_points(
    program: Program, union: Union, candidates: Candidates, factors: Sequence[float]
) -> tuple[CurvePoint, ...]:
    found = match_scaled(
        WeightedColumns(candidates.columns, (program.definition.weights,)),
        configurations_of(union, {}),
        factors,
        candidates.allowed_pairs(program.negative_rules),
        candidates,
    )
    tallies = [(int(matches.joined.sum()), matches.tally or Tally(0, 0)) for matches in found]
    return tuple(CurvePoint(matched, tally.mass, tally.pairs) for matched, tally in tallies)


def _scorer_points(
    program: Program, decision: Scorer, candidates: Candidates, factors: Sequence[float]
) -> tuple[CurvePoint, ...]:
    from fuzzyjoin.scoring import best_of_queries, match_by_scorer  # noqa: PLC0415 - unions do without its kernels

    best, points = best_of_queries(candidates, program.definition.weights, named_scorer(decision, None)), []
    for factor in factors:
        threshold = max(0.0, 1.0 - factor * (1.0 - (decision.threshold or 0.0)))
        # Without the least probability, a looser threshold shows what it keeps out; a tighter one keeps out more.
        scaled = decision.model_copy(update={"threshold": threshold, "min_probability": None})
        matches, _ = match_by_scorer(best, program.definition.model_copy(update={"decision": scaled}))
        joined = matches.probability[matches.joined]
        mass = sum(map(int, (joined * PROBABILITY_UNITS).tolist()))
        points.append(CurvePoint(joined.size, mass, joined.size))
    return tuple(points)
