"""Two numbers that are compared in words never read alike where they differ, and what is said of them is true."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fuzzyjoin import PrecisionEstimate, Program, learn_program
from fuzzyjoin.figures import apart, rounded_down, rounded_up
from fuzzyjoin.scoring import disagreements
from tests.cases import example

values = st.floats(1e-12, 1.0) | st.sampled_from([0.5, 0.25, 1e-9, 1.0])
steps = st.sampled_from([1e-16, 1e-12, 1e-7, 1e-5, 1e-3])


@given(values, steps, st.integers(1, 6), st.sampled_from(["f", "g"]))
def test_different_numbers_read_differently_and_in_order(value, step, digits, kind):
    other = value * (1.0 + step)
    assume(other != value)
    low, high = apart(value, other, digits=digits, kind=kind)
    assert float(low) < float(high)
    assert apart(value, value, digits=digits, kind=kind) == [f"{value:.{digits}{kind}}"] * 2


@given(values, st.integers(1, 6), st.sampled_from(["f", "g"]))
def test_rounding_has_a_direction(value, digits, kind):
    assert (
        float(rounded_down(value, digits=digits, kind=kind))
        <= value
        <= float(rounded_up(value, digits=digits, kind=kind))
    )


def changed(program, **decision):
    """The program with another threshold or other configurations."""
    definition = program.definition
    kept = definition.model_copy(update={"decision": definition.decision.model_copy(update=decision)})
    return Program(definition=kept, learning_record=program.learning_record)


@pytest.fixture(scope="module")
def malls():
    reference, query, _ = example("ShoppingMall")
    return reference, query, learn_program(reference, query, "title")


@pytest.mark.parametrize("beyond", [1e-7, 1e-12, -1e-7, -1e-12])
@pytest.mark.parametrize("row", [0, 30, 60])
def test_a_score_at_the_threshold_is_told_apart_from_it(malls, row, beyond):
    reference, query, program = malls
    match = program.apply(reference, query).matches.iloc[row]
    score = 1.0 - match["distance"]
    moved = changed(program, threshold=score + beyond)
    text = moved.explain_query(reference, query, match["query_id"])
    told, threshold = map(float, re.search(r"Score (\S+); (\S+) or higher joins", text).groups())
    assert (told < threshold) == (beyond > 0.0) == ("is not joined" in text)
    log_odds = re.search(r"log-odds (\S+)\)", text)[1], re.search(r"\(sum (\S+), in", text)[1]
    assert log_odds[0] != log_odds[1]
    words = (
        r"It would join at a decision threshold of (\S+)\.\n"
        if beyond > 0.0
        else r"any decision threshold up to (\S+)\.\n"
    )
    enough = changed(program, threshold=float(re.search(words, text)[1]))
    assert "is joined" in enough.explain_query(reference, query, match["query_id"])


@pytest.mark.parametrize("beyond", [1e-7, -1e-7])
def test_a_distance_at_the_threshold_is_told_apart_from_it(malls, beyond):
    reference, query, _ = malls
    program = learn_program(reference, query, "title", method="autofj")
    for part in program.definition.decision.configurations:
        program = changed(program, configurations=(part,))
        matches = program.apply(reference, query).matches
        matches = matches[matches["distance"] > 0.01]
        if not len(matches):
            continue
        match = matches.iloc[len(matches) // 2]
        moved = changed(program, configurations=(part.model_copy(update={"threshold": match["distance"] - beyond}),))
        text = moved.explain_query(reference, query, match["query_id"])
        told, threshold = map(float, re.search(r"distance (\S+), at most (\S+) joins", text).groups())
        assert (told > threshold) == (beyond > 0.0) == ("is not joined" in text)
        if beyond > 0.0:
            enough = float(re.search(r"It would join at a threshold of (\S+)\.", text)[1])
            let_in = changed(program, configurations=(part.model_copy(update={"threshold": enough}),))
            assert "is joined" in let_in.explain_query(reference, query, match["query_id"])
        return
    pytest.fail("no configuration joins a row at a distance above 0")


def test_estimates_that_disagree_are_told_apart():
    def estimate(value, low, high):
        return PrecisionEstimate(value=value, low=low, high=high, level=0.9)

    (said,) = disagreements({"posterior": estimate(0.902, 0.8996, 0.95), "decoys": estimate(0.898, 0.85, 0.8992)})
    assert "it is 0.898 (0.85 to 0.899), lower than the headline's 0.902 (0.900 to 0.95)" in said
