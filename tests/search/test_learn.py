"""Learning on a sample of a long query table: what learning on those rows alone gives, and the record says so."""

from dataclasses import replace

import pandas as pd
import pytest

from fuzzyjoin import Program, block_tables, fuzzy_join, learn_program
from fuzzyjoin.api import _candidates
from fuzzyjoin.definition import QuerySample
from fuzzyjoin.search import LearningSettings, learn
from fuzzyjoin.search.query_sample import drawn_rows
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import key_table, table_pair
from fuzzyjoin.threads import Work
from tests.cases import SAMPLED_ROWS, example

REFERENCE, QUERY, _ = example("ShoppingMall")


def sampled_rows(query, seed=0):
    table = key_table(query, role="query", id_column="id", columns=["title"])
    return query[query["id"].isin(table.ids[drawn_rows(table, SAMPLED_ROWS, seed)])]


def learned_with(**changes):
    settings = replace(LearningSettings.of("auto", None, 0.9, negative_rules=True), **changes)
    candidates = _candidates(table_pair(REFERENCE, QUERY, "title", None), None, Work(), settings)
    found = learn(candidates, settings, Stopwatch())
    return Program(definition=found.definition, learning_record=found.learning_record)


@pytest.fixture
def learned(request):
    request.getfixturevalue("learning_on_a_sample")
    return learn_program(REFERENCE, QUERY, "title")


def test_it_decides_as_if_the_sample_were_the_table(learned):
    alone = learn_program(REFERENCE, sampled_rows(QUERY), "title")
    assert alone.learning_record.query_sample is None
    assert learned.definition == alone.definition
    assert learned.precision_estimate == alone.precision_estimate
    assert learned.learning_record.joined == alone.learning_record.joined


def test_the_record_tells_of_the_whole_table_and_of_the_sample(learned):
    record, whole = learned.learning_record, learned_with().learning_record
    assert record.query == whole.query
    assert record.query_sample == QuerySample(rows=SAMPLED_ROWS, seed=0)
    assert (record.learned_rows, whole.learned_rows) == (SAMPLED_ROWS, len(QUERY))
    assert record.joined_share == record.joined / SAMPLED_ROWS
    assert whole.joined_share == whole.joined / len(QUERY)


def test_the_file_keeps_the_sample_and_has_no_such_key_without_one(learned):
    assert Program.from_json(learned.to_json()) == learned
    assert '"query_sample": {\n   "rows": 80,\n   "seed": 0\n  }' in learned.to_json()
    assert "query_sample" not in learned_with(sample_rows=len(QUERY)).to_json()


def test_the_order_of_rows_threads_and_pairs_found_before_change_no_byte(learned):
    tables = REFERENCE.sample(frac=1.0, random_state=1), QUERY.sample(frac=1.0, random_state=2)
    assert learn_program(*tables, "title", threads=2).to_json() == learned.to_json()
    pairs = block_tables(REFERENCE, QUERY, "title")
    assert learn_program(REFERENCE, QUERY, "title", pairs=pairs).to_json() == learned.to_json()


def test_another_seed_draws_another_sample():
    one, other = (learned_with(sample_rows=SAMPLED_ROWS, sample_seed=seed) for seed in (0, 1))
    assert one.program_id != other.program_id
    assert other.definition == learn_program(REFERENCE, sampled_rows(QUERY, seed=1), "title").definition
    assert other.learning_record.query_sample.seed == 1


def test_all_rows_are_joined_and_the_estimate_is_theirs(learned):
    result = fuzzy_join(REFERENCE, QUERY, "title")
    assert result.program == learned
    assert len(result.matches) + len(result.unmatched) == len(QUERY)
    assert result.precision_estimate.value == pytest.approx(result.matches["precision_estimate"].mean())
    assert result.precision_estimate.value != learned.precision_estimate.value
    pd.testing.assert_frame_equal(learned.apply(REFERENCE, QUERY).matches, result.matches)


@pytest.mark.usefixtures("learning_on_a_sample")
def test_the_search_takes_all_rows():
    program = learn_program(REFERENCE, QUERY, "title", space="small")
    assert program.learning_record.query_sample is None
    assert program.learning_record.joined > SAMPLED_ROWS


def test_the_program_in_words_says_what_it_was_learned_on(learned):
    text = learned.explain()
    assert f"reference rows and a sample of 80 of {len(QUERY)} query rows (seed 0)." in text
    assert f"It joined {learned.learning_record.joined} of these query rows" in text
    assert "sample" not in learned_with().explain()
