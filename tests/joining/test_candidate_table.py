"""The best candidates of every row, and the bands: what is listed, that it is the join's own, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import Matcher, Program, UsageError, fuzzy_join, index_reference, learn_program
from tests.cases import example


@pytest.fixture(scope="module")
def malls():
    reference, query, _ = example("ShoppingMall")
    return reference, query, fuzzy_join(reference, query, "title", top=3)


def test_every_row_with_a_candidate_lists_its_best_ones_in_the_order_of_the_table(malls):
    _, query, result = malls
    candidates = result.candidates
    ranks = candidates.groupby("query_id", sort=False)["rank"].apply(list)
    assert all(rank == list(range(1, len(rank) + 1)) and len(rank) <= 3 for rank in ranks)
    listed = [id_ for id_ in query["id"] if id_ in set(ranks.index)]
    assert list(ranks.index) == listed
    without = result.unmatched.loc[result.unmatched["best_reference_id"].isna(), "query_id"]
    assert set(listed) == set(query["id"]) - set(without)


def test_the_first_is_the_match_or_the_best_candidate_with_its_probability(malls):
    result = malls[2]
    first = result.candidates[result.candidates["rank"] == 1].set_index("query_id")
    matches, rest = result.matches.set_index("query_id"), result.unmatched.set_index("query_id")
    rest = rest[rest["best_reference_id"].notna()]
    assert set(first.index) == set(matches.index) | set(rest.index)
    for known, column, probability in (
        (matches, "reference_id", "precision_estimate"),
        (rest, "best_reference_id", "best_probability"),
    ):
        of_known = first.loc[known.index]
        assert of_known["reference_id"].tolist() == known[column].tolist()
        assert of_known["probability"].tolist() == known[probability].tolist()
    second = result.candidates[result.candidates["rank"] == 2].set_index("query_id")["reference_id"]
    named = matches["runner_up_id"].dropna()
    assert second.loc[named.index].tolist() == named.tolist()


def test_all_candidates_and_no_match_make_one(malls):
    reference, query, _ = malls
    result = fuzzy_join(reference, query, "title", top=10_000)
    assert len(result.candidates) == result.counts["candidate_pairs"]
    whole = result.candidates.groupby("query_id").agg(p=("probability", "sum"), rest=("no_match_probability", "first"))
    assert np.allclose(whole["p"] + whole["rest"], 1.0, atol=1e-12)


def test_listing_candidates_changes_nothing_else(malls):
    reference, query, result = malls
    plain = fuzzy_join(reference, query, "title")
    assert plain.candidates is None
    pd.testing.assert_frame_equal(plain.matches, result.matches)
    pd.testing.assert_frame_equal(plain.unmatched, result.unmatched)
    assert plain.program == result.program


def test_apply_and_lookup_list_the_same_whatever_the_order_of_the_rows(malls, tmp_path):
    reference, query, result = malls
    applied = result.program.apply(reference, query, top=3).candidates
    pd.testing.assert_frame_equal(applied, result.candidates)
    turned = result.program.apply(reference[::-1], query[::-1], top=3).candidates
    order = ["query_id", "rank"]
    pd.testing.assert_frame_equal(
        turned.sort_values(order, ignore_index=True), applied.sort_values(order, ignore_index=True)
    )
    matcher = Matcher.open(index_reference(result.program, reference, tmp_path), result.program)
    some = query[5:8]
    found = matcher.lookup(some, top=3).candidates
    expected = applied[applied["query_id"].isin(some["id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_bands_say_what_to_review_and_change_nothing_that_is_joined(malls):
    reference, query, result = malls
    far = result.unmatched
    likely = far["best_probability"] >= 0.2
    assert 0 < likely.sum() < len(far)
    assert far["band"].tolist() == np.where(likely, "review", "reject").tolist()
    assert result.counts["review"] == likely.sum()
    bands = result.candidates.drop_duplicates("query_id").set_index("query_id")["band"]
    assert set(bands[bands == "accept"].index) == set(result.matches["query_id"])
    wide = fuzzy_join(reference, query, "title", review_probability=0.0)
    pd.testing.assert_frame_equal(wide.matches, result.matches)
    assert set(wide.unmatched.loc[wide.unmatched["best_reference_id"].notna(), "band"]) == {"review"}
    assert set(wide.unmatched.loc[wide.unmatched["best_reference_id"].isna(), "band"]) <= {"reject"}


def test_the_review_probability_is_part_of_the_program_only_where_it_is_named(malls):
    reference, query, result = malls
    assert "review_probability" not in result.program.to_json()
    wide = learn_program(reference, query, "title", review_probability=0.1)
    assert Program.from_json(wide.to_json()).definition.decision.review_probability == 0.1
    assert wide.program_id != result.program.program_id
    likely = wide.apply(reference, query).unmatched.query("best_probability >= 0.1")
    assert set(likely["band"]) == {"review"}


@pytest.mark.parametrize("top", [0, -1, 1.5, True, "3"])
def test_a_number_of_candidates_that_cannot_be_is_refused(malls, top):
    reference, query, result = malls
    with pytest.raises(UsageError, match=r"top is .*; expected how many candidates a row to list, 1 or more"):
        result.program.apply(reference, query, top=top)


def test_a_union_has_no_match_probabilities_and_so_no_bands(malls):
    reference, query, _ = malls
    with pytest.raises(UsageError, match="top is 2, but a union of configurations decides"):
        fuzzy_join(reference, query, "title", method="autofj", top=2)
    with pytest.raises(UsageError, match=r"review_probability is 0\.3, but a union"):
        learn_program(reference, query, "title", method="autofj", review_probability=0.3)
    result = fuzzy_join(reference, query, "title", method="autofj")
    assert result.unmatched["band"].isna().all()
    assert result.counts["review"] == 0
