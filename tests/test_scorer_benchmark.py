"""Training and measuring the scorer, on made-up tasks and without a network."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import scorer, train_scorer
from benchmarks._copies import COPIES, copy_of, withheld
from benchmarks._data import read_task
from benchmarks._training import (
    LEVEL,
    Trial,
    _between_task_coefficients,
    _neighbourhood_sd,
    examples_of,
    fold_numbers,
    train,
)
from fuzzyjoin.scoring import TrainedScorer, interval, shipped_scorer
from fuzzyjoin.scoring.scorer import scorer_bytes
from tests.test_benchmarks import write_task


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    for name in ("Alpha", "Beta", "Gamma"):
        write_task(folder / name, cities=False)
    return folder


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_the_same_every_time_and_its_truth_stands_in_its_tables(tasks, kind):
    task = read_task(tasks / "Alpha")
    one, other = copy_of(task, kind), copy_of(task, kind)
    assert one.reference.equals(other.reference)
    assert one.query.equals(other.query)
    assert set(one.truth["id_l"]) <= set(one.reference["id"])


def test_withholding_takes_the_share_of_matched_reference_rows(tasks):
    task = read_task(tasks / "Alpha")
    assert len(withheld(task, 0.5, 1).reference) == len(task.reference) - 12
    assert set(withheld(task, 0.5, 1).reference["id"]) != set(withheld(task, 0.5, 2).reference["id"])


def test_folds_keep_families_together_and_are_of_equal_sizes():
    folds = fold_numbers(["a", "b", "c", "d", "a"], 2, seed=1)
    assert sorted(folds.values()) == [0, 0, 1, 1]
    assert set(folds) == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("name", "family"), [("imdb_tvdb", "imdb"), ("biomappings_mesh_to_doid", "biomappings"), ("beer", "beer")]
)
def test_tasks_that_share_rows_are_one_family(name, family):
    assert scorer.source_family(name) == family


def test_a_row_measures_precision_recall_and_estimates(tasks):
    row = scorer.task_row(read_task(tasks / "Alpha"), "made up", shipped_scorer(), 0, scorer.Conditions())
    assert row["query_rows"] == 27
    assert row["ranked_first"] == 1.0
    assert row["recall"] <= row["perfect_recall"] == 1.0
    assert [trial["joined"] for trial in row["at_targets"]][1] == row["joined"]
    assert all(0.0 <= value <= 1.0 for pair in row["at_top_shares"] for value in pair)


def test_a_task_where_nothing_is_joined_though_it_could_be_is_a_miss(tasks):
    row = scorer.task_row(read_task(tasks / "Alpha"), "made up", shipped_scorer(), 0, scorer.Conditions())
    silent = {**row, "precision": None, "recall": 0.0, "reachable": True}
    figures = scorer.summary([{**row, "precision": 0.95}, silent])
    assert figures["share of tasks with precision >= target - 0.05"] == 0.5
    assert figures["tasks where nothing is joined though some could"] == 1
    assert figures["precision"] == 0.95


def test_training_gives_a_scorer_and_the_same_bytes_again(tasks):
    pytest.importorskip("lightgbm", reason="the dependency group train is not installed")
    tables = [
        examples_of(copy_of(read_task(tasks / name), kind), name=f"{name}, {kind}", family=name)
        for name in ("Alpha", "Beta", "Gamma")
        for kind in ("whole", "withheld")
    ]
    one, other = (scorer_bytes("made-up", *train(tables)) for _ in range(2))
    assert one == other
    trained = TrainedScorer.from_bytes(one, source="made-up")
    assert np.isfinite(trained.trees.scores(tables[0].features)).all()


def test_the_shipped_scorer_is_named_as_the_command_names_it():
    assert shipped_scorer().name == train_scorer.NAME


def made_up_trials(number=400, seed=5):
    """Estimates whose log-odds are off by 0.2, or by 0.8 where the second feature is 1."""
    random = np.random.default_rng(seed)
    trials = []
    for place in range(number):
        feature, rows = float(place % 2), 500
        truth = 1.0 / (1.0 + np.exp(-random.normal(2.2, 0.2 + 0.6 * feature)))
        trials.append(
            Trial(str(place), "", 0.9, float(random.binomial(rows, truth)) / rows, rows, np.array([1.0, feature]))
        )
    return trials


def test_the_between_task_deviation_follows_its_features_and_covers_tasks_that_it_was_not_learned_on():
    coefficients = _between_task_coefficients(made_up_trials())
    others = made_up_trials(4000, seed=6)
    deviations = [float(np.exp((coefficients * trial.features).sum())) for trial in others]
    assert deviations[:2] == [pytest.approx(0.2, rel=0.35), pytest.approx(0.8, rel=0.35)]
    covered = [
        low <= trial.truth <= high
        for trial, deviation in zip(others, deviations, strict=True)
        for low, high in [interval(trial.estimate, trial.rows, deviation, LEVEL)]
    ]
    assert np.mean(covered) == pytest.approx(LEVEL, abs=0.04)


def test_one_deviation_for_all_lies_between():
    assert 0.2 < _neighbourhood_sd(made_up_trials()) < 0.8
