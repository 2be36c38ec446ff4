"""Which columns of two tables hold the same kind of values, told by the values: names need not agree."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from fuzzyjoin.tables.cells import as_text
from fuzzyjoin.tables.columns import choose_ids, identified
from fuzzyjoin.tables.frames import as_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fuzzyjoin.tables.columns import IdColumn
    from fuzzyjoin.tables.frames import Table

__all__ = ["ColumnProposal", "ColumnProposals", "propose_columns"]

LEAST_FILLED: Final = 0.2
"""Share of rows that must have a value: an emptier column tells too few rows apart."""

LEAST_SIMILAR: Final = 0.2
SURELY_SIMILAR: Final = 0.5
SURELY_APART: Final = 0.1
"""Similarity from which a pair is proposed, from which it is without a warning, and by how much others must be less."""

OF_ONE_NAME: Final = 0.3
"""What a shared name counts, as similarity."""

VALUES_SEEN: Final = 5_000
"""Distinct values of a column that are looked at, at most; which ones depends on nothing but the values."""

MOSTLY: Final = 0.8
"""Share of a column's values that must be numbers for it to be compared as numbers."""

WORD: Final = re.compile(r"\w+")
LETTER: Final = re.compile(r"[^\W\d_]")
DIGIT: Final = re.compile(r"\d")
REPEATED: Final = re.compile(r"(.)\1+")
NUMBER: Final = re.compile(r"\D{0,3}?([-+]?\d[\d,]*(?:\.\d+)?)\s*\D{0,3}")


@dataclass(frozen=True)
class ColumnProposal:
    """A pair of columns that hold the same kind of values.

    Attributes
    ----------
    reference, query
        The columns.
    similarity
        How alike their values are, in [0, 1].
    warning
        Why the pair should be looked at before it is used; None if it is sure.
    """

    reference: str
    query: str
    similarity: float
    warning: str | None = None


