"""The reference side of a join: all that is made of the reference table, whatever query rows come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING

from fuzzyjoin.blocking import (
    BlockerName,
    CandidatePairs,
    EqualGroups,
    LexicalBlocking,
    NearlyEqualRows,
    NegativeRules,
    block_with,
)
from fuzzyjoin.compare.discriminative_tokens import DiscriminativeTokens
from fuzzyjoin.compare.distances import ReferenceColumn
from fuzzyjoin.compare.forms import ReferenceForms, reference_forms
from fuzzyjoin.compare.nearest_neighbours import room_for_neighbours
from fuzzyjoin.text import Texts, blocking_text

if TYPE_CHECKING:
    from fuzzyjoin.blocking import Blocker
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array, Int64Array
    from fuzzyjoin.tables import KeyTable
    from fuzzyjoin.threads import Work

__all__ = ["NO_RULES", "ReferenceParts", "ReferenceSide"]

NO_RULES = NegativeRules(())


@dataclass(frozen=True)
class ReferenceParts:
    """What was derived of a reference table before, or read from an index; None what was not. See `ReferenceSide`."""

    columns: tuple[ReferenceColumn, ...] | None = None
    blocking_texts: Texts | None = None
    index: LexicalBlocking | None = None
    forms: ReferenceForms | None = None
    nearest_neighbours: tuple[Float64Array, Int32Array, BoolArray] | None = None
    discriminative_tokens: DiscriminativeTokens | None = None
    nearly_equal: NearlyEqualRows | None = None


@dataclass(frozen=True, eq=False)
class ReferenceSide:
    """The reference table and what is derived from it, each when it is first asked for, or read from an index.

    Parameters
    ----------
    table
        The table.
    blocking
        How many candidates a row the built-in blocker keeps, or a user's own blocker in its place.
    rules
        Rules of a stored program: their words enter the vocabulary even if the reference table lacks them.
    blocker
        Which of the built-in blockers.
    known
        What is at hand already.
    """

    table: KeyTable
    blocking: int | Blocker
    rules: NegativeRules = NO_RULES
    blocker: BlockerName = "lexical"
    known: ReferenceParts = ReferenceParts()

    @cached_property
    def columns(self) -> tuple[ReferenceColumn, ...]:
        """The key columns."""
        return self.known.columns or tuple(ReferenceColumn.of(column) for column in self.table.columns)

    @cached_property
    def blocking_texts(self) -> Texts:
        """Blocking text of the rows."""
        if self.known.blocking_texts is not None:
            return self.known.blocking_texts
        return Texts.of(blocking_text([column.lower.tolist() for column in self.columns]))

    @cached_property
    def groups(self) -> EqualGroups | None:
        """The groups of rows that only rows of equal values are compared with, if columns must be equal."""
        if self.known.index is not None:
            return self.known.index.groups
        return EqualGroups.of(self.table.rule_columns) if self.table.rule_columns else None

    @cached_property
    def index(self) -> LexicalBlocking:
        """The inverted index."""
        if self.known.index is not None:
            return self.known.index
        rule_words = [word for side in self.rules.sides() for word in side]
        return LexicalBlocking.build(self.blocking_texts, also=rule_words, blocker=self.blocker, groups=self.groups)

    @cached_property
    def rule_codes(self) -> Int64Array:
        """Codes of the rules (see `NegativeRules.codes`)."""
        return self.rules.codes(self.index.words)

    @cached_property
    def forms(self) -> ReferenceForms:
        """The rows in every form that a scorer compares."""
        if self.known.forms is not None:
            return self.known.forms
        columns = [column.lower.tolist() for column in self.columns]
        return reference_forms(columns, self.blocking_texts.tolist(), self.index.words)

    @cached_property
    def discriminative_tokens(self) -> DiscriminativeTokens:
        """Which words tell rows apart by themselves."""
        if self.known.discriminative_tokens is not None:
            return self.known.discriminative_tokens
        words = self.index.words
        return DiscriminativeTokens.learn(words.reference.indptr, words.reference.ids, len(words.vocabulary))

    @cached_property
    def nearly_equal(self) -> NearlyEqualRows:
        """Which rows differ in case, spaces and punctuation alone."""
        if self.known.nearly_equal is not None:
            return self.known.nearly_equal
        return NearlyEqualRows.of([column.lower.tolist() for column in self.columns])

    @property
    def tells_nearly_equal_apart(self) -> bool:
        """Whether of nearly equal candidates only the nearest is looked at.

        The published method looks at all, and so do programs to which equal rows are several candidates.
        """
        return self.blocker == "cosine" and self.table.equal is not None

    @cached_property
    def nearest_neighbours(self) -> tuple[Float64Array, Int32Array, BoolArray]:
        """Room for every row's nearest neighbours, and which rows have theirs (see `FeatureTables`)."""
        return (
            room_for_neighbours(len(self.table))
            if self.known.nearest_neighbours is None
            else self.known.nearest_neighbours
        )

    def merged(self, other: ReferenceSide, rows: Int64Array, table: KeyTable) -> ReferenceSide:
        """The side of a changed table, which holds rows of this one's and of another's.

        What was derived of the rows of this one is taken over; nothing is tokenised again. What the whole table decides
        is computed again: document frequencies, weights, lists, discriminative tokens. Nearest neighbours are not taken
        over, because weights and neighbours of nearly every row change.

        Parameters
        ----------
        other
            The side of the other rows, with the same blocking and rules.
        rows
            What the changed table's rows are, in canonical order: positions in this table, then in the other.
        table
            The changed table.
        """
        groups = EqualGroups.of(table.rule_columns) if table.rule_columns else None
        index = self.index.merged(other.index, rows, groups)
        forms = None
        if self.known.forms is not None:
            vocabularies = self.index.words.vocabulary, other.index.words.vocabulary, index.words.vocabulary
            forms = self.known.forms.merged(other.forms, rows, vocabularies)
        known = ReferenceParts(
            columns=tuple(map(ReferenceColumn.merged, self.columns, other.columns, repeat(rows))),
            blocking_texts=self.blocking_texts.merged(other.blocking_texts, rows),
            index=index,
            forms=forms,
            nearly_equal=(
                None if self.known.nearly_equal is None else self.known.nearly_equal.merged(other.nearly_equal, rows)
            ),
        )
        return replace(self, table=table, known=known)

    @cached_property
    def _all_of_the_users(self) -> CandidatePairs:
        if isinstance(self.blocking, int):
            raise TypeError("the built-in blocker is asked row by row")
        pairs = block_with(self.blocking, self.table, self.table)
        return pairs if self.groups is None else self.groups.keep(pairs, self.groups.of_rows)

    def neighbours(self, rows: Int64Array, work: Work) -> CandidatePairs:
        """Neighbours of some rows (ascending), themselves left out; other rows get none.

        A blocker of the user's own is asked once, for all rows.
        """
        if not isinstance(self.blocking, int):
            return self.nearest_only(self._all_of_the_users, self.table, is_self_join=True)
        found = self.index.self_pairs(rows, self.blocking, work.named("blocking the reference"))
        return self.nearest_only(found, self.table, is_self_join=True)

    def nearest_only(self, pairs: CandidatePairs, asking: KeyTable, *, is_self_join: bool = False) -> CandidatePairs:
        """The candidate pairs of a table's rows, of nearly equal candidates only the nearest."""
        if not self.tells_nearly_equal_apart:
            return pairs
        return self.nearly_equal.nearest_only(pairs, asking, self.table, is_self_join=is_self_join)
