"""A precision estimate in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.figures import apart

if TYPE_CHECKING:
    from fuzzyjoin.definition import PrecisionEstimate

__all__ = ["estimate_text"]


def estimate_text(estimate: PrecisionEstimate, beside: float | None = None) -> str:
    """The estimate with its interval, where it has one, told apart from the number that it stands beside."""
    if estimate.value is None:
        return "none, because nothing is joined"
    value = apart(estimate.value, estimate.value if beside is None else beside, digits=3)[0]
    if estimate.low is None or estimate.high is None or estimate.level is None:
        return f"{value} (the method's own, without an interval)"
    return f"{value} ({estimate.low:.3f} to {estimate.high:.3f} at level {estimate.level:g})"
