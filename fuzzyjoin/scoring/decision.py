"""Deciding by a scorer: which query rows to join, and how precise that is, by three independent estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.compare import Matches
from fuzzyjoin.definition import REVIEW_PROBABILITY, PrecisionEstimate, Scorer
from fuzzyjoin.figures import apart
from fuzzyjoin.scoring.adjustment import Adjustment, adjusted_run, learn_adjustment
from fuzzyjoin.scoring.calibration import NO_CANDIDATE, QUANTILES, interval
from fuzzyjoin.scoring.densities import at

if TYPE_CHECKING:
    from fuzzyjoin.definition import Definition
    from fuzzyjoin.kernels.types import Float64Array
    from fuzzyjoin.scoring.calibration import Calibrator, RunCurve
    from fuzzyjoin.scoring.scored_run import ScoredRun
    from fuzzyjoin.scoring.scorer import TrainedScorer
    from fuzzyjoin.scoring.scores import BestCandidates

__all__ = ["LearnedDecision", "disagreements", "learn_decision", "match_by_scorer", "scaled", "unscaled"]

LEVEL: Final = 0.9


@dataclass(frozen=True)
class LearnedDecision:
    """A decision by the scorer, with what it needs, how many rows it joins and the estimates of its precision.

    `adjustment` is added to the scores of the trees; `probabilities` are the chances at each of `GRID`,
    `between_task_sd` is the between-task standard deviation of their mean, in log-odds. Of the `estimates` "posterior"
    is the headline; "decoys" and "neighbourhood" are made without it.
    """

    decision: Scorer
    adjustment: Adjustment
    probabilities: tuple[float, ...]
    between_task_sd: float
    joined: int
    estimates: dict[str, PrecisionEstimate]

    @property
    def headline(self) -> PrecisionEstimate:
        """The estimate that decides."""
        return self.estimates["posterior"]


def scaled(scores: Float64Array) -> Float64Array:
    """Scores in (0, 1), in the same order: (1 + s / (1 + |s|)) / 2; plain arithmetic, the same for one row as for many.

    >>> scaled(np.array([-1.0, 0.0, 1.0])).tolist()
    [0.25, 0.5, 0.75]
    """
    return np.asarray(0.5 * (1.0 + scores / (1.0 + np.abs(scores))))


def unscaled(value: float) -> float:
    """The score that `scaled` turns into a value in (0, 1).

    >>> unscaled(0.25), unscaled(0.75)
    (-1.0, 1.0)
    """
    centred = 2.0 * value - 1.0
    return centred / (1.0 - abs(centred))


def learn_decision(
    scored: ScoredRun,
    scorer: TrainedScorer,
    target: float,
    *,
    min_probability: float = 0.0,
    review_probability: float = REVIEW_PROBABILITY,
) -> LearnedDecision:
    """Join the largest set of query rows whose headline estimate meets the target; freeze curve and threshold.

    No row whose own match probability is below `min_probability`, in [0, 1), is in the set. The mean over a set would
    let surely right rows pay for surely wrong ones. `review_probability` changes nothing in the set.
    """
    unadjusted, features = scored.run, scored.features
    first = at(scorer.first_calibrator.curve(unadjusted).probability, unadjusted.best)
    adjustment = learn_adjustment(unadjusted, features, first)
    run = adjusted_run(unadjusted, features, adjustment)
    curve = scorer.calibrator.curve(run)
    probability = at(curve.probability, run.best)
    least = lowest_score(run.best, probability, target, min_probability)
    joined = run.best >= least if least is not None else np.zeros(run.best.size, np.bool_)
    between_task_sd = scorer.calibrator.between_task_sd_of(curve, run.best[joined]) if joined.any() else 0.0
    estimates = {"posterior": headline(probability[joined], between_task_sd)}
    if joined.any():
        if run.reference_decoys.size:
            estimates["decoys"] = by_decoys(curve, run.reference_decoys, joined, float(run.best[joined].min()))
        estimates["neighbourhood"] = by_neighbourhood(scorer.calibrator, scored.best.neighbourhood[joined])
    decision = Scorer(
        name=scorer.name,
        hash=scorer.hash,
        prior=1.0 - curve.share,
        threshold=float(scaled(np.array([least]))[0]) if least is not None else None,
        min_probability=min_probability,
        review_probability=review_probability,
    )
    return LearnedDecision(
        decision, adjustment, tuple(curve.probability.tolist()), between_task_sd, int(joined.sum()), estimates
    )


def match_by_scorer(best: BestCandidates, definition: Definition) -> tuple[Matches, PrecisionEstimate]:
    """Decide every query row by what is frozen, and estimate the precision of the rows that are joined here.

    The trees say which candidate is a row's best. The adjustment belongs to the row: the runner-up's score moves too.
    """
    decision = definition.decision
    if not isinstance(decision, Scorer):
        raise TypeError("a union of configurations is not decided by a scorer")
    found = best.first >= 0
    added = Adjustment.from_json(definition.adjustment).of(best.features, best.score)
    score = best.score + added
    value = scaled(score)
    probability = np.where(found, at(np.array(definition.probabilities), score), 0.0)
    joined = found & (probability >= decision.floor)
    joined &= value >= decision.threshold if decision.threshold is not None else False
    estimate = headline(probability[joined], definition.between_task_sd)
    matches = Matches(
        joined=joined,
        reference=best.first,
        distance=np.where(found, 1.0 - value, np.inf),
        configuration=np.where(found & (decision.threshold is not None), 0, -1).astype(np.int64),
        runner_up=best.second,
        runner_up_distance=np.where(best.second >= 0, 1.0 - scaled(best.second_score + added), np.inf),
        probability=probability,
    )
    return matches, estimate


def lowest_score(
    scores: Float64Array, probability: Float64Array, target: float, min_probability: float = 0.0
) -> float | None:
    """The lowest score of the largest set, best scores first, whose mean probability reaches the target.

    `probability` ascends with the score, and no row of the set has less than `min_probability`. Rows of equal score are
    joined together or not at all. None if no set reaches the target.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    mean = np.cumsum(probability[order]) / np.arange(1.0, order.size + 1.0)
    last_of_its_score = np.append(ranked[1:] != ranked[:-1], True)
    likely = (ranked > NO_CANDIDATE) & (probability[order] >= min_probability)
    reached = np.flatnonzero((mean >= target) & last_of_its_score & likely)
    return float(ranked[reached[-1]]) if reached.size else None


