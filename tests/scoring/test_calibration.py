"""Calibration finds the share of right matches, rises with the score, and covers what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.scoring import interval, shipped_scorer
from fuzzyjoin.scoring.calibration import LOWEST_THRESHOLD, Calibrator, RunScores, between_task_features
from fuzzyjoin.scoring.densities import GRID, ascending, at, densities, histogram, smoothed
from fuzzyjoin.search.query_sample import SAMPLE_ROWS
from tests import naive_scoring


def run(*, rows, right, seed=0, decoys=400):
    """Scores of query rows, a share right, each with a best candidate of its own, and of decoys like the wrong."""
    random = np.random.default_rng(seed)
    hits = round(rows * right)
    scores = np.concatenate([random.normal(4.0, 1.0, hits), random.normal(-2.5, 1.2, rows - hits)])
    return RunScores(
        best=scores,
        best_reference=np.arange(rows),
        query_decoys=random.normal(-2.5, 1.2, decoys),
        query_decoy_reference=random.integers(0, 5 * rows, decoys),
        reference_decoys=random.normal(-2.5, 1.2, decoys),
        reference_rows=5 * rows,
    )


@pytest.mark.parametrize("right", [0.05, 0.3, 0.6, 0.95])
def test_the_share_of_right_matches_is_found(right):
    curve = shipped_scorer().calibrator.curve(run(rows=1000, right=right))
    assert curve.share == pytest.approx(right, abs=0.1)


@pytest.mark.parametrize("right", [0.05, 0.3, 0.6, 0.95])
def test_the_mean_probability_is_near_the_truth(right):
    scores = run(rows=1000, right=right)
    probability = at(shipped_scorer().calibrator.curve(scores).probability, scores.best)
    assert probability.mean() == pytest.approx(right, abs=0.08)


WRONG_AND_RIGHT = np.array([-2.5, 4.0])
"""Where the scores of wrong and of right rows of a `run` lie."""


@pytest.mark.parametrize("decoys", [400, 0])
@pytest.mark.parametrize("rows", [1, 2, 10, 300])
def test_right_scores_are_told_from_wrong_ones_whatever_the_size_of_the_run(rows, decoys):
    curve = shipped_scorer().calibrator.curve(run(rows=rows, right=0.5, decoys=decoys))
    wrong, right = at(curve.probability, WRONG_AND_RIGHT)
    assert 0.0 < curve.probability[0] < wrong < 0.2
    assert 0.9 < right < curve.probability[-1] < 1.0


def test_the_order_of_scores_does_not_matter():
    scores = run(rows=500, right=0.5)
    calibrator = shipped_scorer().calibrator
    other = replace(scores.of_rows(np.arange(500)[::-1]), reference_decoys=scores.reference_decoys[::-1])
    assert np.array_equal(calibrator.curve(scores).probability, calibrator.curve(other).probability)


def test_contested_matches_are_trusted_less_where_each_match_is_one():
    """The wrong rows score as the lower right ones do; only that their matches are contested gives them away."""
    rows = 400
    alone = run(rows=rows, right=1.0)
    order = np.argsort(-alone.best)
    shared_matches = np.empty(rows, np.int64)
    shared_matches[order] = np.arange(rows) % (rows // 2)
    decoys = np.random.default_rng(2).integers(0, rows // 2, 400)
    both = [
        replace(alone, best_reference=made, query_decoy_reference=decoys, reference_rows=rows)
        for made in (shared_matches, alone.best_reference)
    ]
    shared, apart = (shipped_scorer().calibrator.curve(scores).probability for scores in both)
    assert at(shared, alone.best).mean() < at(apart, alone.best).mean()


def test_a_calibrator_read_back_is_the_same():
    calibrator = shipped_scorer().calibrator
    assert Calibrator.from_json(calibrator.as_json()).as_json() == calibrator.as_json()


@given(st.lists(st.tuples(st.integers(-8, 8), st.integers(1, 4)), min_size=1, max_size=7))
def test_ascending_agrees_with_the_formula(points):
    values, weights = (np.array(column, np.float64) for column in zip(*points, strict=True))
    expected = naive_scoring.ascending(values.tolist(), weights.tolist())
    assert ascending(values, weights).tolist() == pytest.approx(expected)


@given(st.lists(st.floats(-12.0, 12.0), max_size=20))
def test_every_score_counts_once_and_no_density_is_zero(scores):
    scores = np.array(scores, np.float64)
    assert histogram(scores).sum() == scores.size
    density = densities(smoothed(histogram(scores)))
    assert density.sum() == pytest.approx(1.0)
    assert (density > 0.0).all()


def test_a_curve_is_read_off_between_its_points_and_flat_beyond_them():
    curve = np.arange(GRID.size, dtype=np.float64)
    assert at(curve, np.array([-99.0, -7.0, -6.875, 0.0, 7.0, 99.0])).tolist() == [0.0, 0.0, 0.5, 28.0, 56.0, 56.0]


@pytest.mark.parametrize("between_task_sd", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("rows", [100, 1000])
@pytest.mark.parametrize("value", [0.3, 0.5, 0.8, 0.9, 0.95])
def test_an_interval_covers_9_of_10_tasks_that_differ_as_it_is_told(value, rows, between_task_sd):
    """The truth's log-odds differ from task to task, and each row is right or wrong by chance."""
    random = np.random.default_rng(1)
    odds = np.log(value / (1.0 - value)) + random.normal(0.0, between_task_sd, 20_000)
    found = random.binomial(rows, 1.0 / (1.0 + np.exp(-odds))) / rows
    low, high = interval(value, rows, between_task_sd, 0.9)
    assert 0.88 <= ((low <= found) & (found <= high)).mean() <= 0.95


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("rows", [1, 10, 10_000])
def test_an_interval_about_none_or_all_ends_there_and_is_wider_for_fewer_rows(value, rows):
    few, many = interval(value, rows, 0.3, 0.9), interval(value, 10 * rows, 0.3, 0.9)
    assert few[int(value)] == many[int(value)] == value
    assert 0.0 < many[1] - many[0] < few[1] - few[0] <= 1.0


