"""Distances of candidate pairs agree with the formulas on the texts, function by function."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzyjoin.blocking import CandidatePairs
from fuzzyjoin.compare import (
    ColumnTexts,
    JoinFunction,
    ReferenceColumn,
    WeightedColumns,
    group_functions,
    resolve_space,
)
from fuzzyjoin.errors import UsageError
from tests import naive
from tests.cases import candidate_lists, pairs_of, random_tables, subsets, texts

LARGE = resolve_space("large")
EDIT, JARO_WINKLER = JoinFunction("lower", "edit"), JoinFunction("lower", "jaro-winkler")
WORDS = JoinFunction("lower", "jaccard", "word", "uniform")


class LengthDifference:
    """How much longer one text is."""

    name = "length difference"

    def distances(self, reference, query):
        return [abs(len(left) - len(right)) for left, right in zip(reference, query, strict=True)]


class Given:
    """A custom function that answers what it was told to."""

    name = "given"

    def __init__(self, answer):
        self.answer = answer

    def distances(self, reference, query):
        assert len(reference) == len(query)
        return self.answer


def distances(columns, functions, candidates, rows=None, *, weights=(1.0,), within_reference=False):
    """Distances of the pairs of `rows`, one list a function; `columns` are (reference texts, query texts)."""
    weighted = WeightedColumns(
        tuple(ColumnTexts(ReferenceColumn.of(left), right) for left, right in columns), (tuple(weights),)
    )
    pairs = CandidatePairs(*pairs_of(candidates))
    asked = np.array(range(len(candidates)) if rows is None else rows, np.int64)
    found = [None] * len(functions)
    for group in group_functions(functions):
        weighted.prepare(group)
        (values,) = weighted.distances(group, pairs, asked, within_reference=within_reference)
        for position, row in zip(group.positions, values.tolist(), strict=True):
            found[position] = row
    return found


def one_distance(function, query, reference, others=()):
    return distances([([reference, *others], [query])], [function], [[0]])[0][0]


def text_columns(seed):
    return ([row[1] for row in rows] for rows in random_tables(seed, references=10, queries=7))


@pytest.mark.parametrize("seed", range(4))
def test_the_large_space_agrees_with_the_formulas(seed):
    reference, query = text_columns(seed)
    twin = naive.Column(reference)
    everything = list(range(len(reference)))
    found = distances([(reference, query)], LARGE, [everything] * len(query))
    for function, values in zip(LARGE, found, strict=True):
        assert values == [twin.compute(function, left, right) for left in query for right in reference], function.name


@pytest.mark.parametrize("seed", range(2))
def test_distances_within_the_reference_agree_with_the_formulas(seed):
    reference, query = text_columns(seed)
    twin = naive.Column(reference)
    everything = list(range(len(reference)))
    found = distances([(reference, query)], LARGE, [everything] * len(reference), within_reference=True)
    for function, values in zip(LARGE, found, strict=True):
        expected = [twin.compute(function, left, right) for left in reference for right in reference]
        assert values == expected, function.name


@given(st.lists(texts, min_size=1, max_size=4), st.lists(texts, max_size=3), st.sampled_from(LARGE), st.data())
def test_any_candidates_of_any_rows_agree_with_the_formulas(reference, query, function, data):
    candidates = data.draw(candidate_lists(len(query), len(reference)))
    rows = data.draw(subsets(len(query)))
    twin = naive.Column(reference)
    expected = [twin.compute(function, query[row], reference[other]) for row in rows for other in candidates[row]]
    assert distances([(reference, query)], [function], candidates, rows) == [expected]


@pytest.mark.parametrize("function", LARGE, ids=lambda function: function.name)
def test_a_distance_does_not_depend_on_the_other_queries(function):
    reference, query = text_columns(9)
    everything = list(range(len(reference)))
    together = distances([(reference, query)], [function], [everything] * len(query))[0]
    apart = [distances([(reference, [text])], [function], [everything])[0] for text in query]
    assert together == [distance for row in apart for distance in row]


@pytest.mark.parametrize("function", LARGE, ids=lambda function: function.name)
@pytest.mark.parametrize(("query", "reference"), [("", "abc"), ("abc", ""), ("", "")])
def test_a_missing_value_is_as_far_as_can_be(function, query, reference):
    expected = max(1.0, len(query), len(reference)) if function.distance == "edit" else 1.0
    assert one_distance(function, query, reference, ["other", "texts", "too"]) == expected


@given(texts, texts)
@example("𝔘🎉", "日本")
def test_edit_distance_counts_changes_of_code_points(left, right):
    known = naive.Column([right]).compute(EDIT, left, right)
    assert one_distance(EDIT, left, right) == known
    assert float(known).is_integer()


def test_jaro_winkler_by_example():
    """The examples of Winkler's paper."""
    assert one_distance(JARO_WINKLER, "MARTHA", "MARHTA") == pytest.approx(1 - 0.9611, abs=1e-4)
    assert one_distance(JARO_WINKLER, "DWAYNE", "DUANE") == pytest.approx(1 - 0.84, abs=1e-4)
    assert one_distance(JARO_WINKLER, "DIXON", "DICKSONX") == pytest.approx(1 - 0.8133, abs=1e-4)


