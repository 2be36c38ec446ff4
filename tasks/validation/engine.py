"""Asking Great Expectations, and taking its answers down to plain data."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.validation.results import ExpectationResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from tasks.validation.checks import Check

__all__ = ["NamedRows", "run_checks"]

_SAMPLE = 5
_LONGEST_SHOWN = 80
_SEVERITIES = {"hard": "critical", "soft": "warning"}


@dataclass(frozen=True)
class NamedRows:
    """How results name the rows of a table.

    Attributes
    ----------
    source
        What the table was read from.
    numbered
        Whether the rows stand as there, so that their numbers can be named.
    ids
        Their ids; None if these must not be shown.
    id_column
        Of an expectation on it no ids are named: the unexpected values are ids.
    """

    source: str
    numbered: bool
    ids: tuple[str | None, ...] | None
    id_column: str


def run_checks(
    suite: str, frame: pd.DataFrame, checks: Sequence[Check], rows: NamedRows | None = None
) -> tuple[ExpectationResult, ...]:
    """Ask a table's expectations, in order.

    Parameters
    ----------
    suite
        What results call the table.
    frame
        The table.
    checks
        What to ask. Each column must exist, except where that is what is asked.
    rows
        How results name the rows; None if they do not.

    Returns
    -------
    tuple of ExpectationResult

    Raises
    ------
    RuntimeError
        If Great Expectations could not compute an answer.
    """
    # Read when Great Expectations is imported; importing it takes seconds, so only who validates does.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - see above

    # This part of it asks for its own messages: one for each temporary folder that it makes.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment] # its own setter takes a dict
    asked = gx.ExpectationSuite(name=suite)
    for place, check in enumerate(checks):
        expectation = getattr(gx.expectations, check.expectation)
        asked.add_expectation(expectation(**check.options, severity=_SEVERITIES[check.severity], meta={"place": place}))
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset(suite)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    result_format = {"result_format": "SUMMARY", "partial_unexpected_count": _SAMPLE}
    # They come in another order than they were asked in.
    answers: list[Any] = batch.validate(asked, result_format=result_format).results
    in_order = {answer.expectation_config.meta["place"]: answer for answer in answers}
    return tuple(_plain(suite, check, in_order[place], rows) for place, check in enumerate(checks))


def _plain(
    suite: str,
    check: Check,
    answer: Any,  # noqa: ANN401 - imported elsewhere
    rows: NamedRows | None,
) -> ExpectationResult:
    name, found = answer.expectation_config.type, answer.result
    if answer.exception_info and (reasons := _reasons(answer.exception_info)):
        raise RuntimeError(f"{suite}: Great Expectations could not compute {name} of {check.column!r}: {reasons}")
    places = [int(row) for row in found.get("partial_unexpected_index_list") or ()][:_SAMPLE]
    ids = () if rows is None or rows.ids is None or check.column == rows.id_column else rows.ids
    return ExpectationResult(
        suite=suite,
        expectation=name,
        column=check.column,
        severity=check.severity,
        success=bool(answer.success),
        meaning=check.meaning,
        observed_value=_observed(found, success=bool(answer.success)),
        expected=check.expected,
        unexpected_count=int(found.get("unexpected_count", 0)),
        unexpected_values=_sample(found.get("partial_unexpected_list", ()), masked=check.masked),
        unexpected_rows=tuple(place + 1 for place in places) if rows is not None and rows.numbered else (),
        remedy=check.remedy,
        too_few=check.too_few,
        unexpected_ids=tuple(_shown(ids[place] or "none") for place in places) if ids else (),
        source=rows.source if rows is not None else "",
    )


def _reasons(info: dict[str, Any]) -> str:
    """What went wrong inside, "" if nothing did; one entry, or one a metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return "; ".join(str(entry["exception_message"]) for entry in entries if entry["raised_exception"])


def _observed(found: dict[str, Any], *, success: bool) -> float | int | bool | None:
    """The figure itself, else the share of values as expected among those looked at, else whether it was met."""
    if "observed_value" in found:
        value = found["observed_value"]
        # GX answers with numpy's scalars for some.
        value = value.item() if hasattr(value, "item") else value
        return None if value is None or value != value else value  # noqa: PLR0124 - NaN alone differs from itself
    if "element_count" not in found:
        return success
    looked_at = int(found["element_count"]) - int(found.get("missing_count", 0))
    return 1.0 - int(found["unexpected_count"]) / looked_at if looked_at else None


def _sample(values: Sequence[object], *, masked: bool) -> tuple[str, ...]:
    """Values for reading, each once; of masked ones the length alone."""
    texts = dict.fromkeys(value for value in values if isinstance(value, str))
    if masked:
        return tuple(dict.fromkeys(f"masked, length {len(text)}" for text in texts))
    return tuple(_shown(text) for text in texts)


def _shown(text: str) -> str:
    """The text with what cannot be printed written out, shortened."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in cut)
