"""The reference table kept on disk, and rows joined from it: one by one, or a long table in parts."""

from fuzzyjoin.index.folder import find_index, is_index, open_index, remove_index, verify_index
from fuzzyjoin.index.matcher import Matcher, index_reference, prepare_index, query_table, reference_table
from fuzzyjoin.index.needs import IndexNeeds
from fuzzyjoin.index.parts import JoinedParts, join_in_parts, most_rows, uncovered, whole_estimate
from fuzzyjoin.index.update import change_index, update_index

__all__ = [
    "IndexNeeds",
    "JoinedParts",
    "Matcher",
    "change_index",
    "find_index",
    "index_reference",
    "is_index",
    "join_in_parts",
    "most_rows",
    "open_index",
    "prepare_index",
    "query_table",
    "reference_table",
    "remove_index",
    "uncovered",
    "update_index",
    "verify_index",
    "whole_estimate",
]