def test_functions_of_one_preprocessing_and_tokenisation_share_a_pass():
    groups = group_functions(LARGE)
    assert sorted(len(group.functions) for group in groups) == [1] * 8 + [16] * 8
    assert sorted(position for group in groups for position in group.positions) == list(range(136))
    for group in groups:
        assert group.functions == tuple(LARGE[position] for position in group.positions)


@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).filter(any), st.integers(0, 3))
@example([0.0, 1.0, 0.0], 0)
def test_columns_add_up_by_their_weights(weights, seed):
    reference, query = random_tables(seed, columns=3, references=4, queries=3)
    columns = [([row[place] for row in reference], [row[place] for row in query]) for place in (1, 2, 3)]
    everything = [list(range(len(reference)))] * len(query)
    functions = [WORDS, EDIT]
    found = distances(columns, functions, everything, weights=weights)
    apart = [distances([column], functions, everything) for column in columns]
    for place, values in enumerate(found):
        expected = sum(weight * np.array(column[place]) for weight, column in zip(weights, apart, strict=True))
        assert values == pytest.approx(expected.tolist(), rel=1e-12)


def test_a_custom_function_sees_raw_texts_that_are_not_missing():
    class Seen:
        name = "seen"
        pairs = ()

        def distances(self, reference, query):
            self.pairs += tuple(zip(reference, query, strict=True))
            return np.full(len(query), 0.5)

    function = Seen()
    found = distances([(["Ab!", "", "c"], ["X y", ""])], [function], [[0, 1, 2], [0]])
    assert found == [[0.5, 1.0, 0.5, 1.0]]
    assert function.pairs == (("Ab!", "X y"), ("c", "X y"))


def test_a_column_of_weight_0_is_not_looked_at():
    class Twos:
        name = "twos"

        def distances(self, reference, query):
            assert "unwanted" not in reference
            return [2.0] * len(query)

    columns = [(["a"], ["b"]), (["unwanted"], ["x"])]
    assert distances(columns, [Twos()], [[0]], weights=(1.0, 0.0)) == [[2.0]]


def test_a_custom_function_stands_among_built_in_ones():
    found = distances([(["abc", "a"], ["ab"])], [EDIT, LengthDifference(), JARO_WINKLER], [[0, 1]])
    assert found[:2] == [[1.0, 1.0], [1, 1]]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0.1], "gave an array of shape .1,. for 2 pairs"),
        ([[0.1, 0.2]], "gave an array of shape .1, 2. for 2 pairs"),
        ([0.1, -0.1], "negative or not finite"),
        ([0.1, np.nan], "negative or not finite"),
        ([np.inf, 0.1], "negative or not finite"),
    ],
)
def test_what_a_custom_function_answers_is_checked(answer, message):
    with pytest.raises(UsageError, match=f"^join function 'given' {message}|^join function 'given' gave .*{message}"):
        distances([(["a", "b"], ["c"])], [Given(answer)], [[0, 1]])
