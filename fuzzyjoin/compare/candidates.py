"""Candidate pairs of two tables, ready to be compared: blocking and negative rules together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.blocking import BlockedPairs, BlockerName, CandidatePairs, block_with
from fuzzyjoin.compare.distances import ColumnTexts
from fuzzyjoin.compare.reference_side import NO_RULES, ReferenceSide
from fuzzyjoin.text import blocking_text

if TYPE_CHECKING:
    from fuzzyjoin.blocking import Blocker, LexicalBlocking, NegativeRules
    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.tables import KeyTable
    from fuzzyjoin.text import TokenSets
    from fuzzyjoin.threads import Work

__all__ = ["Candidates"]


@dataclass
class Candidates:
    """Blocking of one pair of tables, done when asked for; what was derived is kept.

    Parameters
    ----------
    reference, query
        The tables.
    blocking
        How many candidates a row the built-in blocker keeps, or a user's own blocker in its place.
    work
        Threads and progress.
    rules
        Rules of a stored program: their words enter the vocabulary even if the reference table lacks them.
    blocker
        Which of the built-in blockers.
    prepared
        The reference side, if it is at hand already: of this table, with this blocking and these rules.
    found
        Pairs that this blocker found before, on these tables and with this k.
    """

    reference: KeyTable
    query: KeyTable
    blocking: int | Blocker
    work: Work
    rules: NegativeRules = NO_RULES
    blocker: BlockerName = "lexical"
    prepared: ReferenceSide | None = None
    found: BlockedPairs | None = None
    _reference_pairs: CandidatePairs | None = field(default=None, init=False)
    _allowed: tuple[NegativeRules, CandidatePairs] | None = field(default=None, init=False)

    @cached_property
    def reference_side(self) -> ReferenceSide:
        """What is made of the reference table alone."""
        return self.prepared or ReferenceSide(self.reference, self.blocking, self.rules, self.blocker)

    @cached_property
    def columns(self) -> tuple[ColumnTexts, ...]:
        """The key columns of both tables, side by side."""
        references = self.reference_side.columns
        return tuple(ColumnTexts(left, right) for left, right in zip(references, self.query.columns, strict=True))

    @cached_property
    def query_texts(self) -> list[str]:
        """Blocking text of the query rows."""
        return blocking_text([column.query_lower for column in self.columns])

    @property
    def index(self) -> LexicalBlocking:
        """The reference table's inverted index."""
        return self.reference_side.index

    @cached_property
    def query_words(self) -> TokenSets:
        """Words of the query rows' blocking text."""
        return self.index.words.encode(self.query_texts)

    @cached_property
    def query_groups(self) -> Int64Array | None:
        """The group of reference rows with the values of every query row, -1 where there is none (see `EqualGroups`).

        None if no columns must be equal.
        """
        groups = self.reference_side.groups
        return None if groups is None else groups.find(self.query.rule_columns)

    @cached_property
    def rows_with_others(self) -> tuple[Int64Array, Int64Array]:
        """Positions of the query rows, and of the reference rows, that say something as decoys.

        All rows do, but for those whose group holds no reference row besides the one that would be left out.
        """
        groups = self.reference_side.groups
        if groups is None or self.query_groups is None:
            return np.arange(len(self.query)), np.arange(len(self.reference))
        several = groups.have_several(self.query_groups), groups.have_several(groups.of_rows)
        return np.flatnonzero(several[0]), np.flatnonzero(several[1])

    @cached_property
    def query_pairs(self) -> CandidatePairs:
        """Candidate reference rows of every query row, before negative rules."""
        if self.found is not None:
            return self.found.query_pairs
        if not isinstance(self.blocking, int):
            found = block_with(self.blocking, self.reference, self.query)
            if self.reference_side.groups is not None and self.query_groups is not None:
                found = self.reference_side.groups.keep(found, self.query_groups)
        else:
            grams, work = self.index.grams.encode(self.query_texts), self.work.named("blocking queries")
            found = self.index.query_pairs(grams, self.query_words, self.blocking, work, self.query_groups)
        return self.reference_side.nearest_only(found, self.query)

    @property
    def reference_pairs(self) -> CandidatePairs:
        """Neighbours of every reference row, itself left out."""
        if self._reference_pairs is None:
            self._reference_pairs = self.neighbours(np.arange(len(self.reference)))
        return self._reference_pairs

    def neighbours(self, rows: Int64Array) -> CandidatePairs:
        """Neighbours of some reference rows; the others get none. The same as in `reference_pairs`."""
        if self.found is not None and self.found.reference_pairs is not None:
            return self.found.reference_pairs
        if self._reference_pairs is not None:
            return self._reference_pairs
        return self.reference_side.neighbours(rows, self.work)

    def blocked(self, *, with_reference: bool) -> BlockedPairs:
        """The candidate pairs as a value of their own, to be kept; with the neighbours of all reference rows if asked.

        Raises
        ------
        TypeError
            If the blocker is the user's own.
        """
        if not isinstance(self.blocking, int):
            raise TypeError("pairs are kept of a built-in blocker")
        return BlockedPairs(
            self.reference.fingerprint(),
            self.query.fingerprint(),
            self.blocker,
            self.blocking,
            self.query_pairs,
            self.reference_pairs if with_reference else None,
        )

    def of_queries(self, rows: Int64Array) -> Candidates:
        """The same for some query rows alone, at ascending positions; what is made of the reference table is shared."""
        query, found = self.query.some(rows), self.found
        if found is not None:
            found = replace(found, query_fingerprint=query.fingerprint(), query_pairs=found.query_pairs.of_rows(rows))
        return Candidates(
            self.reference, query, self.blocking, self.work, self.rules, self.blocker, self.reference_side, found
        )

    def allowed_pairs(self, rules: NegativeRules) -> CandidatePairs:
        """The query pairs that no negative rule forbids."""
        if self._allowed is None or self._allowed[0] != rules:
            side = self.reference_side
            codes = side.rule_codes if rules == side.rules else None
            forbidden = rules.forbid(self.query_pairs, self.query_words, self.index.words, codes)
            self._allowed = rules, self.query_pairs.keep(~forbidden)
        return self._allowed[1]
