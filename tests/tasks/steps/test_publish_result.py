"""The rows shown at the boundary are those nearest to it, from both sides."""

import numpy as np
import pandas as pd
import pytest

from tasks.steps.publish_result import boundary_rows


def frames(joined, left_out, *, no_candidate=0):
    matches = pd.DataFrame(
        {
            "query_id": [f"in{row}" for row in range(joined)],
            "reference_id": [f"r{row}" for row in range(joined)],
            "distance": np.linspace(0.0, 0.3, joined),
            "threshold": 0.3,
        }
    )
    unmatched = pd.DataFrame(
        {
            "query_id": [f"out{row}" for row in range(left_out + no_candidate)],
            "best_reference_id": [*(f"r{row}" for row in range(left_out)), *[None] * no_candidate],
            "best_distance": [*np.linspace(0.31, 0.9, left_out), *[np.nan] * no_candidate],
            "best_threshold": [*[0.3] * left_out, *[np.nan] * no_candidate],
        }
    )
    return matches, unmatched


@pytest.mark.parametrize(
    ("joined", "left_out", "shown"), [(50, 50, 20), (50, 3, 20), (3, 50, 20), (2, 1, 3), (0, 0, 0)]
)
def test_twenty_rows_are_shown_where_there_are_so_many(joined, left_out, shown):
    rows = boundary_rows(*frames(joined, left_out, no_candidate=5))
    assert len(rows) == shown
    assert (rows["distance"] / rows["threshold"]).is_monotonic_increasing


def test_they_are_the_nearest_of_both_sides():
    rows = boundary_rows(*frames(50, 50))
    assert rows["query_id"].tolist() == [*(f"in{row}" for row in range(40, 50)), *(f"out{row}" for row in range(10))]
    assert rows["joined"].tolist() == [True] * 10 + [False] * 10


def test_a_threshold_of_zero_does_not_divide():
    matches, unmatched = frames(3, 0)
    rows = boundary_rows(matches.assign(distance=0.0, threshold=0.0), unmatched)
    assert len(rows) == 3
    assert not rows.isna().any().any()
