"""Feature kernels agree with their slow twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.kernels import features, word_features
from tests import naive, naive_scoring
from tests.cases import csr, pairs_of

LEXICON = ["lake", "lakes", "mall", "mal", "2008", "2009", "a", "ab", "center", "centre", "東京", "plaza"]
UNSEEN = ["lak", "r2d2", "zzz"]
words = st.lists(st.sampled_from(LEXICON), max_size=6)
asked = st.lists(st.sampled_from(LEXICON + UNSEEN), max_size=6)


def idf(rows, left_out):
    """Weights by number of rows, on the grid that makes sums exact."""
    return [naive.on_grid(max(0.0, math.log(max(rows - left_out, 1) / (seen + 1.0)))) for seen in range(rows + 1)]


@st.composite
def tables(draw):
    """Reference rows, query rows (or the reference rows themselves), every reference row a candidate of each."""
    reference = draw(st.lists(words, min_size=1, max_size=5))
    is_self_join = draw(st.booleans())
    query = reference if is_self_join else draw(st.lists(asked, min_size=1, max_size=3))
    candidates = [
        [place for place in range(len(reference)) if not (is_self_join and place == row)] for row in range(len(query))
    ]
    frequency = {word: sum(word in row for row in reference) for word in {word for row in reference for word in row}}
    return reference, query, candidates, frequency, int(is_self_join)


def counts(row):
    return {word: row.count(word) for word in row}


def codes(frequency):
    """Ids of all words, those of the reference first."""
    return {
        word: place
        for place, word in enumerate([*sorted(frequency), *(w for w in UNSEEN + LEXICON if w not in frequency)])
    }


@pytest.mark.twin
@given(tables())
def test_set_features_agree_with_sets(table):
    reference, query, candidates, frequency, left_out = table
    ids = codes(frequency)
    weights = idf(len(reference), left_out)
    sides = [
        csr([{ids[word]: count for word, count in counts(row).items()} for row in side]) for side in (query, reference)
    ]
    found = features.set_features(
        np.arange(len(query)),
        *pairs_of(candidates),
        *sides[0],
        *sides[1],
        np.array([frequency[word] for word in sorted(frequency)], np.int64),
        np.array(weights),
        left_out,
    )
    expected = [
        naive_scoring.set_features(counts(query[row]), counts(reference[other]), frequency, weights, left_out)
        for row, others in enumerate(candidates)
        for other in others
    ]
    assert pytest.approx(np.array(expected).reshape(-1, 5), abs=1e-12) == found.T


@pytest.mark.twin
@given(tables())
def test_word_features_agree_with_lists(table):
    reference, query, candidates, frequency, left_out = table
    ids = codes(frequency)
    weights = idf(len(reference), left_out)
    spelled = sorted(ids, key=ids.get)
    texts = [np.array([ids[word] for row in side for word in row], np.int64) for side in (query, reference)]
    starts = [np.cumsum([0, *map(len, side)], dtype=np.int64) for side in (query, reference)]
    found = word_features.word_features(
        np.arange(len(query)),
        *pairs_of(candidates),
        starts[0],
        texts[0],
        starts[1],
        texts[1],
        np.array([frequency[word] for word in sorted(frequency)], np.int64),
        np.array(weights),
        np.array([ord(letter) for word in spelled for letter in word], np.uint32),
        np.cumsum([0, *map(len, spelled)], dtype=np.int64),
        np.array([naive_scoring.digits(word) for word in spelled], np.bool_),
        left_out,
    )
    pairs = [(row, other) for row, others in enumerate(candidates) for other in others]
    for place, (row, other) in enumerate(pairs):
        expected = naive_scoring.word_features(query[row], reference[other], frequency, weights, left_out)
        assert dict(zip(word_features.WORD_FEATURES, found[:, place].tolist(), strict=True)) == pytest.approx(
            expected, abs=1e-12
        )


def word_features_of_a_pair(query, reference):
    """By name, of a query row and the only reference row."""
    frequency = dict.fromkeys(reference, 1)
    spelled = [*sorted(frequency), *(word for word in dict.fromkeys(query) if word not in frequency)]
    found = word_features.word_features(
        np.arange(1),
        *pairs_of([[0]]),
        np.array([0, len(query)]),
        np.array([spelled.index(word) for word in query]),
        np.array([0, len(reference)]),
        np.array([spelled.index(word) for word in reference]),
        np.ones(len(frequency), np.int64),
        np.array([1.0, 0.5]),
        np.array([ord(letter) for word in spelled for letter in word], np.uint32),
        np.cumsum([0, *map(len, spelled)], dtype=np.int64),
        np.zeros(len(spelled), np.bool_),
        0,
    )
    return dict(zip(word_features.WORD_FEATURES, found[:, 0].tolist(), strict=True))


def test_words_past_the_limit_are_counted_and_not_compared():
    different = [chr(ord("A") + place) * 2 for place in range(word_features.MOST_WORDS)]
    within = word_features_of_a_pair([*different[1:], "lakes"], ["lake"])
    assert (within["best near-equal word"], within["abbreviated words"]) == (0.8, 1)
    past = word_features_of_a_pair([*different, "lakes"], ["lake"])
    assert (past["best near-equal word"], past["abbreviated words"]) == (0.0, 0)
    assert (past["query unmatched words"], past["query soft unmatched mass"]) == (word_features.MOST_WORDS + 1, 1.0)


def test_letters_past_the_limit_are_not_compared():
    start = "a" * word_features.MOST_LETTERS
    assert word_features_of_a_pair([f"{start}xyz"], [f"{start}uvw"])["best near-equal word"] == 1.0


# Multiples of a power of two, whose sums and differences are exact.
some_distances = st.integers(0, 16).map(lambda value: value / 16)


@pytest.mark.twin
@given(st.lists(st.integers(0, 4), max_size=3), st.data())
def test_leads_and_summaries_agree_with_comparing_all(sizes, data):
    kinds = data.draw(st.integers(1, 3))
    rows = [
        data.draw(st.lists(st.lists(some_distances, min_size=size, max_size=size), min_size=kinds, max_size=kinds))
        for size in sizes
    ]
    flat = [[value for row in rows for value in row[kind]] for kind in range(kinds)]
    leads, summary = features.among_rivals(np.array(flat).reshape(kinds, -1), np.array(sizes, np.int64))
    expected = [naive_scoring.among_rivals(row) for row in rows if row[0]]
    assert leads.tolist() == [[value for found, _ in expected for value in found[kind]] for kind in range(kinds)]
    assert pytest.approx(np.array([three for _, threes in expected for three in threes]).reshape(-1, 3)) == summary.T


@pytest.mark.twin
@given(st.data())
def test_nearest_neighbours_agree_with_sorting(data):
    kept = data.draw(st.integers(1, 4))
    kinds = data.draw(st.integers(1, 2))
    neighbours = [sorted(data.draw(st.sets(st.integers(0, 6)))) for _ in range(3)]
    known = [[{name: data.draw(some_distances) for name in names} for names in neighbours] for _ in range(kinds)]
    flat = np.array([[d for row in kind for d in row.values()] for kind in known], np.float64).reshape(kinds, -1)
    indptr, names = pairs_of(neighbours)
    nearest, found = features.nearest_neighbours(flat, np.arange(3), indptr, names, kept)
    for row in range(3):
        for kind in range(kinds):
            expected = naive_scoring.nearest_neighbours(known[kind][row], kept)
            assert list(zip(nearest[row, kind].tolist(), found[row, kind].tolist(), strict=True)) == expected


@pytest.mark.twin
@given(st.data())
def test_neighbour_features_agree_with_counting(data):
    kept, is_self_join = 3, data.draw(st.booleans())
    neighbours = [
        naive_scoring.nearest_neighbours(data.draw(st.dictionaries(st.integers(0, 5), some_distances)), kept)
        for _ in range(4)
    ]
    usual = sorted(data.draw(st.lists(some_distances, max_size=4)))
    asking = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    candidates = [data.draw(st.lists(st.integers(0, 3), max_size=3)) for _ in asking]
    distances = [data.draw(some_distances) for others in candidates for _ in others]
    found = features.neighbour_features(
        np.array([distances], np.float64).reshape(1, -1),
        np.array(asking, np.int64),
        np.array([len(others) for others in candidates], np.int64),
        np.array([other for others in candidates for other in others], np.int64),
        np.array([[[distance for distance, _ in row]] for row in neighbours]),
        np.array([[[name for _, name in row]] for row in neighbours], np.int32),
        np.array([usual], np.float64).reshape(1, -1),
        is_self_join,
    )
    flat = iter(distances)
    expected = [
        naive_scoring.neighbour_features(next(flat), neighbours[other], usual, row if is_self_join else None)
        for row, others in zip(asking, candidates, strict=True)
        for other in others
    ]
    assert pytest.approx(np.array(expected).reshape(-1, 3)) == found.T
