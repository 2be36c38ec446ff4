"""Scores are adjusted by what tells a run's query rows from its decoys, and the adjustment is frozen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError, Program, fuzzy_join
from fuzzyjoin.compare import FEATURES
from fuzzyjoin.scoring import Adjustment, logistic
from fuzzyjoin.scoring.adjustment import FARTHEST, FEWEST, RunFeatures, adjusted_run, learn_adjustment
from fuzzyjoin.scoring.calibration import NO_CANDIDATE, RunScores
from fuzzyjoin.scoring.logistic import fit_logistic
from tests.cases import example

TELLS = 5
"""Place of the feature that tells right from wrong in the runs below; the scores tell nothing."""


def run_of(*, rows=400, right=0.5, decoys=200, seed=0):
    """A run, its features, and which rows are right: the score is noise, one feature says all."""
    random = np.random.default_rng(seed)
    hits = np.arange(rows) < right * rows
    found = random.normal(size=(rows + 2 * decoys, len(FEATURES))).astype(np.float32)
    found[:rows][hits, TELLS] += 4.0
    scores = random.normal(0.0, 0.5, rows + 2 * decoys)
    parts = np.split(scores, [rows, rows + decoys])
    run = RunScores(
        best=parts[0],
        best_reference=np.arange(rows),
        query_decoys=parts[1],
        query_decoy_reference=random.integers(0, rows, decoys),
        reference_decoys=parts[2],
        reference_rows=rows,
    )
    return run, RunFeatures(*np.split(found, [rows, rows + decoys])), hits


def naive(adjustment, features, score):
    total = adjustment.intercept
    for value, mean, scale, coefficient in zip(
        [*map(float, features), float(score)],
        adjustment.mean,
        adjustment.scale,
        adjustment.coefficients,
        strict=True,
    ):
        total += coefficient * min(max((value - mean) / scale, -FARTHEST), FARTHEST)
    return total


def changed(name, **values):
    """The content of an adjustment with another value for an input."""
    content = Adjustment.none().as_json()
    content["inputs"][name] = {**content["inputs"].get(name, {}), **values}
    return content


def test_a_feature_that_tells_query_rows_from_decoys_raises_the_right_ones():
    run, features, right = run_of()
    adjustment = learn_adjustment(run, features, np.full(right.size, 0.5))
    assert set(adjustment.strongest(2)) == {FEATURES[TELLS], "score"}
    assert adjustment.coefficients[TELLS] > 0.0 > adjustment.coefficients[-1]
    adjusted = adjusted_run(run, features, adjustment)
    ranked = right[np.argsort(-adjusted.best)]
    unadjusted = right[np.argsort(-run.best)]
    assert ranked[:150].mean() > unadjusted[:150].mean() + 0.1
    assert np.median(adjusted.query_decoys) < np.median(run.query_decoys)


def test_where_decoys_are_like_all_query_rows_little_is_learned():
    run, features, right = run_of(right=0.0)
    probability = np.full(right.size, 0.05)
    alike, told = (
        np.abs(learn_adjustment(*found, probability).coefficients[:-1]).max()
        for found in ((run, features), run_of()[:2])
    )
    assert alike < 0.3 * told


def test_right_matches_keep_their_mean_score():
    run, features, right = run_of()
    probability = np.where(right, 0.9, 0.1)
    adjustment = learn_adjustment(run, features, probability)
    added = adjusted_run(run, features, adjustment).best - run.best
    assert (added * probability).sum() == pytest.approx(0.0, abs=1e-3)


def test_what_is_added_agrees_with_the_formula_and_a_row_alone_gets_the_same():
    run, features, right = run_of(rows=60, decoys=40)
    adjustment = learn_adjustment(run, features, np.full(right.size, 0.5))
    far = features.best * np.float32(100.0)
    for found in (features.best, far):
        added = adjustment.of(found, run.best)
        assert added.tolist() == pytest.approx(
            [naive(adjustment, row, score) for row, score in zip(found, run.best, strict=True)], abs=1e-9
        )
        alone = [float(adjustment.of(found[row : row + 1], run.best[row : row + 1])[0]) for row in range(60)]
        assert alone == added.tolist()
        assert added == pytest.approx(sum(adjustment.parts(found, run.best)) + adjustment.intercept)


@pytest.mark.parametrize("short", ["best", "query_decoys", "reference_decoys"])
def test_a_run_with_few_rows_or_decoys_stays_as_it_is(short):
    run, features, right = run_of()
    few = np.where(np.arange(getattr(run, short).size) < FEWEST - 1, getattr(run, short), NO_CANDIDATE)
    assert learn_adjustment(replace(run, **{short: few}), features, np.full(right.size, 0.5)) == Adjustment.none()


def test_scores_stay_as_they_are_where_the_regression_does_not_converge(monkeypatch):
    run, features, right = run_of()
    assert any(learn_adjustment(run, features, np.full(right.size, 0.5)).coefficients)
    monkeypatch.setattr(logistic, "STEPS", 1)
    assert learn_adjustment(run, features, np.full(right.size, 0.5)) == Adjustment.none()


def test_rows_without_a_candidate_are_not_looked_at_and_not_adjusted():
    run, features, right = run_of()
    probability = np.full(right.size, 0.5)
    best, found = np.append(run.best, NO_CANDIDATE), np.vstack([features.best, np.full((1, len(FEATURES)), np.nan)])
    more = replace(run, best=best, best_reference=np.append(run.best_reference, -1))
    seen = replace(features, best=found.astype(np.float32))
    adjustment = learn_adjustment(more, seen, np.append(probability, 0.0))
    assert adjustment == learn_adjustment(run, features, probability)
    assert adjusted_run(more, seen, adjustment).best[-1] == NO_CANDIDATE


def test_an_adjustment_read_back_is_the_same():
    run, features, right = run_of()
    adjustment = learn_adjustment(run, features, np.full(right.size, 0.5))
    assert Adjustment.from_json(adjustment.as_json()) == adjustment


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        changed("score", mean="a"),
        changed("score", coefficient=float("inf")),
        changed("score", scale=0.0),
        changed("another", mean=0.0, scale=1.0, coefficient=0.0),
        {**Adjustment.none().as_json(), "inputs": []},
        {**Adjustment.none().as_json(), "intercept": float("nan")},
    ],
)
def test_a_program_without_a_proper_adjustment_is_refused(content):
    with pytest.raises(DataError, match="learn it again"):
        Adjustment.from_json(content)


def test_a_program_holds_its_adjustment_and_tells_of_it():
    reference, query, _ = example("ShoppingMall")
    result = fuzzy_join(reference, query, "title")
    definition = Program.from_json(result.program.to_json()).definition
    adjustment = Adjustment.from_json(definition.adjustment)
    assert any(adjustment.coefficients)
    assert f"score to these tables, mostly by: {'; '.join(adjustment.strongest(4))}." in result.program.explain()
    match = result.matches.iloc[0]
    text = result.program.explain_query(reference, query, match["query_id"])
    assert "adjustment learned on these tables, mostly " in text
    assert f"Score {1.0 - match['distance']:.4f};" in text


def test_the_score_is_the_sum_of_what_the_explanation_counts():
    reference, query, _ = example("ShoppingMall")
    result = fuzzy_join(reference, query, "title")
    text = result.program.explain_query(reference, query, result.matches["query_id"].iloc[0])
    counted, rest = text.split("What the score is made of (sum ")[1].split(", in log-odds", 1)
    lines = rest.split("\n")[1:]
    parts = [float(line.split()[0]) for line in lines[: next(i for i, line in enumerate(lines) if line[0] != " ")]]
    assert sum(parts) == pytest.approx(float(counted), abs=0.05)


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 30.0]))
def test_a_regression_ends_where_its_loss_is_level(seed, ridge):
    random = np.random.default_rng(seed)
    inputs, labels = random.normal(size=(40, 3)), random.uniform(0.0, 1.0, 40)
    weights, offset = random.uniform(0.0, 2.0, 40), random.normal(0.0, 20.0, 40)
    coefficients = fit_logistic(inputs, labels, weights, ridge=ridge, offset=offset)
    odds = inputs @ coefficients[:-1] + coefficients[-1] + offset
    pull = weights * (1.0 / (1.0 + np.exp(-odds)) - labels)
    assert inputs.T @ pull + ridge * coefficients[:-1] == pytest.approx(np.zeros(3), abs=1e-6)
    assert pull.sum() == pytest.approx(0.0, abs=1e-4)
