"""Distances of candidate pairs: one array a join function, computed in chunks of rows.

Functions that need the same pass over the data form a group: the sixteen set distances of one preprocessing and
tokenisation, or one character distance. Nothing here is kept longer than its chunk but texts and token sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz.distance import JaroWinkler, Levenshtein
from rapidfuzz.process import cpdist

from fuzzyjoin.blocking import pair_positions, pair_texts
from fuzzyjoin.compare.join_functions import JoinFunction
from fuzzyjoin.errors import UsageError
from fuzzyjoin.kernels.set_distances import SET_DISTANCE_CODES, set_distances
from fuzzyjoin.kernels.types import Pairs
from fuzzyjoin.text import MOST_CHARACTERS, WEIGHTINGS, Texts, TokenIndex, long_pairs, lower, object_array, preprocess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare.join_functions import AnyJoinFunction, CustomJoinFunction
    from fuzzyjoin.kernels.types import Float64Array, Int64Array
    from fuzzyjoin.text import LongPairs, TokenSets

__all__ = [
    "ColumnTexts",
    "FunctionGroup",
    "ReferenceColumn",
    "WeightedColumns",
    "column_distances",
    "derive",
    "group_functions",
    "prepare_columns",
]


TAILS_BY: Final = "3-gram"
"""Tokens by which texts that are longer than `MOST_CHARACTERS` are compared beyond them."""


@dataclass(frozen=True)
class FunctionGroup:
    """Join functions computed in one pass, with their positions in the space."""

    positions: tuple[int, ...]
    functions: tuple[AnyJoinFunction, ...]


def group_functions(functions: Sequence[AnyJoinFunction]) -> list[FunctionGroup]:
    """Group functions by the pass they share, in order of first appearance.

    >>> from fuzzyjoin.compare.join_functions import resolve_space
    >>> [len(group.functions) for group in group_functions(resolve_space("small"))]
    [3, 3, 3, 3, 1, 1]
    """
    shared: dict[object, list[int]] = {}
    for position, function in enumerate(functions):
        key: object = position
        if isinstance(function, JoinFunction) and function.tokenise is not None:
            key = (function.preprocess, function.tokenise)
        shared.setdefault(key, []).append(position)
    return [
        FunctionGroup(tuple(positions), tuple(functions[position] for position in positions))
        for positions in shared.values()
    ]


@dataclass
class ReferenceColumn:
    """One key column of the reference table, with what was derived from it so far.

    Derived forms are kept because every group of the same preprocessing, both passes of the search, and every batch of
    query rows use them.
    """

    raw: Sequence[str]
    lower: Texts
    forms: dict[str, Texts] = field(default_factory=dict)
    indexes: dict[str, TokenIndex] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Sequence[str]) -> ReferenceColumn:
        """A column of texts as they came."""
        return cls(texts, Texts.of([lower(text) for text in texts]))

    def texts(self, method: str) -> Texts:
        """Preprocessed texts."""
        if method not in self.forms:
            self.forms[method] = Texts.of(preprocess(self.lower.tolist(), method))
        return self.forms[method]

    def tokens(self, method: str, tokeniser: str) -> TokenIndex:
        """Token index of the preprocessed texts."""
        name = f"{method}/{tokeniser}"
        if name not in self.indexes:
            self.indexes[name] = TokenIndex.build(self.texts(method), tokeniser)
        return self.indexes[name]

    def merged(self, other: ReferenceColumn, rows: Int64Array) -> ReferenceColumn:
        """The column of two tables' rows (see `TokenIndex.merged`), with all that was derived from this one."""
        return ReferenceColumn(
            Texts.of(self.raw).merged(Texts.of(other.raw), rows),
            self.lower.merged(other.lower, rows),
            {method: texts.merged(other.texts(method), rows) for method, texts in self.forms.items()},
            {name: index.merged(other.tokens(*name.split("/")), rows) for name, index in self.indexes.items()},
        )


@dataclass
class ColumnTexts:
    """One key column of both tables; what is derived from the query rows is kept as `ReferenceColumn` keeps its own."""

    reference: ReferenceColumn
    query: Sequence[str]
    _texts: dict[str, np.ndarray] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], TokenSets] = field(default_factory=dict)

    @cached_property
    def query_lower(self) -> list[str]:
        """The query texts in lower case, which every preprocessing starts from."""
        return [lower(text) for text in self.query]

    @cached_property
    def has_long_texts(self) -> bool:
        """Whether any text can be longer than `MOST_CHARACTERS`; of those in the reference table the bytes count."""
        sizes = np.diff(self.reference.lower.offsets)
        return bool(sizes.size and sizes.max() > MOST_CHARACTERS) or any(
            len(text) > MOST_CHARACTERS for text in self.query_lower
        )

    def texts(self, method: str) -> tuple[Texts, np.ndarray]:
        """Preprocessed reference and query texts."""
        if method not in self._texts:
            self._texts[method] = object_array(preprocess(self.query_lower, method))
        return self.reference.texts(method), self._texts[method]

    def raw(self) -> tuple[Texts, np.ndarray]:
        """Reference and query texts as they came."""
        return Texts.of(self.reference.raw), object_array(self.query)

    def tokens(self, method: str, tokeniser: str) -> tuple[TokenIndex, TokenSets]:
        """Token index of the reference texts and token sets of the query texts."""
        index = self.reference.tokens(method, tokeniser)
        key = (method, tokeniser)
        if key not in self._tokens:
            self._tokens[key] = index.encode(preprocess(self.query_lower, method))
        return index, self._tokens[key]


