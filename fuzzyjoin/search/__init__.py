"""Program search: learning a definition from two tables without labels."""

from fuzzyjoin.search.learn import Learned, learn
from fuzzyjoin.search.settings import LearningSettings
from fuzzyjoin.search.stepwise import block_to_learn, learn_from_pairs, require_learnable

__all__ = [
    "Learned",
    "LearningSettings",
    "block_to_learn",
    "learn",
    "learn_from_pairs",
    "require_learnable",
]
