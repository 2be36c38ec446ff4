"""Join tables whose keys do not match, without labels, at a precision you name.

Names load when they are first used: reading a program or showing the command line's help costs no numba.
"""

from __future__ import annotations

from importlib import import_module

# Not of `typing`, whose import takes most of the time until a command heeds Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzzyjoin.api import fuzzy_join, learn_program
    from fuzzyjoin.blocking.blocked_pairs import BlockedPairs, block_tables
    from fuzzyjoin.blocking.token_blocking import Blocker
    from fuzzyjoin.program.curve import precision_curve
    from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
    from fuzzyjoin.index.folder import verify_index
    from fuzzyjoin.compare.join_functions import CustomJoinFunction, JoinFunction
    from fuzzyjoin.evaluation.audit_design import AuditDesign
    from fuzzyjoin.evaluation.audit_report import AuditReport, measure_audit
    from fuzzyjoin.evaluation.audit_sample import AuditSample, draw_audit
    from fuzzyjoin.evaluation.label_sheet import AuditLabels, read_labels
    from fuzzyjoin.index.matcher import Matcher, index_reference
    from fuzzyjoin.definition.definition import PrecisionEstimate, Program
    from fuzzyjoin.joining.result_tables import JoinResult
    from fuzzyjoin.index.update import update_index

    __version__: str

__all__ = [
    "AuditDesign",
    "AuditLabels",
    "AuditReport",
    "AuditSample",
    "BlockedPairs",
    "Blocker",
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
    "read_labels",
    "update_index",
    "verify_index",
]

_HOMES = {
    "AuditDesign": "labelled_audit.design",
    "AuditLabels": "labelled_audit.sheet",
    "AuditReport": "labelled_audit.report",
    "AuditSample": "labelled_audit.sample",
    "BlockedPairs": "blocked",
    "Blocker": "blocking",
    "CustomJoinFunction": "join_functions",
    "DataError": "errors",
    "FuzzyJoinError": "errors",
    "JoinFunction": "join_functions",
    "JoinResult": "result",
    "Matcher": "matcher",
    "PrecisionEstimate": "program",
    "Program": "program",
    "UsageError": "errors",
    "block_tables": "blocked",
    "draw_audit": "labelled_audit.sample",
    "fuzzy_join": "api",
    "index_reference": "matcher",
    "learn_program": "api",
    "measure_audit": "labelled_audit.report",
    "precision_curve": "curve",
    "read_labels": "labelled_audit.sheet",
    "update_index": "update",
    "verify_index": "index",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name == "__version__":
        # Reading the metadata takes longer than all else here.
        value = import_module("importlib.metadata").version("fuzzyjoin")
    elif name in _HOMES:
        value = getattr(import_module(f"fuzzyjoin.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'fuzzyjoin' has no attribute {name!r}")
    globals()[name] = value
    return value
