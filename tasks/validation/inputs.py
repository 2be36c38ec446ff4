"""What is expected of the reference and the query table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import pandas as pd

from fuzzyjoin.errors import UsageError
from fuzzyjoin.tables import as_frame
from tasks.validation.check_settings import InputSettings
from tasks.validation.checks import Check, all_values, judging, present, share_text
from tasks.validation.columns import text_column
from tasks.validation.engine import NamedRows, run_checks
from tasks.validation.results import ValidationReport

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["validate_input"]

_LEAST_ROWS = {"reference": 2, "query": 1}

# Control characters beyond tab and line ends; those from 128 on are Windows' letters read as Latin-1.
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_REPLACED = "\ufffd"
# Accented letters in UTF-8, read as Latin-1 or Windows-1252: é becomes Ã©.
_MISREAD = (
    "[\u00c2\u00c3][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)

_ENCODINGS = {
    "texts hold no replacement character": _REPLACED,
    "texts hold no control character": _CONTROL,
    "texts are not UTF-8 read as Latin-1": _MISREAD,
}


def validate_input(
    table: pd.DataFrame,
    *,
    role: Literal["reference", "query"],
    id_column: str,
    columns: Sequence[str],
    settings: InputSettings | None = None,
    shown_columns: Collection[str] = (),
    previous_rows: int | None = None,
    source: str = "",
    in_order: bool = True,
) -> ValidationReport:
    """Ask what is expected of an input table.

    Parameters
    ----------
    table
        The table. Values are looked at as the text that is compared; blank ones are missing.
    role
        "reference" or "query". Only of a reference table it is asked whether its rows are distinct.
    id_column
        The id column.
    columns
        The columns to compare, at least one.
    settings
        Limits and severities; the default ones if left out.
    shown_columns
        Columns whose values may appear in the results. All others are masked.
    previous_rows
        Rows of the same table in the last run; None if there was none.
    source
        What results call the table's source, such as its file's name.
    in_order
        Whether the rows stand as in the source; else their numbers mean nothing, and their ids alone are named.

    Returns
    -------
    ValidationReport
        Of a column that does not exist nothing else is asked.

    Raises
    ------
    UsageError
        If no column is named, or the role is unknown.
    DataError
        If two columns of the table share a name.
    """
    if role not in _LEAST_ROWS:
        raise UsageError(f"role is {role!r}; expected 'reference' or 'query'")
    if not columns:
        raise UsageError("columns is empty; name at least one column to compare")
    settings = settings or InputSettings()
    given = as_frame(table, role)
    named = list(dict.fromkeys([id_column, *columns]))
    there = [name for name in named if name in given.columns]
    frame = pd.DataFrame({name: text_column(given[name]) for name in there}, index=range(len(given)))
    rows = NamedRows(
        source=source,
        numbered=in_order,
        ids=tuple(frame[id_column]) if id_column in there and id_column in shown_columns else None,
        id_column=id_column,
    )
    checks = [present(name, "name a column that the table has, or read the table again") for name in named]
    skipped = [f"{role} {name!r}: all but its presence, because the column does not exist"
               for name in named if name not in there]  # fmt: skip
    if id_column in there:
        checks += _id_checks(id_column, masked=id_column not in shown_columns)
    compared = [name for name in dict.fromkeys(columns) if name in there]
    for name in compared:
        checks += _text_checks(name, settings, masked=name not in shown_columns)
    if role == "reference" and compared:
        key = _free_name(frame)
        frame[key] = pd.Series(_compared_text(frame, compared), dtype=object)
        masked = any(name not in shown_columns for name in compared)
        checks.append(_distinct(key, compared, settings, masked=masked))
    checks = [judging(check, len(frame), "rows", least_rows=settings.least_rows) for check in checks]
    # No number of rows is too few to judge that there are none.
    checks.insert(0, _enough_rows(role))
    if role == "query" and not len(given):
        skipped.append("query: volume against the last run, because there are no rows, which is a warning of its own")
    elif previous_rows:
        larger = max(len(frame), previous_rows)
        checks.append(judging(_volume(previous_rows, settings), larger, "rows", least_rows=settings.least_rows))
    else:
        skipped.append(f"{role}: volume against the last run, because there is no last run with rows")
    return ValidationReport(run_checks(role, frame, checks, rows), tuple(skipped))


def _enough_rows(role: Literal["reference", "query"]) -> Check:
    """A reference table must have rows; a query table has none on some nights, and such a run changes nothing."""
    least = _LEAST_ROWS[role]
    return Check(
        "ExpectTableRowCountToBeBetween",
        {"min_value": least},
        "hard" if role == "reference" else "soft",
        meaning="the table has rows",
        expected=f"at least {least}",
        remedy="check the source, and what filters it"
        + (": without query rows no match is opened or closed" if role == "query" else ""),
    )


def _id_checks(column: str, *, masked: bool) -> list[Check]:
    return [
        all_values(
            "ExpectColumnValuesToNotBeNull",
            column,
            meaning="every row has an id",
            remedy="give every row an id, or name another id column",
            masked=masked,
        ),
        all_values(
            "ExpectColumnValuesToBeUnique",
            column,
            meaning="ids are unique",
            remedy="drop the rows that repeat an id, or name another id column",
            masked=masked,
        ),
    ]


def _text_checks(column: str, settings: InputSettings, *, masked: bool) -> list[Check]:
    plausible = {"column": column, "mostly": settings.plausible_share}
    filled = Check(
        "ExpectColumnValuesToNotBeNull",
        {"column": column, "mostly": settings.filled_share},
        settings.filled_severity,
        meaning="rows have text to compare",
        expected=share_text(settings.filled_share),
        remedy="fill the column, compare another one, or lower filled_share",
        masked=masked,
    )
    lengths = Check(
        "ExpectColumnValueLengthsToBeBetween",
        {**plausible, "min_value": settings.shortest, "max_value": settings.longest},
        settings.plausible_severity,
        meaning=f"texts have {settings.shortest} to {settings.longest} characters",
        expected=share_text(settings.plausible_share),
        remedy="check that cells were not merged or cut, or change shortest and longest",
        masked=masked,
    )
    encodings = [
        Check(
            "ExpectColumnValuesToNotMatchRegex",
            {**plausible, "regex": pattern},
            settings.plausible_severity,
            meaning=meaning,
            expected=share_text(settings.plausible_share),
            remedy="read the source again in its true encoding, or mend the texts",
            masked=masked,
        )
        for meaning, pattern in _ENCODINGS.items()
    ]
    return [filled, lengths, *encodings]


def _distinct(key: str, columns: Sequence[str], settings: InputSettings, *, masked: bool) -> Check:
    return Check(
        "ExpectColumnValuesToBeUnique",
        {"column": key, "mostly": settings.distinct_share},
        settings.distinct_severity,
        meaning="reference rows are distinct",
        expected=share_text(settings.distinct_share),
        remedy="drop the duplicates from the reference table, compare more columns, or lower distinct_share",
        label=" + ".join(columns),
        masked=masked,
    )


def _compared_text(frame: pd.DataFrame, columns: Sequence[str]) -> list[str | None]:
    """The compared columns as one text a row, case and spaces set aside; None where all are missing."""
    cells = zip(*(frame[name] for name in columns), strict=True)
    texts = (" | ".join(" ".join((cell or "").casefold().split()) for cell in row) for row in cells)
    return [text if text.strip(" |") else None for text in texts]


def _free_name(frame: pd.DataFrame) -> str:
    name = "compared text"
    while name in frame.columns:
        name += "'"
    return name


def _volume(previous: int, settings: InputSettings) -> Check:
    least, greatest = math.ceil(previous * settings.least_volume), math.floor(previous * settings.greatest_volume)
    return Check(
        "ExpectTableRowCountToBeBetween",
        {"min_value": least, "max_value": greatest},
        settings.volume_severity,
        meaning="the volume is near the last run's",
        expected=f"{least:,} to {greatest:,}, the last run had {previous:,}",
        remedy="check that the source is complete and was read once, or widen least_volume and greatest_volume",
    )
