"""Which format a file has: its ending says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fuzzyjoin.errors import UsageError

__all__ = ["ENDINGS", "FileFormat", "format_of"]


@dataclass(frozen=True)
class FileFormat:
    """How a table is laid out in a file.

    Parameters
    ----------
    separator
        What stands between two cells of a line; None for Parquet.
    gzipped
        Whether the text is compressed with gzip.
    """

    separator: str | None
    gzipped: bool = False


ENDINGS = {
    ".csv": FileFormat(","),
    ".csv.gz": FileFormat(",", gzipped=True),
    ".tsv": FileFormat("\t"),
    ".tsv.gz": FileFormat("\t", gzipped=True),
    ".parquet": FileFormat(None),
}


def format_of(path: str | Path) -> FileFormat:
    r"""Tell a file's format from its name.

    Parameters
    ----------
    path
        A file that need not exist.

    Returns
    -------
    FileFormat

    Raises
    ------
    UsageError
        If the name ends in none of the endings known.

    Examples
    --------
    >>> format_of("companies.TSV.gz")
    FileFormat(separator='\t', gzipped=True)
    """
    name = Path(path).name.lower()
    for ending, file_format in ENDINGS.items():
        if name.endswith(ending):
            return file_format
    raise UsageError(f"{path}: the ending says no format that can be read or written; use one of {', '.join(ENDINGS)}")
