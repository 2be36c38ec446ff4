"""Frozen values made of arrays, kept as a folder of .npy files and read back by mapping them into memory.

Nothing is executed when they are read: which classes there are stands below.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.blocking import InvertedIndex, LexicalBlocking
from fuzzyjoin.distances import ReferenceColumn
from fuzzyjoin.near_equal import NearlyEqualRows
from fuzzyjoin.scoring.sides import ReferenceForms, Spellings, TextForms
from fuzzyjoin.scoring.telling_words import TellingWords
from fuzzyjoin.tables import EqualRows, KeyTable
from fuzzyjoin.texts import Texts
from fuzzyjoin.tokens import TokenIndex, TokenSets, Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_value", "write_value"]

STORED: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        EqualRows,
        InvertedIndex,
        KeyTable,
        LexicalBlocking,
        NearlyEqualRows,
        ReferenceColumn,
        ReferenceForms,
        Spellings,
        TellingWords,
        TextForms,
        Texts,
        TokenIndex,
        TokenSets,
        Vocabulary,
    )
}
"""Classes whose fields are stored, and what was derived from them by then (their cached properties)."""


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


def read_value(content: Any, folder: Path) -> Any:  # noqa: ANN401 - as above
    """Read what `write_value` wrote; arrays stay in their files until they are looked at."""
    ((kind, stored),) = content.items()
    if kind == "array":
        return _mapped(folder / stored)
    if kind == "tuple":
        return tuple(read_value(part, folder) for part in stored)
    if kind == "dict":
        return {key: read_value(part, folder) for key, part in stored.items()}
    if kind == "value":
        return stored
    known = {name: read_value(part, folder) for name, part in stored.items()}
    derived = {name: known.pop(name) for name in _derived(STORED[kind]) if name in known}
    value = STORED[kind](**known)
    value.__dict__.update(derived)
    return value


def _derived(kind: type) -> list[str]:
    return [name for name, part in vars(kind).items() if isinstance(part, cached_property)]


def _mapped(path: Path) -> np.ndarray:
    """An array in a file. It can be written to, as kernels expect, but what is written never reaches the file."""
    found = np.load(path, mmap_mode="c", allow_pickle=False) if path.stat().st_size else np.empty(0)
    return found.view(np.ndarray)
