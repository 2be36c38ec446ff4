"""Learning step by step, by an index of the reference table: the same program, and joining takes the same index."""

import shutil

import pandas as pd
import pytest

from fuzzyjoin import BlockedPairs, DataError, Matcher, Program, UsageError, fuzzy_join, index_reference, learn_program
from fuzzyjoin.blocking import LexicalBlocking
from fuzzyjoin.index import IndexNeeds, find_index, open_index, prepare_index, reference_table
from fuzzyjoin.search import LearningSettings, block_to_learn, learn_from_pairs
from fuzzyjoin.search.query_sample import drawn_rows
from fuzzyjoin.tables import key_table
from fuzzyjoin.text import TokenIndex
from fuzzyjoin.threads import Work
from tests.cases import SAMPLED_ROWS, SampledSettings, example, frame, random_tables

METHODS = ["auto", "autofj"]
TARGET = 0.5


def shopping_malls():
    reference, query, _ = example("ShoppingMall")
    return reference, query, ["title"]


def two_columns():
    reference, query = random_tables(11, columns=2, references=60, queries=40)
    names = ["name", "place"]
    return frame(reference, names), frame(query, names), names


@pytest.fixture(params=[shopping_malls, two_columns])
def tables(request):
    return request.param()


def asked(method, kind=LearningSettings):
    return kind.of(method, None, TARGET, negative_rules=True)


class Steps:
    """What the steps give: the index to learn on, the candidate pairs as kept in a file, the program."""

    def __init__(self, reference, query, on, settings, folder):
        distinct = len(reference[on].fillna("").drop_duplicates())
        self.settings, self.needs = settings, IndexNeeds.to_learn(on, *settings.blocking(distinct))
        table, _ = reference_table(self.needs, reference, "id")
        self.index = prepare_index(folder / "indexes", self.needs, table, Work(2), all_neighbours=True)
        self.query = key_table(query, role="query", id_column="id", columns=on)
        block_to_learn(open_index(self.index, self.needs), self.query, settings, Work(2)).save(folder / "pairs.parquet")
        self.pairs = BlockedPairs.load(folder / "pairs.parquet")

    def learn(self):
        side = open_index(self.index, self.needs)
        learned = learn_from_pairs(side, self.query, self.pairs, self.settings, Work(2))
        return Program(definition=learned.definition, learning_record=learned.learning_record)


@pytest.mark.parametrize("method", METHODS)
def test_the_program_is_that_of_one_call_and_so_are_the_matches(tables, method, tmp_path):
    reference, query, on = tables
    program = Steps(*tables, asked(method), tmp_path).learn()
    whole = fuzzy_join(reference, query, on=on, method=method, precision_target=TARGET)
    assert program.to_json() == whole.program.to_json()
    assert program.to_json() == learn_program(reference, query, on=on, method=method, precision_target=TARGET).to_json()
    found = Matcher.open(index_reference(program, reference, tmp_path / "indexes"), program).lookup(query)
    assert len(found.matches)
    pd.testing.assert_frame_equal(found.matches, whole.matches)
    pd.testing.assert_frame_equal(found.unmatched, whole.unmatched)


def test_of_a_long_table_the_pairs_of_the_sample_are_found_and_learned_from(tmp_path):
    reference, query, on = shopping_malls()
    steps = Steps(reference, query, on, asked("auto", SampledSettings), tmp_path)
    chosen = steps.query.some(drawn_rows(steps.query, SAMPLED_ROWS, 0))
    assert steps.pairs.query_pairs.indptr.size - 1 == SAMPLED_ROWS
    assert steps.pairs.query_fingerprint == chosen.fingerprint()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fuzzyjoin.api.LearningSettings", SampledSettings)
        whole = learn_program(reference, query, on=on, precision_target=TARGET)
    assert whole.learning_record.query_sample.rows == SAMPLED_ROWS
    assert steps.learn().to_json() == whole.to_json()


@pytest.mark.parametrize("method", METHODS)
def test_learning_and_joining_build_no_second_index_and_learning_blocks_nothing(tables, method, tmp_path, monkeypatch):
    reference, query, _ = tables
    steps = Steps(*tables, asked(method), tmp_path)

    def forbidden(*_arguments, **_options):
        raise AssertionError("done a second time")

    monkeypatch.setattr(LexicalBlocking, "build", forbidden)
    with monkeypatch.context() as patch:
        if method == "autofj":
            patch.setattr(LexicalBlocking, "self_pairs", forbidden)
        patch.setattr(LexicalBlocking, "query_pairs", forbidden)
        program = steps.learn()
    if method == "auto":
        monkeypatch.setattr(TokenIndex, "build", forbidden)
    joined_by = index_reference(program, reference, tmp_path / "indexes")
    assert (joined_by == steps.index) == (method == "auto")
    assert len(Matcher.open(joined_by, program).lookup(query).matches)


