"""Join tables whose keys do not match, without labels, at a precision you name.

Names load when they are first used: reading a program or showing the command line's help costs no numba.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzzyjoin.api import fuzzy_join, learn_program
    from fuzzyjoin.blocking import Blocker
    from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
    from fuzzyjoin.join_functions import CustomJoinFunction, JoinFunction
    from fuzzyjoin.program import PrecisionEstimate, Program
    from fuzzyjoin.result import JoinResult

__all__ = [
    "Blocker",
    "CustomJoinFunction",
    "DataError",
    "FuzzyJoinError",
    "JoinFunction",
    "JoinResult",
    "PrecisionEstimate",
    "Program",
    "UsageError",
    "fuzzy_join",
    "learn_program",
]

__version__ = version("fuzzyjoin")

_HOMES = {
    "Blocker": "blocking",
    "CustomJoinFunction": "join_functions",
    "DataError": "errors",
    "FuzzyJoinError": "errors",
    "JoinFunction": "join_functions",
    "JoinResult": "result",
    "PrecisionEstimate": "program",
    "Program": "program",
    "UsageError": "errors",
    "fuzzy_join": "api",
    "learn_program": "api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name not in _HOMES:
        raise AttributeError(f"module 'fuzzyjoin' has no attribute {name!r}")
    value = getattr(import_module(f"fuzzyjoin.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
