"""An estimate says how sure it is."""

import pytest

from fuzzyjoin import PrecisionEstimate
from tasks.pages.estimates import estimate_text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (PrecisionEstimate(), "none, because nothing is joined"),
        (PrecisionEstimate(value=0.91234), "0.912 (the method's own, without an interval)"),
        (
            PrecisionEstimate(value=0.91, low=0.88, high=0.94, level=0.9, calibrated=True),
            "0.910 (0.880 to 0.940 at level 0.9)",
        ),
    ],
)
def test_an_estimate_says_how_sure_it_is(estimate, text):
    assert estimate_text(estimate) == text


def test_an_estimate_that_misses_the_target_does_not_read_as_the_target():
    estimate = PrecisionEstimate(value=0.89996, low=0.85, high=0.95, level=0.9)
    assert estimate_text(estimate, 0.9).startswith("0.89996 (")
    assert estimate_text(estimate.model_copy(update={"value": 0.9}), 0.9).startswith("0.900 (")
