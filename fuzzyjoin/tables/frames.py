"""The caller's tables as pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from fuzzyjoin.errors import DataError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Table", "as_frame"]

Table: TypeAlias = "pd.DataFrame | pa.Table"
"""What a caller can give as a table."""


def as_frame(table: Table, role: str) -> pd.DataFrame:
    """The table as a pandas frame with unique column names.

    Raises
    ------
    UsageError
        If it is neither a pandas frame nor an Arrow table.
    DataError
        If two columns share a name.
    """
    if not isinstance(table, pd.DataFrame):
        import pyarrow as pa  # noqa: PLC0415 - only callers with Arrow tables pay for it

        if not isinstance(table, pa.Table):
            raise UsageError(
                f"{role} is a {type(table).__name__}; expected a pandas DataFrame or a pyarrow Table: convert it first",
                argument=role,
            )
        table = table.to_pandas()
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
