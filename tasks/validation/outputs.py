"""What is expected of a run's matches before they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fuzzyjoin.errors import UsageError
from fuzzyjoin.tables import as_frame
from tasks.validation.check_settings import OutputSettings
from tasks.validation.checks import Check, all_values, judging, present, share_text
from tasks.validation.columns import text_column
from tasks.validation.engine import run_checks
from tasks.validation.results import ValidationReport

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["validate_output"]

_COLUMNS = {"query": "query_id", "reference": "reference_id"}


def validate_output(
    matches: pd.DataFrame,
    *,
    reference_ids: Iterable[object],
    query_ids: Collection[object],
    precision_estimate: float | None,
    precision_target: float,
    settings: OutputSettings | None = None,
    shown_columns: Collection[str] = (),
    previous_match_rate: float | None = None,
) -> ValidationReport:
    """Ask what is expected of a run's matches.

    Parameters
    ----------
    matches
        The matches, with `query_id` and `reference_id`.
    reference_ids, query_ids
        The ids of the inputs; as in the library 1, 1.0 and "1" are the same.
    precision_estimate
        Estimated precision of the matches; None if there is none.
    precision_target
        What it should reach, in (0, 1).
    settings
        Limits and severities; the default ones if left out.
    shown_columns
        Which of query_id and reference_id may appear with their values in the results.
    previous_match_rate
        Share of query rows matched in the last run, in [0, 1]; None if there was none.

    Returns
    -------
    ValidationReport

    Raises
    ------
    UsageError
        If the target or the last match rate is out of range.
    DataError
        If two columns of the matches share a name.
    """
    if not 0.0 < precision_target < 1.0:
        raise UsageError(f"precision_target is {precision_target}; expected a number between 0 and 1")
    if previous_match_rate is not None and not 0.0 <= previous_match_rate <= 1.0:
        raise UsageError(f"previous_match_rate is {previous_match_rate}; expected a number from 0 to 1")
    settings = settings or OutputSettings()
    of_matches = _matches_report(as_frame(matches, "matches"), reference_ids, query_ids, shown_columns)
    estimate = None if precision_estimate is None or pd.isna(precision_estimate) else float(precision_estimate)
    figures = pd.DataFrame({"precision_estimate": [estimate]}, dtype=object)
    checks = _estimate_checks(estimate, precision_target, settings, matches=len(matches), query_rows=len(query_ids))
    skipped = []
    if previous_match_rate is None or len(query_ids) == 0:
        skipped.append(
            "figures: match rate against the last run, because there is no last run, no query row, or only a part of "
            "the query rows was looked at"
        )
    else:
        figures["match_rate"] = round(len(matches) / len(query_ids), 12)
        rate = _near_last_rate(previous_match_rate, settings)
        checks.append(judging(rate, len(query_ids), "query rows", least_rows=settings.least_rows))
    return ValidationReport.of(of_matches, ValidationReport(run_checks("figures", figures, checks), tuple(skipped)))


def _matches_report(
    matches: pd.DataFrame,
    reference_ids: Iterable[object],
    query_ids: Iterable[object],
    shown_columns: Collection[str],
) -> ValidationReport:
    known = {"query": query_ids, "reference": reference_ids}
    frame = pd.DataFrame(index=range(len(matches)))
    checks, skipped = [], []
    for role, column in _COLUMNS.items():
        checks.append(present(column, "this is a fault in the run: report it"))
        if column not in matches.columns:
            skipped.append(f"matches {column!r}: all but its presence, because the column does not exist")
            continue
        masked = column not in shown_columns
        ids = text_column(matches[column])
        there = set(text_column(pd.Series(list(known[role]), dtype=object)))
        unknown = f"{column} not in {role}"
        frame[column] = ids
        # Asked as "holds nothing": a set of all ids would be copied into the expectation.
        frame[unknown] = pd.Series([None if key in there else key for key in ids], dtype=object)
        checks += _id_checks(column, unknown, role, masked=masked)
    return ValidationReport(run_checks("matches", frame, checks), tuple(skipped))


def _id_checks(column: str, unknown: str, role: str, *, masked: bool) -> list[Check]:
    checks = [
        all_values(
            "ExpectColumnValuesToNotBeNull",
            column,
            meaning="every match has the id",
            remedy="this is a fault in the run: run it again, and report it if it stays",
            masked=masked,
        ),
        Check(
            "ExpectColumnValuesToBeNull",
            {"column": unknown},
            "hard",
            meaning=f"every id is one of the {role} table",
            expected=share_text(1.0),
            remedy=f"apply the program to the {role} table that the run read: it may have changed meanwhile",
            label=column,
            masked=masked,
        ),
    ]
    if role == "query":
        checks.append(
            all_values(
                "ExpectColumnValuesToBeUnique",
                column,
                meaning="a query row has at most one match",
                remedy="run it again on query rows with unique ids, and report it if it stays",
                masked=masked,
            )
        )
    return checks


def _estimate_checks(
    estimate: float | None, target: float, settings: OutputSettings, *, matches: int, query_rows: int
) -> list[Check]:
    there = Check(
        "ExpectColumnValuesToNotBeNull",
        {"column": "precision_estimate"},
        settings.estimate_severity,
        meaning="there is a precision estimate",
        expected=share_text(1.0),
        remedy="no program reached the target: compare other columns, or lower precision_target",
    )
    there = judging(there, query_rows, "query rows", least_rows=settings.least_rows)
    if estimate is None:
        return [there]
    reached = Check(
        "ExpectColumnMinToBeBetween",
        {"column": "precision_estimate", "min_value": target},
        settings.estimate_severity,
        meaning="the precision estimate reaches the target",
        expected=f"at least {target:g}",
        remedy="learn the program again on today's tables, or lower precision_target",
    )
    return [there, judging(reached, matches, "matches", least_rows=settings.least_rows)]


def _near_last_rate(previous: float, settings: OutputSettings) -> Check:
    # Rounded, so that 0.8 - 0.1 is 0.7.
    least, greatest = (
        round(previous + step, 12) for step in (-settings.match_rate_tolerance, settings.match_rate_tolerance)
    )
    return Check(
        "ExpectColumnMinToBeBetween",
        {"column": "match_rate", "min_value": least, "max_value": greatest},
        settings.match_rate_severity,
        meaning="the share of query rows matched is near the last run's",
        expected=f"{max(least, 0.0):.4g} to {min(greatest, 1.0):.4g}, the last run had {previous:.4g}",
        remedy="look at what changed in the tables or the program, or raise match_rate_tolerance",
    )
