"""The decision rule: the most probable match stands, each row for itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fuzzyjoin.blocking import NegativeRules
from fuzzyjoin.compare import Candidates, JoinFunction, WeightedColumns
from fuzzyjoin.joining.union import match_union
from fuzzyjoin.tables import key_table
from fuzzyjoin.threads import Work
from tests import naive
from tests.cases import SMALL, frame, random_tables

EDIT = JoinFunction("lower", "edit")
WORDS = JoinFunction("lower", "jaccard", "word", "uniform")
GRAMS = JoinFunction("lower", "jaccard", "3-gram", "uniform")


def match(reference, query, configurations, *, k=None, rules=(), weights=(1.0,), threads=1):
    """What was decided for every query row, by query id; and the estimated precision of all."""
    columns = [f"column {place}" for place in range(1, len(reference[0]))]
    tables = [
        key_table(frame(rows, columns), role=role, id_column="id", columns=columns)
        for role, rows in (("reference", reference), ("query", query))
    ]
    negative = NegativeRules(tuple(rules))
    candidates = Candidates(*tables, k or 4, Work(threads), negative)
    weighted = WeightedColumns(candidates.columns, (tuple(weights),))
    found = match_union(weighted, configurations, candidates.allowed_pairs(negative), candidates)

    def reference_id(position):
        return tables[0].ids[position] if position >= 0 else None

    rows = {
        query_id: SimpleNamespace(
            joined=bool(found.joined[place]),
            reference=reference_id(found.reference[place]),
            distance=float(found.distance[place]),
            configuration=int(found.configuration[place]),
            runner_up=reference_id(found.runner_up[place]),
            runner_up_distance=float(found.runner_up_distance[place]),
            probability=float(found.probability[place]),
        )
        for place, query_id in enumerate(tables[1].ids)
    }
    return rows, found.tally.precision_estimate


def random_program(seed, size):
    """Configurations over the small space, some functions with several thresholds."""
    random = np.random.default_rng(seed)
    functions = [SMALL[place] for place in random.integers(0, len(SMALL), size)]
    return [(function, float(random.choice([0.0, 0.2, 0.4, 0.6, 0.9]))) for function in functions]


@pytest.mark.parametrize("seed", range(30))
def test_matches_agree_with_the_plain_rule(seed):
    reference, query = random_tables(seed, columns=1 + seed % 2)
    weights = (1.0,) if seed % 2 == 0 else (0.25, 0.75)
    program = random_program(seed, size=seed % 5)
    tables = naive.Tables(reference, query, k=4)
    found, estimate = match(reference, query, program, rules=tables.rules, weights=weights)
    expected, expected_estimate = tables.match(program, weights)
    assert {name: (row.reference, row.probability, row.configuration) for name, row in found.items() if row.joined} == {
        name: (row[0], float(row[1]), row[2]) for name, row in expected.items()
    }
    assert estimate == expected_estimate


@pytest.mark.parametrize("seed", range(5))
def test_nearest_and_runner_up_agree_with_sorting(seed):
    reference, query = random_tables(seed)
    program = [(GRAMS, 0.7)]
    tables = naive.Tables(reference, query, k=4, rules=False)
    found, _ = match(reference, query, program)
    for place, row in enumerate(tables.query):
        distances = tables.distances(GRAMS, [1.0], place)
        ranked = sorted((distance, other) for other, distance in distances.items())
        ranked = [(tables.reference[other][0], distance) for distance, other in ranked] + [(None, np.inf)] * 2
        here = found[row[0]]
        assert (here.reference, here.distance) == ranked[0]
        assert (here.runner_up, here.runner_up_distance) == ranked[1]
        assert here.joined == (here.distance <= 0.7)


REFERENCE = [(1, "grand mall"), (2, "grand mall old"), (3, "lake side"), (4, "far away place")]


def test_the_more_probable_match_stands_whatever_the_order():
    """Row 1 has a neighbour within 2 · 0.5 in words, none within 2 · 0 in edits."""
    query = [("q", "Grand Mall")]
    for program in ([(WORDS, 0.5), (EDIT, 0.0)], [(EDIT, 0.0), (WORDS, 0.5)]):
        found, estimate = match(REFERENCE, query, program)
        assert program[found["q"].configuration][0] == EDIT
        assert (found["q"].reference, found["q"].probability) == (1, 1.0)
        assert estimate == 1.0


def test_of_equally_probable_matches_the_earlier_configuration_stands():
    found, _ = match(REFERENCE, [("q", "lake side")], [(WORDS, 0.1), (EDIT, 0.0)])
    assert found["q"].configuration == 0


def test_the_larger_threshold_of_a_function_is_the_less_probable_one():
    found, _ = match(REFERENCE, [("q", "grand mall")], [(WORDS, 0.4), (WORDS, 0.0)])
    assert (found["q"].configuration, found["q"].probability) == (1, 1.0)


def test_a_pair_that_lost_counts_as_false():
    """Words join q to 1 or 2, edits to another row: two pairs of which one stands."""
    reference = [(1, "aa bb cc dd"), (2, "xaa xbb xcc"), (3, "unlike")]
    query = [("q", "xaa xbb cc dd")]
    program = [(EDIT, 5.0), (WORDS, 1.0)]
    tables = naive.Tables(reference, query, k=3)
    found, estimate = match(reference, query, program, k=3)
    expected, expected_estimate = tables.match(program, [1.0])
    assert found["q"].reference == expected["q"][0]
    assert estimate == expected_estimate


@pytest.mark.parametrize("threshold", [0.0, 1.0, 2.0])
def test_an_unjoined_row_names_the_configuration_it_came_nearest_to(threshold):
    """Relative to the thresholds: four edits too many are farther from 1 than from 2."""
    found, estimate = match(REFERENCE, [("q", "lake side abcd")], [(EDIT, threshold), (WORDS, 0.3)])
    here = found["q"]
    assert not here.joined
    assert (here.configuration, here.reference, here.runner_up is not None) == (1, 3, True)
    assert (here.probability, estimate) == (0.0, None)


def test_a_row_far_from_a_threshold_of_0_still_names_its_nearest():
    found, _ = match(REFERENCE, [("q", "lake side and much more than that")], [(EDIT, 0.0)])
    assert (found["q"].joined, found["q"].configuration, found["q"].reference) == (False, 0, 3)


def test_a_row_without_candidates_names_nothing():
    found, _ = match(REFERENCE, [("q", "zzz"), ("r", "lake side")], [(EDIT, 3.0)])
    here = found["q"]
    assert (here.joined, here.reference, here.configuration, here.distance) == (False, None, -1, np.inf)
    assert found["r"].joined


def test_a_program_without_configurations_joins_nothing():
    found, estimate = match(REFERENCE, [("q", "lake side")], [])
    assert (found["q"].joined, found["q"].configuration, estimate) == (False, -1, None)


def test_a_distance_at_the_threshold_joins():
    found, _ = match(REFERENCE, [("q", "lake sidexx")], [(EDIT, 2.0)])
    assert found["q"].joined


def test_duplicates_in_the_reference_halve_the_probability_and_the_lower_id_is_taken():
    reference = [(2, "lake side"), (1, "lake side"), (3, "far away place"), (4, "grand mall")]
    found, estimate = match(reference, [("q", "lake side")], [(WORDS, 0.0)])
    assert (found["q"].reference, found["q"].probability, found["q"].runner_up) == (1, 0.5, 2)
    assert estimate == 0.5


def test_a_negative_rule_takes_the_nearest_away():
    reference = [(1, "mens run 2008"), (2, "mens run 2009"), (3, "other thing"), (4, "grand mall")]
    query = [("q", "mens run 2008 2010")]
    plain, _ = match(reference, query, [(WORDS, 1.0)])
    ruled, _ = match(reference, query, [(WORDS, 1.0)], rules=["2008/2009", "2010/nothing"])
    assert plain["q"].runner_up == 2
    assert (ruled["q"].reference, ruled["q"].runner_up) == (1, None)


def test_matches_do_not_depend_on_threads():
    reference, query = random_tables(5, references=50, queries=700)
    program = random_program(5, size=6)
    assert match(reference, query, program, threads=2) == match(reference, query, program)
