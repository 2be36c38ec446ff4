"""Validation: Great Expectations suites on both inputs and on the output, and what they found as plain data."""

from __future__ import annotations

from tasks.validation.check_settings import InputSettings, OutputSettings, Severity
from tasks.validation.inputs import validate_input
from tasks.validation.outputs import validate_output
from tasks.validation.page import html_page
from tasks.validation.results import ExpectationResult, HardFailuresError, ValidationReport
from tasks.validation.summary import markdown_summary

__all__ = [
    "ExpectationResult",
    "HardFailuresError",
    "InputSettings",
    "OutputSettings",
    "Severity",
    "ValidationReport",
    "html_page",
    "markdown_summary",
    "validate_input",
    "validate_output",
]
