"""What a validation found, as plain data: only text, numbers, truth values and None, so that it goes into any store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzyjoin.errors import DataError

if TYPE_CHECKING:
    from tasks.validation.settings import Severity

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
        Some of their rows in the table as validated, counted from 1.
    remedy
        What to do where it is not met.
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

    def sentence(self) -> str:
        """What was expected and what was found, in one line.

        >>> ExpectationResult("query", "expect_column_values_to_be_unique", "id", "hard", False, "ids are unique", 0.5,
        ...     "1 (all)", 2, ("7",), (1, 4), "drop one").sentence()
        "query 'id': ids are unique: observed 0.5, expected 1 (all); 2 unexpected, such as '7', in rows 1, 4"
        """
        place = self.suite if self.column is None else f"{self.suite} {self.column!r}"
        text = f"{place}: {self.meaning}: observed {number_text(self.observed_value)}, expected {self.expected}"
        if self.unexpected_count:
            text += f"; {self.unexpected_count} unexpected"
        if self.unexpected_values:
            text += ", such as " + ", ".join(f"'{value}'" for value in self.unexpected_values)
        if self.unexpected_rows:
            text += f", in rows {', '.join(map(str, self.unexpected_rows))}"
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
        return tuple(result for result in self.results if not result.success and result.severity == "hard")

    @property
    def warnings(self) -> tuple[ExpectationResult, ...]:
        """Expectations not met that the run goes on with."""
        return tuple(result for result in self.results if not result.success and result.severity == "soft")

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
        super().__init__(failures)
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
