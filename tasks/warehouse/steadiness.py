"""When a match found again is the one that is stored already.

The weight of a word comes from the whole reference table, so one row added to it moves every distance a little:
compared to the last digit, every match would be closed and opened again every night, and the few that did change would
drown. What a match says (which rows, which texts, by which configuration, with which runner-up) is compared exactly;
its figures may move by `FIGURE_LIMIT` from those stored, which stay as they are. So small moves do not add up
unnoticed: once they have passed the limit together, the match is written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EXACT",
    "FIGURES",
    "FIGURE_LIMIT",
    "UNMATCHED_EXACT",
    "UNMATCHED_FIGURES",
    "differing",
    "same_match",
    "same_unmatched",
]

EXACT: Final = (
    "reference_id",
    "query_text",
    "reference_text",
    "configuration",
    "join_function",
    "threshold",
    "runner_up_id",
)
FIGURES: Final = ("distance", "runner_up_distance", "margin", "precision_estimate")
UNMATCHED_EXACT: Final = (
    "reason",
    "best_reference_id",
    "query_text",
    "best_reference_text",
    "best_configuration",
    "best_threshold",
)
UNMATCHED_FIGURES: Final = ("best_probability", "best_distance")
FIGURE_LIMIT: Final = 0.01
"""Most that a figure may move; all of them lie between 0 and 1, or near."""
ROUNDING: Final = 1e-9
"""0.30 and 0.29 differ by a little more than 0.01 in binary."""


def same_match(stored: sa.FromClause, found: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether two rows of a statement hold the same match; their query rows are the same one."""
    return sa.and_(
        *(stored.c[name].is_not_distinct_from(found.c[name]) for name in EXACT),
        *(_near(stored.c[name], found.c[name]) for name in FIGURES),
    )


def same_unmatched(stored: sa.FromClause, found: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """The same of a query row that is not joined: the reason, and the candidate that came nearest."""
    return sa.and_(
        *(stored.c[name].is_not_distinct_from(found[name]) for name in UNMATCHED_EXACT),
        *(_near(stored.c[name], found[name]) for name in UNMATCHED_FIGURES),
    )


def differing(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns in which two matches of a query row differ; none if `same_match` holds.

    >>> row = dict.fromkeys((*EXACT, *FIGURES))
    >>> differing({**row, "distance": 0.30}, {**row, "distance": 0.29, "runner_up_id": "r7"})
    ('runner_up_id',)
    """
    exact = tuple(name for name in EXACT if stored[name] != found[name])
    return exact + tuple(name for name in FIGURES if not _near_numbers(stored[name], found[name]))


def _near(stored: sa.ColumnElement[float], found: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    # Never unknown: "not the same" must hold where one of the two is missing.
    both_missing = sa.and_(stored.is_(None), found.is_(None))
    return sa.or_(both_missing, sa.func.coalesce(sa.func.abs(stored - found) <= FIGURE_LIMIT + ROUNDING, sa.false()))


def _near_numbers(stored: float | None, found: float | None) -> bool:
    if stored is None or found is None:
        return stored is found
    return abs(stored - found) <= FIGURE_LIMIT + ROUNDING
