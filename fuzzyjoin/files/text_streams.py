"""Text files, opened for reading as bytes or as text, unpacked if they are packed."""

from __future__ import annotations

import gzip
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fuzzyjoin.files.formats import FileFormat

__all__ = ["opened", "opened_text", "written_text"]


@contextmanager
def opened(path: Path, file_format: FileFormat) -> Iterator[BinaryIO]:
    """Open a file for reading its bytes, unpacked."""
    with path.open("rb") as raw:
        yield cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb")) if file_format.gzipped else raw


@contextmanager
def opened_text(path: Path, file_format: FileFormat, encoding: str) -> Iterator[TextIO]:
    """Open a file for reading its text, line ends as they stand."""
    with opened(path, file_format) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        yield text


@contextmanager
def written_text(path: Path, file_format: FileFormat) -> Iterator[TextIO]:
    """Open a file for writing text in UTF-8; equal texts give equal bytes."""
    with path.open("wb") as raw:
        # gzip's own name and time of writing would make equal tables differ.
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if file_format.gzipped else None
        with io.TextIOWrapper(cast("BinaryIO", packed or raw), encoding="utf-8", newline="") as text:
            yield text
