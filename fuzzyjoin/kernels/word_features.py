"""What the words of two rows share and lack, and whether those that only one has are spelled like one of the other.

A row's words are ids; ids from the size of the vocabulary on are words that the reference table never saw. `left_out`
is 1 if the rows that ask are reference rows themselves, else 0: so much they add to the frequencies of their words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fuzzyjoin.kernels.jit import inlined, kernel
from fuzzyjoin.kernels.token_rules import longest_row

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array, Int64Array, UInt32Array

__all__ = ["WORD_FEATURES", "word_features"]

WORD_FEATURES = (
    "query unmatched mass",
    "reference unmatched mass",
    "query soft unmatched mass",
    "reference soft unmatched mass",
    "query unmatched words",
    "reference unmatched words",
    "query heaviest unmatched word",
    "reference heaviest unmatched word",
    "query unmatched numbers",
    "reference unmatched numbers",
    "shared numbers",
    "query unmatched words unseen",
    "query commonest unmatched word",
    "reference commonest unmatched word",
    "first word equal",
    "last word equal",
    "query first unmatched place",
    "reference first unmatched place",
    "best near-equal word",
    "abbreviated words",
    "shared words",
    "shared mass",
    "query words",
    "reference words",
    "query mass",
    "shared rarest word",
)
"""Rows of `word_features`."""

MOST_WORDS = 24
"""Unmatched words of one side that are compared letter by letter."""

MOST_LETTERS = 24
"""Letters of a word that are compared."""

ALIKE = 0.6
"""Similarity from which two words count as spellings of one."""

QUERY: Any = np.int64(0)
REFERENCE: Any = np.int64(1)
"""The sides. For Python's numbers, which numba takes for constants, a helper would be compiled once a side."""

SMALLEST = 1e-9
"""What a mass or weight that is divided by counts as at least."""


@inlined
def unmatched_words(
    words: Int64Array, start: int, end: int, in_other: BoolArray, unmatched: Int64Array
) -> tuple[int, float]:
    """Write those of words[start:end] that the other side lacks to `unmatched`, in order.

    Returns how many there are, and the place of the first as a share of the side's length (1 if there is none).
    """
    size = 0
    first_place = 1.0
    for position in range(start, end):
        if not in_other[words[position]]:
            if size == 0:
                first_place = (position - start) / (end - start)
            unmatched[size] = words[position]
            size += 1
    return size, first_place


@inlined
def rows_holding(word: int, in_query: BoolArray, frequency: Int64Array, left_out: int) -> int:
    """Reference rows that hold a word; with `left_out` = 1 the query row, itself one of them, does not count."""
    return frequency[word] - left_out * in_query[word] if word < frequency.size else 0


@inlined
def mass_of(
    words: Int64Array,
    start: int,
    end: int,
    in_query: BoolArray,
    frequency: Int64Array,
    weights: Float64Array,
    left_out: int,
) -> float:
    """Sum of the weights of words[start:end]."""
    mass = 0.0
    for position in range(start, end):
        mass += weights[rows_holding(words[position], in_query, frequency, left_out)]
    return mass


@inlined
def count_unseen(words: Int64Array, size: int, in_query: BoolArray, frequency: Int64Array, left_out: int) -> int:
    """How many of the first `size` words no reference row holds."""
    unseen = 0
    for place in range(size):
        unseen += rows_holding(words[place], in_query, frequency, left_out) == 0
    return unseen


@kernel
def word_similarity(
    letters: UInt32Array, first_start: int, first_end: int, second_start: int, second_end: int, row: Int64Array
) -> float:
    """1 - edit distance / longer length, of the first `MOST_LETTERS` letters of two words; `row` is room to work in."""
    a = min(first_end - first_start, MOST_LETTERS)
    b = min(second_end - second_start, MOST_LETTERS)
    for j in range(b + 1):
        row[j] = j
    for i in range(1, a + 1):
        letter = letters[first_start + i - 1]
        diagonal = row[0]
        row[0] = i
        # A variable, because waiting for what was just written to `row` takes longer than the rest of the step.
        left = i
        for j in range(1, b + 1):
            above = row[j]
            distance = min(diagonal + (letter != letters[second_start + j - 1]), above + 1)
            if distance > left:
                distance = left + 1
            row[j] = distance
            left = distance
            diagonal = above
    return 1.0 - float(row[b]) / max(a, b, 1)


