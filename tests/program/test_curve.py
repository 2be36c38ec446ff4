"""The curve over thresholds agrees with applying the program with each set of thresholds."""

import pandas as pd
import pytest

from fuzzyjoin import Program, learn_program, precision_curve
from tests.cases import EXAMPLES


@pytest.fixture(scope="module")
def tables():
    return tuple(pd.read_csv(EXAMPLES / "ShoppingMall" / name, dtype=str) for name in ("left.csv", "right.csv"))


METHODS = pytest.mark.parametrize("options", [{"space": "small"}, {}], ids=["union", "scorer"])


def scaled(program, factor):
    content = program.model_dump()
    decision = content["definition"]["decision"]
    if decision["kind"] == "scorer":
        decision["threshold"] = max(0.0, 1.0 - factor * (1.0 - decision["threshold"]))
        # A looser threshold shows what the least match probability keeps out.
        decision["min_probability"] = None
    for configuration in decision.get("configurations", ()):
        configuration["threshold"] *= factor
    return Program.model_validate(content)


@METHODS
def test_each_point_is_what_the_scaled_program_does(tables, options):
    reference, query = tables
    program = learn_program(reference, query, on="title", **options)
    curve = precision_curve(program, reference, query)
    assert curve["factor"].is_monotonic_increasing
    for point in curve.itertuples():
        result = scaled(program, point.factor).apply(reference, query)
        assert point.matched == len(result.matches)
        expected = result.precision_estimate.value
        assert (expected is None and pd.isna(point.precision_estimate)) or point.precision_estimate == expected


@METHODS
def test_looser_thresholds_join_no_fewer_rows(tables, options):
    reference, query = tables
    curve = precision_curve(learn_program(reference, query, on="title", **options), reference, query)
    assert curve["matched"].is_monotonic_increasing
    assert curve["matched"].iloc[0] < curve["matched"].iloc[-1]


def test_a_program_that_joins_nothing_has_no_curve():
    reference = pd.DataFrame({"id": ["1", "2"], "name": ["aa", "ab"]})
    query = pd.DataFrame({"id": ["1"], "name": ["zz"]})
    program = learn_program(reference, query, on="name", precision_target=0.9999999)
    assert not program.reachable
    assert precision_curve(program, reference, query).empty
