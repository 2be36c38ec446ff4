"""Deciding by a scorer: the largest set that meets the target, frozen, the same for one row as for many."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import Program, UsageError, fuzzy_join, learn_program
from fuzzyjoin.definition import PrecisionEstimate, Scorer
from fuzzyjoin.figures import rounded_down
from fuzzyjoin.scoring import disagreements, shipped_scorer
from fuzzyjoin.scoring.decision import lowest_score, scaled, unscaled
from fuzzyjoin.scoring.densities import at
from tests.cases import example, frame
from tests.known_truth import KINDS, known_tables

TASKS = ["ShoppingMall", "Reptile", "RailwayLine", "Monarch"]


@pytest.fixture(scope="module")
def malls():
    reference, query, truth = example("ShoppingMall")
    return reference, query, truth, fuzzy_join(reference, query, "title")


def matches_of(result):
    columns = ["query_id", "reference_id", "precision_estimate", "distance", "runner_up_id", "runner_up_distance"]
    return result.matches[columns].reset_index(drop=True)


scores = st.lists(st.integers(-6, 6).map(float), max_size=12)


@given(scores, st.sampled_from([0.5, 0.8, 0.9]), st.sampled_from([0.0, 0.5, 0.95]))
def test_the_threshold_takes_the_largest_set_of_likely_rows_that_meets_the_target(values, target, least):
    found = np.array(values, np.float64)
    probability = 1.0 / (1.0 + np.exp(-found))
    sets = {score: probability[found >= score] for score in sorted(set(values))}
    expected = [score for score, rows in sets.items() if rows.mean() >= target and rows.min() >= least]
    assert lowest_score(found, probability, target, least) == (expected[0] if expected else None)


@given(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
def test_scaling_keeps_the_order_and_can_be_undone(one, other):
    values = scaled(np.array([one, other]))
    assert ((values > 0.0) & (values < 1.0)).all()
    assert (values[0] <= values[1]) or one > other
    assert unscaled(float(values[0])) == pytest.approx(one, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_that_no_scorer_was_trained_on_are_joined_well(kind):
    (reference, query), truth = known_tables(kind, seed=1)
    result = fuzzy_join(reference, query, "title")
    right = result.matches["query_id"].map(truth) == result.matches["reference_id"]
    assert right.mean() >= 0.8
    assert right.sum() / len(truth) >= 0.9
    assert len(result.matches) < len(query)
    estimate = result.precision_estimate
    assert estimate.value == pytest.approx(result.matches["precision_estimate"].mean())
    assert estimate.value >= 0.9
    assert estimate.low < right.mean() < estimate.high
    assert (estimate.level, estimate.calibrated) == (0.9, True)


def test_all_estimates_stand_in_the_learning_record(malls):
    record = malls[3].program.learning_record
    assert set(record.estimates) == {"posterior", "decoys", "neighbourhood"}
    assert record.estimates["posterior"] == record.precision_estimate == malls[3].precision_estimate
    assert all(0.0 < part.high - part.low < 1.0 for part in record.estimates.values())
    assert (record.method, record.space, record.join_functions) == ("auto", "scorer", 0)


def test_the_program_names_the_scorer_and_freezes_prior_and_threshold(malls):
    decision = malls[3].program.definition.decision
    assert isinstance(decision, Scorer)
    assert decision.hash == shipped_scorer().hash
    _, query, truth, result = malls
    assert decision.prior == pytest.approx(1.0 - len(truth) / len(query), abs=0.15)
    assert decision.threshold == pytest.approx(1.0 - result.matches["distance"].max())
    probability = at(
        np.array(result.program.definition.probabilities),
        np.array([unscaled(1.0 - distance) for distance in result.matches["distance"]]),
    )
    assert probability == pytest.approx(result.matches["precision_estimate"])


def test_a_program_read_back_joins_the_same(malls, tmp_path):
    reference, query, _, result = malls
    result.program.save(tmp_path / "program.json")
    again = Program.load(tmp_path / "program.json")
    assert again == result.program
    pd.testing.assert_frame_equal(again.apply(reference, query).matches, result.matches)


def test_rows_are_decided_alone_as_in_their_batch(malls):
    reference, query, _, result = malls
    together = matches_of(result).set_index("query_id")
    for start in (0, 50, 100):
        some = query.iloc[start : start + 10]
        alone = matches_of(result.program.apply(reference, some)).set_index("query_id")
        expected = together[together.index.isin(some["id"])]
        pd.testing.assert_frame_equal(alone.sort_index(), expected.sort_index())


def test_threads_and_the_order_of_rows_change_nothing(malls):
    reference, query, _, result = malls
    shuffled = reference.sample(frac=1.0, random_state=1), query.sample(frac=1.0, random_state=2)
    other = fuzzy_join(*shuffled, "title", threads=3)
    assert other.program.to_json() == result.program.to_json()
    sort = lambda found: matches_of(found).sort_values("query_id", ignore_index=True)  # noqa: E731 - used once
    pd.testing.assert_frame_equal(sort(other), sort(result))


def test_a_higher_target_joins_a_part_of_what_a_lower_one_joins(malls):
    reference, query, _, result = malls
    strict = fuzzy_join(reference, query, "title", precision_target=0.97)
    assert set(strict.matches["query_id"]) < set(result.matches["query_id"])
    assert strict.precision_estimate.value >= 0.97


def test_the_reason_says_whether_probability_or_threshold_kept_a_row_out(malls):
    reference, query, _, _ = malls
    far = fuzzy_join(reference, query, "title", precision_target=0.99).unmatched.dropna(subset="best_distance")
    unlikely = "too unsure: the best candidate's match probability is below 0.5"
    unsure = "too unsure: the best candidate scores below the decision threshold"
    assert set(far["reason"]) == {unlikely, unsure}
    assert ((far["reason"] == unlikely) == (far["best_probability"] < 0.5)).all()


def test_distance_threshold_and_margin_say_what_the_scores_say(malls):
    result = malls[3]
    matches, threshold = result.matches, result.program.definition.decision.threshold
    assert set(matches["configuration"]) == {0}
    assert set(matches["join_function"]) == {"scorer autofj50"}
    assert (matches["distance"] <= matches["threshold"]).all()
    assert np.allclose(matches["threshold"], 1.0 - threshold)
    assert np.allclose(matches["margin"].dropna(), (matches["runner_up_distance"] - matches["distance"]).dropna())
    far = result.unmatched.dropna(subset="best_distance")
    assert (far["best_distance"] > far["best_threshold"]).all()


@pytest.mark.parametrize("task", TASKS)
def test_no_row_is_joined_that_the_program_believes_wrong(task):
    reference, query, _ = example(task)
    for target in (0.5, 0.7, 0.9):
        matches = fuzzy_join(reference, query, "title", precision_target=target).matches
        assert (matches["precision_estimate"] >= 0.5).all()
        everything = fuzzy_join(reference, query, "title", precision_target=target, min_probability=0).matches
        likely = everything[everything["precision_estimate"] >= 0.5]
        assert set(matches["query_id"]) == set(likely["query_id"])


def test_a_low_target_joins_rows_below_the_least_probability_only_if_asked(malls):
    reference, query, _, _ = malls
    everything = fuzzy_join(reference, query, "title", precision_target=0.5, min_probability=0)
    assert everything.matches["precision_estimate"].min() < 0.5
    strict = fuzzy_join(reference, query, "title", precision_target=0.5, min_probability=0.97)
    assert strict.matches["precision_estimate"].min() >= 0.97
    assert strict.precision_estimate.value >= 0.97
    unlikely = strict.unmatched["best_probability"] < 0.97
    assert unlikely.sum() > 10
    words = "too unsure: the best candidate's match probability is below 0.97"
    assert set(strict.unmatched.loc[unlikely, "reason"]) == {words}


def test_the_least_probability_is_frozen_in_the_program(malls):
    reference, query, _, result = malls
    decision = result.program.definition.decision
    assert (decision.min_probability, json.loads(result.program.to_json())["program"]["decision"]) == (
        0.5,
        decision.model_dump(),
    )
    low = decision.model_copy(update={"threshold": 0.0})
    bold = Program(definition=result.program.definition.model_copy(update={"decision": low}))
    # The threshold lets every row in, the least probability does not.
    matches = Program.from_json(bold.to_json()).apply(reference, query).matches
    assert 0.5 <= matches["precision_estimate"].min() < 0.6


def test_a_program_without_a_least_probability_joins_by_its_threshold_alone(malls):
    reference, query, _, result = malls
    decision = result.program.definition.decision.model_copy(update={"threshold": 0.0, "min_probability": None})
    earlier = Program(definition=result.program.definition.model_copy(update={"decision": decision}))
    assert "min_probability" not in earlier.to_json()
    matches = Program.from_json(earlier.to_json()).apply(reference, query).matches
    assert matches["precision_estimate"].min() < 0.5


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_a_least_probability_out_of_range_is_refused(malls, value):
    reference, query, _, _ = malls
    with pytest.raises(UsageError, match=f"min_probability is {value}; expected"):
        fuzzy_join(reference, query, "title", min_probability=value)


@pytest.mark.parametrize("options", [{"method": "autofj"}, {"space": "small"}])
def test_a_union_takes_no_least_probability(malls, options):
    reference, query, _, _ = malls
    with pytest.raises(UsageError, match="1 / \\(1 \\+ neighbours\\)"):
        learn_program(reference, query, "title", min_probability=0.5, **options)


def test_unmatched_rows_carry_the_match_probability_of_their_best_candidate(malls):
    reference, query, _, result = malls
    far = result.unmatched.dropna(subset="best_distance")
    scores = np.array([unscaled(1.0 - distance) for distance in far["best_distance"]])
    curve = np.array(result.program.definition.probabilities)
    assert len(far)
    assert np.allclose(far["best_probability"], at(curve, scores))
    assert result.unmatched.loc[result.unmatched["best_distance"].isna(), "best_probability"].isna().all()
    union = fuzzy_join(reference, query, "title", method="autofj")
    assert union.unmatched["best_probability"].isna().all()


def test_several_columns_are_joined():
    names = [
        f"{kind} {place}"
        for kind in ("Grand Mall", "North Plaza", "Lake Center")
        for place in ("Oslo", "Rome", "Bern", "Riga")
    ]
    rows = [(row, name, str(1950 + row), "y" if row % 3 else "x") for row, name in enumerate(names)]
    asked = [(f"q{row}", f"The {name}", year, None if row % 2 else kind) for row, name, year, kind in rows]
    columns = ["name", "year", "kind"]
    result = fuzzy_join(frame(rows, columns), frame(asked, columns), columns, precision_target=0.6)
    weights = [column.weight for column in result.program.columns]
    assert sum(weights) == pytest.approx(1.0)
    for query_id, reference_id in zip(result.matches["query_id"], result.matches["reference_id"], strict=True):
        assert query_id == f"q{reference_id}"
    assert len(result.matches) == len(rows)


def test_tables_of_a_few_rows_are_answered():
    reference = frame([(1, "grand mall"), (2, "lake side"), (3, "old town hall")])
    query = frame([("a", "grand mal"), ("b", None), ("c", "zzz qqq")])
    result = fuzzy_join(reference, query, "title")
    assert len(result.matches) + len(result.unmatched) == 3
    reasons = dict(zip(result.unmatched["query_id"], result.unmatched["reason"], strict=True))
    assert reasons["b"] == "no text in the key columns"
    assert reasons["c"].startswith("no candidate")


def test_a_target_out_of_reach_joins_nothing_and_says_so():
    reference = frame([(row, f"alpha {row}") for row in range(40)])
    query = frame([(row, f"beta gamma {row}") for row in range(40, 80)])
    result = fuzzy_join(reference, query, "title", precision_target=0.99)
    assert not result.program.reachable
    assert result.matches.empty
    assert result.precision_estimate == PrecisionEstimate(calibrated=True)
    assert result.program.definition.decision.threshold is None
    assert Program.from_json(result.program.to_json()) == result.program


def test_a_program_of_another_scorer_asks_for_its_file(malls):
    reference, query, _, result = malls
    decision = result.program.definition.decision.model_copy(update={"hash": "sha256:abc"})
    definition = result.program.definition.model_copy(update={"decision": decision})
    with pytest.raises(UsageError, match="give its file as scorer"):
        Program(definition=definition).apply(reference, query)


def test_a_scorer_does_not_go_with_a_space():
    reference, query, _ = example("Monarch")
    with pytest.raises(UsageError, match="uses none"):
        learn_program(reference, query, "title", space="small", scorer="file.json")


def estimate(value, low, high):
    return PrecisionEstimate(value=value, low=low, high=high, level=0.9)


def test_disagreeing_estimates_are_told():
    found = {
        "posterior": estimate(0.9, 0.85, 0.95),
        "decoys": estimate(0.5, 0.4, 0.6),
        "neighbourhood": estimate(0.8, 0.7, 0.9),
    }
    (sentence,) = disagreements(found)
    assert "by decoys it is 0.50 (0.40 to 0.60), lower than the headline's 0.90 (0.85 to 0.95)" in sentence


class TestExplanation:
    def test_a_match_names_features_runner_up_and_threshold(self, malls):
        reference, query, _, result = malls
        match = result.matches.iloc[0]
        text = result.program.explain_query(reference, query, match["query_id"])
        assert f"is joined to reference {match['reference_id']} " in text
        assert "What the score is made of" in text
        assert f"Runner-up: reference {match['runner_up_id']} " in text
        assert "Where it fell behind:" in text
        assert "It joins at any decision threshold up to" in text

    def test_a_row_that_is_not_joined_says_at_which_threshold_it_would_join(self, malls):
        reference, query, _, result = malls
        result = fuzzy_join(reference, query, "title", precision_target=0.99)
        far = result.unmatched.dropna(subset="best_distance")
        row = far[far["best_probability"] >= 0.5].iloc[0]
        text = result.program.explain_query(reference, query, row["query_id"])
        assert f"is not joined to reference {row['best_reference_id']} " in text
        assert f"It would join at a decision threshold of {rounded_down(1.0 - row['best_distance'], digits=4)}." in text

    def test_a_row_that_is_rather_wrong_says_at_which_least_probability_it_would_join(self, malls):
        reference, query, _, result = malls
        far = result.unmatched.dropna(subset="best_distance")
        row = far[far["best_probability"] < 0.5].iloc[0]
        text = result.program.explain_query(reference, query, row["query_id"])
        assert "A row needs a match probability of at least 0.500, whatever its score." in text
        told = re.search(r"at a least match probability of (\S+) and a decision threshold of (\S+)\.\n", text)
        least, threshold = map(float, told.groups())
        decision = result.program.definition.decision.model_copy(
            update={"min_probability": least, "threshold": threshold}
        )
        looser = Program(definition=result.program.definition.model_copy(update={"decision": decision}))
        assert "is joined to reference" in looser.explain_query(reference, query, row["query_id"])

    def test_a_row_without_candidates_says_so(self, malls):
        reference, _, _, result = malls
        text = result.program.explain_query(reference, frame([("alien", "ψψψ")]), "alien")
        assert "no candidate shares anything" in text

    def test_the_program_in_words_names_scorer_threshold_and_estimates(self, malls):
        text = malls[3].program.explain()
        decision = malls[3].program.definition.decision
        assert f"scorer autofj50 ({decision.hash})" in text
        assert f"{decision.threshold:.4f} or higher" in text
        assert "Other estimates of the precision: " in text
        assert "between" in text
