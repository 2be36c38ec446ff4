"""The reference rows laid out for finding the exact top k: all together, or in groups that are looked at alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from fuzzyjoin.kernels.postings import GROUP, inverted_index, most_in_a_row, occurrences_by_rank
from fuzzyjoin.kernels.topk import Lists, top_k
from fuzzyjoin.kernels.topk_in_groups import GroupedRows, renumbered, top_k_in_groups
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from fuzzyjoin.blocking.equal_groups import EqualGroups
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt16Array
    from fuzzyjoin.text import Sets
    from fuzzyjoin.threads import Work

__all__ = ["GroupedIndex", "InvertedIndex"]

SCANNED_ROWS: Final = 256
"""Rows of a group up to which it is faster to score every row than to look up lists."""

LISTED_FROM: Final = 16
"""Rows that must ask for a larger group before its lists are worth making."""


@dataclass(frozen=True)
class InvertedIndex:
    """The reference rows by token, laid out for `top_k`.

    Attributes
    ----------
    list_starts, postings
        Places of the rows that hold each token (see `postings.inverted_index`).
    row_starts, row_tokens
        Tokens of each row, each as often as it occurs, by rank.
    most
        How often each token occurs in one row at most, (tokens,).
    weights
        What each token weighs, (tokens,).
    scales, order
        What a row's sum is multiplied by, descending, and the position of the row, (rows,), both by rank.
    """

    list_starts: Int64Array
    postings: UInt16Array
    row_starts: Int64Array
    row_tokens: Int32Array
    most: Int64Array
    weights: Float64Array
    scales: Float64Array
    order: Int32Array

    @classmethod
    def build(
        cls, left: Sets, right: Sets, left_size: int, weights: Float64Array, scales: Float64Array
    ) -> InvertedIndex:
        """Lay out rows of two token sets each, the right ones' tokens behind; `scales` are by position."""
        order = np.argsort(-scales, kind="stable").astype(np.int32)
        rows = occurrences_by_rank(order, *left, left_size, *right)
        return cls.of_ranked(rows, weights, scales[order], order)

    @classmethod
    def of_ranked(
        cls, rows: tuple[Int64Array, Int32Array], weights: Float64Array, scales: Float64Array, order: Int32Array
    ) -> InvertedIndex:
        """Lay out rows whose offsets and tokens, scales and positions are given by rank."""
        lists = inverted_index(*rows, weights.size)
        return cls(*lists, *rows, most_in_a_row(*rows, weights.size), weights, scales, order)

    @cached_property
    def group_norms(self) -> Float64Array:
        """One over the scale of the first row of every group of ranks."""
        return 1.0 / self.scales[::GROUP]

    def search(
        self, asked: Int64Array, indptr: Int64Array, ids: Int32Array, k: int, left_out: Int64Array
    ) -> tuple[Int64Array, Int32Array]:
        """How many candidates each of the rows `asked` for has, and the candidates (see `topk.top_k`)."""
        lists = Lists(*(getattr(self, name) for name in Lists._fields))
        return top_k(asked, indptr, ids, lists, k, left_out)

    def top_k(  # noqa: PLR0917 - the rows that ask, and for how many
        self, asked: Int64Array, indptr: Int64Array, ids: Int32Array, k: int, left_out: Int64Array, work: Work
    ) -> tuple[Int64Array, Int32Array]:
        """The same by all threads."""
        # Derived before the threads start.
        _ = self.group_norms

        def search(places: Int64Array) -> tuple[Int64Array, Int32Array]:
            return self.search(asked[places], indptr, ids, k, left_out[places])

        return _together(map_chunks(search, np.arange(asked.size), work))


