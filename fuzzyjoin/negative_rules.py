"""Negative rules: token pairs that tell two rows apart, learned from the reference table (paper, section 3.3).

Two reference rows that differ in exactly one word each are different things, so their two words are opposites: "2008"
and "2009", "men" and "women". A query-reference pair that differs in a pair of opposites is not a match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.token_rules import differing_token_pairs, forbidden_pairs
from fuzzyjoin.tokens import object_array

if TYPE_CHECKING:
    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.kernels.types import BoolArray
    from fuzzyjoin.tokens import TokenIndex, TokenSets

__all__ = ["NegativeRules", "learn_rules"]


@dataclass(frozen=True)
class NegativeRules:
    """Forbidden pairs of stemmed words, each pair and the list in ascending order.

    Examples
    --------
    >>> rules = NegativeRules((("men", "women"),))
    >>> rules.between("swimming men 100m", "swimming women 100m")
    ('men', 'women')
    >>> rules.between("swimming men", "swimming men 100m") is None
    True
    """

    pairs: tuple[tuple[str, str], ...]

    def between(self, query: str, reference: str) -> tuple[str, str] | None:
        """The first rule that separates two blocking texts, None if none does."""
        queries, references = set(query.split()), set(reference.split())
        rules = set(self.pairs)
        found = (
            (min(pair), max(pair))
            for pair in ((a, b) for a in sorted(queries - references) for b in sorted(references - queries))
        )
        return next((pair for pair in found if pair in rules), None)

    def words(self) -> tuple[str, ...]:
        """Every word that a rule names, in ascending order.

        >>> NegativeRules((("men", "women"),)).words()
        ('men', 'women')
        """
        return tuple(sorted({word for pair in self.pairs for word in pair}))

    def forbid(self, pairs: CandidatePairs, query: TokenSets, index: TokenIndex) -> BoolArray:
        """Which candidate pairs (pairs,) a rule forbids.

        `query` and `index` hold the words of the blocking texts; the index's vocabulary must hold every word of a rule.
        """
        if not self.pairs:
            return np.zeros(len(pairs), np.bool_)
        size = len(index.vocabulary)
        low, high = (index.lookup(object_array([pair[side] for pair in self.pairs])) for side in (0, 1))
        return forbidden_pairs(
            pairs.indptr,
            pairs.reference,
            query.indptr,
            query.ids,
            index.reference.indptr,
            index.reference.ids,
            np.sort(low * size + high),
            size,
        )


def learn_rules(pairs: CandidatePairs, index: TokenIndex) -> NegativeRules:
    """Learn the rules from reference-reference pairs; `index` holds the words of the reference's blocking text."""
    size = len(index.vocabulary)
    coded = np.unique(
        differing_token_pairs(pairs.indptr, pairs.reference, index.reference.indptr, index.reference.ids, size)
    )
    vocabulary = index.vocabulary.tolist()
    return NegativeRules(tuple((vocabulary[code // size], vocabulary[code % size]) for code in coded.tolist()))
