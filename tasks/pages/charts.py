"""Pictures for a run's page, as SVG inside the Markdown: nothing is fetched to show them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from tasks.pages.markdown import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["curve_chart"]

WIDTH: Final = 720
HEIGHT: Final = 190
"""Of one panel."""
GAP: Final = 74
LEFT: Final = 64
RIGHT: Final = 20
TOP: Final = 34
PRECISION_COLOUR: Final = "#0b62c4"
MATCHES_COLOUR: Final = "#b4500b"
MUTED: Final = "#6b7280"


def curve_chart(curve: pd.DataFrame, *, target: float) -> str:
    """Estimated precision and matches against the thresholds, as a picture and as the figures behind it.

    Parameters
    ----------
    curve
        As `fuzzyjoin.precision_curve` gives it, with one row or more.
    target
        The precision target, in (0, 1).

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> import pandas as pd
    >>> curve = pd.DataFrame({"factor": [0.5, 1.0], "matched": [3, 7], "precision_estimate": [1.0, 0.92]})
    >>> print(curve_chart(curve, target=0.9).splitlines()[0])
    # Estimated precision and matches against the threshold
    """
    picture = b64encode(_svg(curve, target).encode()).decode()
    rows = [
        (
            f"{row.factor:g}{' (the program)' if row.factor == 1.0 else ''}",
            f"{row.matched:,}",
            "none" if row.precision_estimate != row.precision_estimate else f"{row.precision_estimate:.3f}",
        )
        for row in curve.itertuples()
    ]
    return "\n\n".join(
        [
            "# Estimated precision and matches against the threshold",
            (
                "What all of the program's thresholds are multiplied by, from stricter (left) to looser (right); 1 is "
                "the program as it is."
            ),
            f"![Estimated precision and matches](data:image/svg+xml;base64,{picture})",
            table(("thresholds times", "matches", "estimated precision"), rows),
        ]
    )


def _svg(curve: pd.DataFrame, target: float) -> str:
    factors = curve["factor"].tolist()
    known = curve.dropna(subset=["precision_estimate"])
    lowest = min([target, *known["precision_estimate"]])
    floor = max(0.0, int(lowest * 20 - 1) / 20)
    most = max(1, *curve["matched"])
    upper = _panel(
        TOP,
        "estimated precision",
        PRECISION_COLOUR,
        list(zip(known["factor"], known["precision_estimate"], strict=True)),
        span=(factors[0], factors[-1]),
        limits=(floor, 1.0),
        ticks=[(floor, f"{floor:g}", ""), (target, f"{target:g}", "target"), (1.0, "1", "")],
    )
    lower = _panel(
        TOP + HEIGHT + GAP,
        "matches",
        MATCHES_COLOUR,
        list(zip(factors, curve["matched"], strict=True)),
        span=(factors[0], factors[-1]),
        limits=(0.0, float(most)),
        ticks=[(0.0, "0", ""), (float(most), f"{most:,}", "")],
    )
    height = TOP + 2 * HEIGHT + GAP + 52
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f"{upper}{lower}"
        f'<text x="{(LEFT + WIDTH - RIGHT) // 2}" y="{height - 10}" text-anchor="middle" fill="{MUTED}">'
        "thresholds multiplied by</text></svg>"
    )


def _panel(
    top: int,
    title: str,
    colour: str,
    points: Sequence[tuple[float, float]],
    *,
    span: tuple[float, float],
    limits: tuple[float, float],
    ticks: Sequence[tuple[float, str, str]],
) -> str:
    def across(factor: float) -> float:
        return LEFT + (factor - span[0]) / ((span[1] - span[0]) or 1.0) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return top + HEIGHT - (value - limits[0]) / ((limits[1] - limits[0]) or 1.0) * HEIGHT

    parts = [f'<text x="{LEFT}" y="{top - 12}" fill="{colour}" font-weight="bold">{title}</text>']
    for value, label, remark in ticks:
        height = down(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="#e5e7eb"/>'
            f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end" fill="{MUTED}">{label}</text>'
            f'<text x="{LEFT + 6}" y="{height - 5:.1f}" fill="{MUTED}">{remark}</text>'
        )
    parts += [
        f'<text x="{across(factor):.1f}" y="{top + HEIGHT + 18}" text-anchor="middle" fill="{MUTED}">{factor:g}</text>'
        for factor in sorted({span[0], 1.0, span[1]})
    ]
    if span[0] <= 1.0 <= span[1]:
        parts.append(
            f'<line x1="{across(1.0):.1f}" x2="{across(1.0):.1f}" y1="{top}" y2="{top + HEIGHT}" '
            f'stroke="{MUTED}" stroke-dasharray="4 4"/>'
        )
    line = " ".join(f"{across(factor):.1f},{down(value):.1f}" for factor, value in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{across(factor):.1f}" cy="{down(value):.1f}" r="3" fill="{colour}"/>' for factor, value in points
    ]
    return "".join(parts)
