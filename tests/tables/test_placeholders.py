"""Placeholders are missing where the data show it; a program keeps which, so that later batches are read alike."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin import DataError, Matcher, Program, fuzzy_join, index_reference, learn_program, update_index
from fuzzyjoin.index import IndexNeeds
from fuzzyjoin.tables import found_placeholders

FIRST = ["Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heath", "Inlet", "Juniper"]
SECOND = ["Lodge", "Tower", "Harbour", "Market"]
NAMES = [f"{first} {second}" for first in FIRST for second in SECOND]

REFERENCE = pd.DataFrame({"id": range(len(NAMES) + 1), "name": [*NAMES, "N/A"]})
TYPED = [name.replace("e", "", 1) for name in NAMES[:20]]
QUERY = pd.DataFrame({"id": range(26), "name": [*TYPED, "N/A", "n/a", " N/A ", "-", "-", "unknown"]})


def column(*counts, values=0):
    """A column with texts in so many rows, and so many values of one row each."""
    texts = [text for text, rows in counts for _ in range(rows)]
    return pd.DataFrame({"name": [*texts, *(f"value {row}" for row in range(values))]})


def found(left, right=None):
    right = column(values=3) if right is None else right
    return found_placeholders(left, right, [("name", "name")])


class TestShown:
    @pytest.mark.parametrize(
        "text", ["N/A", "na", "-", "--", "Unknown", "NONE", "null", "?", ".", "…", "+", "keine Angabe"]
    )
    def test_a_word_that_stands_in_more_rows_than_values_do(self, text):
        assert found(column((text, 3), values=30)) == ((text.casefold(),),)

    @pytest.mark.parametrize(
        "table",
        [
            column(("N/A", 2), values=30),
            column(("N/A", 1), ("-", 1), ("?", 1), values=30),
            column(("NA", 4), *((f"code {row}", row) for row in range(1, 9))),
            column(("Grand Mall", 9), values=30),
            column(("-", 5), ("+", 9)),
            column(),
        ],
        ids=["too few rows", "no more than a value", "as others", "no such word", "nothing else", "no rows"],
    )
    def test_otherwise_it_is_a_text(self, table):
        assert found(table) == ()

    def test_words_support_each_other(self):
        assert found(column(("N/A", 2), ("-", 2), ("?", 1), values=30)) == (("-", "n/a"),)

    def test_case_and_spaces_do_not_matter(self):
        assert found(column((" N/A", 1), ("n/a ", 1), ("N/a", 1), values=30)) == (("n/a",),)

    def test_either_table_shows_it(self):
        assert found(column(values=9), column(("N/A", 3), values=9)) == (("n/a",),)

    def test_each_pair_of_columns_is_looked_at_by_itself(self):
        table = column(("-", 3), values=9).assign(city=[f"city {row}" for row in range(12)])
        assert found_placeholders(table, table, [("city", "city"), ("name", "name")]) == ((), ("-",))

    @given(st.permutations(range(12)))
    def test_the_order_of_the_rows_does_not_enter(self, order):
        table = column(("-", 2), ("n/a", 2), ("Grand Mall", 1), values=7)
        assert found(table.iloc[order]) == found(table) == (("-", "n/a"),)


class TestJoining:
    @pytest.mark.parametrize("options", [{}, {"method": "autofj"}], ids=["scorer", "union"])
    def test_placeholders_match_nothing(self, options):
        result = fuzzy_join(REFERENCE, QUERY, on="name", **options)
        assert len(result.matches)
        assert not set(result.matches["query_id"]) & set(range(20, 25))
        assert 'name: "N/A" (4 rows), "-" (2 rows) are read as missing' in result.warnings
        kept = fuzzy_join(REFERENCE, QUERY, on="name", keep_placeholders=True, **options)
        assert {20, 21} <= set(kept.matches["query_id"])
        assert not any("missing" in warning for warning in kept.warnings)

    def test_the_program_keeps_them_for_later_batches(self, tmp_path):
        program = learn_program(REFERENCE, QUERY, on="name")
        program.save(tmp_path / "p.json")
        again = Program.load(tmp_path / "p.json")
        assert again.definition.missing == (("-", "n/a"),)
        assert json.loads(program.to_json())["program"]["columns"][0]["missing"] == ["-", "n/a"]
        assert "Reads as missing in name: '-', 'n/a'." in program.explain()
        # One row shows nothing by itself.
        row = pd.DataFrame({"id": ["x"], "name": ["N/A"]})
        assert again.apply(REFERENCE, row).matches.empty
        assert Matcher.over(again, REFERENCE).lookup(row).matches.empty
        assert "is not joined" in again.explain_query(REFERENCE, row, "x")

    def test_an_index_reads_them_alike_and_so_do_rows_appended_to_it(self, tmp_path):
        program = learn_program(REFERENCE, QUERY, on="name")
        row = pd.DataFrame({"id": ["x"], "name": ["N/A"]})
        index = index_reference(program, REFERENCE, tmp_path)
        assert Matcher.open(index, program).lookup(row).matches.empty
        changed = update_index(index, program, append=pd.DataFrame({"id": [99], "name": ["n/a"]}))
        whole = pd.concat([REFERENCE, pd.DataFrame({"id": [99], "name": ["n/a"]})])
        assert changed == index_reference(program, whole, tmp_path)

    def test_the_order_of_the_rows_does_not_change_the_program(self):
        program = learn_program(REFERENCE, QUERY, on="name")
        assert learn_program(REFERENCE[::-1], QUERY[::-1], on="name").to_json() == program.to_json()

    def test_a_program_without_them_has_no_such_key(self):
        program = learn_program(REFERENCE[:-1], QUERY[:20], on="name")
        assert "missing" not in json.loads(program.to_json())["program"]["columns"][0]
        assert "missing" not in json.dumps(IndexNeeds.of(program.definition).made_for())
        kept = learn_program(REFERENCE[:-1], QUERY[:20], on="name", keep_placeholders=True)
        assert kept.program_id == program.program_id

    @pytest.mark.parametrize("words", [["N/A"], [" -"], ["n/a", "-"], ["-", "-"], [""]])
    def test_a_program_file_with_others_is_refused(self, words):
        content = json.loads(learn_program(REFERENCE, QUERY, on="name").to_json())
        content["program"]["columns"][0]["missing"] = words
        with pytest.raises(DataError, match="placeholders are folded, and ascend"):
            Program.from_json(json.dumps(content))
