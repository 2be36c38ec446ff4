"""Comparing candidate pairs: join functions, distances, features."""

from fuzzyjoin.compare.candidates import Candidates
from fuzzyjoin.compare.discriminative_tokens import DiscriminativeTokens
from fuzzyjoin.compare.distances import (
    ColumnTexts,
    ReferenceColumn,
    WeightedColumns,
    derive,
    group_functions,
    prepare_columns,
)
from fuzzyjoin.compare.features import (
    FEATURES,
    NEIGHBOUR_FEATURES,
    SAMPLE,
    FeatureTables,
    column_weights,
    features_without,
    sample_rows,
)
from fuzzyjoin.compare.former_names import FORMER_NAMES
from fuzzyjoin.compare.forms import ReferenceForms, Spellings, TextForms
from fuzzyjoin.compare.join_functions import AnyJoinFunction, CustomJoinFunction, JoinFunction, Space, resolve_space
from fuzzyjoin.compare.matches import Matches, Tally
from fuzzyjoin.compare.nearest_neighbours import room_for_neighbours
from fuzzyjoin.compare.neighbourhoods import Nearest, count_neighbourhoods, find_nearest
from fuzzyjoin.compare.reference_side import ReferenceParts, ReferenceSide

__all__ = [
    "FEATURES",
    "FORMER_NAMES",
    "NEIGHBOUR_FEATURES",
    "SAMPLE",
    "AnyJoinFunction",
    "Candidates",
    "ColumnTexts",
    "CustomJoinFunction",
    "DiscriminativeTokens",
    "FeatureTables",
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
    "TextForms",
    "WeightedColumns",
    "column_weights",
    "count_neighbourhoods",
    "derive",
    "features_without",
    "find_nearest",
    "group_functions",
    "prepare_columns",
    "resolve_space",
    "room_for_neighbours",
    "sample_rows",
]
