"""The same inputs give the byte-same program and the same matches, however they come."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import fuzzy_join
from tests.cases import example, frame, random_tables

ROOT = Path(__file__).resolve().parents[1]

SCRIPT = """
import hashlib, sys
from fuzzyjoin import fuzzy_join
from tests.cases import example
for task in ("ShoppingMall", "RailwayLine"):
    reference, query, _ = example(task)
    for space in ("medium", None):
        result = fuzzy_join(reference, query, "title", space=space, threads=int(sys.argv[1]))
        print(result.program.program_id)
        for text in (result.program.to_json(), result.matches.to_csv(), result.unmatched.to_csv()):
            print(hashlib.sha256(text.encode()).hexdigest())
"""


def tables(name):
    """Bundled examples by their name, and random tables of two columns with many ties and duplicates."""
    if name != "random":
        return *example(name)[:2], "title"
    reference, query = random_tables(77, columns=2, references=60, queries=400)
    return frame(reference, ("name", "city")), frame(query, ("name", "city")), ["name", "city"]


NAMES = ["ShoppingMall", "RailwayLine", "random"]


def shuffled(table, seed):
    return table.iloc[np.random.default_rng(seed).permutation(len(table))]


def join(reference, query, on, **options):
    return fuzzy_join(reference, query, on, **options)


def by_id(table):
    return table.sort_values("query_id", key=lambda ids: ids.astype(str)).reset_index(drop=True)


def assert_same(result, expected, *, same_order=True):
    assert result.program.to_json().encode() == expected.program.to_json().encode()
    assert result.precision_estimate == expected.precision_estimate
    for name in ("matches", "unmatched"):
        found, wanted = getattr(result, name), getattr(expected, name)
        assert len(wanted) > 0
        if not same_order:
            found, wanted = by_id(found), by_id(wanted)
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)


@pytest.fixture(scope="module", params=[(name, space) for name in NAMES for space in ("small", None)], ids=str)
def joined(request):
    """Tables, columns, a way to join them (by a search or by the scorer), and what one thread gives."""
    name, space = request.param
    reference, query, on = tables(name)
    # So that some rows are joined and some are not.
    how = partial(join, on=on, space=space, precision_target=0.8 if space else 0.95)
    return reference, query, how, how(reference, query, threads=1)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(joined, threads):
    reference, query, how, expected = joined
    assert_same(how(reference, query, threads=threads), expected)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_query_rows_changes_nothing(joined, seed):
    reference, query, how, expected = joined
    assert_same(how(reference, shuffled(query, seed)), expected, same_order=False)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_reference_rows_changes_nothing(joined, seed):
    reference, query, how, expected = joined
    assert_same(how(shuffled(reference, seed), query), expected)


def test_both_orders_and_threads_together_change_nothing(joined):
    reference, query, how, expected = joined
    result = how(shuffled(reference, 3), shuffled(query, 4), threads=2)
    assert_same(result, expected, same_order=False)


def test_a_second_run_changes_nothing(joined):
    reference, query, how, expected = joined
    assert_same(how(reference, query), expected)


def test_more_columns_in_the_tables_change_nothing(joined):
    reference, query, how, expected = joined
    wider = reference.assign(extra=range(len(reference))), query.assign(extra="x")
    assert_same(how(*wider), expected)


@pytest.mark.slow
def test_the_hash_seed_changes_nothing():
    outputs = []
    for seed, threads in (("1", "1"), ("4242", "2")):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, threads],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(run.stdout)
    assert outputs[0].count("sha256:") == 4
    assert outputs[0] == outputs[1]


def test_equal_texts_are_told_apart_by_their_ids():
    """Of duplicates in the reference the one with the smaller id is taken, wherever it stands."""
    reference = frame(
        [("b", "lake side"), ("a", "lake side"), ("c", "grand mall"), ("d", "old town"), ("e", "far away")]
    )
    query = frame([("q", "lake side"), ("r", "grand mal"), ("s", "old towns")])
    for seed in range(5):
        result = fuzzy_join(shuffled(reference, seed), query, "title", space="small", precision_target=0.5)
        matches = dict(zip(result.matches["query_id"], result.matches["reference_id"], strict=True))
        assert matches["q"] == "a"
