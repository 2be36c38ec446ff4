"""Blocking: the candidate reference rows of each row."""

from fuzzyjoin.blocking.blocked_pairs import BlockedPairs
from fuzzyjoin.blocking.candidate_pairs import CandidatePairs, pair_positions, pair_texts
from fuzzyjoin.blocking.equal_groups import EqualGroups
from fuzzyjoin.blocking.inverted_index import GroupedIndex, InvertedIndex
from fuzzyjoin.blocking.near_equal import NearlyEqualRows
from fuzzyjoin.blocking.negative_rules import NegativeRules, learn_rules
from fuzzyjoin.blocking.token_blocking import BLOCKERS, BlockerName, LexicalBlocking, default_k, scorer_k
from fuzzyjoin.blocking.user_blocker import Blocker, block_with

__all__ = [
    "BLOCKERS",
    "BlockedPairs",
    "Blocker",
    "BlockerName",
    "CandidatePairs",
    "EqualGroups",
    "GroupedIndex",
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
