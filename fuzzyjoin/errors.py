"""Errors that a caller can act on.

Every message names the argument, the value that was found, what was expected and the remedy, in one line, so that the
command line can print it as it is.
"""

from __future__ import annotations

__all__ = ["DataError", "FuzzyJoinError", "UsageError"]


class FuzzyJoinError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code = 1


class DataError(FuzzyJoinError):
    """The data cannot be joined as they are: the caller must mend a table or a file."""

    exit_code = 1


class UsageError(FuzzyJoinError, ValueError):
    """The call itself is wrong: an argument is out of range, unknown or contradicts another."""

    exit_code = 2
