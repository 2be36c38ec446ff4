"""A stored program decides each query row from the program, the reference table and that row alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fuzzyjoin import DataError, JoinFunction, Program, UsageError, fuzzy_join, learn_program
from fuzzyjoin.definition import (
    Blocking,
    Column,
    Configuration,
    CustomFunctionName,
    Definition,
    QuerySample,
    Scorer,
    Union,
)
from fuzzyjoin.joining import drift_warnings
from tests import naive
from tests.cases import example, frame, random_tables

EDIT = JoinFunction("lower", "edit")
WORDS = JoinFunction("lower", "jaccard", "word", "uniform")


def program_of(*configurations, columns=(("title", 1.0),), rules=(), k=4, decision=None):
    """A program by hand, of (join function, threshold) configurations."""
    parts = tuple(Configuration(join_function=function, threshold=threshold) for function, threshold in configurations)
    return Program(
        definition=Definition(
            columns=tuple(Column(reference=name, query=name, weight=weight) for name, weight in columns),
            blocking=Blocking(k=k),
            negative_rules=tuple(rules),
            decision=decision or Union(configurations=parts),
        )
    )


def rows_by_id(result):
    """What was decided for each query row, matched or not, by query id."""
    decided = {}
    for table in (result.matches, result.unmatched):
        for row in table.astype(object).where(table.notna(), None).to_dict("records"):
            decided[row["query_id"]] = row
    return decided


@pytest.fixture(scope="module", params=["ShoppingMall", "Reptile"])
def learned(request):
    reference, query, _ = example(request.param)
    return reference, query, fuzzy_join(reference, query, "title", space="small")


def test_applying_gives_the_matches_of_the_join_it_was_learned_in(learned, tmp_path):
    reference, query, result = learned
    result.program.save(tmp_path / "program.json")
    applied = Program.load(tmp_path / "program.json").apply(reference, query, strict=True)
    pd.testing.assert_frame_equal(applied.matches, result.matches)
    pd.testing.assert_frame_equal(applied.unmatched, result.unmatched)
    assert applied.precision_estimate == result.precision_estimate
    assert applied.precision_estimate.value == result.program.precision_estimate.value
    assert applied.counts == result.counts
    assert applied.warnings == ()


def test_a_row_alone_is_decided_as_in_its_batch(learned):
    reference, query, result = learned
    whole = rows_by_id(result)
    for place in np.random.default_rng(0).integers(0, len(query), 8):
        alone = rows_by_id(result.program.apply(reference, query.iloc[[place]]))
        assert alone == {name: whole[name] for name in query.iloc[[place]]["id"]}


def test_rows_of_a_random_batch_are_decided_as_in_the_whole(learned):
    reference, query, result = learned
    whole = rows_by_id(result)
    for share in (0.1, 0.5):
        batch = query.sample(frac=share, random_state=3)
        assert rows_by_id(result.program.apply(reference, batch)) == {name: whole[name] for name in batch["id"]}


def test_strange_rows_beside_it_change_no_match(learned):
    reference, query, result = learned
    strange = pd.DataFrame(
        {"id": [f"new{row}" for row in range(300)], "title": [f"zq {row} xxx" for row in range(300)]}
    )
    decided = rows_by_id(result.program.apply(reference, pd.concat([strange, query])))
    assert {name: decided[name] for name in query["id"]} == rows_by_id(result)


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_several_columns_are_decided_alone_as_together(seed):
    reference, query = (frame(rows, ("name", "city")) for rows in random_tables(seed, columns=2, queries=20))
    # Rows with a missing value have tests of their own.
    query = query[(query["name"].str.strip() != "") & (query["city"].str.strip() != "")]
    program = program_of((WORDS, 0.5), (EDIT, 3.0), columns=(("name", 0.5), ("city", 0.5)))
    whole = rows_by_id(program.apply(reference, query))
    for place in range(len(query)):
        alone = query.iloc[[place]]
        assert rows_by_id(program.apply(reference, alone)) == {name: whole[name] for name in alone["id"]}


REFERENCE = frame([(1, "grand mall"), (2, "grand mall old"), (3, "lake side"), (4, "far away place")])


def test_a_row_without_text_is_decided_alone_as_in_a_batch():
    program = program_of((WORDS, 0.5))
    together = rows_by_id(program.apply(REFERENCE, frame([("a", None), ("b", "lake side")])))
    alone = rows_by_id(program.apply(REFERENCE, frame([("a", None)])))
    assert alone["a"] == together["a"]
    assert alone["a"]["reason"] == "no text in the key columns"


def test_a_row_whose_second_column_is_missing_is_decided_alone_as_in_a_batch():
    reference = frame([(1, "grand mall", "Rome"), (2, "lake side", "Oslo"), (3, "far place", "Bern")], ("name", "city"))
    query = frame([("a", "grand mall", None), ("b", "lake side", "Oslo")], ("name", "city"))
    program = program_of((WORDS, 0.6), columns=(("name", 0.5), ("city", 0.5)))
    together = rows_by_id(program.apply(reference, query))
    alone = rows_by_id(program.apply(reference, query.iloc[[0]]))
    assert alone["a"] == together["a"]
    assert alone["a"]["reference_id"] == 1


def test_a_match_keeps_its_evidence():
    result = program_of((EDIT, 1.0), (WORDS, 0.5)).apply(REFERENCE, frame([("q", "Grand Mall 1")]))
    (match,) = result.matches.to_dict("records")
    assert match == {
        "query_id": "q",
        "reference_id": 1,
        "precision_estimate": 0.5,
        "configuration": 1,
        "join_function": "lower/word/uniform/jaccard",
        "distance": pytest.approx(1 / 3),
        "threshold": 0.5,
        "runner_up_id": 2,
        "runner_up_distance": pytest.approx(0.5),
        "margin": pytest.approx(1 / 6),
        "equal_reference_rows": 0,
        "query_text": "Grand Mall 1",
        "reference_text": "grand mall",
    }
    assert len(result.unmatched) == 0


def test_the_unmatched_say_why():
    program = program_of((EDIT, 1.0), rules=["mall/tower"])
    query = frame(
        [("far", "lake side resort"), ("ruled", "grand tower"), ("blank", None), ("space", "  "), ("alien", "ψψψ")]
    )
    result = program.apply(REFERENCE, query)
    reasons = dict(zip(result.unmatched["query_id"], result.unmatched["reason"], strict=True))
    assert reasons == {
        "far": "too far: the nearest candidate lies beyond every threshold",
        "ruled": "every candidate is ruled out by a negative rule",
        "blank": "no text in the key columns",
        "space": "no text in the key columns",
        "alien": "no candidate: shares nothing that tells reference rows apart",
    }
    far = rows_by_id(result)["far"]
    assert (far["best_reference_id"], far["best_distance"], far["best_threshold"]) == (3, 7.0, 1.0)
    assert (far["best_configuration"], far["best_reference_text"]) == (0, "lake side")
    assert rows_by_id(result)["alien"]["best_reference_id"] is None
    assert len(result.matches) == 0
    assert result.precision_estimate.value is None


def test_a_program_without_configurations_joins_nothing_and_says_so():
    result = program_of().apply(REFERENCE, frame([("q", "grand mall")]))
    assert result.unmatched["reason"].tolist() == ["the program joins nothing"]
    assert result.counts["matched"] == 0


def test_rows_come_in_the_order_of_the_query_table():
    query = frame([(name, "grand mall") for name in "qazwsx"] + [(name, "nothing") for name in "PLOK"])
    query = query.sample(frac=1, random_state=1)
    result = program_of((EDIT, 0.0)).apply(REFERENCE, query)
    assert result.matches["query_id"].tolist() == [name for name in query["id"] if name.islower()]
    assert result.unmatched["query_id"].tolist() == [name for name in query["id"] if name.isupper()]


def test_counts_add_up():
    query = [("a", "lake"), ("b", "lake side"), ("c", "")]
    blocked = naive.Tables(list(REFERENCE.itertuples(index=False, name=None)), query, k=4).blocked
    result = program_of((WORDS, 0.4)).apply(REFERENCE, frame(query))
    assert result.counts["reference_rows"] == 4
    assert result.counts["query_rows"] == 3
    assert result.counts["matched"] == len(result.matches) == 1
    assert result.counts["unmatched"] == len(result.unmatched) == 2
    assert result.counts["candidate_pairs"] == sum(map(len, blocked)) > 0
    assert {"blocking", "matching"} <= set(result.seconds)


def test_another_reference_table_warns_and_under_strict_is_refused():
    query = frame([("q", "lake side")])
    program = learn_program(REFERENCE, query, "title", space="small", precision_target=0.5)
    other = REFERENCE.iloc[:3]
    (warning,) = program.apply(other, query).warnings
    assert warning.startswith("the reference table (3 rows) is not the one that the program was learned on (4 rows)")
    with pytest.raises(DataError, match="is not the one that the program was learned on"):
        program.apply(other, query, strict=True)


def test_the_reference_in_another_order_is_the_same_table():
    query = frame([("q", "lake side")])
    program = learn_program(REFERENCE, query, "title", space="small", precision_target=0.5)
    assert program.apply(REFERENCE[::-1], query, strict=True).warnings == ()


def test_a_changed_value_of_the_reference_is_noticed():
    query = frame([("q", "lake side")])
    program = learn_program(REFERENCE, query, "title", space="small", precision_target=0.5)
    assert program.apply(REFERENCE.replace("far away place", "far away plaza"), query).warnings


def test_a_program_without_learning_record_warns():
    (warning,) = program_of((EDIT, 0.0)).apply(REFERENCE, frame([("q", "lake side")])).warnings
    assert "no learning record" in warning


@pytest.mark.parametrize(
    ("rows", "joined", "warned"),
    [(99, 0, False), (100, 80, False), (100, 89, False), (100, 60, True), (100_000, 71_000, False), (200, 200, True)],
)
def test_drift_is_told_where_it_is_more_than_chance(rows, joined, warned):
    reference, query, _ = example("ShoppingMall")
    learned = learn_program(reference, query, "title")
    record = learned.learning_record.model_copy(
        update={"joined": 800, "query": learned.learning_record.query.model_copy(update={"rows": 1000})}
    )
    program = Program(definition=learned.definition, learning_record=record)
    assert bool(drift_warnings(program.learning_record, rows, joined)) is warned
    of_more = record.query.model_copy(update={"rows": 100_000})
    sampled = record.model_copy(update={"query": of_more, "query_sample": QuerySample(rows=1000, seed=0)})
    assert drift_warnings(sampled, rows, joined) == drift_warnings(program.learning_record, rows, joined)


def test_applying_to_rows_of_another_kind_warns_and_decides_the_same():
    reference, query, _ = example("ShoppingMall")
    program = learn_program(reference, query, "title")
    joined = program.apply(reference, query)
    assert joined.warnings == ()
    strange = query.assign(title=query["title"].str[::-1])
    found = program.apply(reference, strange)
    (warning,) = found.warnings
    now, then = (f"{len(result.matches) / len(query):.0%}" for result in (found, joined))
    assert warning.startswith(f"{now} of these 227 query rows are joined, but {then} were when the program was learned")
    assert warning.endswith("label a sample (fuzzyjoin audit), or learn again")


def test_a_program_of_a_scorer_that_is_not_there_loads_but_is_refused():
    program = program_of(decision=Scorer(name="trees", hash="sha256:abc", prior=0.9, threshold=0.5))
    again = Program.from_json(program.to_json())
    with pytest.raises(UsageError, match=r"decides by the scorer 'trees' .* give its file as scorer"):
        again.apply(REFERENCE, frame([("q", "lake side")]))


class SameWords:
    """0 for two texts of the same words in any order, else 1."""

    name = "same words"

    def distances(self, reference, query):
        return [float(set(left.split()) != set(right.split())) for left, right in zip(reference, query, strict=True)]


def test_a_custom_join_function_must_be_given_again():
    program = program_of((CustomFunctionName(custom="same words"), 0.5))
    query = frame([("q", "side lake"), ("r", "lake sides")])
    with pytest.raises(UsageError, match="uses the join function 'same words', which is not built in"):
        program.apply(REFERENCE, query)
    result = program.apply(REFERENCE, query, join_functions=[SameWords()])
    assert result.matches[["query_id", "reference_id", "join_function"]].to_numpy().tolist() == [["q", 3, "same words"]]


class Everything:
    """A blocker that proposes all pairs."""

    name = "everything"

    def candidate_pairs(self, reference, query):
        return (
            query[["id"]]
            .rename(columns={"id": "query_id"})
            .merge(reference[["id"]].rename(columns={"id": "reference_id"}), how="cross")
        )


def test_a_custom_blocker_must_be_given_again():
    query = frame([("q", "lake sid"), ("r", "ψψψ")])
    program = learn_program(REFERENCE, query, "title", space=[EDIT, WORDS], precision_target=0.5, blocker=Everything())
    assert program.definition.blocking == Blocking(method="everything", k=None, equal_rows="merged")
    with pytest.raises(UsageError, match="learned with the blocker 'everything' but blocker is"):
        program.apply(REFERENCE, query)
    result = program.apply(REFERENCE, query, blocker=Everything())
    assert result.counts["candidate_pairs"] == 8
    assert "q" in result.matches["query_id"].tolist()


def test_a_blocker_that_the_program_does_not_know_is_refused():
    with pytest.raises(UsageError, match="learned with the blocker 'lexical' but blocker is 'everything'"):
        program_of((EDIT, 0.0)).apply(REFERENCE, frame([("q", "lake")]), blocker=Everything())


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="query has no column 'title'; did you mean 'titel'"):
        program_of((EDIT, 0.0)).apply(REFERENCE, frame([("q", "lake")], ("titel",)))


def test_a_reference_of_one_row_can_be_joined_to():
    result = program_of((EDIT, 1.0)).apply(REFERENCE.iloc[[2]], frame([("q", "lake side")]))
    assert len(result.matches) + len(result.unmatched) == 1


def test_rules_of_words_that_the_reference_lacks_still_hold():
    """The blocking of `grand` finds the mall; the rule's other word stands in no reference row."""
    program = program_of((WORDS, 1.0), rules=["mall/tower"])
    result = program.apply(REFERENCE, frame([("q", "grand tower"), ("r", "grand towers mall")]))
    assert result.matches["query_id"].tolist() == ["r"]
