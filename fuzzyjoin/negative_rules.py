"""Negative rules: token pairs that tell two rows apart, learned from the reference table (paper, section 3.3).

Two reference rows that differ in exactly one word each are different things, so their two words are opposites: "2008"
and "2009", "men" and "women". A query-reference pair that differs in a pair of opposites is not a match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.csr import sorted_counts
from fuzzyjoin.kernels.token_rules import differing_token_pairs, forbidden_pairs
from fuzzyjoin.tokens import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.kernels.types import BoolArray, Int32Array, Int64Array
    from fuzzyjoin.tokens import TokenIndex

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

    def forbid(self, pairs: CandidatePairs, query: Sequence[str], reference: Sequence[str]) -> BoolArray:
        """Which candidate pairs (pairs,) a rule forbids, given the blocking texts of both tables."""
        if not self.pairs:
            return np.zeros(len(pairs), np.bool_)
        ids: dict[str, int] = {}
        # Only words of rules and of the reference can take part, so they come first and form the vocabulary.
        for pair in self.pairs:
            for word in pair:
                ids.setdefault(word, len(ids))
        reference_indptr, reference_ids = _encode(reference, ids)
        size = len(ids)
        query_indptr, query_ids = _encode(query, ids)
        coded = np.array([(ids[a], ids[b]) for a, b in self.pairs], np.int64)
        rules = np.sort(coded.min(axis=1) * size + coded.max(axis=1))
        return forbidden_pairs(
            pairs.indptr, pairs.reference, query_indptr, query_ids, reference_indptr, reference_ids, rules, size
        )


def _encode(texts: Sequence[str], ids: dict[str, int]) -> tuple[Int64Array, Int32Array]:
    """Word sets as sorted ids, handing out new ids to new words."""
    keys, indptr = words(texts)
    codes = np.fromiter((ids.setdefault(word, len(ids)) for word in keys), np.int64, keys.size)
    sorted_ids, _, indptr = sorted_counts(codes, indptr)
    return indptr, sorted_ids


def learn_rules(pairs: CandidatePairs, index: TokenIndex) -> NegativeRules:
    """Learn the rules from reference-reference pairs; `index` holds the words of the reference's blocking text."""
    size = len(index.vocabulary)
    coded = np.unique(
        differing_token_pairs(pairs.indptr, pairs.reference, index.reference.indptr, index.reference.ids, size)
    )
    vocabulary = index.vocabulary.tolist()
    return NegativeRules(tuple((vocabulary[code // size], vocabulary[code % size]) for code in coded.tolist()))
