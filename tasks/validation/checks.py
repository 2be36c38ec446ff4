"""An expectation before it is asked: what, of which column, how severe, and what to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.validation.check_settings import Severity

__all__ = ["Check", "all_values", "judging", "present", "share_text"]


@dataclass(frozen=True)
class Check:
    """An expectation to be asked of a table.

    Attributes
    ----------
    expectation
        Name of the class in ``great_expectations.expectations``.
    options
        Its parameters, the severity left out.
    severity
        "hard" or "soft".
    meaning
        What is expected, as a phrase.
    expected
        What the observed value should be.
    remedy
        What to do where it is not met.
    label
        What results call the column, where it is not the one in `options`.
    masked
        Whether its values must not be shown.
    too_few
        Why the table has too few rows for it to judge; None if it judges. Only a soft one can have too few.
    """

    expectation: str
    options: dict[str, Any] = field(hash=False)
    severity: Severity
    meaning: str
    expected: str
    remedy: str
    label: str | None = None
    masked: bool = True
    too_few: str | None = None

    @property
    def column(self) -> str | None:
        """What results call the column."""
        return self.label or self.options.get("column")


def present(column: str, remedy: str) -> Check:
    """The table has the column."""
    return Check(
        "ExpectColumnToExist",
        {"column": column},
        "hard",
        meaning="the column exists",
        expected="yes",
        remedy=remedy,
    )


def all_values(expectation: str, column: str, *, meaning: str, remedy: str, masked: bool) -> Check:
    """A hard expectation that every value must meet."""
    return Check(
        expectation, {"column": column}, "hard", meaning=meaning, expected="1 (all)", remedy=remedy, masked=masked
    )


def judging(check: Check, rows: int, of: str, *, least_rows: int) -> Check:
    """The check, which does not judge if it is soft and there are too few rows.

    On a handful of rows one more or less decides: a warning would say nothing. A hard check is the user's own limit,
    and judges always.
    """
    if check.severity == "hard" or rows >= least_rows:
        return check
    return replace(check, too_few=f"{rows:,} {of} are too few, it judges {least_rows:,} or more")


def share_text(share: float) -> str:
    """The least share, for reading.

    >>> share_text(0.9), share_text(1.0)
    ('at least 0.9', '1 (all)')
    """
    return "1 (all)" if share >= 1.0 else f"at least {share:g}"
