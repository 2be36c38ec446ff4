"""Discriminative tokens: words that alone tell two reference rows apart, looked up for pairs of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fuzzyjoin.kernels.bisection import first_not_below
from fuzzyjoin.kernels.jit import inlined, kernel
from fuzzyjoin.kernels.token_rules import difference, longest_row, mark

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import (
        BoolArray,
        Float64Array,
        Int32Array,
        Int64Array,
        Pairs,
        RowTokens,
        UInt64Array,
    )

__all__ = ["DISCRIMINATIVE_FEATURES", "MOST_COMPLETIONS", "TokenTables", "discriminative_features", "opposite_words"]

DISCRIMINATIVE_FEATURES = (
    "query discriminative token, contexts per row",
    "query discriminative token, additions per row",
    "query discriminative token, contexts",
    "query discriminative token, additions",
    "reference discriminative token, contexts per row",
    "reference discriminative token, additions per row",
    "reference discriminative token, contexts",
    "reference discriminative token, additions",
    "opposite words, contexts",
)
"""Rows of `discriminative_features`."""

EACH_SIDE = 4
"""Rows of each side among them."""

MOST_COMPLETIONS = 50
"""Words that complete a context, at most, for its pairs of words to be counted as opposites."""


class TokenTables(NamedTuple):
    """What is known of the words of the reference table: the fields of `compare.DiscriminativeTokens`."""

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


@kernel
def opposite_words(starts: Int64Array, words: Int32Array, vocabulary_size: int) -> Int64Array:
    """Pairs (a, b), a < b, of words that complete the same context, as a · vocabulary_size + b; once a context.

    words[starts[i]:starts[i + 1]] complete context i, in ascending order.
    """
    total = 0
    for context in range(starts.size - 1):
        size = starts[context + 1] - starts[context]
        if size <= MOST_COMPLETIONS:
            total += size * (size - 1) // 2
    out = np.empty(total, np.int64)
    place = 0
    for context in range(starts.size - 1):
        start, end = starts[context], starts[context + 1]
        if end - start > MOST_COMPLETIONS:
            continue
        for i in range(start, end):
            for j in range(i + 1, end):
                out[place] = np.int64(words[i]) * vocabulary_size + words[j]
                place += 1
    return out


@inlined
def find(keys: UInt64Array, key: np.uint64) -> int:
    """Position of a key among ascending ones, -1 if it is not there."""
    place = first_not_below(keys, key)
    return place if place < keys.size and keys[place] == key else -1


@inlined
def completion(context: int, word: int, starts: Int64Array, words: Int32Array) -> int:
    """Position of a word among those that complete a context, -1 if it is not there."""
    for place in range(starts[context], starts[context + 1]):
        if words[place] == word:
            return place
    return -1


@kernel
def count_without(row: Int32Array, step: int, tables: TokenTables, contexts: Int64Array, additions: Int64Array) -> None:
    """Take from the counts of all words what is known only because of one reference row; with `step` 1 put it back.

    `contexts` and `additions` are copies of those of the tables.
    """
    hashes, keys, starts, words, rows = tables.hashes, tables.keys, tables.starts, tables.words, tables.rows
    whole = tables.whole
    total = np.uint64(0)
    for word in row:
        total += hashes[word]
    if row.size > 1:
        for word in row:
            rest = total - hashes[word]
            context = find(keys, rest)
            wide: Any = np.int64(word)
            place = completion(context, wide, starts, words)
            # A row of the table always completes its contexts; one of a damaged index may not.
            if place < 0 or rows[place] > 1:
                continue
            start, end = starts[context], starts[context + 1]
            if end - start > 1:
                contexts[word] += step
            if end - start == 2:  # noqa: PLR2004 - the other word then completes it alone
                contexts[words[start] + words[start + 1] - word] += step
            if find(whole, rest) >= 0:
                additions[word] += step
    place = find(whole, total)
    context = find(keys, total)
    if place >= 0 and tables.whole_rows[place] == 1 and context >= 0:
        for place in range(starts[context], starts[context + 1]):
            additions[words[place]] += step


@inlined
def contexts_of_opposites(
    word: int, opposite: int, found: int, rest: np.uint64, tables: TokenTables, is_self_join: bool
) -> int:
    """How many contexts the pair at `found` completes; in a self-join without the row that asks, `rest` and `word`."""
    number: int = tables.opposite_contexts[found]
    if is_self_join:
        starts, words = tables.starts, tables.words
        context = find(tables.keys, rest)
        if (
            starts[context + 1] - starts[context] <= MOST_COMPLETIONS
            and tables.rows[completion(context, word, starts, words)] == 1
            and completion(context, opposite, starts, words) >= 0
        ):
            number -= 1
    return number


@inlined
def most_contexts(
    only: Int32Array,
    sizes: Int64Array,
    lacked: BoolArray,
    tables: TokenTables,
    whole_hash: np.uint64,
    is_self_join: bool,
) -> int:
    """The most contexts that any opposites complete, one word being in each side's `only`.

    `lacked` (2, vocabulary) is room to work in, all false. Either the pairs of words of both sides are looked up or all
    opposites are gone through, whichever are fewer: the pairs are quadratic in the length of the texts.
    """
    hashes, opposites = tables.hashes, tables.opposites
    most = 0
    size = lacked.shape[1]
    if sizes[0] * sizes[1] <= opposites.size:
        for i in range(sizes[0]):
            word: Any = np.int64(only[0, i])
            if word >= size:
                break
            rest = whole_hash - hashes[word]
            for j in range(sizes[1]):
                opposite: Any = np.int64(only[1, j])
                code = np.uint64(min(word, opposite)) * np.uint64(size) + np.uint64(max(word, opposite))
                found = find(opposites, code)
                if found >= 0:
                    most = max(most, contexts_of_opposites(word, opposite, found, rest, tables, is_self_join))
        return most
    for side in range(2):
        mark(only[side], sizes[side], lacked[side], 1)
    for found in range(opposites.size):
        word = np.int64(opposites[found] // np.uint64(size))
        opposite = np.int64(opposites[found] % np.uint64(size))
        if lacked[1, word] and lacked[0, opposite]:
            word, opposite = opposite, word
        elif not (lacked[0, word] and lacked[1, opposite]):
            continue
        rest = whole_hash - hashes[word]
        most = max(most, contexts_of_opposites(word, opposite, found, rest, tables, is_self_join))
    for side in range(2):
        mark(only[side], sizes[side], lacked[side], 0)
    return most


@kernel
def discriminative_features(
    asked: Int64Array,
    pairs: Pairs,
    queries: RowTokens,
    references: RowTokens,
    frequency: Int64Array,
    tables: TokenTables,
    is_self_join: bool,
) -> Float64Array:
    """`DISCRIMINATIVE_FEATURES` of the candidates of the `asked` rows, (features, pairs).

    Of each side's words that the other side lacks the most discriminative one counts: the contexts that it completes
    beside other words, and the rows that it makes of other rows, by the reference rows that hold it and as
    log(1 + number). Of the pairs of such words the one that completes most contexts counts. In a self-join the asked
    rows are reference rows, and what is known only because of them does not count. `frequency` says how many
    reference rows hold each word.
    """
    pair_indptr, pair_reference = pairs.indptr, pairs.reference
    query_indptr, query_ids = queries.indptr, queries.ids
    reference_indptr, reference_ids = references.indptr, references.ids
    contexts, additions, hashes = tables.contexts, tables.additions, tables.hashes
    total = 0
    for row in asked:
        total += pair_indptr[row + 1] - pair_indptr[row]
    out = np.zeros((len(DISCRIMINATIVE_FEATURES), total))
    longest = max(longest_row(query_indptr), longest_row(reference_indptr))
    only = np.empty((2, longest), np.int32)
    sizes = np.zeros(2, np.int64)
    lacked = np.zeros((2, frequency.size), np.bool_)
    if is_self_join:
        contexts = contexts.copy()
        additions = additions.copy()
    size = frequency.size
    # Not Python's 1, for which, as a constant, the helper would be compiled once more.
    one: Any = np.int64(1)
    minus_one: Any = np.int64(-1)
    place = 0
    for row in asked:
        query = query_ids[query_indptr[row] : query_indptr[row + 1]]
        whole_hash = np.uint64(0)
        if is_self_join:
            count_without(query, minus_one, tables, contexts, additions)
            for word in query:
                whole_hash += hashes[word]
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            other = pair_reference[pair]
            reference = reference_ids[reference_indptr[other] : reference_indptr[other + 1]]
            sizes[0], sizes[1] = difference(query, reference, only[0], only[1])
            for side in range(2):
                first = EACH_SIDE * side
                for i in range(sizes[side]):
                    word = only[side, i]
                    if word >= size:
                        break
                    held_by = max(frequency[word] - (1 if is_self_join and side == 0 else 0), 1)
                    out[first, place] = max(out[first, place], contexts[word] / held_by)
                    out[first + 1, place] = max(out[first + 1, place], additions[word] / held_by)
                    out[first + 2, place] = max(out[first + 2, place], contexts[word])
                    out[first + 3, place] = max(out[first + 3, place], additions[word])
                out[first + 2, place] = np.log1p(out[first + 2, place])
                out[first + 3, place] = np.log1p(out[first + 3, place])
            most = most_contexts(only, sizes, lacked, tables, whole_hash, is_self_join and query.size > 1)
            out[2 * EACH_SIDE, place] = np.log1p(most)
            place += 1
        if is_self_join:
            count_without(query, one, tables, contexts, additions)
    return out
