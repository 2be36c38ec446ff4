"""True precision and recall, measured against known matches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.evaluation import Evaluation, evaluate


def table(pairs, columns=("query_id", "reference_id")):
    return pd.DataFrame(pairs, columns=list(columns), dtype="str")


def test_matches_are_counted():
    truth = table([("a", "1"), ("b", "2"), ("c", "3")])
    result = evaluate(table([("a", "1"), ("b", "9")]), truth)
    assert result == Evaluation(joined=2, correct=1, matchable=3)
    assert result.precision == pytest.approx(1 / 2)
    assert result.recall == pytest.approx(1 / 3)


def test_any_of_several_right_answers_counts_and_counts_once():
    truth = table([("a", "1"), ("a", "2"), ("a", "2"), ("b", "3")])
    assert evaluate(table([("a", "2")]), truth) == Evaluation(joined=1, correct=1, matchable=2)


def test_joining_a_query_row_that_has_no_match_is_wrong():
    truth = table([("a", "1"), ("b", None)])
    result = evaluate(table([("a", "1"), ("b", "1"), ("c", "1")]), truth)
    assert result == Evaluation(joined=3, correct=1, matchable=1)
    assert result.recall == 1.0


def test_truth_may_have_the_columns_of_the_autofj_tasks():
    truth = table([("1", "x", "a"), ("2", "y", "b")], columns=("id_l", "title_l", "id_r"))
    assert evaluate(table([("a", "1"), ("b", "1")]), truth) == Evaluation(joined=2, correct=1, matchable=2)


def test_precision_is_undefined_when_nothing_is_joined():
    result = evaluate(table([]), table([("a", "1")]))
    assert result.precision is None
    assert result.recall == 0.0


def test_recall_is_undefined_when_nothing_could_be_joined():
    result = evaluate(table([("a", "1")]), table([("a", None)]))
    assert result.precision == 0.0
    assert result.recall is None


def test_ids_are_compared_as_text():
    truth = pd.DataFrame({"query_id": [1, 2], "reference_id": ["01", "2"]})
    assert evaluate(table([("1", "1"), ("2", "2")]), truth).correct == 1


def test_further_columns_do_not_matter():
    matches = table([("a", "1")]).assign(precision_estimate="0.9")
    assert evaluate(matches, table([("a", "1")])).correct == 1


def test_matches_need_their_columns():
    with pytest.raises(UsageError, match="matches has no column 'query_id'"):
        evaluate(table([("a", "1")], columns=("query", "reference_id")), table([("a", "1")]))


def test_truth_needs_its_columns():
    with pytest.raises(UsageError, match=r"truth needs the columns 'query_id' and 'reference_id'.*it has 'id_l'"):
        evaluate(table([("a", "1")]), table([("a", "1")], columns=("id_l", "other")))


def test_a_query_row_joined_twice_is_an_error():
    with pytest.raises(DataError, match="joins the query row 'a' in rows 1 and 2"):
        evaluate(table([("a", "1"), ("a", "2")]), table([("a", "1")]))


@pytest.mark.parametrize("pair", [(None, "1"), ("a", None)])
def test_a_match_without_an_id_is_an_error(pair):
    with pytest.raises(DataError, match="has no value in row 1"):
        evaluate(table([pair, ("b", "1")]), table([("a", "1")]))


def test_a_truth_without_a_query_id_is_an_error():
    with pytest.raises(DataError, match="truth column 'query_id' has no value in row 2"):
        evaluate(table([("a", "1")]), table([("a", "1"), (None, "1")]))


IDS = st.integers(0, 5).map(str)


@given(
    joined=st.dictionaries(IDS, IDS),
    truth=st.lists(st.tuples(IDS, IDS)),
)
def test_counts_agree_with_counting_by_hand(joined, truth):
    result = evaluate(table(list(joined.items())), table(truth))
    right = {}
    for query, reference in truth:
        right.setdefault(query, []).append(reference)
    correct = 0
    for query, reference in joined.items():
        if reference in right.get(query, []):
            correct += 1
    assert result == Evaluation(joined=len(joined), correct=correct, matchable=len(right))


@pytest.mark.parametrize(
    ("query_ids", "true_query_ids", "true_reference_ids"),
    [
        ([10, 11], [10, 11, 12], [1, 2, None]),
        ([10, 11], [10.0, 11.0, 12.0], ["1", "2", ""]),
        (["10", "11"], [10, 11, 12], [1.0, 2.0, None]),
        ([10.0, 11.0], ["10", "11", "12"], [1, 2, " "]),
        (np.array([10, 11]), pd.array([10, 11, 12], "Int64"), pd.array([1, 2, None], "Int64")),
    ],
)
def test_ids_are_the_same_whatever_type_a_null_gave_them(query_ids, true_query_ids, true_reference_ids):
    matches = pd.DataFrame({"query_id": query_ids, "reference_id": [1, 2]})
    truth = pd.DataFrame({"id_r": true_query_ids, "id_l": true_reference_ids})
    assert evaluate(matches, truth) == Evaluation(joined=2, correct=2, matchable=2)


def test_ids_that_differ_as_texts_alone_are_one_query_row():
    with pytest.raises(DataError, match="joins the query row '10' in rows 1 and 2"):
        evaluate(pd.DataFrame({"query_id": [10, "10"], "reference_id": [1, 2]}), table([("10", "1")]))


def test_a_blank_id_is_a_missing_one():
    with pytest.raises(DataError, match="matches column 'reference_id' has no value in row 1"):
        evaluate(table([("a", " ")]), table([("a", "1")]))