@dataclass(frozen=True, eq=False)
class GroupedIndex:
    """The reference rows by group (see `EqualGroups`), ranked within each as an `InvertedIndex` ranks all.

    Rows of no group are left out. Of large groups that many rows ask for, lists are made when they first do.

    Attributes
    ----------
    starts
        Ranks at which the groups begin and, last, where all end, (groups + 1,).
    row_starts, row_tokens, weights, scales, order
        As of an `InvertedIndex`.
    """

    starts: Int64Array
    row_starts: Int64Array
    row_tokens: Int32Array
    weights: Float64Array
    scales: Float64Array
    order: Int32Array

    @classmethod
    def build(  # noqa: PLR0917 - as of an `InvertedIndex`, and the groups
        cls,
        left: Sets,
        right: Sets,
        left_size: int,
        weights: Float64Array,
        scales: Float64Array,
        groups: EqualGroups,
    ) -> GroupedIndex:
        """Lay out rows of two token sets each, the right ones' tokens behind; `scales` are by position."""
        ranked = np.lexsort((-scales, groups.of_rows)).astype(np.int32)
        order = ranked[groups.of_rows[ranked] >= 0]
        sizes = np.bincount(groups.of_rows[order], minlength=len(groups))
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        rows = occurrences_by_rank(order, *left, left_size, *right)
        return cls(starts, *rows, weights, scales[order], order)

    @cached_property
    def _lists(self) -> dict[int, tuple[Int64Array, InvertedIndex]]:
        """Large groups that were asked for often: which tokens its rows hold, and the group by their positions."""
        return {}

    def top_k(  # noqa: PLR0917 - the rows that ask, in which groups, and for how many
        self,
        asked: Int64Array,
        groups: Int64Array,
        indptr: Int64Array,
        ids: Int32Array,
        k: int,
        left_out: Int64Array,
        work: Work,
    ) -> tuple[Int64Array, Int32Array]:
        """As `InvertedIndex.top_k`, each row within its group; `groups` (asked,) holds -1 for rows of no group."""
        # Group by group, so that its rows stay near the processor.
        places = np.argsort(groups, kind="stable")
        places = places[groups[places] >= 0]
        self._make_lists(groups[places])

        def search(chunk: Int64Array) -> tuple[Int64Array, Int32Array]:
            return self._search(asked[chunk], groups[chunk], indptr, ids, k, left_out[chunk])

        found, candidates = _together(map_chunks(search, places, work))
        sizes = np.zeros(asked.size, np.int64)
        sizes[places] = found
        # From the order of the groups back to that of the rows.
        moved = (np.cumsum(sizes) - sizes)[places] - (np.cumsum(found) - found)
        in_order = np.empty_like(candidates)
        in_order[np.repeat(moved, found) + np.arange(candidates.size)] = candidates
        return sizes, in_order

    def _make_lists(self, groups: Int64Array) -> None:
        """Make the lists of large groups that many of the rows in these groups ask for."""
        asked = np.bincount(groups, minlength=self.starts.size - 1)
        large = (np.diff(self.starts) > SCANNED_ROWS) & (asked >= LISTED_FROM)
        for group in np.flatnonzero(large).tolist():
            if group not in self._lists:
                self._lists[group] = self._lists_of(group)

    def _lists_of(self, group: int) -> tuple[Int64Array, InvertedIndex]:
        ranks = slice(*self.starts[group : group + 2])
        rows = np.arange(ranks.start, ranks.stop)
        held = self.row_tokens[self.row_starts[ranks.start] : self.row_starts[ranks.stop]]
        tokens = np.flatnonzero(np.bincount(held, minlength=self.weights.size))
        numbered = renumbered(rows, self.row_starts, self.row_tokens, self._numbers(tokens))
        index = InvertedIndex.of_ranked(numbered, self.weights[tokens], self.scales[ranks], self.order[ranks])
        # Derived before the threads start.
        _ = index.group_norms
        return tokens, index

    def _numbers(self, tokens: Int64Array) -> Int32Array:
        """The position of every token of the table among these, -1 for the others."""
        numbers = np.full(self.weights.size, -1, np.int32)
        numbers[tokens] = np.arange(tokens.size)
        return numbers

    def _search(  # noqa: PLR0917 - as `top_k`
        self,
        asked: Int64Array,
        groups: Int64Array,
        indptr: Int64Array,
        ids: Int32Array,
        k: int,
        left_out: Int64Array,
    ) -> tuple[Int64Array, Int32Array]:
        """What rows that come group by group find: by lists where there are, else by scoring every row."""
        listed = np.array([group if group in self._lists else -1 for group in groups.tolist()], np.int64)
        parts = []
        for run in np.split(np.arange(asked.size), np.flatnonzero(np.diff(listed)) + 1):
            group = int(listed[run[0]]) if run.size else -1
            if group < 0:
                rows = GroupedRows(*(getattr(self, name) for name in GroupedRows._fields))
                parts.append(top_k_in_groups(asked[run], groups[run], left_out[run], indptr, ids, rows, k))
                continue
            tokens, index = self._lists[group]
            own = renumbered(asked[run], indptr, ids, self._numbers(tokens))
            parts.append(index.search(np.arange(run.size), *own, k, left_out[run]))
        return _together(parts)


def _together(parts: list[tuple[Int64Array, Int32Array]]) -> tuple[Int64Array, Int32Array]:
    sizes, candidates = zip(*parts, strict=True)
    return np.concatenate(sizes), np.concatenate(candidates)
