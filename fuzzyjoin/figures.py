"""Numbers in words: where two are compared, with as many digits as it takes to tell them apart."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, Literal

__all__ = ["apart", "rounded_down", "rounded_up"]

Kind = Literal["f", "g"]
"""Digits are counted behind the point (f), or from the first that is not 0 (g)."""

MOST_DIGITS: Final = 17
"""With so many from the first that is not 0, no two numbers read alike."""


def apart(*values: float, digits: int, kind: Kind = "f") -> list[str]:
    """Write numbers with the same number of digits, the fewest from `digits` on by which different ones differ.

    >>> apart(0.88446, 0.88451, digits=4), apart(0.5, 0.9, digits=4)
    (['0.88446', '0.88451'], ['0.5000', '0.9000'])
    >>> apart(0.30004, 0.30001, 0.30001, digits=4, kind="g")
    ['0.30004', '0.30001', '0.30001']
    """
    for count in range(digits, MOST_DIGITS + 1):
        texts = [f"{value:.{count}{kind}}" for value in values]
        if len(set(texts)) >= len(set(values)):
            return texts
    return [repr(float(value)) for value in values]


def rounded_down(value: float, *, digits: int, kind: Kind = "f") -> str:
    """Write a number so that what is written is not above it.

    >>> rounded_down(0.88446, digits=4), rounded_down(0.25, digits=4, kind="g")
    ('0.8844', '0.25')
    """
    return _rounded(value, digits, kind, ROUND_FLOOR)


def rounded_up(value: float, *, digits: int, kind: Kind = "f") -> str:
    """Write a number so that what is written is not below it.

    >>> rounded_up(0.88441, digits=4), rounded_up(0.283812, digits=4, kind="g")
    ('0.8845', '0.2839')
    """
    return _rounded(value, digits, kind, ROUND_CEILING)


def _rounded(value: float, digits: int, kind: Kind, rounding: str) -> str:
    exact = Decimal(value)
    last = -digits if kind == "f" else exact.adjusted() - digits + 1
    return f"{float(exact.quantize(Decimal(1).scaleb(last), rounding=rounding)):.{digits}{kind}}"
