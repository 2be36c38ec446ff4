"""Comparing candidate pairs: join functions, distances, features."""

from fuzzyjoin.compare.candidates import Candidates
from fuzzyjoin.compare.discriminative_tokens import TellingWords
from fuzzyjoin.compare.distances import (
    ColumnTexts,
    ReferenceColumn,
    WeightedColumns,
    derive,
    group_functions,
    prepare_columns,
)
from fuzzyjoin.compare.features import (
    EVIDENCE,
    SAMPLE,
    SIBLINGS,
    EvidenceTables,
    column_weights,
    evidence_without,
    sample_rows,
)
from fuzzyjoin.compare.forms import ReferenceForms, Spellings, TextForms
from fuzzyjoin.compare.join_functions import AnyJoinFunction, CustomJoinFunction, JoinFunction, Space, resolve_space
from fuzzyjoin.compare.matches import Matches, Tally
from fuzzyjoin.compare.neighbourhoods import Nearest, count_balls, find_nearest
from fuzzyjoin.compare.reference_side import ReferenceParts, ReferenceSide
from fuzzyjoin.compare.siblings import room_for_siblings

__all__ = [
    "EVIDENCE",
    "SAMPLE",
    "SIBLINGS",
    "AnyJoinFunction",
    "Candidates",
    "ColumnTexts",
    "CustomJoinFunction",
    "EvidenceTables",
    "JoinFunction",
    "Matches",
    "Nearest",
    "ReferenceColumn",
    "ReferenceForms",
    "ReferenceParts",
    "ReferenceSide",
    "Space",
    "Spellings",
    "Tally",
    "TellingWords",
    "TextForms",
    "WeightedColumns",
    "column_weights",
    "count_balls",
    "derive",
    "evidence_without",
    "find_nearest",
    "group_functions",
    "prepare_columns",
    "resolve_space",
    "room_for_siblings",
    "sample_rows",
]
