"""What features were called before: in programs of schema version 1, and in scorer files, which keep their bytes."""

from __future__ import annotations

from typing import Final

from fuzzyjoin.compare.features import FEATURES

__all__ = ["FORMER_NAMES"]

_REWORDED: Final = (
    ("against nearest neighbour,", "against sibling,"),
    ("neighbours within twice", "siblings within twice"),
    ("neighbour distance quantile,", "spread share,"),
    ("discriminative token,", "telling word,"),
    (" per row", " a row"),
)


def _former(name: str) -> str:
    for now, then in _REWORDED:
        name = name.replace(now, then)
    return name


FORMER_NAMES: Final = {name: _former(name) for name in FEATURES}
"""The former name of every feature, in the order of `FEATURES`."""
