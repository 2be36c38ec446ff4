"""Negative rules: token pairs that tell two rows apart, learned from the reference table (paper, section 3.3).

Two reference rows that differ in exactly one word each are different things, so their two words are opposites: "2008"
and "2009", "men" and "women". A query-reference pair that differs in a pair of opposites is not a match.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.token_rules import differing_token_pairs, forbidden_pairs
from fuzzyjoin.text import object_array

if TYPE_CHECKING:
    from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
    from fuzzyjoin.kernels.types import BoolArray, Int64Array
    from fuzzyjoin.text import TokenIndex, TokenSets

__all__ = ["NegativeRules", "learn_rules"]

SEPARATOR = "/"


@dataclass(frozen=True)
class NegativeRules:
    """Forbidden pairs of stemmed words, each as "first/second" with first < second, in ascending order.

    A pair is one string because there can be a hundred thousand, and words hold no punctuation.

    Examples
    --------
    >>> rules = NegativeRules(("men/women",))
    >>> rules.between("swimming women 100m", "swimming men 100m")
    'men/women'
    >>> rules.between("swimming men", "swimming men 100m") is None
    True
    """

    pairs: tuple[str, ...]
    _learned: tuple[TokenIndex, Int64Array] | None = field(default=None, compare=False, repr=False)
    """The index that the rules were learned on and their codes there, which spares looking the words up again."""

    def sides(self) -> tuple[list[str], list[str]]:
        """The first and the second words of all pairs.

        >>> NegativeRules(("men/women", "north/south")).sides()
        (['men', 'north'], ['women', 'south'])
        """
        words = SEPARATOR.join(self.pairs).split(SEPARATOR) if self.pairs else []
        return words[::2], words[1::2]

    def between(self, query: str, reference: str) -> str | None:
        """The first rule that separates two blocking texts, None if none does."""
        queries, references = set(query.split()), set(reference.split())
        lacked, added = queries - references, references - queries
        first, second = self.sides()
        # Rule by rule: the pairs of words of two long texts are far more.
        either_way = chain(zip(first, second, strict=True), zip(second, first, strict=True))
        pair = min(((a, b) for a, b in either_way if a in lacked and b in added), default=None)
        return None if pair is None else SEPARATOR.join(sorted(pair))

    def forbid(
        self, pairs: CandidatePairs, query: TokenSets, index: TokenIndex, codes: Int64Array | None = None
    ) -> BoolArray:
        """Which candidate pairs (pairs,) a rule forbids.

        `query` and `index` hold the words of the blocking texts; the index's vocabulary must hold every word of a rule.
        `codes` are those of the rules in that index, if they are at hand already.
        """
        if not self.pairs:
            return np.zeros(len(pairs), np.bool_)
        return forbidden_pairs(
            pairs.indptr,
            pairs.reference,
            query.indptr,
            query.ids,
            index.reference.indptr,
            index.reference.ids,
            self.codes(index) if codes is None else codes,
            len(index.vocabulary),
        )

    def codes(self, index: TokenIndex) -> Int64Array:
        """The pairs as first · vocabulary + second, ascending; of many rules the words take long to find."""
        if self._learned is not None and self._learned[0] is index:
            return self._learned[1]
        low, high = (index.vocabulary.lookup(object_array(side)) for side in self.sides())
        return np.sort(low * len(index.vocabulary) + high)


def learn_rules(pairs: CandidatePairs, index: TokenIndex) -> NegativeRules:
    """Learn the rules from reference-reference pairs; `index` holds the words of the reference's blocking text."""
    size = len(index.vocabulary)
    found = differing_token_pairs(pairs.indptr, pairs.reference, index.reference.indptr, index.reference.ids, size)
    codes = np.unique(found)
    low, high = np.divmod(codes, size)
    vocabulary = np.array(index.vocabulary.tolist(), dtype=object)
    return NegativeRules(tuple((vocabulary[low] + SEPARATOR + vocabulary[high]).tolist()), (index, codes))
