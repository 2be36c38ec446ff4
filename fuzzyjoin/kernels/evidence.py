"""What speaks for and against a candidate: token evidence of a pair, and a candidate among its rivals.

A row's tokens are ids; ids from the size of the vocabulary on are tokens that the reference table never saw. `own` says
that the rows are reference rows used as queries: what they themselves add to the document frequencies is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import kernel
from fuzzyjoin.kernels.set_distances import cosine, jaccard, one_minus_ratio

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import BoolArray, Float64Array, Int32Array, Int64Array, UInt32Array

__all__ = [
    "SET_EVIDENCE",
    "WORD_EVIDENCE",
    "among_rivals",
    "nearest_siblings",
    "set_evidence",
    "sibling_evidence",
    "word_evidence",
]

SET_EVIDENCE = ("jaccard", "cosine", "uniform jaccard", "query outside", "reference outside")
"""Rows of `set_evidence`."""

WORD_EVIDENCE = (
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
"""Rows of `word_evidence`."""

MOST_WORDS = 24
"""Unmatched words of one side that are compared letter by letter."""

MOST_LETTERS = 24
"""Letters of a word that are compared."""

ALIKE = 0.6
"""Similarity from which two words count as spellings of one."""


@kernel
def set_evidence(
    rows: Int64Array,
    pair_indptr: Int64Array,
    pair_reference: Int32Array,
    query_indptr: Int64Array,
    query_ids: Int32Array,
    query_counts: Int32Array,
    reference_indptr: Int64Array,
    reference_ids: Int32Array,
    reference_counts: Int32Array,
    frequency: Int64Array,
    weights: Float64Array,
    own: int,
) -> Float64Array:
    """Distances of `SET_EVIDENCE` for each of `rows` and its candidates, (5, pairs of `rows` in order).

    `weights[f]` is the IDF of a token in f reference rows. With `own` = 1 every token of a row counts one row less.
    IDF Jaccard and cosine, uniform Jaccard, and the share of each side's IDF mass that the other lacks, each in [0, 1];
    1 where a side weighs nothing.
    """
    vocabulary_size = frequency.size
    total = 0
    for row in rows:
        total += pair_indptr[row + 1] - pair_indptr[row]
    out = np.empty((5, total))
    count_of = np.zeros(vocabulary_size, np.int32)
    place = 0
    for row in rows:
        x = 0.0
        x_square = 0.0
        query_start = query_indptr[row]
        query_end = query_indptr[row + 1]
        for position in range(query_start, query_end):
            token = query_ids[position]
            seen_in = np.int64(0)
            if token < vocabulary_size:
                count_of[token] = query_counts[position]
                seen_in = frequency[token] - own
            weight = weights[seen_in]
            x += weight
            x_square += (weight * query_counts[position]) ** 2
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            reference = pair_reference[pair]
            y = 0.0
            y_square = 0.0
            common = 0.0
            dot = 0.0
            shared = 0
            for position in range(reference_indptr[reference], reference_indptr[reference + 1]):
                token = reference_ids[position]
                count = count_of[token]
                if count > 0:
                    weight = weights[frequency[token] - own]
                    shared += 1
                    common += weight
                    dot += weight * weight * float(count) * float(reference_counts[position])
                else:
                    weight = weights[frequency[token]]
                y += weight
                y_square += (weight * reference_counts[position]) ** 2
            sizes = query_end - query_start + reference_indptr[reference + 1] - reference_indptr[reference]
            out[0, place] = jaccard(common, x, y)
            out[1, place] = cosine(dot, x_square, y_square)
            out[2, place] = one_minus_ratio(float(shared), float(sizes - shared))
            out[3, place] = one_minus_ratio(common, x)
            out[4, place] = one_minus_ratio(common, y)
            place += 1
        for position in range(query_start, query_end):
            if query_ids[position] < vocabulary_size:
                count_of[query_ids[position]] = 0
    return out


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
        diagonal = row[0]
        row[0] = i
        for j in range(1, b + 1):
            above = row[j]
            cost = diagonal + (letters[first_start + i - 1] != letters[second_start + j - 1])
            row[j] = min(cost, above + 1, row[j - 1] + 1)
            diagonal = above
    return 1.0 - float(row[b]) / max(a, b, 1)


@kernel
def is_prefix(letters: UInt32Array, first_start: int, first_end: int, second_start: int, second_end: int) -> bool:
    """Whether the shorter of two words begins the longer."""
    size = min(first_end - first_start, second_end - second_start)
    equal = 0
    while equal < size and letters[first_start + equal] == letters[second_start + equal]:
        equal += 1
    return equal == size


@kernel
def word_evidence(  # noqa: PLR0915 - one pass over a pair's words, written out
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
    own: int,
) -> Float64Array:
    """`WORD_EVIDENCE` for each of `rows` and its candidates, (26, pairs of `rows` in order).

    Words stand in text order. `letters`, `letter_starts` and `numeric` describe every word, unseen ones too. Masses are
    shares of the side's IDF mass, weights shares of the weight of an unseen word, places shares of the side's length
    (1: nothing is unmatched).
    """
    vocabulary_size = frequency.size
    words = numeric.size
    total = 0
    for row in rows:
        total += pair_indptr[row + 1] - pair_indptr[row]
    out = np.zeros((26, total))
    in_query = np.zeros(words, np.bool_)
    in_reference = np.zeros(words, np.bool_)
    room = np.empty(MOST_LETTERS + 1, np.int64)
    queries = np.empty(MOST_WORDS, np.int64)
    references = np.empty(MOST_WORDS, np.int64)
    query_best = np.empty(MOST_WORDS)
    reference_best = np.empty(MOST_WORDS)
    unit = max(weights[0], 1e-9)
    scale = max(np.log(float(weights.size - own)), 1e-9)
    place = 0
    for row in rows:
        query_start = query_indptr[row]
        query_size = query_indptr[row + 1] - query_start
        query_mass = 0.0
        for position in range(query_start, query_start + query_size):
            word = query_words[position]
            in_query[word] = True
            query_mass += weights[frequency[word] - own] if word < vocabulary_size else weights[0]
        for pair in range(pair_indptr[row], pair_indptr[row + 1]):
            reference = pair_reference[pair]
            reference_start = reference_indptr[reference]
            reference_size = reference_indptr[reference + 1] - reference_start
            reference_mass = 0.0
            for position in range(reference_start, reference_start + reference_size):
                in_reference[reference_words[position]] = True
            lost_reference = 0.0
            soft_reference = 0.0
            reference_count = 0
            listed_references = 0
            reference_first = 1.0
            shared_words = 0
            shared_mass = 0.0
            shared_numbers = 0
            rarest = 0.0
            for position in range(reference_start, reference_start + reference_size):
                word = reference_words[position]
                if in_query[word]:
                    weight = weights[frequency[word] - own]
                    shared_words += 1
                    shared_mass += weight
                    rarest = max(rarest, weight)
                    shared_numbers += numeric[word]
                else:
                    weight = weights[frequency[word]]
                    lost_reference += weight
                    soft_reference += weight
                    if reference_count == 0:
                        reference_first = (position - reference_start) / reference_size
                    reference_count += 1
                    if listed_references < MOST_WORDS:
                        references[listed_references] = word
                        reference_best[listed_references] = 0.0
                        listed_references += 1
                    out[9, place] += numeric[word]
                reference_mass += weight
            lost_query = 0.0
            query_count = 0
            listed_queries = 0
            query_first = 1.0
            for position in range(query_start, query_start + query_size):
                word = query_words[position]
                if not in_reference[word]:
                    lost_query += weights[frequency[word] - own] if word < vocabulary_size else weights[0]
                    if query_count == 0:
                        query_first = (position - query_start) / query_size
                    query_count += 1
                    if listed_queries < MOST_WORDS:
                        queries[listed_queries] = word
                        query_best[listed_queries] = 0.0
                        listed_queries += 1
                    out[8, place] += numeric[word]
                    out[11, place] += word >= vocabulary_size or frequency[word] == own
            soft_query = lost_query
            abbreviated = 0
            best = 0.0
            for i in range(listed_queries):
                a = queries[i]
                shortened = False
                for j in range(listed_references):
                    b = references[j]
                    if numeric[a] or numeric[b]:
                        continue
                    similarity = word_similarity(
                        letters, letter_starts[a], letter_starts[a + 1], letter_starts[b], letter_starts[b + 1], room
                    )
                    query_best[i] = max(query_best[i], similarity)
                    reference_best[j] = max(reference_best[j], similarity)
                    shortened |= is_prefix(
                        letters, letter_starts[a], letter_starts[a + 1], letter_starts[b], letter_starts[b + 1]
                    )
                abbreviated += shortened
                best = max(best, query_best[i])
            heaviest_query = 0.0
            commonest_query = 0.0
            for i in range(listed_queries):
                word = queries[i]
                seen_in = frequency[word] - own if word < vocabulary_size else np.int64(0)
                if query_best[i] >= ALIKE:
                    soft_query -= weights[seen_in] * query_best[i]
                else:
                    heaviest_query = max(heaviest_query, weights[seen_in])
                    commonest_query = max(commonest_query, np.log(seen_in + 1.0))
            heaviest_reference = 0.0
            commonest_reference = 0.0
            for j in range(listed_references):
                word = references[j]
                if reference_best[j] >= ALIKE:
                    soft_reference -= weights[frequency[word]] * reference_best[j]
                else:
                    heaviest_reference = max(heaviest_reference, weights[frequency[word]])
                    commonest_reference = max(commonest_reference, np.log(float(frequency[word])))
            out[0, place] = lost_query / max(query_mass, 1e-9)
            out[1, place] = lost_reference / max(reference_mass, 1e-9)
            out[2, place] = soft_query / max(query_mass, 1e-9)
            out[3, place] = soft_reference / max(reference_mass, 1e-9)
            out[4, place] = query_count
            out[5, place] = reference_count
            out[6, place] = heaviest_query / unit
            out[7, place] = heaviest_reference / unit
            out[10, place] = shared_numbers
            out[12, place] = commonest_query / scale
            out[13, place] = commonest_reference / scale
            if query_size > 0 and reference_size > 0:
                out[14, place] = query_words[query_start] == reference_words[reference_start]
                out[15, place] = (
                    query_words[query_start + query_size - 1] == reference_words[reference_start + reference_size - 1]
                )
            out[16, place] = query_first
            out[17, place] = reference_first
            out[18, place] = best
            out[19, place] = abbreviated
            out[20, place] = shared_words
            out[21, place] = shared_mass / unit
            out[22, place] = query_size
            out[23, place] = reference_size
            out[24, place] = query_mass / unit
            out[25, place] = rarest / unit
            for position in range(reference_start, reference_start + reference_size):
                in_reference[reference_words[position]] = False
            place += 1
        for position in range(query_start, query_start + query_size):
            in_query[query_words[position]] = False
    return out


@kernel
def among_rivals(distances: Float64Array, sizes: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Each candidate's lead over its rivals under every distance, and three summaries over the distances.

    `distances` is (distances, pairs), the pairs of one row side by side, `sizes` (rows,) says how many. The lead is the
    smallest distance among the other candidates minus the candidate's own: positive for the nearest, 0 for a tie, 1
    where there is no other. The summaries (3, pairs): the share of distances under which no other is nearer, the mean
    share of other candidates that are nearer, the mean lead.
    """
    kinds, pairs = distances.shape
    leads = np.empty((kinds, pairs))
    summary = np.zeros((3, pairs))
    for kind in range(kinds):
        start = 0
        for size in sizes:
            first = np.inf
            second = np.inf
            for pair in range(start, start + size):
                value = distances[kind, pair]
                if value < first:
                    second = first
                    first = value
                elif value < second:
                    second = value
            for pair in range(start, start + size):
                value = distances[kind, pair]
                if size == 1:
                    lead = 1.0
                elif value == first:
                    lead = second - value
                else:
                    lead = first - value
                leads[kind, pair] = lead
                summary[0, pair] += value == first
                summary[2, pair] += lead
                nearer = 0
                for other in range(start, start + size):
                    nearer += distances[kind, other] < value
                summary[1, pair] += nearer / max(size - 1, 1)
            start += size
    return leads, summary / kinds


