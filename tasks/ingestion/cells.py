"""A database's values as text, written the way the same values in a Parquet file are read."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["cell_text"]


def cell_text(value: object, column: str) -> str | None:
    """A database's value as text.

    Parameters
    ----------
    value
        What the driver returned.
    column
        Its column, for the error.

    Returns
    -------
    str or None
        Whole numbers without ``.0``, dates as ``2024-01-31``, times with zone in UTC, true and false. None, not a
        number and the empty text are None.

    Raises
    ------
    DataError
        If the value is of a type that has no plain text, such as bytes or a list.

    Examples
    --------
    >>> import datetime as dt
    >>> [cell_text(value, "price") for value in ("007", 7.0, True, dt.datetime(2024, 1, 31), "", None)]
    ['007', '7', 'true', '2024-01-31', None, None]
    """
    if value is None or isinstance(value, str):
        return value or None
    write = next((write for kind, write in _WRITERS.items() if isinstance(value, kind)), None)
    if write is None:
        raise DataError(
            f"column {column!r} holds a {type(value).__name__}, which does not read as text; leave the column out, or "
            "cast it to text in a query"
        )
    return write(value)


def _float_text(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)


def _moment_text(value: dt.datetime) -> str:
    """A date and a time; one with a zone in UTC, so that the session's zone does not enter."""
    if value.tzinfo is not None:
        return _without_zeros(value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")) + "Z"
    return _without_zeros(value.isoformat(" ")).removesuffix(" 00:00:00")


def _without_zeros(text: str) -> str:
    """Fractions of a second without the zeros at their end."""
    return text.rstrip("0") if "." in text else text


# The first type that fits decides: a bool is an int as well, a datetime a date.
_WRITERS: dict[type, Callable[[Any], str | None]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float_text,
    Decimal: lambda value: None if value.is_nan() else format(value, "f"),
    dt.datetime: _moment_text,
    dt.date: dt.date.isoformat,
    dt.time: lambda value: _without_zeros(value.isoformat()),
    UUID: str,
}