def test_each_calibration_signal_tells_right_from_wrong_and_their_disagreement_widens_the_interval():
    scores = run(rows=300, right=0.5)
    calibrator = shipped_scorer().calibrator
    curve = calibrator.curve(scores)
    wrong, right = at(curve.by_decoys, WRONG_AND_RIGHT)
    assert wrong.max() < 0.2
    assert right.min() > 0.9
    joined = scores.best[scores.best > 1.0]
    one, lowest, apart = between_task_features(curve, joined)
    both = at(curve.by_decoys, joined).mean(axis=0)
    assert (one, lowest) == (1.0, joined.min())
    assert apart == pytest.approx(abs(np.diff(np.log(both / (1.0 - both)))[0]))
    assert calibrator.between_task_sd_of(curve, joined) > 0.0


def test_more_rows_than_a_sample_has_hardly_narrow_an_interval():
    calibrator, features = shipped_scorer().calibrator, np.array([1.0, LOWEST_THRESHOLD, 0.0])
    smallest = float(np.exp((calibrator.between_task_coefficients * features).sum()))
    few, sampled, endless = (
        np.subtract(*interval(0.9, rows, smallest, 0.9)) for rows in (SAMPLE_ROWS // 10, SAMPLE_ROWS, 10**9)
    )
    assert sampled / endless < 1.01 < few / endless


def test_nothing_is_learned_beyond_the_bounds_of_the_between_task_features():
    curve = replace(
        shipped_scorer().calibrator.curve(run(rows=300, right=0.5)),
        by_decoys=np.column_stack([np.full(GRID.size, 1e-9), np.full(GRID.size, 1.0 - 1e-9)]),
    )
    assert between_task_features(curve, np.array([-9.0])).tolist() == [1.0, -3.0, 4.0]
    assert between_task_features(curve, np.array([9.0]))[1] == 5.0


def test_where_few_rows_have_a_match_the_best_are_trusted_all_the_same():
    scores = run(rows=2000, right=0.04)
    probability = at(shipped_scorer().calibrator.curve(scores).probability, scores.best)
    assert probability[scores.best > 4.0].mean() > 0.8