@dataclass(frozen=True)
class ColumnProposals:
    """Columns to compare, and columns to leave out.

    Attributes
    ----------
    pairs
        Pairs that hold values of a kind, in the order of the reference table.
    left_out
        (Table, column, reason) of every other column but the ids.
    """

    pairs: tuple[ColumnProposal, ...]
    left_out: tuple[tuple[str, str, str], ...]

    @property
    def on(self) -> list[tuple[str, str]]:
        """The pairs to compare, as `fuzzy_join` takes them: those without a warning, else the most similar one.

        One column less does less harm than a wrong pair.
        """
        return [(pair.reference, pair.query) for pair in self.pairs if pair in self._compared]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to look at, one sentence a pair."""
        told = [(pair, "" if pair in self._compared else " is not compared") for pair in self.pairs if pair.warning]
        return tuple(f"{pair.reference}={pair.query}{left}: {pair.warning}" for pair, left in told)

    @cached_property
    def _compared(self) -> list[ColumnProposal]:
        best = sorted(self.pairs, key=lambda pair: (-pair.similarity, pair.reference))[:1]
        return [pair for pair in self.pairs if not pair.warning] or best

    def __str__(self) -> str:
        pairs = [
            f"{'compare' if pair in self._compared else 'perhaps'}  {pair.reference}={pair.query}  "
            f"similarity {pair.similarity:.2f}{f'  ({pair.warning})' if pair.warning else ''}"
            for pair in self.pairs
        ]
        return "\n".join([*pairs, *(f"leave    {column} of {role}: {why}" for role, column, why in self.left_out)])


def propose_columns(reference: Table, query: Table, *, id: IdColumn = None) -> ColumnProposals:  # noqa: A002 - as in joins
    """Propose which columns to compare, by their values; names that agree only confirm.

    A pair's similarity is made of the words, 3-grams, characters, shapes, lengths and whole values that both columns
    have, and of the distributions of numbers where both hold numbers. The most similar pairs are taken first, each
    column once.

    Parameters
    ----------
    reference, query
        pandas frames or Arrow tables.
    id
        The id columns, as for `fuzzy_join`; they are not proposed.

    Returns
    -------
    ColumnProposals
        The same whatever the order of rows and columns.

    Raises
    ------
    UsageError, DataError
        As for `fuzzy_join`, if a table or an id column cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> from fuzzyjoin import propose_columns
    >>> reference = pd.DataFrame({"id": [1, 2], "name": ["Grand Mall", "North Plaza"], "opened": [1987, 1990]})
    >>> query = pd.DataFrame({"id": [7, 8], "year": ["1987", "1990"], "typed": ["The Grand Mall", "North Plaza"]})
    >>> propose_columns(reference, query).on
    [('name', 'typed'), ('opened', 'year')]
    """
    frames, _ = identified(as_frame(reference, "reference"), as_frame(query, "query"), id)
    ids = choose_ids(id, *frames)
    sides, left_out = [], []
    for role, frame, id_column in zip(("reference", "query"), frames, ids, strict=True):
        profiles = {column: _Profile.of(frame[column]) for column in frame.columns if column != id_column}
        for column, profile in profiles.items():
            reason = profile.useless()
            if reason:
                left_out.append((role, column, reason))
        sides.append({column: profile for column, profile in profiles.items() if not profile.useless()})
    left, right = sides
    similarity = {pair: _similarity(left[pair[0]], right[pair[1]]) for pair in product(left, right)}
    pairs = _assigned(similarity)
    order = list(frames[0].columns)
    pairs.sort(key=lambda pair: order.index(pair.reference))
    for role, columns, taken in (
        ("reference", left, {pair.reference for pair in pairs}),
        ("query", right, {pair.query for pair in pairs}),
    ):
        other = "query" if role == "reference" else "reference"
        left_out += [
            (role, column, f"no column of {other} holds values of its kind")
            for column in columns
            if column not in taken
        ]
    return ColumnProposals(tuple(pairs), tuple(left_out))


def _assigned(similarity: Mapping[tuple[str, str], float]) -> list[ColumnProposal]:
    """The pairs, most similar first, each column once."""
    # Names that agree say the same thing as values that do.
    alike = {pair: value + OF_ONE_NAME * (pair[0] == pair[1]) for pair, value in similarity.items()}
    ranked = sorted(alike, key=lambda pair: (-alike[pair], pair))
    taken: set[tuple[int, str]] = set()
    found = []
    for left, right in ranked:
        value = alike[left, right]
        if similarity[left, right] < LEAST_SIMILAR or {(0, left), (1, right)} & taken:
            continue
        taken |= {(0, left), (1, right)}
        rivals = {pair: other for pair, other in alike.items() if (pair[0] == left) != (pair[1] == right)}
        near = max(rivals, key=lambda pair: (rivals[pair], pair), default=None)
        warning = None
        if near is not None and value - rivals[near] < SURELY_APART:
            warning = f"{near[0]}={near[1]} is about as alike"
        elif value < SURELY_SIMILAR:
            warning = "their values are not much alike"
        found.append(ColumnProposal(left, right, similarity[left, right], warning))
    return found


@dataclass(frozen=True)
class _Profile:
    """What is known of a column's values: how often each occurs, as text without case."""

    counts: dict[str, int]
    rows: int
    filled: int

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _Profile:
        texts = column.map(as_text).str.strip().str.casefold()
        present = texts[texts != ""]
        counts = present.value_counts(sort=False)
        if len(counts) > VALUES_SEEN:
            # By their hashes: a fair choice that depends on no order.
            hashes = pd.util.hash_array(counts.index.to_numpy(object), categorize=False)
            counts = counts.iloc[np.argsort(hashes, kind="stable")[:VALUES_SEEN]]
        return cls({str(value): int(count) for value, count in counts.items()}, len(texts), len(present))

    def useless(self) -> str | None:
        """Why the column tells no rows apart, if so."""
        if self.filled < LEAST_FILLED * self.rows or not self.filled:
            return f"only {self.filled / max(self.rows, 1):.0%} of its rows have a value"
        if len(self.counts) == 1 and self.rows > 1 and self.filled == self.rows:
            return "it has the same value in every row"
        return None

    @cached_property
    def words(self) -> Counter[str]:
        return self._parts(lambda value: set(WORD.findall(value)))

    @cached_property
    def grams(self) -> Counter[str]:
        return self._parts(lambda value: [value[place : place + 3] for place in range(len(value) - 2)])

    @cached_property
    def characters(self) -> Counter[str]:
        return self._parts(lambda value: value)

    @cached_property
    def shapes(self) -> Counter[str]:
        """Values with every run of letters as one "a" and every run of digits as one "9"."""
        return self._parts(lambda value: [REPEATED.sub(r"\1", DIGIT.sub("9", LETTER.sub("a", value)))])

    @cached_property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        return self._distribution([float(len(value)) for value in self.counts])

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The values as numbers with how often each occurs, if most are; None else."""
        found = [NUMBER.fullmatch(value) for value in self.counts]
        numeric = sum(count for match, count in zip(found, self.counts.values(), strict=True) if match)
        if numeric < MOSTLY * sum(self.counts.values()):
            return None
        return self._distribution([float(match[1].replace(",", "")) if match else math.nan for match in found])

    def _parts(self, parts: Any) -> Counter[str]:  # noqa: ANN401 - a function of a value
        found: Counter[str] = Counter()
        for value, count in self.counts.items():
            for part in parts(value):
                found[part] += count
        return found

    def _distribution(self, numbers: list[float]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers ascending, and the share of rows up to each."""
        values, counts = np.array(numbers), np.array(list(self.counts.values()), np.float64)
        known = ~np.isnan(values)
        order = np.argsort(values[known], kind="stable")
        shares = counts[known][order].cumsum()
        return values[known][order], shares / shares[-1]


