"""Large tables made of the reference titles of AutoFJ-50, for what no public table is large enough to show.

The reference table holds all titles, then variants of them: one word of a title, drawn at random, is replaced by a word
of another title, or one is added. Query rows are reference titles with one or two letters replaced, added or lost.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["enlarged_queries", "enlarged_reference"]

SEED: Final = 2026


def enlarged_reference(titles: Sequence[str], rows: int) -> pd.DataFrame:
    """Return a reference table of so many rows, columns `id` and `title`; a larger one begins with the smaller."""
    random = np.random.default_rng(SEED)
    known = [title for title in titles if title.strip()]
    words = sorted({word for title in known for word in title.split()})
    while len(known) < rows:
        known.append(_varied(known[random.integers(len(known))], words, random))
    known = known[:rows]
    return pd.DataFrame({"id": [f"r{row}" for row in range(rows)], "title": known})


def enlarged_queries(reference: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return so many rows of the reference table with misspelt titles and ids of their own."""
    random = np.random.default_rng(SEED + 1)
    chosen = reference.iloc[random.integers(0, len(reference), rows)].reset_index(drop=True)
    return chosen.assign(
        id=[f"q{row}" for row in range(rows)], title=[_misspelt(title, random) for title in chosen["title"]]
    )


def _varied(title: str, words: list[str], random: np.random.Generator) -> str:
    parts = title.split()
    place = int(random.integers(0, len(parts) + 1))
    other = words[random.integers(len(words))]
    if place < len(parts) and len(parts) > 1:
        parts[place] = other
    else:
        parts.append(other)
    return " ".join(parts)


def _misspelt(title: str, random: np.random.Generator) -> str:
    for _ in range(random.integers(1, 3)):
        place = int(random.integers(0, max(len(title), 1)))
        letter = string.ascii_lowercase[random.integers(26)]
        put, taken = (("", 1), (letter, 0), (letter, 1))[random.integers(3)]
        title = title[:place] + put + title[place + taken :]
    return title
