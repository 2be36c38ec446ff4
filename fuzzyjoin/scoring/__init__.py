"""Scoring: features of candidates, the trained scorer, its calibration."""

from fuzzyjoin.scoring.adjustment import Adjustment
from fuzzyjoin.scoring.calibration import interval
from fuzzyjoin.scoring.candidate_probabilities import CandidateProbabilities, candidate_probabilities
from fuzzyjoin.scoring.decision import LEVEL, disagreements, headline, learn_decision, match_by_scorer
from fuzzyjoin.scoring.reasons import reasons, score_row
from fuzzyjoin.scoring.scored_run import ScoredRun, best_of_queries, score_run
from fuzzyjoin.scoring.scorer import TrainedScorer, earlier_scorer, load_scorer, shipped_scorer
from fuzzyjoin.scoring.scores import BestCandidates

__all__ = [
    "LEVEL",
    "Adjustment",
    "BestCandidates",
    "CandidateProbabilities",
    "ScoredRun",
    "TrainedScorer",
    "best_of_queries",
    "candidate_probabilities",
    "disagreements",
    "earlier_scorer",
    "headline",
    "interval",
    "learn_decision",
    "load_scorer",
    "match_by_scorer",
    "reasons",
    "score_row",
    "score_run",
    "shipped_scorer",
]
