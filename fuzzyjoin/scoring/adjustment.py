"""Adjusting scores to a run: what tells its query rows from its decoys, beyond what the trees have learned elsewhere.

The trees know what tells right matches from wrong ones in the tables that they were trained on. In other tables other
features can count. A run shows what wrong matches look like there, because its decoys have no match; and its own best
candidates are right with the probabilities that were estimated of their scores. A regression on the features, with the
score as an offset and a strong L2 penalty, learns from both what the score leaves out. This is semi-supervised learning
from targets and decoys, as in Käll et al., "Semi-supervised learning for peptide identification" (Nature Methods 2007).

The regression is frozen in the program, so that a row's score depends on the program, the reference table and that row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.compare import FEATURES, sample_rows
from fuzzyjoin.errors import DataError
from fuzzyjoin.scoring.calibration import NO_CANDIDATE
from fuzzyjoin.scoring.logistic import NotConvergedError, fit_logistic

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Float32Array, Float64Array
    from fuzzyjoin.scoring.calibration import RunScores

__all__ = ["INPUTS", "Adjustment", "RunFeatures", "adjusted_run", "learn_adjustment"]

INPUTS: Final = (*FEATURES, "score")
"""What the regression sees of a row's best candidate."""

RIDGE: Final = 300.0
MOST_COUNTED: Final = 300.0
"""Query rows that the run counts as at most beside the ridge: they are not independent."""

MOST_ROWS: Final = 2000
"""Query rows that are looked at, at most."""

FEWEST: Final = 20
"""Query rows, and decoys of each kind, below which scores stay as they are."""

FARTHEST: Final = 3.0
"""Standard deviations from the mean beyond which an input counts no more."""

LEAST_SCALE: Final = 1e-3
LEAST_WRONG: Final = 0.05
"""Share of the query rows that decoys count as at least, however few are estimated to be wrong."""

SUREST: Final = 1e-4
"""Least probability, and least probability of the contrary, that a label has."""

DIGITS: Final = 6


@dataclass(frozen=True)
class RunFeatures:
    """The features of the best candidates whose scores are a run's (see `RunScores`), in the same order.

    Attributes
    ----------
    best, query_decoys, reference_decoys
        (rows, features); what stands in rows without a candidate is not looked at.
    """

    best: Float32Array
    query_decoys: Float32Array
    reference_decoys: Float32Array


