"""Discriminative tokens: what the reference table says of a word that only one of two rows has.

Where a word alone tells reference rows apart ("2008" and "2009", or a row with and one without "women"), a query row
that lacks it is likely another thing; a word that never does so ("inc", "the") can be missing. The published method
forbids pairs of such words (paper, section 3.3); here they are features.

A *context* is a row without one of its words. A word discriminates in a context if another word completes it to
another row; it is an *addition* to a context that is a row by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.discriminative_tokens import TokenTables, discriminative_features, opposite_words
from fuzzyjoin.kernels.types import Pairs, RowTokens

if TYPE_CHECKING:
    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare.forms import Form
    from fuzzyjoin.kernels.types import Float64Array, Int32Array, Int64Array, UInt64Array

__all__ = ["DiscriminativeTokens"]


@dataclass(frozen=True)
class DiscriminativeTokens:
    """What is known of each word of the reference table, and of pairs of them.

    Contexts and rows are known by the sums of the hashes of their words (64 bits), whatever their order.

    Attributes
    ----------
    contexts, additions
        How many contexts each word completes beside other words, and how many it is an addition to, (vocabulary,).
    opposites, opposite_contexts
        Pairs of words that complete the same context, as first · vocabulary + second, ascending, and how many contexts
        they complete. Contexts that more than `MOST_COMPLETIONS` words complete do not count.
    hashes
        The words', (vocabulary,).
    keys, starts, words, rows
        All contexts, ascending; words[starts[i]:starts[i + 1]] complete context i, `rows` says in how many rows.
    whole, whole_rows
        All distinct rows, ascending, and how often each stands in the table.
    """

    contexts: Int64Array
    additions: Int64Array
    opposites: UInt64Array
    opposite_contexts: Int64Array
    hashes: UInt64Array
    keys: UInt64Array
    starts: Int64Array
    words: Int32Array
    rows: Int32Array
    whole: UInt64Array
    whole_rows: Int64Array

    @classmethod
    def learn(cls, indptr: Int64Array, ids: Int32Array, vocabulary_size: int) -> DiscriminativeTokens:
        """Learn them from the word sets of the reference rows; row i's are ids[indptr[i]:indptr[i + 1]], distinct."""
        hashes = _hashes(vocabulary_size)
        # Unsigned sums wrap, so their differences are the rows' sums all the same.
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes[ids], dtype=np.uint64)])
        totals = sums[indptr[1:]] - sums[indptr[:-1]]
        sizes = np.diff(indptr)
        row = np.repeat(np.arange(sizes.size), sizes)
        # A row of one word has no context: two one-word names that differ are simply two names.
        several = sizes[row] > 1
        rests, completing = (totals[row] - hashes[ids])[several], ids[several]
        order = np.lexsort((completing, rests))
        rests, completing = rests[order], completing[order]
        another = np.ones(rests.size, np.bool_)
        another[1:] = (rests[1:] != rests[:-1]) | (completing[1:] != completing[:-1])
        places = np.flatnonzero(another)
        rows = np.diff(np.append(places, rests.size)).astype(np.int32)
        words = completing[places].astype(np.int32)
        keys, first, completions = np.unique(rests[places], return_index=True, return_counts=True)
        starts = np.append(first, words.size).astype(np.int64)
        whole, whole_rows = np.unique(totals[sizes > 0], return_counts=True)
        discriminating = np.repeat(completions > 1, completions)
        added = np.repeat(np.isin(keys, whole), completions)
        pairs, times = np.unique(opposite_words(starts, words, vocabulary_size), return_counts=True)
        return cls(
            contexts=np.bincount(words[discriminating], minlength=vocabulary_size).astype(np.int64),
            additions=np.bincount(words[added], minlength=vocabulary_size).astype(np.int64),
            opposites=pairs.astype(np.uint64),
            opposite_contexts=times.astype(np.int64),
            hashes=hashes,
            keys=keys,
            starts=starts,
            words=words,
            rows=rows,
            whole=whole,
            whole_rows=whole_rows.astype(np.int64),
        )

    def features(self, form: Form, pairs: CandidatePairs, asked: Int64Array, *, is_self_join: bool) -> Float64Array:
        """`DISCRIMINATIVE_FEATURES` of the candidates of the `asked` rows, (features, pairs).

        In a self-join these are reference rows.
        """
        query_indptr, query_ids, _ = form.asking(is_self_join=is_self_join)
        indptr, ids, _ = form.reference
        return discriminative_features(
            asked,
            Pairs(pairs.indptr, pairs.reference),
            RowTokens(query_indptr, query_ids),
            RowTokens(indptr, ids),
            form.frequency,
            TokenTables(*(getattr(self, name) for name in TokenTables._fields)),
            is_self_join,
        )


def _hashes(number: int) -> UInt64Array:
    """A 64-bit hash of each of the first whole numbers (the finaliser of SplitMix64)."""
    value = np.arange(1, number + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))
