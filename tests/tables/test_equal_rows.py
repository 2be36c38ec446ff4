"""Reference rows with equal compared values are one candidate; nearly equal ones do not count against each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError, Matcher, Program, fuzzy_join, index_reference, learn_program
from fuzzyjoin.tables import key_table
from tests.cases import example, frame


@pytest.fixture(scope="module")
def malls():
    return example("ShoppingMall")


def repeated(reference, share):
    """The table with a share of its rows once more, under other ids."""
    again = reference.sample(frac=share, random_state=1)
    return pd.concat([reference, again.assign(id="again " + again["id"])], ignore_index=True)


def pairs_of(result):
    return result.matches[["query_id", "reference_id", "precision_estimate"]].sort_values("query_id", ignore_index=True)


@pytest.mark.parametrize("method", ["auto", "autofj"])
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_repeated_reference_rows_change_no_match(malls, method, share):
    reference, query, _ = malls
    result = fuzzy_join(reference, query, "title", method=method)
    with_copies = fuzzy_join(repeated(reference, share), query, "title", method=method)
    assert len(result.matches) > 100
    pd.testing.assert_frame_equal(pairs_of(with_copies), pairs_of(result))
    assert with_copies.precision_estimate == result.precision_estimate
    assert with_copies.counts["equal_reference_rows"] == round(share * len(reference))
    assert with_copies.counts["reference_rows"] == len(reference) + round(share * len(reference))


def test_the_match_names_the_smallest_id_and_counts_the_others(malls):
    reference, query, _ = malls
    result = fuzzy_join(repeated(reference, 1.0), query, "title")
    assert not result.matches["reference_id"].str.startswith("again").any()
    assert set(result.matches["equal_reference_rows"]) == {1}
    assert set(fuzzy_join(reference, query, "title").matches["equal_reference_rows"]) == {0}


def test_numbers_are_compared_as_numbers_to_find_the_smallest_id():
    table = key_table(
        frame([(10, "a"), (9, "a"), (3, "b"), ("x", "c"), (2, "c")], ["name"]),
        role="reference",
        id_column="id",
        columns=["name"],
    ).distinct()
    assert table.ids.tolist() == [9, 3, 2]
    assert table.equal_rows(np.arange(3)).tolist() == [1, 0, 1]
    assert [table.equal_ids(place) for place in range(3)] == [["10"], [], ["x"]]


def test_the_whole_table_comes_back():
    rows = frame([(4, "b"), (1, "a"), (3, "a"), (2, "a")], ["name"])
    table = key_table(rows, role="reference", id_column="id", columns=["name"])
    back = table.distinct().whole()
    assert (back.ids.tolist(), back.columns[0]) == (table.ids.tolist(), table.columns[0])
    assert back.source_rows.tolist() == table.source_rows.tolist()
    assert back.fingerprint() == table.distinct().fingerprint() == table.fingerprint()
    assert table.distinct().find(["3", "4", "5"]).tolist() == [0, 1, -1]


def test_a_table_of_equal_rows_alone_is_refused():
    with pytest.raises(DataError, match="3 rows, all with the same compared values"):
        fuzzy_join(frame([(n, "mall") for n in range(3)], ["name"]), frame([(1, "mall")], ["name"]), "name")


def test_an_index_joins_as_the_table_does_where_rows_are_repeated(malls, tmp_path):
    reference, query, _ = malls
    table = repeated(reference, 0.3)
    program = learn_program(table, query, "title")
    expected = program.apply(table, query)
    found = Matcher.open(index_reference(program, table, tmp_path), program).lookup(query)
    pd.testing.assert_frame_equal(found.matches, expected.matches)
    assert found.counts == expected.counts


def test_a_nearly_equal_row_is_no_rival_and_the_nearest_in_raw_text_wins(malls):
    reference, query, _ = malls
    shouted = reference.assign(id="loud " + reference["id"], title=reference["title"].str.upper() + "!")
    result = fuzzy_join(reference, query, "title")
    both = fuzzy_join(pd.concat([reference, shouted], ignore_index=True), query, "title")
    # Document frequencies differ, so that a few rows about the threshold may.
    assert len(both.matches) >= 0.97 * len(result.matches)
    assert not both.matches["reference_id"].str.startswith("loud").any()
    loud = fuzzy_join(
        pd.concat([reference, shouted], ignore_index=True),
        query.assign(title=query["title"].str.upper() + "!"),
        "title",
    )
    assert loud.matches["reference_id"].str.startswith("loud").all()
    assert len(loud.matches) >= 0.97 * len(result.matches)


def test_a_program_without_the_key_takes_equal_rows_as_several(malls):
    reference, query, _ = malls
    program = learn_program(reference, query, "title")
    assert program.definition.blocking.equal_rows == "merged"
    blocking = program.definition.blocking.model_copy(update={"equal_rows": "separate"})
    earlier = Program(definition=program.definition.model_copy(update={"blocking": blocking}))
    assert "equal_rows" not in earlier.to_json()
    again = Program.from_json(earlier.to_json())
    table = repeated(reference, 1.0)
    result = again.apply(table, query)
    assert len(result.matches) < 0.8 * len(program.apply(table, query).matches)
    assert set(result.matches["equal_reference_rows"]) <= {0}


def test_the_explanation_names_the_equal_rows(malls):
    reference, query, _ = malls
    table = repeated(reference, 1.0)
    for method in ("auto", "autofj"):
        result = fuzzy_join(table, query, "title", method=method)
        words = result.program.explain_query(table, query, result.matches["query_id"].iloc[0])
        assert "1 other reference row has the same compared values" in words