@dataclass(frozen=True)
class Adjustment:
    """What is added to the score of a row's best candidate.

    Each of `INPUTS`, less its `mean` and in units of its `scale`, at most 3 of them, counts with its coefficient.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    @classmethod
    def none(cls) -> Adjustment:
        """The one that leaves all scores as they are.

        >>> Adjustment.none().of(np.ones((1, len(FEATURES)), np.float32), np.array([2.0])).tolist()
        [0.0]
        """
        nothing = (0.0,) * len(INPUTS)
        return cls(nothing, (1.0,) * len(INPUTS), nothing, 0.0)

    @classmethod
    def from_json(cls, content: Any) -> Adjustment:  # noqa: ANN401 - whatever a program file holds
        """Read what `as_json` wrote.

        Raises
        ------
        DataError
            If it is anything else.
        """
        try:
            inputs, intercept = content["inputs"], float(content["intercept"])
            same = set(inputs) == set(INPUTS)
            mean, scale, coefficients = (tuple(float(inputs[name][part]) for name in INPUTS if same) for part in _PARTS)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise DataError("the program's calibration holds no adjustment of scores; learn it again") from None
        if not same or not np.isfinite([*mean, *scale, *coefficients, intercept]).all() or min(scale) <= 0.0:
            raise DataError("the program's adjustment of scores is for other features; learn it again")
        return cls(mean, scale, coefficients, intercept)

    def as_json(self) -> dict[str, Any]:
        """Every input by its name, ready for JSON."""
        values = zip(self.mean, self.scale, self.coefficients, strict=True)
        inputs = {name: dict(zip(_PARTS, parts, strict=True)) for name, parts in zip(INPUTS, values, strict=True)}
        return {"inputs": inputs, "intercept": self.intercept}

    def strongest(self, number: int) -> list[str]:
        """The inputs that count most, by the size of their coefficients, at most so many; none if nothing counts."""
        order = np.argsort(-np.abs(self.coefficients), kind="stable")[:number]
        return [INPUTS[place] for place in order.tolist() if self.coefficients[place] != 0.0]

    def of(self, features: Float32Array, scores: Float64Array) -> Float64Array:
        """What is added to these scores, (rows,), 0 in rows without a candidate; `features` is (rows, features)."""
        # Input by input: a row's sum does not depend on the rows beside it.
        total = np.full(scores.size, self.intercept)
        for part in self.parts(features, scores):
            total += part
        return np.where(scores > NO_CANDIDATE, total, 0.0)

    def parts(self, features: Float32Array, scores: Float64Array) -> list[Float64Array]:
        """What each of `INPUTS` adds, (rows,) each."""
        columns = [*features.T, scores]
        return [
            coefficient * np.clip((column.astype(np.float64) - mean) / scale, -FARTHEST, FARTHEST)
            for column, mean, scale, coefficient in zip(columns, self.mean, self.scale, self.coefficients, strict=True)
        ]


_PARTS: Final = ("mean", "scale", "coefficient")


def learn_adjustment(run: RunScores, features: RunFeatures, probability: Float64Array) -> Adjustment:
    """Learn what tells right matches of this run from its decoys.

    `probability` (query rows,) says how likely each best candidate is right by its score alone. Both kinds of decoys
    weigh alike, and together as much as the query rows whose best candidate is estimated to be wrong. Scores stay as
    they are where the regression does not converge.
    """
    found = np.flatnonzero(run.best > NO_CANDIDATE)
    asked = found[sample_rows(found.size, MOST_ROWS)]
    query_decoys = run.query_decoys > NO_CANDIDATE
    reference_decoys = run.reference_decoys > NO_CANDIDATE
    rows, *decoys = asked.size, int(query_decoys.sum()), int(reference_decoys.sum())
    if min(rows, *decoys) < FEWEST:
        return Adjustment.none()
    scores = np.concatenate([run.best[asked], run.query_decoys[query_decoys], run.reference_decoys[reference_decoys]])
    seen = np.concatenate(
        [features.best[asked], features.query_decoys[query_decoys], features.reference_decoys[reference_decoys]]
    )
    inputs = np.column_stack([seen.astype(np.float64), scores])
    mean = inputs[:rows].mean(axis=0).round(DIGITS)
    scale = np.maximum(inputs.std(axis=0), LEAST_SCALE).round(DIGITS)
    standardised = np.clip((inputs - mean) / scale, -FARTHEST, FARTHEST)
    right = np.clip(probability[asked], SUREST, 1.0 - SUREST)
    wrong = max(float((1.0 - right).sum()), LEAST_WRONG * rows)
    weights = np.concatenate([np.ones(rows), *(np.full(number, wrong / len(decoys) / number) for number in decoys)])
    weights *= min(1.0, MOST_COUNTED / rows)
    labels = np.concatenate([right, np.zeros(sum(decoys))])
    try:
        coefficients = fit_logistic(standardised, labels, weights, ridge=RIDGE, offset=scores)[:-1].round(DIGITS)
    except NotConvergedError:
        return Adjustment.none()
    # The regression's intercept tells how many decoys were put in. This one leaves right matches where they were.
    added = (standardised[:rows] * coefficients).sum(axis=1)
    intercept = -float((right * added).sum() / right.sum())
    return Adjustment(
        tuple(mean.tolist()), tuple(scale.tolist()), tuple(coefficients.tolist()), round(intercept, DIGITS)
    )


def adjusted_run(run: RunScores, features: RunFeatures, adjustment: Adjustment) -> RunScores:
    """The run with adjusted scores."""
    return replace(
        run,
        best=run.best + adjustment.of(features.best, run.best),
        query_decoys=run.query_decoys + adjustment.of(features.query_decoys, run.query_decoys),
        reference_decoys=run.reference_decoys + adjustment.of(features.reference_decoys, run.reference_decoys),
    )
