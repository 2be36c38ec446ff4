"""The caller's tables as pandas frames."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

import pandas as pd

from fuzzyjoin.errors import DataError, UsageError

__all__ = ["ArrowStream", "Table", "as_frame", "is_table"]


@runtime_checkable
class ArrowStream(Protocol):
    """A frame of any library that speaks the Arrow PyCapsule interface, such as Polars, DuckDB, Ibis or pyarrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a capsule that holds a stream of Arrow record batches."""


Table: TypeAlias = "pd.DataFrame | ArrowStream"
"""What a caller can give as a table."""


def is_table(value: object) -> bool:
    """Whether a value is a table, and not for example a list, or a column, which speaks the interface as well.

    >>> is_table(pd.DataFrame()), is_table(pd.Series([1])), is_table([1])
    (True, False, False)
    """
    return isinstance(value, (pd.DataFrame, ArrowStream)) and not hasattr(value, "dtype")


def as_frame(table: Table, role: str) -> pd.DataFrame:
    """The table as a pandas frame with unique column names.

    An Arrow stream is read to its end, once. Whole numbers stay whole where others are missing.

    Raises
    ------
    UsageError
        If it is neither a pandas frame nor speaks the Arrow PyCapsule interface.
    DataError
        If two columns share a name.

    Examples
    --------
    >>> import pyarrow as pa
    >>> as_frame(pa.table({"id": [1, None]}), "query")["id"].tolist()
    [1, None]
    """
    if not isinstance(table, pd.DataFrame):
        if not isinstance(table, ArrowStream):
            raise UsageError(
                f"{role} is a {type(table).__name__}; expected a pandas DataFrame or a frame that speaks the Arrow "
                "PyCapsule interface, such as one of Polars, DuckDB, Ibis or pyarrow: convert it first",
                argument=role,
            )
        import pyarrow as pa  # noqa: PLC0415 - only callers with Arrow tables pay for it

        try:
            table = pa.table(table).to_pandas(integer_object_nulls=True, ignore_metadata=True)
        except pa.ArrowInvalid as error:
            raise UsageError(
                f"{role} is a {type(table).__name__} that is no table ({error}); give a frame with named columns",
                argument=role,
            ) from None
    unnamed = [name for name in table.columns if not isinstance(name, str)]
    if unnamed:
        raise UsageError(
            f"{role} has a column named {unnamed[0]!r}, which is not a string",
            argument=role,
            remedy="rename it, for example with frame.columns.map(str)",
        )
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        name = str(repeated[0])
        raise DataError(f"{role} has two columns named {name!r}", argument=role, column=name, remedy="rename one")
    return table