WEIGHTS: Final = (1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 2.0)
"""Of values, words, 3-grams, characters, shapes, lengths and numbers."""


def _similarity(left: _Profile, right: _Profile) -> float:
    """How alike two columns' values are, in [0, 1]."""
    numbers = None
    if (left.numbers is None) != (right.numbers is None):
        numbers = 0.0
    elif left.numbers is not None and right.numbers is not None:
        numbers = 1.0 - _distance(left.numbers, right.numbers)
    parts = (
        max(_contained(left.counts, right.counts), _contained(right.counts, left.counts)),
        _cosine(left.words, right.words),
        _cosine(left.grams, right.grams),
        _cosine(left.characters, right.characters),
        _cosine(left.shapes, right.shapes),
        1.0 - _distance(left.lengths, right.lengths),
        numbers,
    )
    known = [(weight, part) for weight, part in zip(WEIGHTS, parts, strict=True) if part is not None]
    return math.fsum(weight * part for weight, part in known) / math.fsum(weight for weight, _ in known)


def _contained(some: Mapping[str, int], others: Mapping[str, int]) -> float:
    """The share of rows whose value the others have too."""
    return sum(count for value, count in some.items() if value in others) / sum(some.values())


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    """The cosine of the square roots of how often each part occurs, so that no frequent one drowns the others."""
    shared = math.fsum(math.sqrt(count * right[part]) for part, count in left.items() if part in right)
    return shared / math.sqrt(left.total() * right.total()) if shared else 0.0


def _distance(left: tuple[np.ndarray, np.ndarray], right: tuple[np.ndarray, np.ndarray]) -> float:
    """The largest difference of two cumulative distributions (Kolmogorov and Smirnov), in [0, 1]."""
    at = np.concatenate([left[0], right[0]])
    shares = [
        np.concatenate([[0.0], shares])[np.searchsorted(values, at, side="right")] for values, shares in (left, right)
    ]
    return float(np.abs(shares[0] - shares[1]).max())
