"""Why a scorer prefers one candidate and joins it, or does not, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.compare import FEATURES, FeatureTables
from fuzzyjoin.figures import apart, rounded_down
from fuzzyjoin.scoring.adjustment import INPUTS, Adjustment
from fuzzyjoin.scoring.decision import scaled, unscaled
from fuzzyjoin.scoring.densities import at
from fuzzyjoin.terminal import cell_for_terminal as cell

if TYPE_CHECKING:
    from fuzzyjoin.compare import Candidates
    from fuzzyjoin.definition import Definition, Scorer
    from fuzzyjoin.kernels.types import Float32Array, Float64Array, Int64Array
    from fuzzyjoin.scoring.scorer import TrainedScorer

__all__ = ["ScoredRow", "reasons", "score_row"]

DIGITS: Final = 4
"""Of a score in (0, 1), at least."""

SHOWN: Final = 6
SHOWN_OF_RIVAL: Final = 4
SHOWN_OF_ADJUSTMENT: Final = 3


@dataclass(frozen=True)
class ScoredRow:
    """The candidates of one query row, best first.

    Attributes
    ----------
    references
        Positions of the candidates.
    scores
        Their scores (log-odds before calibration), adjusted.
    features
        (candidates, features).
    contributions
        What each feature adds to each score by the trees, (candidates, features + 1); the last is the mean score.
    adjustment
        What each of `INPUTS` of the best candidate adds to all scores of the row, and, last, the intercept.
    """

    references: Int64Array
    scores: Float64Array
    features: Float32Array
    contributions: Float64Array
    adjustment: Float64Array


def score_row(candidates: Candidates, scorer: TrainedScorer, definition: Definition) -> ScoredRow:
    """Score the candidates of the only row of the query table."""
    pairs = candidates.query_pairs
    weights = tuple(column.weight for column in definition.columns)
    features = FeatureTables(candidates, weights).features(pairs, np.zeros(1, np.int64))
    scores = scorer.trees.scores(features)
    order = np.argsort(-scores, kind="stable")
    best, adjustment = order[:1], Adjustment.from_json(definition.adjustment)
    parts = [*adjustment.parts(features[best], scores[best]), np.full(best.size, adjustment.intercept)]
    return ScoredRow(
        references=pairs.reference[order].astype(np.int64),
        scores=scores[order] + (adjustment.of(features[best], scores[best]) if best.size else 0.0),
        features=features[order],
        contributions=scorer.trees.contributions(features[order]),
        adjustment=np.concatenate(parts),
    )


def reasons(row: ScoredRow, decision: Scorer, probabilities: tuple[float, ...], candidates: Candidates) -> list[str]:
    """What spoke for the best candidate, why the runner-up lost, and which threshold would have decided otherwise."""
    query = cell(candidates.query.texts(np.zeros(1, np.int64))[0])
    name = cell(candidates.query.ids[0])
    if row.references.size == 0:
        return [f"Query {name} ({query}) is not joined: no candidate shares anything that tells reference rows apart."]
    values = scaled(row.scores)
    chances = at(np.array(probabilities), row.scores)
    likely = chances[0] >= decision.floor
    joined = likely and decision.threshold is not None and values[0] >= decision.threshold
    chance, least = apart(chances[0], decision.floor, digits=3)
    score, *others = apart(*values[:2], *([] if decision.threshold is None else [decision.threshold]), digits=DIGITS)
    needed, log_odds = "the program joins nothing", f"{row.scores[0]:.2f}"
    if decision.threshold is not None:
        log_odds, threshold_odds = apart(row.scores[0], unscaled(decision.threshold), digits=2)
        needed = f"{others[-1]} or higher joins (log-odds {threshold_odds})"
    lines = [
        f"Query {name} ({query}) is {'' if joined else 'not '}joined to reference {_named(candidates, row, 0)}.",
        f"Score {score}; {needed}. Match probability {chance}.",
        f"What the score is made of (sum {log_odds}, in log-odds before calibration):",
        *_contributions(row.contributions[0, :-1], row.features[0]),
        f"  {row.contributions[0, -1]:+.2f}  average score of a candidate",
        *_adjustment(row.adjustment),
    ]
    enough = rounded_down(values[0], digits=DIGITS)
    if not likely:
        lines.append(f"A row needs a match probability of at least {least}, whatever its score.")
        probability = rounded_down(chances[0], digits=3)
        lines.append(
            f"It would join at a least match probability of {probability} and a decision threshold of {enough}."
        )
    elif not joined:
        lines.append(f"It would join at a decision threshold of {enough}.")
    elif decision.threshold is not None:
        lines.append(f"It joins at any decision threshold up to {enough}.")
    if row.references.size == 1:
        return [*lines, "There is no other candidate."]
    lower = f"{values[0] - values[1]:.{len(score) - 2}f} lower" if values[0] > values[1] else "just as high"
    lines.append(f"Runner-up: reference {_named(candidates, row, 1)}, score {others[0]}, {lower}.")
    lines.append("Where it fell behind:")
    difference = row.contributions[0, :-1] - row.contributions[1, :-1]
    return lines + [
        f"  {difference[place]:+.2f}  {FEATURES[place]}: {row.features[1, place]:.3g} "
        f"instead of {row.features[0, place]:.3g}"
        for place in _largest(difference, SHOWN_OF_RIVAL)
    ]


def _named(candidates: Candidates, row: ScoredRow, place: int) -> str:
    position = row.references[place : place + 1]
    return f"{cell(candidates.reference.ids[position[0]])} ({cell(candidates.reference.texts(position)[0])})"


def _contributions(contributions: Float64Array, features: Float32Array) -> list[str]:
    shown = _largest(contributions, SHOWN)
    lines = [f"  {contributions[place]:+.2f}  {FEATURES[place]}: {features[place]:.3g}" for place in shown]
    rest = float(contributions.sum() - contributions[shown].sum())
    return [*lines, f"  {rest:+.2f}  all other features"]


def _adjustment(parts: Float64Array) -> list[str]:
    """The adjustment that was learned on the program's tables; nothing if there is none."""
    if not parts.any():
        return []
    shown = [f"{parts[place]:+.2f} {INPUTS[place]}" for place in _largest(parts[:-1], SHOWN_OF_ADJUSTMENT)]
    return [f"  {parts.sum():+.2f}  adjustment learned on these tables, mostly {'; '.join(shown)}"]


def _largest(values: Float64Array, number: int) -> list[int]:
    order: list[int] = np.argsort(-np.abs(values), kind="stable")[:number].tolist()
    return order
