"""People's decisions on pairs: they pin, forbid and are taken back, and nothing else changes."""

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError, Matcher, UsageError, draw_audit, fuzzy_join, index_reference
from fuzzyjoin.joining import PairDecisions
from fuzzyjoin.tables import key_tables
from tests.cases import example

METHODS = ["auto", "autofj"]


@pytest.fixture(scope="module", params=METHODS)
def malls(request):
    reference, query, _ = example("ShoppingMall")
    return reference, query, fuzzy_join(reference, query, "title", method=request.param)


def decided(*lines, **columns):
    """A table of decisions by ada."""
    ids = pd.DataFrame(lines, columns=["query_id", "reference_id"])
    return ids.assign(**{"by": "ada", "when": "2026-03-01", "why": "by phone", **columns})


def undecided(table):
    """The rows that no person decided on, without the columns that tell of people."""
    kept = table[table["decided_by"].isna()] if "decided_by" in table else table
    return kept[[name for name in table if not name.startswith("decided_")]].reset_index(drop=True)


def chosen(result):
    """A row that is joined, one that is not, and a reference row that is neither's."""
    joined, rest = result.matches.iloc[3], result.unmatched.iloc[2]
    return joined["query_id"], rest["query_id"], joined["reference_id"]


def test_they_pin_and_forbid_and_are_shown_as_a_persons(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    result = plain.program.apply(reference, query, decisions=decided((one, "none"), (other, target)))
    match = result.matches.set_index("query_id").loc[other]
    assert (match["reference_id"], match["join_function"], match["configuration"]) == (target, "a person", -1)
    assert (match["decided_by"], match["decided_when"], match["decided_why"]) == ("ada", "2026-03-01", "by phone")
    assert match[["precision_estimate", "distance", "threshold", "margin"]].isna().all()
    row = result.unmatched.set_index("query_id").loc[one]
    assert (row["reason"], row["decided_by"]) == ("a person decided that it has no match", "ada")
    assert row["band"] in {"reject", None}
    assert result.counts["pinned"] == result.counts["forbidden"] == 1
    assert result.counts["matched"] == plain.counts["matched"]
    assert result.warnings == plain.warnings or not plain.warnings


def test_rows_that_nobody_decided_on_stay_as_they_were_and_so_does_the_program(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    method = plain.program.learning_record.method
    table = decided((one, "none"), (other, target))
    result = fuzzy_join(reference, query, "title", method=method, decisions=table)
    assert result.program == plain.program
    for found, before in ((result.matches, plain.matches), (result.unmatched, plain.unmatched)):
        rest = before[~before["query_id"].isin([one, other])].reset_index(drop=True)
        pd.testing.assert_frame_equal(undecided(found), rest)
    assert list(result.matches["query_id"]) == [row for row in query["id"] if row in set(result.matches["query_id"])]


def test_the_estimate_leaves_decided_rows_out(malls):
    reference, query, plain = malls
    weak = plain.matches.nsmallest(40, "precision_estimate")
    table = decided(*zip(weak["query_id"], weak["reference_id"], strict=True))
    result = plain.program.apply(reference, query, decisions=table)
    assert result.counts["matched"] == plain.counts["matched"]
    assert result.precision_estimate.value > plain.precision_estimate.value
    rest = query[~query["id"].isin(weak["query_id"])]
    alone = plain.program.apply(reference, rest)
    assert result.precision_estimate == alone.precision_estimate


def test_the_latest_holds_and_an_empty_one_takes_back(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    lines = [(one, "none"), (one, target), (other, target), (other, "")]
    table = decided(*lines, when=["2026-03-01", "2026-02-01", "2026-03-01", "2026-03-02"])
    for order in (table, table[::-1], table.sample(frac=1, random_state=1)):
        result = plain.program.apply(reference, query, decisions=order)
        assert one in set(result.unmatched["query_id"])
        assert (result.counts["pinned"], result.counts["forbidden"]) == (0, 1)
        back = result.unmatched.set_index("query_id").loc[other]
        assert pd.isna(back["decided_by"])
        assert back["reason"] == plain.unmatched.set_index("query_id").loc[other, "reason"]


def test_decisions_that_differ_at_one_time_do_not_hold_and_are_listed(malls):
    reference, query, plain = malls
    one, _, target = chosen(plain)
    table = decided((one, "none"), (one, target), by=["ada", "bob"])
    result = plain.program.apply(reference, query, decisions=table)
    pd.testing.assert_frame_equal(undecided(result.matches), plain.matches)
    (told,) = [warning for warning in result.warnings if "two of one time differ" in warning]
    differ = f"bob on 2026-03-01: {target}; ada on 2026-03-01: none"
    assert told == f"decision on query row '{one}': two of one time differ ({differ}), so the program decides"


def test_a_reference_row_that_is_gone_and_values_that_changed_are_listed(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    table = decided((one, "gone"), (other, target), query_text=["", "as it was"], reference_text=["", "as it was too"])
    result = plain.program.apply(reference, query, decisions=table)
    assert one in set(result.matches["query_id"])
    assert result.matches.set_index("query_id").loc[other, "reference_id"] == target
    told = [warning for warning in result.warnings if warning.startswith("decision on")]
    assert len(told) == 3
    assert "joined it to 'gone', which is not in the reference table, so the program decides" in told[0]
    assert "the query row was 'as it was' when ada on 2026-03-01 decided" in told[1]
    assert "the reference row was 'as it was too'" in told[2]


def test_decisions_on_rows_that_are_not_here_are_passed_over(malls):
    reference, query, plain = malls
    result = plain.program.apply(reference, query[:20], decisions=decided(("elsewhere", "none")))
    assert (result.counts["pinned"], result.counts["forbidden"]) == (0, 0)
    assert not [warning for warning in result.warnings if "decision" in warning]


def test_of_equal_reference_rows_that_stands_which_was_named(malls, tmp_path):
    reference, query, plain = malls
    _, other, target = chosen(plain)
    both = pd.concat([reference, reference[reference["id"] == target].assign(id="twin")], ignore_index=True)
    table = decided((other, "twin"))
    result = plain.program.apply(both, query, decisions=table)
    match = result.matches.set_index("query_id").loc[other]
    assert (match["reference_id"], match["equal_reference_rows"]) == ("twin", 1)
    assert result.joined("inner").set_index("id").loc[other, "id_reference"] == "twin"
    matcher = Matcher.open(index_reference(plain.program, both, tmp_path), plain.program)
    found = matcher.lookup(query, decisions=table).matches.set_index("query_id")
    assert found.loc[other, "reference_id"] == "twin"


def test_a_lookup_in_an_index_heeds_them(malls, tmp_path):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    table = decided((one, "none"), (other, target))
    matcher = Matcher.open(index_reference(plain.program, reference, tmp_path), plain.program)
    found = matcher.lookup(query, decisions=table)
    expected = plain.program.apply(reference, query, decisions=table)
    for name in ("matches", "unmatched"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_dtype=False)


def test_candidates_keep_the_probabilities_of_the_program():
    reference, query, _ = example("ShoppingMall")
    plain = fuzzy_join(reference, query, "title", top=2)
    one, other, target = chosen(plain)
    table = decided((one, "none"), (other, target))
    result = plain.program.apply(reference, query, top=2, decisions=table)
    same = ["query_id", "rank", "reference_id", "probability", "no_match_probability"]
    pd.testing.assert_frame_equal(result.candidates[same], plain.candidates[same])
    bands = result.candidates.drop_duplicates("query_id").set_index("query_id")["band"]
    assert (bands[one], bands[other]) == ("reject", "accept")


def test_what_is_no_table_of_decisions_is_refused():
    with pytest.raises(UsageError, match="decisions has no column 'reference_id'"):
        PairDecisions.of(pd.DataFrame({"query_id": ["1"]}))
    with pytest.raises(DataError, match="decisions has no query_id in row 2"):
        PairDecisions.of(decided(("1", "none"), (np.nan, "none")))


def test_a_reference_row_called_none_is_refused(malls):
    reference, query, plain = malls
    named = reference.assign(id=["none", *reference["id"][1:]])
    with pytest.raises(DataError, match="the reference table has the id 'none', which in decisions means no match"):
        plain.program.apply(named, query, decisions=decided((query["id"].iloc[0], "none")))


def test_an_explanation_says_who_decided_and_then_what_the_program_says(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    table = decided((one, "none"), (other, target), by=["", "ada\x1b[2J"])
    words = plain.program.explain_query(reference, query, one, decisions=table).splitlines()
    assert words[:2] == [
        f"Query {one} has no match: somebody on 2026-03-01 decided so (by phone).",
        "By itself the program says:",
    ]
    assert words[2:] == plain.program.explain_query(reference, query, one).splitlines()
    said = plain.program.explain_query(reference, query, other, decisions=table)
    assert said.startswith(f"Query {other} is joined to reference {target}: ada\\x1b[2J on 2026-03-01 decided so")


def test_an_audit_draws_no_row_that_a_person_decided_on(malls):
    reference, query, plain = malls
    matched, rest = plain.matches.iloc[:30], plain.unmatched.iloc[:10]
    lines = [*((row, "none") for row in matched["query_id"]), *((row, "none") for row in rest["query_id"])]
    table = decided(*lines, by="")
    result = plain.program.apply(reference, query, decisions=table)
    sample = draw_audit(plain.program, reference, query, result.matches, result.unmatched, from_matches=500)
    assert {pair.query_id for pair in sample.design.pairs}.isdisjoint({row for row, _ in lines})
    assert sum(sample.design.matches.rows) == plain.counts["matched"] - 30
    assert set(result.unmatched.loc[result.unmatched["query_id"].isin(matched["query_id"]), "decided_by"]) == {
        "somebody"
    }


def test_a_query_row_that_has_lost_its_text_is_listed_as_changed(malls):
    reference, query, plain = malls
    one, _, target = chosen(plain)
    emptied = query.assign(title=query["title"].where(query["id"] != one, ""))
    table = decided((one, target), query_text="The Mall")
    told = plain.program.apply(reference, emptied, decisions=table).warnings
    assert any("the query row was 'The Mall' when ada on 2026-03-01 decided, and is ''" in warning for warning in told)


def test_decisions_put_beside_a_table_once_say_the_same_of_every_part(malls):
    reference, query, plain = malls
    one, other, target = chosen(plain)
    people = PairDecisions.of(decided((one, "none"), (other, target), (query["id"].iloc[-1], "gone")))
    left, right = key_tables(reference, query, ("id", "id"), [("title", "title")])
    known, fresh = people.beside(left.distinct()).on(right, left.distinct()), people.on(right, left.distinct())
    assert known.rows.tolist() == fresh.rows.tolist()
    assert known.reference.tolist() == fresh.reference.tolist()
    assert (known.lines, known.conflicts) == (fresh.lines, fresh.conflicts)
