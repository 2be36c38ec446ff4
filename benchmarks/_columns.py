"""Made-up further columns for training: makers, texts, dates, prices and numbers that agree for most matches.

What lies near a row in its name often agrees with it elsewhere too (other products of the same maker), so some columns
follow the name's words; others are drawn, some of their values more often than others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks._noise import misspelt, reworded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["split_name", "with_column"]

KINDS: Final = ("names", "years", "prices", "maker", "maker", "text", "number", "date")
"""Kinds of columns, as often as they are drawn."""

AGREEING: Final = (0.6, 0.8, 0.95, 1.0)
"""Shares of the matches whose values agree."""

MISSING: Final = (0.0, 0.0, 0.1, 0.4)
"""Shares of a table's values that are missing."""

MAKERS: Final = 5000
COMMON_WORD: Final = 50
"""Rows that may share a word for it to name their maker."""

RESTYLED: Final = 0.3
"""Share of the columns whose values the query table writes in another way."""


@dataclass(frozen=True)
class _Drawing:
    """How the values of one column are drawn."""

    kind: str
    choices: list[str]
    words: list[str]
    longest: int
    restyled: bool
    random: np.random.Generator

    def value(self, name: str) -> str:
        """Return a value for a row of this name: a text about it, else some value, the first ones more often."""
        if self.kind != "text":
            return self.choices[int(len(self.choices) * self.random.random() ** 2)]
        further = [self.word() for _ in range(int(self.random.integers(1, self.longest)))]
        words = [*name.split(), *further]
        return " ".join(words[place] for place in self.random.permutation(len(words)))

    def word(self) -> str:
        return self.words[self.random.integers(len(self.words))]

    def as_query(self, value: str) -> str:
        """Return the value as the query table writes it."""
        if self.kind in {"names", "maker"}:
            value = misspelt(value, 0.03, self.random)
            if self.restyled and self.random.random() < 0.5:  # noqa: PLR2004 - every second one
                value = f"{value} {self.word()}" if self.random.random() < 0.5 else value.split()[0]  # noqa: PLR2004
        elif self.kind == "text":
            value = reworded(value, 0.3, self.words, self.random)
        elif self.kind == "date" and self.restyled:
            value = "/".join(reversed(value.split("-")))
        return value


def with_column(  # noqa: PLR0917 - the two tables and what joins them
    reference: pd.DataFrame,
    query: pd.DataFrame,
    main: str,
    name: str,
    right: dict[str, str],
    words: list[str],
    random: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with a further column; `main` holds the names, `right` the match of each query row."""
    kind = KINDS[random.integers(len(KINDS))]
    agreeing, missing, missing_query = (float(random.choice(shares)) for shares in (AGREEING, MISSING, MISSING))
    drawing = _Drawing(
        kind=kind,
        choices=_values(kind, words, random),
        words=words,
        longest=int(random.choice([4, 10, 20])),
        restyled=random.random() < RESTYLED,
        random=random,
    )
    names = dict(zip(reference["id"], reference[main].fillna(""), strict=True))
    if kind == "maker":
        makers = _makers(names)
        ours = {identifier: drawing.choices[makers[identifier] % len(drawing.choices)] for identifier in names}
    else:
        ours = {identifier: drawing.value(text) for identifier, text in names.items()}
    theirs = []
    for identifier, text in zip(query["id"], query[main].fillna(""), strict=True):
        agrees = right.get(identifier) in ours and random.random() < agreeing
        theirs.append(drawing.as_query(ours[right[identifier]] if agrees else drawing.value(text)))
    return (
        reference.assign(**{name: _with_gaps([ours[row] for row in reference["id"]], missing, random)}),
        query.assign(**{name: _with_gaps(theirs, missing_query, random)}),
    )


def split_name(table: pd.DataFrame, main: str, other: str) -> pd.DataFrame:
    """Return the table with the second half of the words of its names in a column of their own."""
    words = [str(text).split() for text in table[main].fillna("")]
    halves = [(" ".join(row[: len(row) // 2]) or None, " ".join(row[len(row) // 2 :]) or None) for row in words]
    return table.assign(**{main: [first for first, _ in halves], other: [second for _, second in halves]})


def _values(kind: str, words: list[str], random: np.random.Generator) -> list[str]:
    if kind in {"names", "maker"}:
        number = MAKERS if kind == "maker" else int(random.choice([4, 20, 100]))
        return [
            " ".join(words[random.integers(len(words))] for _ in range(int(random.integers(1, 4))))
            for _ in range(number)
        ]
    if kind == "years":
        return [str(year) for year in range(1950, 2020)]
    if kind == "prices":
        return [f"{price:.2f}" for price in np.exp(random.normal(3.0, 1.0, 400))]
    if kind == "number":
        return [str(number) for number in range(1, int(random.choice([6, 13, 31])))]
    if kind == "date":
        parts = random.integers([1950, 1, 1], [2020, 13, 29], (300, 3)).tolist()
        return [f"{year}-{month:02d}-{day:02d}" for year, month, day in parts]
    return []


def _makers(names: dict[str, str]) -> dict[str, int]:
    """Number rows so that those whose first not too common word is the same share a number."""
    rows = Counter(word for text in names.values() for word in set(text.lower().split()))
    most = max(COMMON_WORD, len(names) // 20)
    numbers: dict[str, int] = {}
    makers = {}
    for identifier, text in names.items():
        shared = [word for word in text.lower().split() if 1 < rows[word] <= most]
        makers[identifier] = numbers.setdefault(shared[0] if shared else text.lower(), len(numbers))
    return makers


def _with_gaps(values: list[str], share: float, random: np.random.Generator) -> list[str | None]:
    return [None if random.random() < share else value for value in values]
