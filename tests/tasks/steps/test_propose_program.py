"""A current program stays if it does as well as the one just learned, as shares of the rows each looked at."""

from types import SimpleNamespace

import pytest

from fuzzyjoin import PrecisionEstimate, learn_program
from fuzzyjoin.definition import QuerySample
from tasks.steps.propose_program import _does_as_well
from tests.cases import example


@pytest.fixture(scope="module")
def learned():
    """A program that joined half of the 80 query rows of 1000 that it was learned on."""
    reference, query, _ = example("ShoppingMall")
    program = learn_program(reference, query, "title")
    record = program.learning_record
    changes = {
        "joined": 40,
        "query": record.query.model_copy(update={"rows": 1000}),
        "query_sample": QuerySample(rows=80, seed=0),
    }
    return program.model_copy(update={"learning_record": record.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("matched", "estimate", "as_well"),
    [(475, 0.89, True), (474, 0.89, False), (475, 0.88, False), (40, 0.95, False), (900, None, False)],
)
def test_it_is_held_against_the_share_that_the_sample_joined(learned, matched, estimate, as_well):
    found = SimpleNamespace(
        precision_estimate=PrecisionEstimate(value=estimate), matched_rows=matched, unmatched_rows=1000 - matched
    )
    assert _does_as_well(found, learned) is as_well