@inlined
def is_prefix(letters: UInt32Array, first_start: int, first_end: int, second_start: int, second_end: int) -> bool:
    """Whether the shorter of two words begins the longer."""
    size = min(first_end - first_start, second_end - second_start)
    equal = 0
    while equal < size and letters[first_start + equal] == letters[second_start + equal]:
        equal += 1
    return equal == size


@inlined
def compare_spellings(
    queries: Int64Array,
    query_size: int,
    references: Int64Array,
    reference_size: int,
    letters: UInt32Array,
    letter_starts: Int64Array,
    numeric: BoolArray,
    row: Int64Array,
    query_best: Float64Array,
    reference_best: Float64Array,
) -> tuple[float, int]:
    """Compare the first `MOST_WORDS` unmatched words of both sides letter by letter; a number is like no other word.

    Writes the similarity of each word to the most similar one of the other side. Returns the highest of them, and how
    many words of the query begin one of the reference or are begun by one. `row` is as in `word_similarity`.
    """
    best = 0.0
    abbreviated = 0
    for j in range(min(reference_size, MOST_WORDS)):
        reference_best[j] = 0.0
    for i in range(min(query_size, MOST_WORDS)):
        a = queries[i]
        query_best[i] = 0.0
        shortened = False
        for j in range(min(reference_size, MOST_WORDS)):
            b = references[j]
            if numeric[a] or numeric[b]:
                continue
            similarity = word_similarity(
                letters, letter_starts[a], letter_starts[a + 1], letter_starts[b], letter_starts[b + 1], row
            )
            query_best[i] = max(query_best[i], similarity)
            reference_best[j] = max(reference_best[j], similarity)
            shortened |= is_prefix(
                letters, letter_starts[a], letter_starts[a + 1], letter_starts[b], letter_starts[b + 1]
            )
        best = max(best, query_best[i])
        abbreviated += shortened
    return best, abbreviated


@inlined
def unmatched_features(
    side: int,
    words: Int64Array,
    size: int,
    best: Float64Array,
    mass: float,
    in_query: BoolArray,
    frequency: Int64Array,
    weights: Float64Array,
    numeric: BoolArray,
    left_out: int,
    scale: float,
    out: Float64Array,
    place: int,
) -> None:
    """Write what one side's unmatched words weigh, with and without those that the other side spells alike.

    `side` is `QUERY` or `REFERENCE`, whose rows of `WORD_FEATURES` follow the query's; `mass` is that
    of all the side's words, `scale` the log of the number of rows in which a word can be counted. A word spelled alike
    takes from the soft mass as much of its weight as it is similar.
    """
    unmatched = 0.0
    numbers = 0
    for i in range(size):
        unmatched += weights[rows_holding(words[i], in_query, frequency, left_out)]
        numbers += numeric[words[i]]
    soft = unmatched
    heaviest = 0.0
    commonest = 0
    for i in range(min(size, MOST_WORDS)):
        held_by = rows_holding(words[i], in_query, frequency, left_out)
        if best[i] >= ALIKE:
            soft -= weights[held_by] * best[i]
        else:
            heaviest = max(heaviest, weights[held_by])
            commonest = max(commonest, held_by)
    out[side, place] = unmatched / max(mass, SMALLEST)
    out[2 + side, place] = soft / max(mass, SMALLEST)
    out[4 + side, place] = size
    out[6 + side, place] = heaviest / max(weights[0], SMALLEST)
    out[8 + side, place] = numbers
    # The row that the word stands in counts: the reference row is among those that hold it, the query row is not.
    rows = commonest if side == REFERENCE else commonest + 1
    out[12 + side, place] = np.log(float(max(rows, 1))) / scale


@inlined
def shared_features(
    words: Int64Array,
    start: int,
    end: int,
    in_query: BoolArray,
    frequency: Int64Array,
    weights: Float64Array,
    numeric: BoolArray,
    left_out: int,
    out: Float64Array,
    place: int,
) -> None:
    """Write what the reference's words, words[start:end], weigh that the query has too."""
    size = 0
    mass = 0.0
    rarest = 0.0
    numbers = 0
    for position in range(start, end):
        word = words[position]
        if in_query[word]:
            weight = weights[rows_holding(word, in_query, frequency, left_out)]
            size += 1
            mass += weight
            rarest = max(rarest, weight)
            numbers += numeric[word]
    unit = max(weights[0], SMALLEST)
    out[10, place] = numbers
    out[20, place] = size
    out[21, place] = mass / unit
    out[25, place] = rarest / unit


