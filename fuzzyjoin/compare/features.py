"""Features: what is known of every candidate of a row, without labels and without a scale.

A candidate is described by its distances, by what its words share and lack, by its lead over the row's other
candidates, and by how its distances compare with those inside the reference table. All of these depend on the
reference table and on that one row. A reference row can ask too (a decoy, a self-join): it is then nobody's neighbour,
and what it adds to the document frequencies is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler, LCSseq, Levenshtein
from rapidfuzz.process import cpdist

from fuzzyjoin.blocking import pair_positions, pair_texts
from fuzzyjoin.compare.forms import Sides, both_sides
from fuzzyjoin.compare.nearest_neighbours import COMPARED, NEIGHBOURS_KEPT
from fuzzyjoin.kernels.discriminative_tokens import DISCRIMINATIVE_FEATURES
from fuzzyjoin.kernels.features import SET_FEATURES, among_rivals, nearest_neighbours, neighbour_features, set_features
from fuzzyjoin.kernels.word_features import WORD_FEATURES, word_features
from fuzzyjoin.text import long_pairs
from fuzzyjoin.threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzzyjoin.blocking import CandidatePairs
    from fuzzyjoin.compare.candidates import Candidates
    from fuzzyjoin.compare.forms import Form
    from fuzzyjoin.kernels.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
    from fuzzyjoin.text import LongPairs

__all__ = [
    "FEATURES",
    "MEAN_RANK",
    "NEIGHBOUR_FEATURES",
    "FeatureTables",
    "column_weights",
    "features_without",
    "sample_rows",
]

NEIGHBOURS_AT_ONCE: Final = 1 << 16
"""Rows whose neighbours are kept in memory at a time."""

SAMPLE: Final = 1000
"""Reference rows whose nearest neighbours say how close distinct rows can be."""

SOFT: Final = slice(2, 4)
"""Rows of `WORD_FEATURES` that are distances."""

DISTANCES: Final = (
    *(f"3-gram {name}" for name in SET_FEATURES),
    *(f"word {name}" for name in SET_FEATURES),
    "edit",
    "jaro-winkler",
    "subsequence",
    "sorted words",
    "word sets",
    "unspaced edit",
    *WORD_FEATURES[SOFT],
    "key column",
    "mean column",
    "worst column",
)
COMPARED_PLACES: Final = tuple(DISTANCES.index(name) for name in COMPARED)

SUMMARY: Final = ("nearest share", "mean rank", "mean lead")
"""Summaries of a candidate's place among its rivals, over all distances (see `among_rivals`)."""

AMONG_NEIGHBOURS: Final = ("against nearest neighbour,", "neighbours within twice", "neighbour distance quantile,")
"""What a distance is compared with inside the reference table (see `neighbour_features`)."""

FEATURES: Final = (
    *DISTANCES,
    *(f"lead in {name}" for name in DISTANCES),
    *SUMMARY,
    *WORD_FEATURES[: SOFT.start],
    *WORD_FEATURES[SOFT.stop :],
    *(f"{what} {name}" for name in COMPARED for what in AMONG_NEIGHBOURS),
    "compared columns",
    "query letters",
    "reference letters",
    *DISCRIMINATIVE_FEATURES,
)
"""Names of the features, in order."""
NEIGHBOUR_FEATURES: Final = slice(
    FEATURES.index(f"{AMONG_NEIGHBOURS[0]} {COMPARED[0]}"), FEATURES.index("compared columns")
)
"""Features that compare a candidate with its own nearest neighbours, which take long to find."""
MEAN_RANK: Final = FEATURES.index("mean rank")


def column_weights(candidates: Candidates) -> tuple[float, ...]:
    """How much each column tells rows apart: the entropy of its values in the reference table, as shares of 1."""
    entropies = []
    for column in candidates.columns:
        counts = np.unique(
            np.array([text for text in column.reference.lower.tolist() if text], object), return_counts=True
        )[1]
        shares = counts / max(int(counts.sum()), 1)
        entropies.append(float(-(shares * np.log(shares)).sum()))
    total = sum(entropies)
    return tuple(entropy / total if total > 0.0 else 1.0 / len(entropies) for entropy in entropies)


def sample_rows(rows: int, most: int) -> Int64Array:
    """Positions of at most `most` of `rows` rows, evenly spread over the canonical order.

    >>> sample_rows(10, 3).tolist()
    [0, 3, 6]
    """
    size = min(rows, most)
    positions: Int64Array = np.arange(size, dtype=np.int64) * rows // max(size, 1)
    return positions