def headline(probability: Float64Array, between_task_sd: float) -> PrecisionEstimate:
    """The mean probability of the joined rows, with an interval that allows for how tasks differ."""
    if probability.size == 0:
        return PrecisionEstimate(calibrated=True)
    # Summed exactly: in whatever order and batches the rows come.
    value = min(max(math.fsum(probability) / probability.size, 0.0), 1.0)
    low, high = interval(value, probability.size, between_task_sd, LEVEL)
    return PrecisionEstimate(value=value, low=low, high=high, level=LEVEL, calibrated=True)


def by_decoys(curve: RunCurve, decoys: Float64Array, joined: np.ndarray, least: float) -> PrecisionEstimate:
    """1 - share of wrong rows · share of reference decoys that score `least` or more · query rows / joined rows.

    This is the target-decoy estimate. Decoy pairs are mutual (each of two near rows joins the other), so they count
    half as much in the interval.
    """
    trials = decoys.size / 2.0
    hits = (float((decoys >= least).sum()) + 1.0) / (decoys.size + 1.0)
    factor = (1.0 - curve.share) * joined.size / float(joined.sum())
    reach = QUANTILES[LEVEL] * np.sqrt(hits * (1.0 - hits) / max(trials, 1.0))
    value, low, high = (
        min(max(1.0 - factor * rate, 0.0), 1.0) for rate in (hits, hits + reach, max(hits - reach, 0.0))
    )
    return PrecisionEstimate(value=value, low=low, high=high, level=LEVEL)


def by_neighbourhood(calibrator: Calibrator, neighbours: Float64Array) -> PrecisionEstimate:
    """The neighbourhood estimate: 1 / (1 + neighbours within twice the distance), on average (paper, section 3.1)."""
    value = float((1.0 / (1.0 + neighbours)).mean())
    low, high = interval(value, neighbours.size, calibrator.neighbourhood_sd, LEVEL)
    return PrecisionEstimate(value=value, low=low, high=high, level=LEVEL)


def disagreements(estimates: dict[str, PrecisionEstimate]) -> tuple[str, ...]:
    """One sentence for every estimate whose interval does not meet the headline's."""
    first = estimates["posterior"]
    sentences = []
    for name, other in estimates.items():
        known = None not in (first.low, first.high, other.low, other.high)
        if name == "posterior" or not known:
            continue
        if other.high < first.low or other.low > first.high:  # type: ignore[operator]
            value, own = apart(other.value, first.value, digits=2)  # type: ignore[arg-type]
            low, own_high = apart(other.low, first.high, digits=2)  # type: ignore[arg-type]
            high, own_low = apart(other.high, first.low, digits=2)  # type: ignore[arg-type]
            side = "lower" if other.value < first.value else "higher"  # type: ignore[operator]
            sentences.append(
                f"the estimates of precision disagree: by {_WORDS[name]} it is {value} "
                f"({low} to {high}), {side} than the headline's {own} "
                f"({own_low} to {own_high})"
            )
    return tuple(sentences)


_WORDS: Final = {"decoys": "decoys", "neighbourhood": "the neighbourhoods of the matches"}