@kernel
def word_features(
    rows: Int64Array,
    pair_indptr: Int64Array,
    pair_reference: Int32Array,
    query_indptr: Int64Array,
    query_words: Int64Array,
    reference_indptr: Int64Array,
    reference_words: Int64Array,
    frequency: Int64Array,
    weights: Float64Array,
    letters: UInt32Array,
    letter_starts: Int64Array,
    numeric: BoolArray,
    left_out: int,
) -> Float64Array:
    """`WORD_FEATURES` for each of `rows` and its candidates, (26, pairs of `rows` in order).

    Words stand in text order. `letters`, `letter_starts` and `numeric` describe every word, unseen ones too. Masses are
    shares of the side's IDF mass, weights shares of the weight of an unseen word, places shares of the side's length
    (1: nothing is unmatched).
    """
    total = 0
    for row in rows:
        total += pair_indptr[row + 1] - pair_indptr[row]
    out = np.zeros((26, total))
    in_query = np.zeros(numeric.size, np.bool_)
    in_reference = np.zeros(numeric.size, np.bool_)
    queries = np.empty(longest_row(query_indptr), np.int64)
    references = np.empty(longest_row(reference_indptr), np.int64)
    query_best = np.empty(MOST_WORDS)
    reference_best = np.empty(MOST_WORDS)
    letter_row = np.empty(MOST_LETTERS + 1, np.int64)
    scale = max(np.log(float(weights.size - left_out)), SMALLEST)
    # Not Python's 0, for which, as a constant, the helpers would be compiled once more.
    place: Any = np.int64(0)
    for row in rows:
        query_start = query_indptr[row]
        query_end = query_indptr[row + 1]
        for position in range(query_start, query_end):
            in_query[query_words[position]] = True
        query_mass = mass_of(query_words, query_start, query_end, in_query, frequency, weights, left_out)
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            reference_start = reference_indptr[pair_reference[pair]]
            reference_end = reference_indptr[pair_reference[pair] + 1]
            for position in range(reference_start, reference_end):
                in_reference[reference_words[position]] = True
            reference_mass = mass_of(
                reference_words, reference_start, reference_end, in_query, frequency, weights, left_out
            )
            query_size, out[16, place] = unmatched_words(query_words, query_start, query_end, in_reference, queries)
            reference_size, out[17, place] = unmatched_words(
                reference_words, reference_start, reference_end, in_query, references
            )
            out[18, place], out[19, place] = compare_spellings(
                queries,
                query_size,
                references,
                reference_size,
                letters,
                letter_starts,
                numeric,
                letter_row,
                query_best,
                reference_best,
            )
            unmatched_features(
                QUERY,
                queries,
                query_size,
                query_best,
                query_mass,
                in_query,
                frequency,
                weights,
                numeric,
                left_out,
                scale,
                out,
                place,
            )
            unmatched_features(
                REFERENCE,
                references,
                reference_size,
                reference_best,
                reference_mass,
                in_query,
                frequency,
                weights,
                numeric,
                left_out,
                scale,
                out,
                place,
            )
            shared_features(
                reference_words,
                reference_start,
                reference_end,
                in_query,
                frequency,
                weights,
                numeric,
                left_out,
                out,
                place,
            )
            out[11, place] = count_unseen(queries, query_size, in_query, frequency, left_out)
            if query_end > query_start and reference_end > reference_start:
                out[14, place] = query_words[query_start] == reference_words[reference_start]
                out[15, place] = query_words[query_end - 1] == reference_words[reference_end - 1]
            out[22, place] = query_end - query_start
            out[23, place] = reference_end - reference_start
            out[24, place] = query_mass / max(weights[0], SMALLEST)
            for position in range(reference_start, reference_end):
                in_reference[reference_words[position]] = False
            place += 1
        for position in range(query_start, query_end):
            in_query[query_words[position]] = False
    return out