def derive(column: ReferenceColumn | ColumnTexts, group: FunctionGroup) -> None:
    """Derive what a group needs of a column, so that threads afterwards only read."""
    first = group.functions[0]
    if isinstance(first, JoinFunction) and first.tokenise is not None:
        column.tokens(first.preprocess, first.tokenise)
    elif isinstance(first, JoinFunction):
        column.texts(first.preprocess)
        if isinstance(column, ColumnTexts) and column.has_long_texts:
            column.tokens(first.preprocess, TAILS_BY)


def prepare_columns(columns: Sequence[ColumnTexts], functions: Sequence[AnyJoinFunction]) -> None:
    """Derive all that the functions need of the columns."""
    for group in group_functions(functions):
        for column in columns:
            derive(column, group)


@dataclass(frozen=True)
class WeightedColumns:
    """The key columns of both tables with one or more weightings: what the distance between two rows is made of.

    Several weightings are tried side by side because they share the columns' distances, which cost the most.
    """

    columns: tuple[ColumnTexts, ...]
    weightings: tuple[tuple[float, ...], ...]

    def prepare(self, group: FunctionGroup) -> None:
        """Derive what a group needs, so that threads afterwards only read."""
        for place in self._used():
            derive(self.columns[place], group)

    def distances(
        self, group: FunctionGroup, pairs: CandidatePairs, rows: Int64Array, *, within_reference: bool
    ) -> Iterator[Float64Array]:
        """For each weighting Σ weight · distance over the columns, (functions of the group, pairs of `rows`)."""
        parts = {
            place: column_distances(self.columns[place], group, pairs, rows, within_reference=within_reference)
            for place in self._used()
        }
        for weights in self.weightings:
            used = [place for place, weight in enumerate(weights) if weight > 0.0]
            total = weights[used[0]] * parts[used[0]]
            for place in used[1:]:
                total += weights[place] * parts[place]
            yield total

    def _used(self) -> list[int]:
        """Positions of the columns to which any weighting gives weight."""
        return [place for place, weights in enumerate(zip(*self.weightings, strict=True)) if any(weights)]


def column_distances(
    column: ColumnTexts, group: FunctionGroup, pairs: CandidatePairs, rows: Int64Array, *, within_reference: bool
) -> Float64Array:
    """Distances of `rows` to their candidates, shape (functions of the group, pairs of `rows`).

    `within_reference` says that the rows are reference rows themselves, compared with their neighbours. A missing value
    on either side is as far as can be: 1, and for the edit distance the length of the other text (at least 1).
    """
    first = group.functions[0]
    if not isinstance(first, JoinFunction):
        return _custom_distances(first, column, pairs, rows, within_reference=within_reference)
    if first.tokenise is None:
        return _character_distances(first, column, pairs, rows, within_reference=within_reference)
    index, query_sets = column.tokens(first.preprocess, first.tokenise)
    sets = index.reference if within_reference else query_sets
    functions = [function for function in group.functions if isinstance(function, JoinFunction)]
    return set_distances(
        Pairs(pairs.indptr, pairs.reference),
        rows,
        sets.weighted,
        index.reference.weighted,
        index.weights,
        np.array([WEIGHTINGS.index(str(function.weight)) for function in functions]),
        np.array([SET_DISTANCE_CODES[function.distance] for function in functions]),
    )


def _character_distances(
    function: JoinFunction, column: ColumnTexts, pairs: CandidatePairs, rows: Int64Array, *, within_reference: bool
) -> Float64Array:
    references, queries = column.texts(function.preprocess)
    left, right = pair_texts(references if within_reference else queries, references, pairs, rows)
    scorer = Levenshtein.distance if function.distance == "edit" else JaroWinkler.distance
    if column.has_long_texts:
        lengths = np.maximum(*(np.fromiter(map(len, texts), np.int64, texts.size) for texts in (left, right)))
        long = _long_pairs(lengths, column, function.preprocess, pairs, rows, within_reference=within_reference)
        result = cpdist(long.heads(left), long.heads(right), scorer=scorer, dtype=np.float64)
        if function.distance == "edit":
            long.add_edits(result)
        else:
            long.add_tails(result, long.disjoint)
    else:
        result = cpdist(left, right, scorer=scorer, dtype=np.float64)
    missing = (left == "") | (right == "")
    if missing.any():
        result[missing] = np.maximum(1.0, result[missing])
    return result[np.newaxis, :]


def _long_pairs(
    lengths: Int64Array,
    column: ColumnTexts,
    method: str,
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    within_reference: bool,
) -> LongPairs:
    index, query_sets = column.tokens(method, TAILS_BY)
    asking = index.reference if within_reference else query_sets
    sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
    references = pairs.reference[pair_positions(pairs, rows)]
    return long_pairs(lengths, np.repeat(rows, sizes), references, asking.sets, index.reference.sets)


def _custom_distances(
    function: CustomJoinFunction,
    column: ColumnTexts,
    pairs: CandidatePairs,
    rows: Int64Array,
    *,
    within_reference: bool,
) -> Float64Array:
    references, queries = column.raw()
    left, right = pair_texts(references if within_reference else queries, references, pairs, rows)
    present = (left != "") & (right != "")
    result = np.ones(left.size)
    given = np.asarray(function.distances(right[present].tolist(), left[present].tolist()), dtype=np.float64)
    if given.shape != (int(present.sum()),):
        raise UsageError(
            f"join function {function.name!r} gave an array of shape {given.shape} for {int(present.sum())} pairs; "
            "return one distance a pair"
        )
    if given.size and not (np.isfinite(given).all() and given.min() >= 0.0):
        raise UsageError(f"join function {function.name!r} gave a distance that is negative or not finite; mend it")
    result[present] = given
    return result[np.newaxis, :]
