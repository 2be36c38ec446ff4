"""The distribution that brings this package: it is named otherwise, because `fuzzyjoin` on PyPI is another project."""

from __future__ import annotations

# As in `fuzzyjoin`: the import of `typing` takes longer than all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["DISTRIBUTION"]

DISTRIBUTION: Final = "fuzzyjoin-tables"
"""What `importlib.metadata` knows the installed package by."""
