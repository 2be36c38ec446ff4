"""Errors of the warehouse that a caller can act on."""

from __future__ import annotations

from fuzzyjoin.errors import FuzzyJoinError

__all__ = ["LockHeldError", "RunEndedError", "WarehouseError", "WarehouseUnreachableError"]


class WarehouseError(FuzzyJoinError):
    """The warehouse cannot do what is asked; the message says what to mend."""


class LockHeldError(WarehouseError):
    """Another run of the pipeline holds its lock."""


class RunEndedError(WarehouseError):
    """The run has ended already, or was taken for dead, and may write nothing more."""


class WarehouseUnreachableError(WarehouseError):
    """There is no connection to the warehouse: nothing was begun, and trying again can help."""