@kernel
def nearest_siblings(
    distances: Float64Array, rows: Int64Array, pair_indptr: Int64Array, pair_reference: Int32Array, kept: int
) -> tuple[Float64Array, Int32Array]:
    """The `kept` smallest distances of each of `rows` to its neighbours, ascending, and whose they are.

    `distances` is (kinds, pairs of `rows` in order). Results are (rows, kinds, kept); inf and -1 where there are fewer.
    """
    kinds = distances.shape[0]
    nearest = np.full((rows.size, kinds, kept), np.inf)
    names = np.full((rows.size, kinds, kept), -1, np.int32)
    start = 0
    for index in range(rows.size):
        size = pair_indptr[rows[index] + 1] - pair_indptr[rows[index]]
        for kind in range(kinds):
            found = 0
            for offset in range(size):
                value = distances[kind, start + offset]
                if found == kept and value >= nearest[index, kind, kept - 1]:
                    continue
                place = min(found, kept - 1)
                while place > 0 and nearest[index, kind, place - 1] > value:
                    nearest[index, kind, place] = nearest[index, kind, place - 1]
                    names[index, kind, place] = names[index, kind, place - 1]
                    place -= 1
                nearest[index, kind, place] = value
                names[index, kind, place] = pair_reference[pair_indptr[rows[index]] + offset]
                found = min(found + 1, kept)
        start += size
    return nearest, names


