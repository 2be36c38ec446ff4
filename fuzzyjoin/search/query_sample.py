"""Which query rows a program is learned on, where the query table has more of them than that takes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.tables import KeyTable

__all__ = ["SAMPLE_ROWS", "drawn_rows"]

SAMPLE_ROWS: Final = 10_000
"""Query rows that a scorer's program is learned on, at most; docs/scorer.md says why so many."""

_DIGEST_BYTES: Final = 16


def drawn_rows(table: KeyTable, most: int, seed: int) -> Int64Array:
    """Positions of at most `most` rows, ascending: those whose ids, hashed with the seed, come first.

    Every set of so many rows is as likely as any other. A row's hash depends on nothing but its id and the seed, so
    neither the order of the rows nor their texts matter, and a table that gains a few rows keeps most of its sample.

    >>> import pandas as pd
    >>> from fuzzyjoin.tables.key_table import key_table
    >>> frame = pd.DataFrame({"id": range(100), "name": [f"name {row}" for row in range(100)]})
    >>> table = key_table(frame, role="query", id_column="id", columns=["name"])
    >>> drawn_rows(table, 1000, seed=0).size, drawn_rows(table, 10, seed=0).size
    (100, 10)
    """
    ids = table.id_texts()
    if len(ids) <= most:
        return np.arange(len(ids), dtype=np.int64)
    hashes = [hashlib.blake2b(f"{seed}/{text}".encode(), digest_size=_DIGEST_BYTES).digest() for text in ids]
    chosen = sorted(range(len(ids)), key=hashes.__getitem__)[:most]
    return np.array(sorted(chosen), dtype=np.int64)
