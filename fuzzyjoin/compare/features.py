"""Evidence: what is known of every candidate of a row, without labels and without a scale.

A candidate is described by its distances, by what its words share and lack, by its lead over the row's other
candidates, and by how its distances compare with those inside the reference table. All of it depends on the reference
table and on that one row. A reference row can ask too (a decoy): it is then nobody's sibling, and what it adds to the
document frequencies is left out.
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
from fuzzyjoin.compare.siblings import COMPARED, SIBLINGS_KEPT
from fuzzyjoin.kernels.discriminative_tokens import TELLING_EVIDENCE
from fuzzyjoin.kernels.features import SET_EVIDENCE, among_rivals, nearest_siblings, set_evidence, sibling_evidence
from fuzzyjoin.kernels.word_features import WORD_EVIDENCE, word_evidence
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
    "EVIDENCE",
    "MEAN_RANK",
    "SIBLINGS",
    "EvidenceTables",
    "column_weights",
    "evidence_without",
    "sample_rows",
]

SIBLINGS_AT_ONCE: Final = 1 << 16
"""Rows whose neighbours are kept in memory at a time."""

SAMPLE: Final = 1000
"""Reference rows whose nearest siblings say how close distinct rows can be."""

SOFT: Final = slice(2, 4)
"""Rows of `WORD_EVIDENCE` that are distances."""

DISTANCES: Final = (
    *(f"3-gram {name}" for name in SET_EVIDENCE),
    *(f"word {name}" for name in SET_EVIDENCE),
    "edit",
    "jaro-winkler",
    "subsequence",
    "sorted words",
    "word sets",
    "unspaced edit",
    *WORD_EVIDENCE[SOFT],
    "key column",
    "mean column",
    "worst column",
)
COMPARED_PLACES: Final = tuple(DISTANCES.index(name) for name in COMPARED)

SUMMARY: Final = ("nearest share", "mean rank", "mean lead")
"""Summaries of a candidate's place among its rivals, over all distances (see `among_rivals`)."""

EVIDENCE: Final = (
    *DISTANCES,
    *(f"lead in {name}" for name in DISTANCES),
    *SUMMARY,
    *WORD_EVIDENCE[: SOFT.start],
    *WORD_EVIDENCE[SOFT.stop :],
    *(f"{what} {name}" for name in COMPARED for what in ("against sibling,", "siblings within twice", "spread share,")),
    "compared columns",
    "query letters",
    "reference letters",
    *TELLING_EVIDENCE,
)
"""Names of the evidence, in order."""
SIBLINGS: Final = slice(EVIDENCE.index(f"against sibling, {COMPARED[0]}"), EVIDENCE.index("compared columns"))
"""Evidence that compares a candidate with its own siblings, which take long to find."""
MEAN_RANK: Final = EVIDENCE.index("mean rank")


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


