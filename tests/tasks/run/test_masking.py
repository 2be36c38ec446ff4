"""Masked columns stay masked; what is shown is shown."""

import pandas as pd
import pytest

from fuzzyjoin import Program
from tasks.handles import InputHandle
from tasks.ingestion import write_snapshot
from tasks.run.masking import masked_texts, shown_texts, shows_rule_words
from tasks.settings import Privacy
from tasks.warehouse.program_diff import diff_programs


@pytest.fixture
def people(tmp_path):
    frame = pd.DataFrame(
        {"id": ["1", "2", "3"], "name": ["Ada Lovelace", None, None], "city": ["London", "Bergen", None]}, dtype="str"
    )
    return InputHandle(
        role="query", table=write_snapshot(frame, tmp_path), id_column="id", columns=("name", "city", "name")
    )


def test_by_default_lengths_are_all_that_is_seen(people):
    texts = masked_texts(people, Privacy())
    assert texts.to_dict() == {"1": "[12 characters] | [6 characters]", "2": "[6 characters]", "3": None}


def test_shown_columns_are_seen_and_no_others(people):
    privacy = Privacy(shown_columns=("city",))
    assert masked_texts(people, privacy)["1"] == "[12 characters] | London"
    assert shown_texts(people, privacy).to_dict() == {"1": "London", "2": "Bergen", "3": None}


def test_nothing_shown_leaves_no_text(people):
    assert shown_texts(people, Privacy()).to_dict() == {"1": None, "2": None, "3": None}


def program_with(*rules):
    definition = {
        "columns": [{"reference": "name", "query": "title", "weight": 1.0}],
        "blocking": {"k": 10},
        "negative_rules": rules,
        "decision": {"kind": "union", "configurations": []},
    }
    return Program.model_validate({"definition": definition})


@pytest.mark.parametrize(
    ("shown", "may"), [((), False), (("name",), False), (("title",), False), (("title", "name", "city"), True)]
)
def test_the_words_of_rules_are_shown_where_all_columns_of_the_program_are(shown, may):
    assert shows_rule_words(program_with("london/lovelace"), shown) is may


def test_rules_without_their_words_are_counted():
    program, other = program_with("london/lovelace"), program_with()

    assert "lovelace" in program.explain()
    assert "one of 1 pairs of words." in program.explain(rule_words=False)
    assert diff_programs(other, program, rule_words=False) == ("It gained 1 negative rule.",)
    assert diff_programs(program, other, rule_words=False) == ("It lost 1 negative rule.",)
