"""From a source to a table of text columns, and on to its snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.files import read_table
from fuzzyjoin.tables import require_column
from tasks.ingestion.database import engine_of, read_database
from tasks.ingestion.snapshots import write_snapshot
from tasks.ingestion.sources import FileSource

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import sqlalchemy as sa

    from tasks.ingestion.snapshots import TableHandle
    from tasks.ingestion.sources import QuerySource, TableSource

__all__ = ["ingest", "read_input"]


def read_input(source: FileSource | TableSource | QuerySource, *, engine: sa.Engine | None = None) -> pd.DataFrame:
    r"""Read a table, every value as text.

    Parameters
    ----------
    source
        A file, or a table or query of a database.
    engine
        The database, if the caller has one; by default the one that the source's environment variable names.

    Returns
    -------
    pandas.DataFrame
        Columns of dtype str; a missing or empty value is missing. A database's values read as the same values in a
        Parquet file would.

    Raises
    ------
    UsageError
        If the file, the environment variable or a column does not exist.
    SourceUnavailableError
        If there is no connection to the database.
    DataError
        If the content cannot be read, or the database refuses.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "towns.csv"
    ...     _ = path.write_text("id,name\n007,Bergen\n", encoding="utf-8")
    ...     read_input(FileSource(path=str(path), columns=("name",))).to_dict("list")
    {'name': ['Bergen']}
    """
    if isinstance(source, FileSource):
        return _read_file(source)
    if engine is not None:
        return read_database(source, engine).to_pandas()
    own = engine_of(source)
    try:
        return read_database(source, own).to_pandas()
    finally:
        own.dispose()


def ingest(
    source: FileSource | TableSource | QuerySource, folder: str | Path, *, engine: sa.Engine | None = None
) -> TableHandle:
    """Read a table and keep it as a snapshot; parameters and errors as for `read_input` and `write_snapshot`."""
    return write_snapshot(read_input(source, engine=engine), folder)


def _read_file(source: FileSource) -> pd.DataFrame:
    frame = read_table(source.path, source.layout)
    if not source.columns:
        return frame
    for column in source.columns:
        require_column(frame, column, source.path)
    return frame[list(source.columns)]