def evidence_without(
    evidence: Float32Array, sizes: Int64Array, taken: BoolArray, *, found: Int64Array
) -> tuple[Float32Array, Int64Array]:
    """Evidence of the candidates that are left when some are taken away, and how many each row then has.

    Parameters
    ----------
    evidence
        (pairs, len(EVIDENCE)), the pairs of a row side by side.
    sizes
        Pairs of each row, (rows,).
    taken
        Which pairs are taken away, (pairs,): at most one a row.
    found
        Candidates that each row had in all, (rows,), if `evidence` holds only the best ranked of them.

    Notes
    -----
    What compares a candidate with its rivals is computed anew. The reference table stays as it is: a row that was taken
    away still counts as a sibling and in document frequencies.
    """
    kinds = len(DISTANCES)
    row = np.repeat(np.arange(sizes.size), sizes)
    left = sizes - np.bincount(row[taken], minlength=sizes.size)
    rest = evidence[~taken]
    leads, summary = among_rivals(np.ascontiguousarray(rest[:, :kinds].T, np.float64), left)
    gone = np.full((sizes.size, kinds), np.inf, np.float32)
    gone[row[taken]] = evidence[taken, :kinds]
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
class EvidenceTables:
    """Evidence of the candidates of two tables; texts are prepared once, evidence is computed in chunks of rows.

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

    def evidence(self, pairs: CandidatePairs, rows: Int64Array, *, own: int = 0) -> Float32Array:
        """Evidence of the pairs of `rows`, (pairs, len(EVIDENCE)).

        With `own` = 1 the rows are reference rows and `pairs` their neighbours.
        """
        evidence, compared = self.evidence_but_siblings(pairs, rows, own=own)
        self.add_siblings(evidence, compared, pairs, rows, np.ones(compared.shape[1], np.bool_), own=own)
        return evidence

    def evidence_but_siblings(
        self, pairs: CandidatePairs, rows: Int64Array, *, own: int = 0
    ) -> tuple[Float32Array, Float64Array]:
        """The same with nan in the columns `SIBLINGS`; and the distances of `COMPARED`, (distances, pairs)."""
        # Prepared before the threads start: afterwards they only read.
        _ = self.sides, self._idf(own)
        telling_words = self.candidates.reference_side.telling_words

        def compute(chunk: Int64Array) -> tuple[Float32Array, Float64Array]:
            distances, word, compared_columns = self._distances(pairs, chunk, own)
            sizes = pairs.indptr[chunk + 1] - pairs.indptr[chunk]
            leads, summary = among_rivals(distances, sizes)
            references = pairs.reference[pair_positions(pairs, chunk)]
            lengths = np.repeat(self.sides.asking(own).lengths[chunk], sizes), self.sides.reference.lengths[references]
            left_open = np.full((SIBLINGS.stop - SIBLINGS.start, references.size), np.nan)
            parts = [distances, leads, summary, word[: SOFT.start], word[SOFT.stop :], left_open]
            telling = telling_words.evidence(self.sides.words, pairs, chunk, own)
            evidence = np.concatenate([*parts, compared_columns, np.stack(lengths), telling]).T.astype(np.float32)
            return evidence, distances[list(COMPARED_PLACES)]

        found = map_chunks(compute, rows, self.candidates.work.named("evidence"))
        return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found], axis=1)

    def add_siblings(
        self,
        evidence: Float32Array,
        compared: Float64Array,
        pairs: CandidatePairs,
        rows: Int64Array,
        wanted: BoolArray,
        *,
        own: int = 0,
    ) -> None:
        """Fill the columns `SIBLINGS` for the `wanted` pairs, (pairs,), of what `evidence_but_siblings` gave."""
        references = pairs.reference[pair_positions(pairs, rows)][wanted].astype(np.int64)
        needed, places = np.unique(references, return_inverse=True)
        nearest, names = self._siblings(needed)
        spread = self._spread
        compared = np.ascontiguousarray(compared[:, wanted])
        sums = np.concatenate([[0], np.cumsum(wanted)])
        starts = sums[np.concatenate([[0], np.cumsum(pairs.indptr[rows + 1] - pairs.indptr[rows])])]

        def compare(chunk: Int64Array) -> Float32Array:
            part = slice(starts[chunk[0]], starts[chunk[-1] + 1])
            distances, sizes = np.ascontiguousarray(compared[:, part]), np.diff(starts)[chunk]
            return sibling_evidence(distances, rows[chunk], sizes, places[part], nearest, names, spread, own).T.astype(
                np.float32
            )

        if references.size:
            found = map_chunks(compare, np.arange(rows.size), self.candidates.work.named("siblings"))
            evidence[wanted, SIBLINGS] = np.concatenate(found)

    @cached_property
    def _spread(self) -> Float64Array:
        nearest, _ = self._siblings(sample_rows(len(self.candidates.reference), SAMPLE))
        return np.sort(np.minimum(nearest[:, :, 0], 1.0).T.copy(), axis=1)

    def _siblings(self, rows: Int64Array) -> tuple[Float64Array, Int32Array]:
        """The nearest siblings of some reference rows; each row's are found once, whatever asks for them again."""
        nearest, names, known = self.candidates.reference_side.siblings
        missing = rows[~known[rows]]
        if missing.size:
            nearest[missing], names[missing] = self._find_siblings(missing)
            known[missing] = True
        return nearest[rows], names[rows]

    def find_siblings(self, rows: Int64Array) -> None:
        """Find the nearest siblings of some reference rows (ascending), so many at a time."""
        for start in range(0, rows.size, SIBLINGS_AT_ONCE):
            self._siblings(rows[start : start + SIBLINGS_AT_ONCE])

    def _find_siblings(self, rows: Int64Array) -> tuple[Float64Array, Int32Array]:
        pairs = self.candidates.neighbours(rows)
        _ = self.sides, self._idf(0)

        def search(chunk: Int64Array) -> tuple[Float64Array, Int32Array]:
            grams = self._set_evidence(self.sides.grams, pairs, chunk, own=1, left_out=0)
            words = self._set_evidence(self.sides.words, pairs, chunk, own=1, left_out=0)
            texts = self.sides.reference.lower
            long = self._long_pairs(pairs, chunk, own=1)
            left, right = map(long.heads, pair_texts(texts, texts, pairs, chunk))
            edit = _compare(left, right, Levenshtein.normalized_distance)
            long.add_tails(edit, long.disjoint)
            # In the order of `COMPARED`.
            distances = np.stack([grams[0], grams[1], words[0], edit])
            return nearest_siblings(distances, chunk, pairs.indptr, pairs.reference, SIBLINGS_KEPT)

        parts = map_chunks(search, rows, self.candidates.work.named("siblings"))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _distances(
        self, pairs: CandidatePairs, rows: Int64Array, own: int
    ) -> tuple[Float64Array, Float64Array, Float64Array]:
        """`DISTANCES`, `WORD_EVIDENCE` and the number of columns that both rows have."""
        sides = self.sides
        asking = sides.asking(own)
        grams = self._set_evidence(sides.grams, pairs, rows, own=own, left_out=own)
        words = self._set_evidence(sides.words, pairs, rows, own=own, left_out=own)
        spelled = word_evidence(
            rows,
            pairs.indptr,
            pairs.reference,
            asking.starts,
            asking.words,
            sides.reference.starts,
            sides.reference.words,
            sides.words.frequency,
            self._idf(own),
            sides.spellings.letters,
            sides.spellings.starts,
            sides.spellings.numeric,
            own,
        )
        columns, compared = self._column_distances(grams[0], pairs, rows, own)
        characters = self._character_distances(pairs, rows, own)
        return np.concatenate([grams, words, characters, spelled[SOFT], columns]), spelled, compared

    def _idf(self, left_out: int) -> Float64Array:
        """IDF of a token by the number of reference rows that hold it; `left_out` rows do not count."""
        return self.candidates.reference_side.forms.idf[left_out]

    def _set_evidence(
        self, form: Form, pairs: CandidatePairs, rows: Int64Array, *, own: int, left_out: int
    ) -> Float64Array:
        """`SET_EVIDENCE`; `own` says who asks, `left_out` how many rows do not count in the document frequencies."""
        return set_evidence(
            rows,
            pairs.indptr,
            pairs.reference,
            *form.asking(own),
            *form.reference,
            form.frequency,
            self._idf(left_out),
            left_out,
        )

    def _column_distances(
        self, whole: Float64Array, pairs: CandidatePairs, rows: Int64Array, own: int
    ) -> tuple[Float64Array, Float64Array]:
        """IDF Jaccard over 3-grams in the key column, on average, and in the worst column; and how many compare.

        The key column is the one that tells most rows apart. With one column all three are `whole`.
        """
        if not self.sides.columns:
            return np.stack([whole, whole, whole]), np.ones((1, whole.size))
        positions = pair_positions(pairs, rows)
        sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
        asking, reference = self.sides.asking(own).present, self.sides.reference.present
        both = np.repeat(asking[:, rows], sizes, axis=1) & reference[:, pairs.reference[positions]]
        parts = np.stack(
            [self._set_evidence(form, pairs, rows, own=own, left_out=own)[0] for form in self.sides.columns]
        )
        weights = np.array(self.weights)[:, np.newaxis] * both
        total = weights.sum(axis=0)
        key = int(np.argmax(self.weights))
        mean = np.where(total > 0.0, (weights * parts).sum(axis=0) / np.where(total > 0.0, total, 1.0), 1.0)
        worst = np.where(both, parts, 0.0).max(axis=0)
        return np.stack([np.where(both[key], parts[key], 1.0), mean, worst]), both.sum(axis=0)[np.newaxis]

    def _character_distances(self, pairs: CandidatePairs, rows: Int64Array, own: int) -> Float64Array:
        asking, reference = self.sides.asking(own), self.sides.reference
        long = self._long_pairs(pairs, rows, own)
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

    def _long_pairs(self, pairs: CandidatePairs, rows: Int64Array, own: int) -> LongPairs:
        sizes = pairs.indptr[rows + 1] - pairs.indptr[rows]
        references = pairs.reference[pair_positions(pairs, rows)]
        asking, grams = self.sides.asking(own), self.sides.grams
        lengths = np.maximum(np.repeat(asking.lengths[rows], sizes), self.sides.reference.lengths[references])
        return long_pairs(lengths, np.repeat(rows, sizes), references, grams.asking(own), grams.reference)


def _compare(left: np.ndarray, right: np.ndarray, scorer: Callable[..., float]) -> Float64Array:
    result: Float64Array = cpdist(left, right, scorer=scorer, dtype=np.float64)
    return result
