"""What is expected of inputs and output, and how severe it is: settings that a form can show."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from tasks.pages.forms import FormSettings, form

__all__ = ["InputSettings", "OutputSettings", "Severity"]

Severity: TypeAlias = Literal["hard", "soft"]
"""A hard failure stops the run before any match is written; a soft one is kept as a warning."""


class _Settings(FormSettings):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=form)


def _least_rows() -> Any:  # noqa: ANN401 - what pydantic's Field is declared to give
    return Field(
        default=20,
        ge=1,
        description=(
            "Fewest rows that a soft expectation judges; on fewer, a failure is shown as not judged. A hard one always "
            "judges."
        ),
    )


class InputSettings(_Settings):
    """What is expected of a reference or a query table. That ids and columns are there is always hard.

    Examples
    --------
    >>> InputSettings(filled_share=0.5).filled_severity
    'hard'
    >>> InputSettings(shortest=9, longest=3)
    Traceback (most recent call last):
    pydantic_core._pydantic_core.ValidationError: shortest is 9, but longest is 3
    """

    filled_share: float = Field(
        default=0.9, ge=0.0, le=1.0, description="Least share of rows in which a compared column has text."
    )
    filled_severity: Severity = Field(
        default="hard", description="Whether too many empty cells stop the run (hard) or are a warning (soft)."
    )
    distinct_share: float = Field(
        default=0.95,
        ge=0.0,
        le=1.0,
        description=(
            "Least share of reference rows whose text no other reference row has, upper and lower case and spaces set "
            "aside. Duplicates in the reference table make the precision estimate too low."
        ),
    )
    distinct_severity: Severity = Field(
        default="soft", description="Whether too many duplicates stop the run (hard) or are a warning (soft)."
    )
    shortest: int = Field(default=1, ge=1, description="Least number of characters of a text that is there.")
    longest: int = Field(default=500, ge=1, description="Greatest number of characters of a text.")
    plausible_share: float = Field(
        default=0.99,
        ge=0.0,
        le=1.0,
        description=(
            "Least share of texts whose length lies within the limits, and which show no sign of a wrong encoding: "
            "no replacement characters, no control characters, no UTF-8 read as Latin-1."
        ),
    )
    plausible_severity: Severity = Field(
        default="soft", description="Whether too many implausible texts stop the run (hard) or are a warning (soft)."
    )
    least_volume: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Least number of rows, as a multiple of the last run's."
    )
    greatest_volume: float = Field(
        default=2.0, ge=1.0, description="Greatest number of rows, as a multiple of the last run's."
    )
    volume_severity: Severity = Field(
        default="hard", description="Whether a volume out of range stops the run (hard) or is a warning (soft)."
    )
    least_rows: int = _least_rows()

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> InputSettings:
        if self.shortest > self.longest:
            raise ValueError(
                f"shortest is {self.shortest}, but longest is {self.longest}; make shortest the smaller of the two"
            )
        return self


class OutputSettings(_Settings):
    """What is expected of a run's matches. That they fit the inputs is always hard.

    Examples
    --------
    >>> OutputSettings().match_rate_tolerance
    0.1
    """

    estimate_severity: Severity = Field(
        default="soft",
        description="Whether an estimate below the precision target stops the run (hard) or is a warning (soft).",
    )
    match_rate_tolerance: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="How far the share of query rows matched may lie from the last run's, up or down.",
    )
    match_rate_severity: Severity = Field(
        default="soft", description="Whether a match rate out of range stops the run (hard) or is a warning (soft)."
    )
    least_rows: int = _least_rows()
