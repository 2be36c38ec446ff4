"""A scored run: the query rows of two tables and their decoys, scored. It depends on no precision target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.compare import FeatureTables, column_weights
from fuzzyjoin.scoring.scores import best_candidates, run_with_decoys

if TYPE_CHECKING:
    from fuzzyjoin.compare import Candidates
    from fuzzyjoin.scoring.adjustment import RunFeatures
    from fuzzyjoin.scoring.calibration import RunScores
    from fuzzyjoin.scoring.scorer import TrainedScorer
    from fuzzyjoin.scoring.scores import BestCandidates

__all__ = ["ScoredRun", "best_of_queries", "score_run"]


@dataclass(frozen=True)
class ScoredRun:
    """What a decision is learned from.

    Attributes
    ----------
    weights
        Of the columns (see `column_weights`).
    best
        The best candidates of the query rows.
    run, features
        Their scores and those of decoys, and the features of all these candidates.
    """

    weights: tuple[float, ...]
    best: BestCandidates
    run: RunScores
    features: RunFeatures


def score_run(candidates: Candidates, scorer: TrainedScorer, *, runner_up: bool = True) -> ScoredRun:
    """Score the query rows and the decoys.

    Runners-up take longer to find; rows that will not be joined next need none.
    """
    weights = column_weights(candidates)
    tables = FeatureTables(candidates, weights)
    rows = np.arange(len(candidates.query), dtype=np.int64)
    best = best_candidates(tables, scorer, candidates.query_pairs, rows, runner_up=runner_up)
    return ScoredRun(weights, best, *run_with_decoys(tables, scorer, best))


def best_of_queries(
    candidates: Candidates, weights: tuple[float, ...], scorer: TrainedScorer, *, pair_scores: bool = False
) -> BestCandidates:
    """The best candidates of every query row, and the runners-up; with the scores of all candidates if asked."""
    rows = np.arange(len(candidates.query), dtype=np.int64)
    tables = FeatureTables(candidates, weights)
    return best_candidates(tables, scorer, candidates.query_pairs, rows, pair_scores=pair_scores)