@kernel
def sibling_evidence(
    distances: Float64Array,
    asked: Int64Array,
    sizes: Int64Array,
    references: Int64Array,
    nearest: Float64Array,
    names: Int32Array,
    spread: Float64Array,
    own: int,
) -> Float64Array:
    """How a pair's distance compares with the distances inside the reference table, (3 · kinds, pairs).

    For every kind: distance / (distance + distance of the candidate to its own nearest sibling); how many siblings of
    the candidate lie within twice the distance; the share of reference rows whose nearest sibling is at most as far
    as the distance. `references` are places in `nearest`, `spread` (kinds, sample) the ascending nearest-sibling
    distances. With `own` = 1 the asking rows, themselves reference rows, are nobody's sibling.
    """
    kinds, pairs = distances.shape
    kept = nearest.shape[2]
    out = np.empty((3 * kinds, pairs))
    pair = 0
    for index in range(asked.size):
        for _ in range(sizes[index]):
            for kind in range(kinds):
                value = distances[kind, pair]
                first = np.inf
                within = 0
                for place in range(kept):
                    if own == 1 and names[references[pair], kind, place] == asked[index]:
                        continue
                    other = nearest[references[pair], kind, place]
                    first = min(first, other)
                    within += other <= 2.0 * value
                first = min(first, 1.0)
                out[3 * kind, pair] = value / (value + first) if value + first > 0.0 else 0.5
                out[3 * kind + 1, pair] = min(within, kept - 1)
                out[3 * kind + 2, pair] = np.searchsorted(spread[kind], value, side="right") / max(spread.shape[1], 1)
            pair += 1
    return out
