"""Frozen values made of arrays, kept as a folder of .npy files and read back by mapping them into memory.

Nothing is executed when they are read: which classes there are stands below. Of every file the manifest of the folder
holds a record: size, dtype, shape and two checksums. One is of blocks of the file, because opening must not read all of
it; the other is of the whole file.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from fuzzyjoin.blocking import EqualGroups, GroupedIndex, InvertedIndex, LexicalBlocking, NearlyEqualRows
from fuzzyjoin.compare import DiscriminativeTokens, ReferenceColumn, ReferenceForms, Spellings, TextForms
from fuzzyjoin.files import sync_file
from fuzzyjoin.tables import EqualRows, KeyTable
from fuzzyjoin.text import Texts, TokenIndex, TokenSets, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FileRecords", "file_records", "read_value", "write_value"]

FileRecords: TypeAlias = "dict[str, dict[str, Any]]"
"""What is known of each file of a folder, by its name (see `file_records`)."""

BLOCK: Final = 4096
BLOCKS: Final = 16
"""Bytes of a block and blocks of a file that the quick checksum is of; a file of no more is read as a whole."""

FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-]+\.npy")
"""Names of array files: none leads out of the folder."""

STORED: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        EqualGroups,
        EqualRows,
        GroupedIndex,
        InvertedIndex,
        KeyTable,
        LexicalBlocking,
        NearlyEqualRows,
        ReferenceColumn,
        ReferenceForms,
        Spellings,
        DiscriminativeTokens,
        TextForms,
        Texts,
        TokenIndex,
        TokenSets,
        Vocabulary,
    )
}
"""Classes whose fields are stored, and what was derived from them by then: cached properties, but for private ones."""


def write_value(value: Any, folder: Path, name: str) -> Any:  # noqa: ANN401 - what can be stored is told apart here
    """Write the arrays of a value into the folder, in files whose names begin with `name`; the rest as JSON."""
    if isinstance(value, np.ndarray):
        np.save(folder / f"{name}.npy", value, allow_pickle=False)
        return {"array": f"{name}.npy"}
    if isinstance(value, tuple):
        return {"tuple": [write_value(part, folder, f"{name}-{place}") for place, part in enumerate(value)]}
    if isinstance(value, dict):
        parts = enumerate(value.items())
        return {"dict": {key: write_value(part, folder, f"{name}-{place}") for place, (key, part) in parts}}
    kind = type(value)
    if kind in STORED.values():
        names = [field.name for field in fields(kind)] + [part for part in _derived(kind) if part in value.__dict__]
        return {kind.__name__: {part: write_value(getattr(value, part), folder, f"{name}-{part}") for part in names}}
    if value is None or isinstance(value, (str, int, float)):
        return {"value": value}
    raise TypeError(f"{name} is a {kind.__name__}, which an index does not hold")


def read_value(content: Any, folder: Path, files: FileRecords, *, whole: bool) -> Any:  # noqa: ANN401 - as above
    """Read what `write_value` wrote; arrays stay in their files until they are looked at.

    Every file is compared with its record in `files`: by its quick checksum or, if `whole`, by that of all its bytes.

    Raises
    ------
    Exception
        Of some kind, if something is not as it was written.
    """
    ((kind, stored),) = content.items()
    if kind == "array":
        return _mapped(folder / stored, _record(stored, files), whole=whole)
    if kind == "tuple":
        return tuple(read_value(part, folder, files, whole=whole) for part in stored)
    if kind == "dict":
        return {key: read_value(part, folder, files, whole=whole) for key, part in stored.items()}
    if kind == "value":
        return stored
    known = {name: read_value(part, folder, files, whole=whole) for name, part in stored.items()}
    derived = {name: known.pop(name) for name in _derived(STORED[kind]) if name in known}
    value = STORED[kind](**known)
    value.__dict__.update(derived)
    return value


def file_records(folder: Path) -> FileRecords:
    """Put the array files of a folder on the disk, and give the records that `read_value` compares them with."""
    records = {}
    for path in sorted(folder.glob("*.npy")):
        sync_file(path)
        array = np.lib.format.open_memmap(path, mode="r")
        records[path.name] = {
            "bytes": path.stat().st_size,
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "blocks": _checksum(path, whole=False),
            "sha256": _checksum(path, whole=True),
        }
    return records


def _derived(kind: type) -> list[str]:
    derived = (name for name, part in vars(kind).items() if isinstance(part, cached_property))
    return [name for name in derived if not name.startswith("_")]


def _record(name: str, files: FileRecords) -> dict[str, Any]:
    if FILE_NAME.fullmatch(name) is None or name not in files:
        raise ValueError(f"{name!r} is no file of it")
    return files[name]


def _mapped(path: Path, record: dict[str, Any], *, whole: bool) -> np.ndarray:
    """An array in a file. It can be written to, as kernels expect, but what is written never reaches the file."""
    size = path.stat().st_size
    if size != record["bytes"]:
        raise ValueError(f"{path.name} has {size} bytes, and had {record['bytes']}")
    if _checksum(path, whole=whole) != record["sha256" if whole else "blocks"]:
        raise ValueError(f"{path.name} was changed")
    found = np.lib.format.open_memmap(path, mode="c")
    if found.dtype.str != record["dtype"] or list(found.shape) != record["shape"] or not found.flags.c_contiguous:
        raise ValueError(f"{path.name} holds another array than was written")
    return found.view(np.ndarray)


def _checksum(path: Path, *, whole: bool) -> str:
    """SHA-256 of a file, or of its first and last block and others evenly spread between them."""
    if whole:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for start, length in _blocks(os.fstat(descriptor).st_size):
            digest.update(os.pread(descriptor, length, start))
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    """Start and length of the blocks of a file of so many bytes."""
    if size <= BLOCK * BLOCKS:
        yield 0, size
        return
    for place in range(BLOCKS):
        yield (size - BLOCK) * place // (BLOCKS - 1), BLOCK
