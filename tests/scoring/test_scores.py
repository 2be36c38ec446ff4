"""The best candidate is the same whether or not runners-up are asked for; without them less is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from fuzzyjoin.blocking import scorer_k
from fuzzyjoin.compare import SAMPLE, Candidates, FeatureTables, column_weights
from fuzzyjoin.scoring import learn_decision, score_run, shipped_scorer
from fuzzyjoin.scoring.calibration import NO_CANDIDATE
from fuzzyjoin.scoring.scores import best_candidates
from fuzzyjoin.tables import key_tables
from fuzzyjoin.threads import Work
from tests.cases import example, frame, random_tables


def candidates_of(reference, query, columns=("title",), threads=1):
    keys = key_tables(reference, query, ("id", "id"), [(column, column) for column in columns])
    return Candidates(*keys, scorer_k(len(reference)), Work(threads), blocker="cosine")


def best_of(candidates, *, is_self_join, runner_up):
    tables = FeatureTables(candidates, column_weights(candidates))
    rows = np.arange(len(candidates.reference if is_self_join else candidates.query), dtype=np.int64)
    pairs = candidates.neighbours(rows) if is_self_join else candidates.query_pairs
    return best_candidates(tables, shipped_scorer(), pairs, rows, is_self_join=is_self_join, runner_up=runner_up)


def require_the_same_best(make, *, is_self_join):
    expected, found = (best_of(make(), is_self_join=is_self_join, runner_up=runner_up) for runner_up in (True, False))
    for name in ("first", "score", "neighbourhood"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    assert set(found.second.tolist()) == {-1}
    assert set(found.second_score.tolist()) == {NO_CANDIDATE}
    return expected


@pytest.mark.parametrize("is_self_join", [False, True])
@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_is_the_same_without_the_runner_up(seed, columns, is_self_join):
    names = [f"column {place}" for place in range(columns)]
    rows = random_tables(seed, columns=columns, references=40, queries=30)
    tables = [frame(part, names) for part in rows]
    require_the_same_best(lambda: candidates_of(*tables, names, threads=1 + seed % 2), is_self_join=is_self_join)


@pytest.mark.parametrize("is_self_join", [False, True])
@pytest.mark.parametrize("task", ["ShoppingMall", "Reptile"])
def test_the_best_of_an_example_is_the_same_without_the_runner_up(task, is_self_join):
    reference, query, _ = example(task)
    best = require_the_same_best(lambda: candidates_of(reference, query), is_self_join=is_self_join)
    assert (best.second >= 0).mean() > 0.9


def test_without_runners_up_fewer_neighbours_are_looked_for():
    reference, query, _ = example("Monarch")
    known = []
    for runner_up in (True, False):
        candidates = candidates_of(reference, query.head(40))
        best_of(candidates, is_self_join=False, runner_up=runner_up)
        known.append(candidates.reference_side.nearest_neighbours[2].sum() - SAMPLE)
    assert 0 < known[1] < known[0] / 2


def test_a_decision_is_the_same_whether_or_not_its_rows_are_joined_next():
    (reference, query, _), scorer = example("ShoppingMall"), shipped_scorer()
    one, other = (
        learn_decision(score_run(candidates_of(reference, query), scorer, runner_up=runner_up), scorer, 0.9)
        for runner_up in (True, False)
    )
    assert one == other
