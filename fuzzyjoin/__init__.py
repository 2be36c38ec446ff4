"""Join tables whose keys do not match, without labels, at a precision you name.

Names load when they are first used: reading a program or showing the command line's help costs no numba.
"""

from __future__ import annotations

from importlib import import_module

from fuzzyjoin.distribution import DISTRIBUTION

# Not of `typing`, whose import takes most of the time until a command heeds Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from fuzzyjoin.api import block_tables, fuzzy_join, learn_program
    from fuzzyjoin.blocking import BlockedPairs, Blocker
    from fuzzyjoin.compare import CustomJoinFunction, JoinFunction
    from fuzzyjoin.definition import PrecisionEstimate
    from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
    from fuzzyjoin.evaluation import (
        AuditDesign,
        AuditLabels,
        AuditReport,
        AuditSample,
        draw_audit,
        measure_audit,
        read_labels,
    )
    from fuzzyjoin.index import Matcher, index_reference, update_index, verify_index
    from fuzzyjoin.program import JoinResult, Program, precision_curve
    from fuzzyjoin.tables import ColumnProposal, ColumnProposals, propose_columns

    __version__: str

__all__ = [
    "AuditDesign",
    "AuditLabels",
    "AuditReport",
    "AuditSample",
    "BlockedPairs",
    "Blocker",
    "ColumnProposal",
    "ColumnProposals",
    "CustomJoinFunction",
    "DataError",
    "FuzzyJoinError",
    "JoinFunction",
    "JoinResult",
    "Matcher",
    "PrecisionEstimate",
    "Program",
    "UsageError",
    "block_tables",
    "draw_audit",
    "fuzzy_join",
    "index_reference",
    "learn_program",
    "measure_audit",
    "precision_curve",
    "propose_columns",
    "read_labels",
    "update_index",
    "verify_index",
]

_HOMES = {
    "AuditDesign": "evaluation",
    "AuditLabels": "evaluation",
    "AuditReport": "evaluation",
    "AuditSample": "evaluation",
    "BlockedPairs": "blocking",
    "Blocker": "blocking",
    "ColumnProposal": "tables",
    "ColumnProposals": "tables",
    "CustomJoinFunction": "compare",
    "DataError": "errors",
    "FuzzyJoinError": "errors",
    "JoinFunction": "compare",
    "JoinResult": "program",
    "Matcher": "index",
    "PrecisionEstimate": "definition",
    "Program": "program",
    "UsageError": "errors",
    "block_tables": "api",
    "draw_audit": "evaluation",
    "fuzzy_join": "api",
    "index_reference": "index",
    "learn_program": "api",
    "measure_audit": "evaluation",
    "precision_curve": "program",
    "propose_columns": "tables",
    "read_labels": "evaluation",
    "update_index": "index",
    "verify_index": "index",
}


# Hidden from type checkers, to which a name that nothing has would otherwise be one of any type.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            # Reading the metadata takes longer than all else here.
            value = import_module("importlib.metadata").version(DISTRIBUTION)
        elif name in _HOMES:
            value = getattr(import_module(f"fuzzyjoin.{_HOMES[name]}"), name)
        else:
            raise AttributeError(f"module 'fuzzyjoin' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, for tab completion: most are not loaded yet."""
    return [*__all__, "__version__"]
