"""Nearly equal reference rows: one of them stands for all beside each row, the one nearest in raw text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from fuzzyjoin.blocking import CandidatePairs, NearlyEqualRows
from fuzzyjoin.blocking.near_equal import bare
from fuzzyjoin.tables import key_table
from fuzzyjoin.text import lower
from tests.cases import candidate_lists, pairs_of, rows_of

NAMES = ["CNN", "cnn", "CNN+", "C.N.N.", "BBC", "B B C", "1.5 kg", "15 kg", "+", "++", ""]


def table_of(names, role):
    rows = pd.DataFrame({"id": range(len(names)), "name": names})
    return key_table(rows, role=role, id_column="id", columns=["name"])


def kept_by_hand(lists, asking, reference, *, is_self_join):
    """Candidate by candidate, with no hash and no sorting of pairs."""
    bares = [bare(lower(text)) for text in reference]
    kept = []
    for row, candidates in enumerate(lists):
        others = [c for c in candidates if not (is_self_join and bares[c] and bares[c] == bares[row])]
        near = {c: (-fuzz.token_sort_ratio(asking[row], reference[c]), c) for c in others}
        kept.append(
            [c for c in others if not bares[c] or near[c] == min(near[d] for d in others if bares[d] == bares[c])]
        )
    return kept


@given(data=st.data(), is_self_join=st.booleans())
def test_of_nearly_equal_candidates_only_the_nearest_in_raw_text_is_kept(data, is_self_join):
    names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8)
    reference = table_of(data.draw(names), "reference")
    asking = reference if is_self_join else table_of(data.draw(names), "query")
    lists = data.draw(candidate_lists(len(asking), len(reference)))
    if is_self_join:
        lists = [[c for c in candidates if c != row] for row, candidates in enumerate(lists)]
    rows = NearlyEqualRows.of([[lower(text) for text in reference.columns[0]]])
    found = rows.nearest_only(CandidatePairs(*pairs_of(lists)), asking, reference, is_self_join=is_self_join)
    expected = kept_by_hand(lists, asking.columns[0], reference.columns[0], is_self_join=is_self_join)
    assert rows_of(found.indptr, found.reference) == expected


@pytest.mark.parametrize(
    ("columns", "nearly"),
    [
        ([["CNN", "cnn+"]], True),
        ([["St. John's", "st johns"]], True),
        ([["1.5 kg", "15 kg"]], False),
        ([["1 5 kg", "1.5kg"]], True),
        ([["+", "-"]], False),
        # What is in which column counts: season 1, episode 23 is not season 12, episode 3.
        ([["1", "12"], ["23", "3"]], False),
    ],
)
def test_rows_are_nearly_equal_if_case_spaces_and_punctuation_alone_differ(columns, nearly):
    rows = NearlyEqualRows.of([[lower(text) for text in column] for column in columns])
    assert rows.shared.tolist() == [nearly, nearly]


def test_rows_of_two_tables_are_found_together():
    one, other = (NearlyEqualRows.of([[lower(text) for text in names]]) for names in (["CNN", "BBC"], ["cnn", "NBC"]))
    assert one.merged(other, np.array([0, 2, 1, 3])).shared.tolist() == [True, True, False, False]
