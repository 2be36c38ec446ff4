"""What a validation found, as plain data: only text, numbers, truth values and None, so that it goes into any store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from tasks.validation.check_settings import Severity

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")

__all__ = ["ExpectationResult", "HardFailuresError", "ValidationReport"]


@dataclass(frozen=True)
class ExpectationResult:
    """What one expectation found.

    Attributes
    ----------
    suite
        The table it was asked of: "reference", "query", "matches" or "figures".
    expectation
        Great Expectations' name for it, such as ``expect_column_values_to_be_unique``.
    column
        The column, several joined by " + "; None for the whole table.
    severity
        "hard" or "soft".
    success
        Whether it was met.
    meaning
        What is expected, as a phrase.
    observed_value
        What was found: the share of values as expected for an expectation on every value, the figure itself for one
        on a figure, True or False for a column's presence; None where there was nothing to look at.
    expected
        What `observed_value` should be.
    unexpected_count
        Number of values that are not as expected.
    unexpected_values
        Some of these, each once, shortened, masked unless the settings show the column.
    unexpected_rows
        Some of their rows in the source, counted from 1 below its header; none where that is not known.
    remedy
        What to do where it is not met.
    too_few
        Why it does not judge what was found; None if it does. Then it is no failure, whatever was found.
    unexpected_ids
        The ids of some of their rows, where these may be shown and are not the unexpected values themselves.
    source
        What the table was read from, such as a file's name; "" if that is not known.
    """

    suite: str
    expectation: str
    column: str | None
    severity: Severity
    success: bool
    meaning: str
    observed_value: float | int | bool | None
    expected: str
    unexpected_count: int
    unexpected_values: tuple[str, ...]
    unexpected_rows: tuple[int, ...]
    remedy: str
    too_few: str | None = None
    unexpected_ids: tuple[str, ...] = ()
    source: str = ""

    @property
    def judged(self) -> bool:
        """Whether what was found counts: always if it was met."""
        return self.success or self.too_few is None

    @property
    def rows_text(self) -> str:
        """Where the unexpected values are, for reading; "" if that is not known.

        >>> found = {"severity": "hard", "success": False, "meaning": "", "observed_value": 0.5, "expected": "1 (all)"}
        >>> result = ExpectationResult("query", "", "name", **found, unexpected_count=2, unexpected_values=(),
        ...     unexpected_rows=(1, 4), remedy="", unexpected_ids=("a7", "b9"), source="towns.csv")
        >>> result.rows_text
        "row 1 (id 'a7'), row 4 (id 'b9') of towns.csv"
        """
        rows = [f"row {row}" for row in self.unexpected_rows]
        ids = [f"id '{name}'" for name in self.unexpected_ids]
        if rows and ids:
            rows = [f"{row} ({name})" for row, name in zip(rows, ids, strict=True)]
        named = ", ".join(rows or ids)
        return f"{named} of {self.source}" if named and self.source else named

    @property
    def observed_text(self) -> str:
        """What was found, for reading: where it falls short, never as the very limit that it misses."""
        value, text = self.observed_value, number_text(self.observed_value)
        if self.success or not isinstance(value, float):
            return text
        limits = {float(number.replace(",", "")) for number in _NUMBER.findall(self.expected)} - {value}
        digits = 4
        while float(text.replace(",", "")) in limits:
            digits += 1
            text = f"{value:.{digits}g}"
        return text

    def sentence(self) -> str:
        """What was expected and what was found, in one line.

        >>> ExpectationResult("query", "expect_column_values_to_be_unique", "id", "hard", False, "ids are unique", 0.5,
        ...     "1 (all)", 2, ("7",), (1, 4), "drop one").sentence()
        "query 'id': ids are unique: observed 0.5, expected 1 (all); 2 unexpected, such as '7', in row 1, row 4"
        """
        place = self.suite if self.column is None else f"{self.suite} {self.column!r}"
        text = f"{place}: {self.meaning}: observed {self.observed_text}, expected {self.expected}"
        if self.unexpected_count:
            text += f"; {self.unexpected_count} unexpected"
        if self.unexpected_values:
            text += ", such as " + ", ".join(f"'{value}'" for value in self.unexpected_values)
        if self.rows_text:
            text += f", in {self.rows_text}"
        return text


@dataclass(frozen=True)
class ValidationReport:
    """What the expectations on one or several tables found.

    Attributes
    ----------
    results
        One entry an expectation.
    skipped
        What could not be asked, and why, one sentence each.
    """

    results: tuple[ExpectationResult, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, *reports: ValidationReport) -> ValidationReport:
        """Several reports as one."""
        return cls(
            tuple(result for report in reports for result in report.results),
            tuple(sentence for report in reports for sentence in report.skipped),
        )

    @property
    def hard_failures(self) -> tuple[ExpectationResult, ...]:
        """Expectations not met that stop the run."""
        return tuple(result for result in self._failures if result.severity == "hard")

    @property
    def warnings(self) -> tuple[ExpectationResult, ...]:
        """Expectations not met that the run goes on with."""
        return tuple(result for result in self._failures if result.severity == "soft")

    @property
    def _failures(self) -> tuple[ExpectationResult, ...]:
        return tuple(result for result in self.results if not result.success and result.judged)

    @property
    def not_judged(self) -> tuple[ExpectationResult, ...]:
        """Expectations not met on too few rows to tell."""
        return tuple(result for result in self.results if not result.judged)

    def raise_on_hard_failures(self) -> None:
        """Raise `HardFailuresError` if there is any hard failure."""
        if self.hard_failures:
            raise HardFailuresError(self.hard_failures)


class HardFailuresError(DataError):
    """The data are not as they must be; nothing may be written.

    Parameters
    ----------
    failures
        The expectations that were not met.
    """

    def __init__(self, failures: tuple[ExpectationResult, ...]) -> None:
        super().__init__()
        # What another process makes the error of again.
        self.args = (failures,)
        self.failures = failures

    def __str__(self) -> str:
        count = len(self.failures)
        heading = f"{count} hard expectation{'s' * (count != 1)} not met; the run stops before any match is written"
        lines = [f"- {result.sentence()}. Remedy: {result.remedy}." for result in self.failures]
        return "\n".join([heading, *lines])


def number_text(value: float | bool | None) -> str:  # noqa: FBT001 - a value to be written, no switch
    """A figure for reading.

    >>> [number_text(value) for value in (0.98765, 1.0, 12345, True, None)]
    ['0.9877', '1', '12,345', 'yes', 'nothing']
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if value < 1.0 else f"{value:,.10g}"
