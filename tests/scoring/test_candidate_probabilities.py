"""Probabilities of all candidates: against a slow twin, and by what must hold of any scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.scoring import candidate_probabilities
from fuzzyjoin.scoring.candidate_probabilities import FALL, SECOND, SUREST
from fuzzyjoin.scoring.densities import GRID, at

CURVE = 1.0 / (1.0 + np.exp(-GRID))

rows = st.lists(st.lists(st.integers(-20, 20).map(lambda score: score / 4), max_size=6), max_size=5)


def arranged(scores):
    sizes = [len(row) for row in scores]
    pairs = CandidatePairs(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array([place for size in sizes for place in range(size)], np.int32),
    )
    return pairs, np.array([score for row in scores for score in row], np.float64)


def found_of(scores):
    pairs, flat = arranged(scores)
    return pairs, candidate_probabilities(pairs, flat, CURVE)


def chance(score):
    return float(at(CURVE, np.array([score]))[0])


def plainly(scores):
    """Places of one row's candidates, the best first, and what they are worth."""
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    best = chance(scores[order[0]]) if order else 0.0
    weights = [0.0]
    for rank, place in enumerate(order[1:], start=2):
        likely = min(chance(scores[place]), SUREST)
        weights.append(likely / (1 - likely) * SECOND / (rank - 1) ** FALL)
    shares = [(1 - best) * weight / (1 + sum(weights)) for weight in weights]
    return order, [best, *(min(share, best) for share in shares[1:])]


@given(rows)
def test_they_are_those_of_the_plain_rule(scores):
    pairs, found = found_of(scores)
    for row, values in enumerate(scores):
        order, expected = plainly(values)
        places = pairs.indptr[row] + np.array(order, np.int64)
        assert np.allclose(found.probability[places], expected[: len(order)], atol=1e-12)
        assert found.rank[places].tolist() == list(range(1, len(order) + 1))


@given(rows)
def test_those_of_a_row_and_no_match_make_one_and_the_best_keeps_its_own(scores):
    pairs, found = found_of(scores)
    for row, values in enumerate(scores):
        of_row = slice(pairs.indptr[row], pairs.indptr[row + 1])
        assert abs(found.probability[of_row].sum() + found.no_match[row] - 1.0) < 1e-12
        assert (found.probability[of_row] >= 0.0).all()
        assert 0.0 <= found.no_match[row] <= 1.0
        if values:
            assert found.probability[of_row].max() == chance(max(values))
        else:
            assert found.no_match[row] == 1.0


@given(rows)
def test_a_lower_rank_of_the_row_is_not_likelier(scores):
    pairs, found = found_of(scores)
    for row in range(len(scores)):
        of_row = slice(pairs.indptr[row], pairs.indptr[row + 1])
        ranked = found.probability[of_row][np.argsort(found.rank[of_row])]
        assert (np.diff(ranked) <= 1e-15).all()
