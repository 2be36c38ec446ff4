"""Program search: learning a definition from two tables without labels."""

from fuzzyjoin.search.learn import learn
from fuzzyjoin.search.settings import LearningSettings

__all__ = [
    "LearningSettings",
    "learn",
]
