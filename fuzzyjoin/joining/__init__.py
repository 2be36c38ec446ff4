"""Joining: what a definition decides for every query row, as tables and in words."""

from fuzzyjoin.joining.candidate_table import CANDIDATE_COLUMNS, candidate_table, require_top
from fuzzyjoin.joining.decide import (
    Decisions,
    asked_blocking,
    configurations_of,
    decide,
    drift_warnings,
    given_scorer,
    named_scorer,
    reference_warnings,
    tables_to_join,
)
from fuzzyjoin.joining.explanation import explain_definition, explain_query
from fuzzyjoin.joining.joined_rows import (
    MATCH_PROBABILITY,
    SUFFIX,
    How,
    JoinedRows,
    id_places,
    joined_pieces,
    joined_table,
)
from fuzzyjoin.joining.pair_decisions import DECISION_COLUMNS, NO_MATCH, DecidedRows, PairDecisions
from fuzzyjoin.joining.result_tables import join_counts, match_table, reference_counts, row_bands, unmatched_table
from fuzzyjoin.joining.union import match_scaled

__all__ = [
    "CANDIDATE_COLUMNS",
    "DECISION_COLUMNS",
    "MATCH_PROBABILITY",
    "NO_MATCH",
    "SUFFIX",
    "DecidedRows",
    "Decisions",
    "How",
    "JoinedRows",
    "PairDecisions",
    "asked_blocking",
    "candidate_table",
    "configurations_of",
    "decide",
    "drift_warnings",
    "explain_definition",
    "explain_query",
    "given_scorer",
    "id_places",
    "join_counts",
    "joined_pieces",
    "joined_table",
    "match_scaled",
    "match_table",
    "named_scorer",
    "reference_counts",
    "reference_warnings",
    "require_top",
    "row_bands",
    "tables_to_join",
    "unmatched_table",
]