def features_without(
    features: Float32Array, sizes: Int64Array, taken: BoolArray, *, found: Int64Array
) -> tuple[Float32Array, Int64Array]:
    """Features of the candidates that are left when some are taken away, and how many each row then has.

    Parameters
    ----------
    features
        (pairs, len(FEATURES)), the pairs of a row side by side.
    sizes
        Pairs of each row, (rows,).
    taken
        Which pairs are taken away, (pairs,): at most one a row.
    found
        Candidates that each row had in all, (rows,), if `features` holds only the best ranked of them.

    Notes
    -----
    What compares a candidate with its rivals is computed again. The reference table stays as it is: a row that was
    taken away still counts as a neighbour and in document frequencies.
    """
    kinds = len(DISTANCES)
    row = np.repeat(np.arange(sizes.size), sizes)
    left = sizes - np.bincount(row[taken], minlength=sizes.size)
    rest = features[~taken]
    leads, summary = among_rivals(np.ascontiguousarray(rest[:, :kinds].T, np.float64), left)
    gone = np.full((sizes.size, kinds), np.inf, np.float32)
    gone[row[taken]] = features[taken, :kinds]
    after = row[~taken]
    nearer = (gone[after] < rest[:, :kinds]).mean(axis=1)
    rivals = found[after] - 1
    # The mean share of rivals that are nearer, over all that were found: one rival less.
    rank = (rest[:, MEAN_RANK] * rivals - nearer) / np.maximum(rivals - 1, 1)
    summary[1] = np.where(np.isinf(gone[after, 0]), rest[:, MEAN_RANK], np.clip(rank, 0.0, 1.0))
    rest[:, kinds : 2 * kinds] = leads.T
    rest[:, 2 * kinds : 2 * kinds + len(SUMMARY)] = summary.T
    return rest, left


