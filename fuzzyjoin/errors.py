"""Errors that a caller can act on.

Every message names the argument, the value that was found, what was expected and the remedy, in one line, so that the
command line can print it as it is.
"""

from __future__ import annotations

__all__ = ["DataError", "FuzzyJoinError", "UsageError"]


class FuzzyJoinError(Exception):
    """Base of all errors that this package raises on purpose.

    Parameters
    ----------
    message
        What is wrong, and with what.
    argument
        The argument at fault, such as "reference"; None if it is none, or more than one.
    column
        The column at fault.
    row
        The row at fault, counted from 1.
    remedy
        What to do. The text of the error ends with it.

    Attributes
    ----------
    file, place
        The file that the argument was read from, and where in it the row stands, such as "line 3"; set by whoever read
        it. The text of the error begins with them.

    Examples
    --------
    >>> error = DataError("query has no rows", argument="query", remedy="give at least one")
    >>> str(error), error.argument
    ('query has no rows; give at least one', 'query')
    """

    exit_code = 1

    def __init__(
        self,
        message: str = "",
        *,
        argument: str | None = None,
        column: str | None = None,
        row: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.argument = argument
        self.column = column
        self.row = row
        self.remedy = remedy
        self.file: str | None = None
        self.place: str | None = None

    def __str__(self) -> str:
        message = super().__str__()
        message = f"{message}; {self.remedy}" if self.remedy else message
        return ": ".join(filter(None, (self.file, self.place, message)))


class DataError(FuzzyJoinError):
    """The data cannot be joined as they are: the caller must mend a table or a file."""

    exit_code = 1


class UsageError(FuzzyJoinError, ValueError):
    """The call itself is wrong: an argument is out of range, unknown or contradicts another."""

    exit_code = 2
