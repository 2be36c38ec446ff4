"""Which format a file has: its ending says so."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from fuzzyjoin.distribution import DISTRIBUTION
from fuzzyjoin.errors import UsageError

__all__ = ["ENDINGS", "FileFormat", "format_of"]


@dataclass(frozen=True)
class FileFormat:
    """How a table is laid out in a file.

    Parameters
    ----------
    kind
        "delimited" for CSV and TSV, "json lines", "parquet" or "excel".
    separator
        What stands between two cells of a line; None for other kinds.
    gzipped
        Whether the text is compressed with gzip.
    """

    kind: Literal["delimited", "json lines", "parquet", "excel"]
    separator: str | None = None
    gzipped: bool = False


ENDINGS = {
    ".csv": FileFormat("delimited", ","),
    ".csv.gz": FileFormat("delimited", ",", gzipped=True),
    ".tsv": FileFormat("delimited", "\t"),
    ".tsv.gz": FileFormat("delimited", "\t", gzipped=True),
    ".jsonl": FileFormat("json lines"),
    ".jsonl.gz": FileFormat("json lines", gzipped=True),
    ".ndjson": FileFormat("json lines"),
    ".ndjson.gz": FileFormat("json lines", gzipped=True),
    ".parquet": FileFormat("parquet"),
    ".xlsx": FileFormat("excel"),
}


_EXCEL: Final = ("python_calamine", "xlsxwriter")


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
        If the name ends in none of the endings known, or it is a workbook and what that needs is not installed.

    Examples
    --------
    >>> format_of("companies.TSV.gz")
    FileFormat(kind='delimited', separator='\t', gzipped=True)
    """
    name = Path(path).name.lower()
    for ending, file_format in ENDINGS.items():
        if name.endswith(ending):
            if file_format.kind == "excel" and not all(map(find_spec, _EXCEL)):
                raise UsageError(
                    f"{path}: Excel workbooks need {' and '.join(_EXCEL)}, which are not installed; install "
                    f"{DISTRIBUTION}[excel], or use another format"
                )
            return file_format
    raise UsageError(f"{path}: the ending says no format that can be read or written; use one of {', '.join(ENDINGS)}")