@dataclass(frozen=True)
class FeatureTables:
    """Features of the candidates of two tables; texts are prepared once, features are computed in chunks of rows.

    `weights` are those of the columns (see `column_weights`).
    """

    candidates: Candidates
    weights: tuple[float, ...]

    @cached_property
    def sides(self) -> Sides:
        """The texts of both tables in all forms."""
        side, columns = self.candidates.reference_side, self.candidates.columns
        asked = [column.query_lower for column in columns]
        return both_sides(side.forms, asked, self.candidates.query_texts, side.index.words)

    def features(self, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool = False) -> Float32Array:
        """Features of the pairs of `rows`, (pairs, len(FEATURES)).

        In a self-join the rows are reference rows and `pairs` their neighbours.
        """
        features, compared = self.features_but_neighbours(pairs, rows, is_self_join=is_self_join)
        every = np.ones(compared.shape[1], np.bool_)
        self.add_neighbour_features(features, compared, pairs, rows, every, is_self_join=is_self_join)
        return features

    def features_but_neighbours(
        self, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool = False
    ) -> tuple[Float32Array, Float64Array]:
        """The same, nan in the columns `NEIGHBOUR_FEATURES`; and the distances of `COMPARED`, (distances, pairs)."""
        # Prepared before the threads start: afterwards they only read.
        _ = self.sides, self._idf(int(is_self_join))
        discriminative_tokens = self.candidates.reference_side.discriminative_tokens

        def compute(chunk: Int64Array) -> tuple[Float32Array, Float64Array]:
            distances, word, compared_columns = self._distances(pairs, chunk, is_self_join=is_self_join)
            sizes = pairs.indptr[chunk + 1] - pairs.indptr[chunk]
            leads, summary = among_rivals(distances, sizes)
            references = pairs.reference[pair_positions(pairs, chunk)]
            asking, reference = self.sides.asking(is_self_join=is_self_join), self.sides.reference
            lengths = np.repeat(asking.lengths[chunk], sizes), reference.lengths[references]
            left_open = np.full((NEIGHBOUR_FEATURES.stop - NEIGHBOUR_FEATURES.start, references.size), np.nan)
            parts = [distances, leads, summary, word[: SOFT.start], word[SOFT.stop :], left_open]
            only = discriminative_tokens.features(self.sides.words, pairs, chunk, is_self_join=is_self_join)
            features = np.concatenate([*parts, compared_columns, np.stack(lengths), only]).T.astype(np.float32)
            return features, distances[list(COMPARED_PLACES)]

        found = map_chunks(compute, rows, self.candidates.work.named("features"))
        return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found], axis=1)

    def add_neighbour_features(
        self,
        features: Float32Array,
        compared: Float64Array,
        pairs: CandidatePairs,
        rows: Int64Array,
        wanted: BoolArray,
        *,
        is_self_join: bool = False,
    ) -> None:
        """Fill the columns `NEIGHBOUR_FEATURES` of `wanted` pairs, (pairs,), in what `features_but_neighbours` gave."""
        references = pairs.reference[pair_positions(pairs, rows)][wanted].astype(np.int64)
        needed, places = np.unique(references, return_inverse=True)
        nearest, names = self._nearest_neighbours(needed)
        usual = self._usual_distances
        compared = np.ascontiguousarray(compared[:, wanted])
        sums = np.concatenate([[0], np.cumsum(wanted)])
        starts = sums[np.concatenate([[0], np.cumsum(pairs.indptr[rows + 1] - pairs.indptr[rows])])]

        def compare(chunk: Int64Array) -> Float32Array:
            part = slice(starts[chunk[0]], starts[chunk[-1] + 1])
            distances, sizes = np.ascontiguousarray(compared[:, part]), np.diff(starts)[chunk]
            found = neighbour_features(distances, rows[chunk], sizes, places[part], nearest, names, usual, is_self_join)
            return found.T.astype(np.float32)

        if references.size:
            found = map_chunks(compare, np.arange(rows.size), self.candidates.work.named("nearest neighbours"))
            features[wanted, NEIGHBOUR_FEATURES] = np.concatenate(found)

    @cached_property
    def _usual_distances(self) -> Float64Array:
        """Distances from a sample of the reference rows to their nearest neighbours, ascending, (distances, sample)."""
        nearest, _ = self._nearest_neighbours(sample_rows(len(self.candidates.reference), SAMPLE))
        return np.sort(np.minimum(nearest[:, :, 0], 1.0).T.copy(), axis=1)

    def _nearest_neighbours(self, rows: Int64Array) -> tuple[Float64Array, Int32Array]:
        """The nearest neighbours of some reference rows; each row's are found once, whatever asks for them again."""
        nearest, names, known = self.candidates.reference_side.nearest_neighbours
        missing = rows[~known[rows]]
        if missing.size:
            nearest[missing], names[missing] = self._find_neighbours(missing)
            known[missing] = True
        return nearest[rows], names[rows]

    def find_nearest_neighbours(self, rows: Int64Array) -> None:
        """Find the nearest neighbours of some reference rows (ascending), so many at a time."""
        for start in range(0, rows.size, NEIGHBOURS_AT_ONCE):
            self._nearest_neighbours(rows[start : start + NEIGHBOURS_AT_ONCE])

    def _find_neighbours(self, rows: Int64Array) -> tuple[Float64Array, Int32Array]:
        pairs = self.candidates.neighbours(rows)
        _ = self.sides, self._idf(0)

        def search(chunk: Int64Array) -> tuple[Float64Array, Int32Array]:
            grams = self._set_features(self.sides.grams, pairs, chunk, is_self_join=True, left_out=0)
            words = self._set_features(self.sides.words, pairs, chunk, is_self_join=True, left_out=0)
            texts = self.sides.reference.lower
            long = self._long_pairs(pairs, chunk, is_self_join=True)
            left, right = map(long.heads, pair_texts(texts, texts, pairs, chunk))
            edit = _compare(left, right, Levenshtein.normalized_distance)
            long.add_tails(edit, long.disjoint)
            # In the order of `COMPARED`.
            distances = np.stack([grams[0], grams[1], words[0], edit])
            return nearest_neighbours(distances, chunk, pairs.indptr, pairs.reference, NEIGHBOURS_KEPT)

        parts = map_chunks(search, rows, self.candidates.work.named("nearest neighbours"))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _distances(
        self, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool
    ) -> tuple[Float64Array, Float64Array, Float64Array]:
        """`DISTANCES`, `WORD_FEATURES` and the number of columns that both rows have."""
        sides = self.sides
        asking, left_out = sides.asking(is_self_join=is_self_join), int(is_self_join)
        grams = self._set_features(sides.grams, pairs, rows, is_self_join=is_self_join, left_out=left_out)
        words = self._set_features(sides.words, pairs, rows, is_self_join=is_self_join, left_out=left_out)
        spelled = word_features(
            rows,
            pairs.indptr,
            pairs.reference,
            asking.starts,
            asking.words,
            sides.reference.starts,
            sides.reference.words,
            sides.words.frequency,
            self._idf(left_out),
            sides.spellings.letters,
            sides.spellings.starts,
            sides.spellings.numeric,
            left_out,
        )
        columns, compared = self._column_distances(grams[0], pairs, rows, is_self_join=is_self_join)
        characters = self._character_distances(pairs, rows, is_self_join=is_self_join)
        return np.concatenate([grams, words, characters, spelled[SOFT], columns]), spelled, compared

    def _idf(self, left_out: int) -> Float64Array:
        """IDF of a token by the number of reference rows that hold it; `left_out` rows do not count."""
        return self.candidates.reference_side.forms.idf[left_out]

    def _set_features(
        self, form: Form, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool, left_out: int
    ) -> Float64Array:
        """`SET_FEATURES`; `left_out` rows that hold a token do not count in its document frequency."""
        return set_features(
            rows,
            pairs.indptr,
            pairs.reference,
            *form.asking(is_self_join=is_self_join),
            *form.reference,
            form.frequency,
            self._idf(left_out),
            left_out,
        )

    def _column_distances(
        self, whole: Float64Array, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool
    ) -> tuple[Float64Array, Float64Array]:
        """IDF Jaccard over 3-grams in the key column, on average, and in the worst column; and how many compare.

        The key column is the one that tells most rows apart. With one column all three are `whole`.
        """
        if not self.sides.columns:
            return np.stack([whole, whole, whole]), np.ones((1, whole.size))
        positions = pair_positions(pairs, rows)
        sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
        asking, reference = self.sides.asking(is_self_join=is_self_join).present, self.sides.reference.present
        both = np.repeat(asking[:, rows], sizes, axis=1) & reference[:, pairs.reference[positions]]
        parts = np.stack(
            [
                self._set_features(form, pairs, rows, is_self_join=is_self_join, left_out=int(is_self_join))[0]
                for form in self.sides.columns
            ]
        )
        weights = np.array(self.weights)[:, np.newaxis] * both
        total = weights.sum(axis=0)
        key = int(np.argmax(self.weights))
        mean = np.where(total > 0.0, (weights * parts).sum(axis=0) / np.where(total > 0.0, total, 1.0), 1.0)
        worst = np.where(both, parts, 0.0).max(axis=0)
        return np.stack([np.where(both[key], parts[key], 1.0), mean, worst]), both.sum(axis=0)[np.newaxis]

    def _character_distances(self, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool) -> Float64Array:
        asking, reference = self.sides.asking(is_self_join=is_self_join), self.sides.reference
        long = self._long_pairs(pairs, rows, is_self_join=is_self_join)
        lower, spaced, joined = (
            (long.heads(left), long.heads(right))
            for left, right in (
                pair_texts(getattr(asking, form), getattr(reference, form), pairs, rows)
                for form in ("lower", "spaced", "joined")
            )
        )
        sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
        references = pairs.reference[pair_positions(pairs, rows)]
        shorter = np.minimum(np.repeat(asking.joined_lengths[rows], sizes), reference.joined_lengths[references])
        shorter[long.places] = np.minimum(shorter[long.places], long.head_lengths)
        distances = np.stack(
            [
                _compare(*lower, Levenshtein.normalized_distance),
                _compare(*lower, JaroWinkler.distance),
                1.0 - _compare(*joined, LCSseq.similarity) / np.maximum(shorter, 1),
                1.0 - _compare(*spaced, fuzz.token_sort_ratio) / 100.0,
                1.0 - _compare(*spaced, fuzz.token_set_ratio) / 100.0,
                _compare(*joined, Levenshtein.normalized_distance),
            ]
        )
        for place, tails in enumerate(
            (long.disjoint, long.disjoint, long.outside, long.disjoint, long.outside, long.disjoint)
        ):
            long.add_tails(distances[place], tails)
        return distances

    def _long_pairs(self, pairs: CandidatePairs, rows: Int64Array, *, is_self_join: bool) -> LongPairs:
        sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
        references = pairs.reference[pair_positions(pairs, rows)]
        asking, grams = self.sides.asking(is_self_join=is_self_join), self.sides.grams
        lengths = np.maximum(np.repeat(asking.lengths[rows], sizes), self.sides.reference.lengths[references])
        return long_pairs(
            lengths, np.repeat(rows, sizes), references, grams.asking(is_self_join=is_self_join), grams.reference
        )


def _compare(left: np.ndarray, right: np.ndarray, scorer: Callable[..., float]) -> Float64Array:
    result: Float64Array = cpdist(left, right, scorer=scorer, dtype=np.float64)
    return result
