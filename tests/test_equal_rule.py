"""The rule that columns must be equal: in what is joined, estimated, stored and explained."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError, Program, UsageError, block_tables, fuzzy_join, learn_program
from fuzzyjoin.compare import Candidates
from fuzzyjoin.tables import key_table, table_pair
from fuzzyjoin.threads import Work
from tests.cases import frame, misspelt

STATES = ["TX", "CA", "NY", "IL", "WA"]
FIRST = ["Saint Mary", "Good Samaritan", "Riverside", "Mercy", "Lakeview", "Trinity", "Mount Sinai", "Pine Hill"]
LAST = ["Medical Center", "Clinic", "Hospital", "Health Group", "Surgery"]
METHODS = ["auto", "autofj"]


def states_of(random, rows):
    return [STATES[place] for place in random.integers(0, len(STATES), rows)]


@pytest.fixture(scope="module")
def hospitals():
    """Names that stand in several states each; of the query rows a third is in a state where the name is not."""
    random = np.random.default_rng(3)
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    held = [(name, state) for name in names for state in random.choice(STATES, 3, replace=False).tolist()]
    reference = frame([(f"r{row}", name, state) for row, (name, state) in enumerate(held)], ["name", "state"])
    query, true = [], {}
    for row in range(120):
        place = int(random.integers(0, len(held)))
        name, state = held[place]
        if row % 3 == 0:
            state = next(other for other in STATES if (name, other) not in held)
        else:
            true[f"q{row}"] = f"r{place}"
        query.append((f"q{row}", misspelt(random, name) or name, f" {state.lower()}"))
    return reference, frame(query, ["name", "state"]), true


def state_of(reference, ids):
    return reference.set_index("id")["state"].loc[ids].str.casefold().tolist()


@pytest.mark.parametrize("method", METHODS)
class TestJoining:
    def test_only_rows_of_equal_value_are_joined(self, hospitals, method):
        reference, query, true = hospitals
        result = fuzzy_join(reference, query, "name", equal="state", method=method)
        found = result.matches
        asked = query.set_index("id")["state"].loc[found["query_id"]].str.strip().tolist()
        assert state_of(reference, found["reference_id"]) == asked
        right = sum(true.get(row) == held for row, held in zip(found["query_id"], found["reference_id"], strict=True))
        assert right >= 0.7 * len(true)

    def test_the_same_program_applied_joins_the_same(self, hospitals, method):
        reference, query, _ = hospitals
        result = fuzzy_join(reference, query, "name", equal="state", method=method)
        again = Program.from_json(result.program.to_json())
        assert again == result.program
        applied = again.apply(reference, query)
        pd.testing.assert_frame_equal(applied.matches, result.matches)
        pd.testing.assert_frame_equal(applied.unmatched, result.unmatched)

    def test_row_order_and_threads_change_nothing(self, hospitals, method):
        reference, query, _ = hospitals
        result = fuzzy_join(reference, query, "name", equal="state", method=method, threads=1)
        other = fuzzy_join(reference[::-1], query, "name", equal="state", method=method, threads=2)
        assert other.program.to_json() == result.program.to_json()
        pd.testing.assert_frame_equal(other.matches, result.matches)

    def test_pairs_found_beforehand_give_the_same_program(self, hospitals, method):
        reference, query, _ = hospitals
        settings = {"on": "name", "equal": "state", "method": method}
        pairs = block_tables(reference, query, **settings)
        assert learn_program(reference, query, **settings, pairs=pairs) == learn_program(reference, query, **settings)
        with pytest.raises(UsageError, match="pairs were blocked on another reference table"):
            learn_program(reference, query, "name", method=method, pairs=pairs)

    def test_a_value_that_is_missing_equals_nothing(self, hospitals, method):
        reference, query, _ = hospitals
        blank = query.assign(state=query["state"].where(query.index >= 40))
        gone = reference.assign(state=reference["state"].where(reference.index >= 10, " "))
        result = fuzzy_join(gone, blank, "name", equal="state", method=method)
        assert not set(result.matches["reference_id"]) & set(reference["id"][:10])
        reasons = result.unmatched.set_index("query_id")["reason"]
        assert set(reasons.loc[blank["id"][:40]]) == {"not considered: state is empty"}

    def test_a_row_whose_value_no_reference_row_has_is_told_so(self, hospitals, method):
        reference, query, _ = hospitals
        program = learn_program(reference, query, "name", equal="state", method=method)
        elsewhere = query[:1].assign(state="Ontario")
        (reason,) = program.apply(reference, elsewhere).unmatched["reason"]
        assert reason == "not considered: no reference row has the same state"
        assert reason in program.explain_query(reference, elsewhere, "q0")

    def test_the_program_says_so(self, hospitals, method):
        reference, query, _ = hospitals
        typed = query.rename(columns={"state": "st"})
        program = learn_program(reference, typed, "name", equal={"state": "st"}, method=method)
        assert json.loads(program.to_json())["program"]["equal"] == [{"reference": "state", "query": "st"}]
        assert "Considers only reference rows with the same state with st." in program.explain()
        row = program.apply(reference, typed).matches["query_id"].iloc[0]
        rows = int((reference["state"].str.lower() == typed.set_index("id")["st"].str.strip()[row]).sum())
        words = program.explain_query(reference, typed, row)
        assert f"Considered only the {rows} reference rows with the same st." in words


def test_a_program_without_the_rule_has_no_such_key(hospitals):
    reference, query, _ = hospitals
    program = learn_program(reference, query, "name")
    assert "equal" not in json.loads(program.to_json())["program"]
    assert "same" not in program.explain()


def test_placeholders_equal_nothing(hospitals):
    reference, query, _ = hospitals
    unknown = [table.assign(state=table["state"].where(table.index % 4 > 0, "n/a")) for table in (reference, query)]
    result = fuzzy_join(*unknown, "name", equal="state")
    assert any("state:" in note and "read as missing" in note for note in result.warnings)
    assert result.program.definition.equal[0].missing == ("n/a",)
    assert "n/a" not in state_of(unknown[0], result.matches["reference_id"])
    assert "not considered: state is empty" in set(result.unmatched["reason"])
    kept = fuzzy_join(*unknown, "name", equal="state", keep_placeholders=True)
    assert "n/a" in state_of(unknown[0], kept.matches["reference_id"])


def test_rows_that_differ_in_the_rule_alone_are_two_candidates():
    rows = frame([(1, "Mercy", "TX"), (2, "Mercy", "CA"), (3, "Mercy", "tx "), (4, "Grace", "TX")], ["name", "state"])
    table = key_table(rows, role="reference", id_column="id", columns=["name"], equal=["state"]).distinct()
    assert sorted(table.ids.tolist()) == [1, 2, 4]
    assert table.equal_ids(table.ids.tolist().index(1)) == ["3"]
    assert table.whole().rule_columns[0].count("tx") == 3
    assert len(key_table(rows, role="reference", id_column="id", columns=["name"]).distinct()) == 2


def test_the_rule_enters_the_fingerprint():
    rows = frame([(1, "Mercy", "TX"), (2, "Grace", "CA")], ["name", "state"])
    named = {"role": "reference", "id_column": "id", "columns": ["name"]}
    under = key_table(rows, **named, equal=["state"])
    assert under.fingerprint() == key_table(rows.assign(state=["tx", " ca "]), **named, equal=["state"]).fingerprint()
    others = (
        key_table(rows, **named),
        key_table(rows.assign(state="TX"), **named, equal=["state"]),
        key_table(rows.assign(state=["tx", "ca"]), **(named | {"columns": ["name", "state"]})),
    )
    assert len({under.fingerprint(), *(other.fingerprint() for other in others)}) == 4


def test_neighbours_and_decoys_are_of_the_same_group():
    held = [(n, f"{first} Unit {n % 4}", STATES[n % 4]) for n, first in enumerate(FIRST)]
    reference = frame([*held, (90, "Mercy Hospital", "WA"), (91, "Mercy Hospitals", "")], ["name", "state"])
    tables = table_pair(reference, reference, "name", "id", equal="state")
    candidates = Candidates(tables.reference.distinct(), tables.query, 20, Work(), blocker="cosine")
    values = candidates.reference.rule_columns[0]
    pairs = candidates.reference_pairs
    rows = np.repeat(np.arange(len(reference)), np.diff(pairs.indptr)).tolist()
    assert len(rows) > 4
    for row, other in zip(rows, pairs.reference.tolist(), strict=True):
        assert (values[row], row) != ("", other)
        assert values[row] == values[other]
    # Of a group of one row, and of none, there is nothing that a decoy could be joined to.
    alone = [row for row, value in enumerate(values) if value in {"", "wa"}]
    for rows in candidates.rows_with_others:
        assert sorted({*range(len(reference))} - set(rows.tolist())) == alone


def test_a_namesake_in_another_group_does_not_lower_the_estimate():
    """By the same configurations each match has four namesakes as near neighbours, unless they are of other states."""
    endings = dict(zip(STATES, ["Inc", "Ltd", "Llc", "Plc", "Oyj"], strict=True))
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    rows = [(f"{state}{place}", name, state) for state in STATES for place, name in enumerate(names)]
    reference = frame([(row, f"{name} {endings[state]}", state) for row, name, state in rows], ["name", "state"])
    random = np.random.default_rng(5)
    query = frame([(row, misspelt(random, name), state) for row, name, state in rows[::3]], ["name", "state"])
    under = learn_program(reference, query, "name", equal="state", method="autofj")
    without = Program(definition=under.definition.model_copy(update={"equal": ()}))
    estimates = [program.apply(reference, query).matches["precision_estimate"].mean() for program in (under, without)]
    assert estimates[0] >= 0.9
    assert estimates[1] <= estimates[0] - 0.2


@pytest.mark.parametrize("method", METHODS)
def test_where_most_rows_are_alone_the_estimate_is_said_to_be_doubtful(hospitals, method):
    reference, query, _ = hospitals
    reference = reference.assign(zip=[str(row if row > 40 else row // 4) for row in range(len(reference))])
    query = query.assign(zip=[str(row) for row in range(len(query))])
    result = fuzzy_join(reference, query, "name", equal="zip", method=method)
    (warning,) = [text for text in result.program.learning_record.warnings if "reference rows have no other" in text]
    assert warning.startswith("80 of 100 different reference rows have no other row of the same zip: little shows")
    assert warning in result.warnings
    record = learn_program(reference, query, "name", equal="state", method=method).learning_record
    assert not any("have no other row" in text for text in record.warnings)


def test_without_any_decoy_there_is_no_estimate_by_decoys(hospitals):
    reference, _, _ = hospitals
    alone = reference.assign(zip=[str(row) for row in range(len(reference))])
    record = learn_program(alone, alone, "name", equal="zip").learning_record
    assert set(record.estimates) == {"posterior", "neighbourhood"}
    assert "decoys" in learn_program(alone, alone, "name", equal="state").learning_record.estimates


def test_several_columns_must_all_be_equal(hospitals):
    reference, query, _ = hospitals
    reference, query = (table.assign(kind=[str(row % 2) for row in range(len(table))]) for table in (reference, query))
    result = fuzzy_join(reference, query, "name", equal=["state", "kind"])
    both = result.matches.merge(query, left_on="query_id", right_on="id").merge(
        reference, left_on="reference_id", right_on="id", suffixes=("", "_held")
    )
    assert len(both) > 10
    assert (both["kind"] == both["kind_held"]).all()
    assert (both["state"].str.strip() == both["state_held"].str.lower()).all()
    program = result.program
    assert "Considers only reference rows with the same state and kind." in program.explain()
    (reason,) = program.apply(reference, query[:1].assign(state=None, kind="")).unmatched["reason"]
    assert reason == "not considered: state and kind are empty"


def test_numbers_are_equal_whatever_their_type():
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    reference = pd.DataFrame({"id": range(40), "name": names, "zip": [10000 + row % 7 for row in range(40)]})
    query = reference.assign(zip=[float(value) for value in reference["zip"]])
    query.loc[3, "zip"] = np.nan
    result = fuzzy_join(reference, query, "name", equal="zip")
    assert len(result.matches) >= 35
    assert result.unmatched.set_index("query_id")["reason"][3] == "not considered: zip is empty"


def test_without_on_the_column_is_not_compared_and_named_it_is(hospitals):
    reference, query, _ = hospitals
    assert [column.reference for column in learn_program(reference, query, equal="state").columns] == ["name"]
    both = learn_program(reference, query, ["name", "state"], equal="state")
    assert [column.reference for column in both.columns] == ["name", "state"]


class Every:
    """A blocker that proposes every pair."""

    name = "every pair"

    def candidate_pairs(self, reference, query):
        pairs = query[["id"]].merge(reference[["id"]], how="cross")
        return pairs.set_axis(["query_id", "reference_id"], axis=1)


@pytest.mark.parametrize("method", METHODS)
def test_a_users_blocker_is_held_to_the_rule(hospitals, method):
    reference, query, _ = hospitals
    result = fuzzy_join(reference, query, "name", equal="state", blocker=Every(), method=method)
    found = result.matches
    assert len(found) > 20
    asked = query.set_index("id")["state"].loc[found["query_id"]].str.strip().tolist()
    assert state_of(reference, found["reference_id"]) == asked
    groups = [int((reference["state"].str.lower() == state.strip()).sum()) for state in query["state"]]
    assert result.counts["candidate_pairs"] <= sum(groups)


@pytest.mark.parametrize(
    ("equal", "message"),
    [
        ("stat", "equal: reference has no column 'stat'; did you mean 'state'"),
        ("state=st", "equal: query has no column 'st'"),
        (["state", "state"], "equal names a pair of columns twice"),
        (7, "equal is 7"),
    ],
)
def test_a_wrong_argument_is_named(hospitals, equal, message):
    reference, query, _ = hospitals
    with pytest.raises(UsageError, match=message):
        fuzzy_join(reference, query, "name", equal=equal)


@pytest.mark.parametrize("side", [0, 1], ids=["reference", "query"])
def test_a_column_without_any_value_is_refused(hospitals, side):
    tables = list(hospitals[:2])
    tables[side] = tables[side].assign(state="")
    with pytest.raises(DataError, match=r"is empty in all [\d,]+ rows; choose another column with equal"):
        fuzzy_join(*tables, "name", equal="state")


def test_a_table_that_lacks_the_column_cannot_be_applied_to(hospitals):
    reference, query, _ = hospitals
    program = learn_program(reference, query, "name", equal="state")
    with pytest.raises(UsageError, match="query has no column 'state'"):
        program.apply(reference, query.drop(columns="state"))
