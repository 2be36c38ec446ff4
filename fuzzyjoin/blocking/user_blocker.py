"""Blocking by a blocker of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
from fuzzyjoin.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from fuzzyjoin.tables import KeyTable

__all__ = ["Blocker", "block_with"]


@runtime_checkable
class Blocker(Protocol):
    """A user's own blocking, in one method.

    `name` goes into the program; applying the program wants a blocker of the same name again.
    """

    @property
    def name(self) -> str:
        """What the program calls it."""

    def candidate_pairs(self, reference: pd.DataFrame, query: pd.DataFrame) -> pd.DataFrame:
        """Pairs worth comparing, as a frame with the columns `query_id` and `reference_id`.

        Called twice: with the query table, and with the reference table in its place. The frames hold `id` and the
        key columns as text. A query row's candidates must not depend on the other query rows. The calls come one after
        the other, but maybe not in the caller's thread. Pairs that differ in a column that must be equal are left out.
        """


def block_with(blocker: Blocker, reference: KeyTable, other: KeyTable) -> CandidatePairs:
    """Candidate pairs from a user's blocker, checked, without repeats, in canonical order.

    Raises
    ------
    UsageError
        If the blocker does not give a frame with `query_id` and `reference_id`.
    DataError
        If it names an id that its table does not hold.
    """
    frame = blocker.candidate_pairs(reference.frame(), other.frame())
    if not {"query_id", "reference_id"} <= set(getattr(frame, "columns", ())):
        raise UsageError(
            f"blocker {blocker.name!r} gave {type(frame).__name__} without the columns query_id and reference_id; "
            "return a frame that has both"
        )
    rows = other.positions(frame["query_id"], f"blocker {blocker.name!r}")
    references = reference.positions(frame["reference_id"], f"blocker {blocker.name!r}")
    pairs = np.unique(rows * len(reference) + references)
    if other is reference:
        pairs = pairs[pairs // len(reference) != pairs % len(reference)]
    sizes = np.bincount(pairs // len(reference), minlength=len(other))
    return CandidatePairs(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), (pairs % len(reference)).astype(np.int32)
    )
