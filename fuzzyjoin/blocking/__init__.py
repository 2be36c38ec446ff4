"""Blocking: the candidate reference rows of each row."""

from fuzzyjoin.blocking.blocked_pairs import BlockedPairs
from fuzzyjoin.blocking.candidate_pairs import CandidatePairs, pair_positions, pair_texts
from fuzzyjoin.blocking.near_equal import NearlyEqualRows
from fuzzyjoin.blocking.negative_rules import NegativeRules, learn_rules
from fuzzyjoin.blocking.token_blocking import BLOCKERS, BlockerName, InvertedIndex, LexicalBlocking, default_k, scorer_k
from fuzzyjoin.blocking.user_blocker import Blocker, block_with

__all__ = [
    "BLOCKERS",
    "BlockedPairs",
    "Blocker",
    "BlockerName",
    "CandidatePairs",
    "InvertedIndex",
    "LexicalBlocking",
    "NearlyEqualRows",
    "NegativeRules",
    "block_with",
    "default_k",
    "learn_rules",
    "pair_positions",
    "pair_texts",
    "scorer_k",
]
