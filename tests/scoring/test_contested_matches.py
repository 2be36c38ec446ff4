"""What contested matches tell of being right, against a plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.scoring.contested_matches import PRIOR_RIGHT, contested_matches
from fuzzyjoin.scoring.densities import GRID, places
from tests import naive_scoring

REFERENCES = 6
some_matches = st.lists(st.tuples(st.integers(-12, 12), st.integers(-1, REFERENCES - 1)), min_size=1, max_size=30)


def run(pairs):
    """Scores (half the numbers) and matches."""
    scores, matches = (np.array(column) for column in zip(*pairs, strict=True))
    return scores / 2.0, matches.astype(np.int64)


@given(some_matches, st.lists(st.integers(-1, REFERENCES - 1), max_size=10))
def test_it_agrees_with_the_plain_count(pairs, decoys):
    scores, matches = run(pairs)
    found = contested_matches(scores, matches, np.array(decoys, np.int64), REFERENCES)
    contested, contrast = naive_scoring.contested_matches(
        scores.tolist(), matches.tolist(), decoys, REFERENCES, GRID.tolist()
    )
    assert found.contested == pytest.approx((contested + 0.1) / (scores.size + 1.0))
    assert found.rows_each == pytest.approx(scores.size / REFERENCES)
    assert found.contrast == pytest.approx(contrast, abs=1e-9)


@given(some_matches, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(pairs, random):
    decoys = np.array([0, 2, -1, 3], np.int64)
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, other = (contested_matches(*run(rows), decoys, REFERENCES) for rows in (pairs, shuffled))
    for name in ("contrast", "right", "matched"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_contested_matches_are_wrong_where_each_match_is_one():
    """100 reference rows, each matched rightly once, and 100 wrong matches of lower scores."""
    scores = np.concatenate([np.full(100, 5.0), np.full(100, -1.0)])
    matches = np.concatenate([np.arange(100), np.arange(100)])
    found = contested_matches(scores, matches, np.arange(100), 100)
    high, low = places(np.array([5.0, -1.0]))
    assert found.contrast[low] > 0.9
    assert found.right[low] < 0.1
    assert found.right[high] > 0.9


def test_where_many_rows_share_a_match_contested_ones_tell_nothing():
    random = np.random.default_rng(1)
    scores = random.normal(4.0, 1.0, 1000)
    found = contested_matches(scores, random.integers(0, 20, 1000), random.integers(0, 20, 300), 20)
    usual = GRID <= 6.0  # the very best are too few to be contested
    assert (found.right[usual] == PRIOR_RIGHT).all()


def test_an_empty_run_tells_nothing():
    nothing = np.zeros(0)
    found = contested_matches(nothing, nothing.astype(np.int64), nothing.astype(np.int64), 3)
    assert np.isfinite(found.right).all()
    assert (found.contrast == 0.0).all()
