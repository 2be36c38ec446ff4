"""Spaces hold the join functions of the paper; what a user writes is checked."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fuzzyjoin.compare import CustomJoinFunction, JoinFunction, resolve_space
from fuzzyjoin.compare.join_functions import CHARACTER_DISTANCES, SPACES
from fuzzyjoin.definition import Configuration
from fuzzyjoin.errors import UsageError
from fuzzyjoin.kernels.set_distances import SET_DISTANCE_CODES
from fuzzyjoin.text import PREPROCESSINGS, TOKENISERS, WEIGHTINGS


class SameLength:
    """0 where two texts have the same length, else 1."""

    name = "same length"

    def distances(self, reference, query):
        return np.array([float(len(left) != len(right)) for left, right in zip(reference, query, strict=True)])


class OddName(SameLength):
    name = "lower/edit"


LOWER_EDIT = JoinFunction(preprocess="lower", distance="edit")


@pytest.mark.parametrize(("space", "size"), [("small", 14), ("medium", 68), ("large", 136)])
def test_built_in_spaces_have_their_sizes_and_no_repeats(space, size):
    functions = resolve_space(space)
    assert len(functions) == len(set(functions)) == len({function.name for function in functions}) == size


def test_every_space_is_tested():
    assert set(SPACES) == {"small", "medium", "large"}


def test_the_large_space_is_every_combination():
    characters = {(preprocess, None, None, name) for preprocess, name in product(PREPROCESSINGS, CHARACTER_DISTANCES)}
    sets = set(product(PREPROCESSINGS, TOKENISERS, WEIGHTINGS, SET_DISTANCE_CODES))
    found = {(part.preprocess, part.tokenise, part.weight, part.distance) for part in resolve_space("large")}
    assert found == characters | sets


def test_spaces_contain_each_other():
    small, medium, large = (set(resolve_space(space)) for space in ("small", "medium", "large"))
    assert small < medium < large


@pytest.mark.parametrize("space", SPACES)
def test_a_space_as_a_dict_is_the_same_space(space):
    assert resolve_space(SPACES[space]) == resolve_space(space)


def test_a_dict_leaves_out_what_it_does_not_restrict():
    functions = resolve_space({"preprocess": ["lower"], "distance": ["edit", "dice"]})
    assert [function.name for function in functions] == [
        "lower/3-gram/uniform/dice",
        "lower/3-gram/idf/dice",
        "lower/word/uniform/dice",
        "lower/word/idf/dice",
        "lower/edit",
    ]


def test_a_list_keeps_its_order_and_takes_custom_functions():
    own = SameLength()
    assert resolve_space([own, LOWER_EDIT]) == (own, LOWER_EDIT)
    assert isinstance(own, CustomJoinFunction)


def test_names_of_a_space_lead_back_to_its_functions():
    for function in resolve_space("large"):
        parts = function.name.split("/")
        names = ("preprocess", "distance") if len(parts) == 2 else ("preprocess", "tokenise", "weight", "distance")
        assert JoinFunction(**dict(zip(names, parts, strict=True))) == function
        kept = Configuration(join_function=function, threshold=0.5).model_dump_json()
        assert Configuration.model_validate_json(kept).join_function == function


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("huge", "space is 'huge'; expected one of small, medium, large"),
        ([], "space holds no join function"),
        ({"distance": []}, "space holds no join function"),
        ({"distances": ["edit"]}, "space is 'distances'; expected one of preprocess"),
        ({"distance": ["hamming"]}, "distance is 'hamming'; expected one of edit"),
        ({"preprocess": ["upper"], "distance": ["edit"]}, "preprocess is 'upper'; expected one of lower"),
        ({"tokenise": ["2-gram"]}, "tokenise is '2-gram'; expected one of 3-gram"),
        ([LOWER_EDIT, LOWER_EDIT], "space holds two join functions named 'lower/edit'"),
        ([LOWER_EDIT, OddName()], "space holds two join functions named 'lower/edit'"),
        (["edit"], "space holds 'edit'; expected a JoinFunction or an object with a name and a method"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(space, message):
    with pytest.raises(UsageError, match="^" + message.replace("(", r"\(")):
        resolve_space(space)


@pytest.mark.parametrize(
    ("parts", "argument"),
    [
        ({"preprocess": "lower", "distance": "jaccard"}, "tokenise"),
        ({"preprocess": "lower", "distance": "jaccard", "tokenise": "word"}, "weight"),
        ({"preprocess": "lower", "distance": "edit", "tokenise": "word"}, "tokenise"),
        ({"preprocess": "lower", "distance": "edit", "weight": "idf"}, "weight"),
        ({"preprocess": "", "distance": "edit"}, "preprocess"),
    ],
)
def test_a_join_function_checks_its_parts(parts, argument):
    with pytest.raises(UsageError, match=f"^{argument} is "):
        JoinFunction(**parts)
