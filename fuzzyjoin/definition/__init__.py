"""What decides a match, and what was learned beside it, as values and as JSON."""

from fuzzyjoin.definition.definition import (
    REVIEW_PROBABILITY,
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Decision,
    Definition,
    Equal,
    Part,
    Scorer,
    Union,
)
from fuzzyjoin.definition.learning_record import LearningRecord, PrecisionEstimate, QuerySample, TableRecord
from fuzzyjoin.definition.schema_1 import from_schema_1, to_schema_1

__all__ = [
    "REVIEW_PROBABILITY",
    "Blocking",
    "Column",
    "Configuration",
    "CustomFunctionName",
    "Decision",
    "Definition",
    "Equal",
    "LearningRecord",
    "Part",
    "PrecisionEstimate",
    "QuerySample",
    "Scorer",
    "TableRecord",
    "Union",
    "from_schema_1",
    "to_schema_1",
]