@pytest.mark.parametrize("method", METHODS)
def test_the_index_of_a_program_is_the_one_that_is_built_from_nothing(tables, method, tmp_path):
    reference, *_ = tables
    steps = Steps(*tables, asked(method), tmp_path)
    program = steps.learn()
    path = index_reference(program, reference, tmp_path / "indexes")
    built = index_reference(program, reference, tmp_path / "elsewhere")
    assert path.name == built.name
    assert files(path) == files(built)


def test_a_damaged_index_to_learn_on_is_not_built_upon(tmp_path):
    reference, query, on = shopping_malls()
    steps = Steps(reference, query, on, asked("autofj"), tmp_path)
    program = steps.learn()
    steps.index.joinpath("index-lists-postings.npy").write_bytes(b"")
    path = index_reference(program, reference, tmp_path / "indexes")
    assert files(path) == files(index_reference(program, reference, tmp_path / "elsewhere"))


def test_words_of_rules_that_the_table_lacks_enter_the_index(tmp_path):
    reference, query, on = shopping_malls()
    settings = asked("autofj")
    program = Steps(reference, query, on, settings, tmp_path / "one").learn()
    rules = ("qwertzu/zyxwvu", *program.definition.negative_rules)
    definition = program.definition.model_copy(update={"negative_rules": tuple(sorted(rules))})
    program = program.model_copy(update={"definition": definition})
    path = index_reference(program, reference, tmp_path / "one" / "indexes")
    assert files(path) == files(index_reference(program, reference, tmp_path / "elsewhere"))
    matches = Matcher.open(path, program).lookup(query).matches
    pd.testing.assert_frame_equal(matches, program.apply(reference, query).matches)


def test_a_table_is_joined_to_itself(tmp_path):
    reference, *_ = two_columns()
    on = ["name", "place"]
    program = Steps(reference, reference, on, asked("auto"), tmp_path).learn()
    assert program.to_json() == learn_program(reference, reference, on=on, precision_target=TARGET).to_json()


def test_a_column_that_tells_no_rows_apart_changes_no_index(tmp_path):
    reference, query, _ = shopping_malls()
    tables = [table.assign(country="NL") for table in (reference, query)]
    steps = Steps(*tables, ["title", "country"], asked("auto"), tmp_path)
    program = steps.learn()
    assert [column.weight for column in program.columns] == [1.0, 0.0]
    assert index_reference(program, tables[0], tmp_path / "indexes") == steps.index


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_learned_on_is_said_before_anything_is_blocked(method, tmp_path):
    reference, query, on = shopping_malls()
    with pytest.raises(DataError, match="reference has a single row; a program is learned from how reference rows"):
        Steps(reference[:1], query, on, asked(method), tmp_path)
    alike = reference[:3].assign(title="The same")
    with pytest.raises(DataError, match="reference has 3 rows, all with the same compared values; a program is"):
        Steps(alike, query, on, asked(method), tmp_path)
    with pytest.raises(DataError, match="query has no rows; there is nothing to join"):
        Steps(reference, query[:0], on, asked(method), tmp_path)


def test_the_pairs_and_the_index_of_something_else_are_refused(tmp_path):
    reference, query, on = shopping_malls()
    steps = Steps(reference, query, on, asked("auto"), tmp_path)
    with pytest.raises(UsageError, match=r"is indexed for 20 candidates a row of 'cosine', but .* of 'lexical' are"):
        block_to_learn(open_index(steps.index, steps.needs), steps.query, asked("autofj"), Work())
    steps.query = key_table(query[1:], role="query", id_column="id", columns=on)
    with pytest.raises(UsageError, match="pairs were blocked on another query table"):
        steps.learn()


def test_the_index_to_learn_on_is_found_under_the_name_of_what_it_holds(tmp_path):
    reference, query, on = shopping_malls()
    steps = Steps(reference, query, on, asked("auto"), tmp_path)
    needs = IndexNeeds.of(steps.learn().definition)
    table, _ = reference_table(needs, reference, "id")
    assert needs == steps.needs == needs.to_block()
    assert find_index(tmp_path / "indexes", needs, table) == steps.index
    shutil.rmtree(steps.index)
    program = learn_program(reference, query, on=on, precision_target=TARGET)
    assert index_reference(program, reference, tmp_path / "indexes") == steps.index


def files(path):
    """The bytes of an index's files."""
    return {file.name: file.read_bytes() for file in path.iterdir()}
