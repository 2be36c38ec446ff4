"""Learning step by step: candidate pairs first, then a program from them, on a reference side that is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzyjoin.compare import Candidates
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.search.learn import learn, rows_to_learn_on
from fuzzyjoin.stopwatch import Stopwatch
from fuzzyjoin.tables import require_text

if TYPE_CHECKING:
    from fuzzyjoin.blocking import BlockedPairs
    from fuzzyjoin.compare import ReferenceSide
    from fuzzyjoin.search.learn import Learned
    from fuzzyjoin.search.settings import LearningSettings
    from fuzzyjoin.tables import KeyTable
    from fuzzyjoin.threads import Work

__all__ = ["block_to_learn", "learn_from_pairs", "require_learnable"]


def block_to_learn(side: ReferenceSide, query: KeyTable, settings: LearningSettings, work: Work) -> BlockedPairs:
    """Find the candidate pairs that learning starts from: those of the query rows to learn on.

    Where a union is searched, those of the reference rows too.

    Parameters
    ----------
    side
        The reference side, for example of an index (see `fuzzyjoin.index.open_index`).
    query
        The whole query table.
    settings
        How to learn.
    work
        Threads and progress.

    Raises
    ------
    UsageError
        If the reference side is blocked otherwise than the settings ask for.
    DataError
        If nothing can be learned on these tables.
    """
    asked, _ = rows_to_learn_on(_candidates(side, query, settings, work), settings)
    return asked.blocked(with_reference=not settings.by_scorer)


def learn_from_pairs(
    side: ReferenceSide, query: KeyTable, pairs: BlockedPairs, settings: LearningSettings, work: Work
) -> Learned:
    """Learn from the candidate pairs that `block_to_learn` found; what comes of it is what `learn` finds without them.

    Parameters
    ----------
    pairs
        The candidate pairs, of the same reference side, query table and settings.
    side, query, settings, work
        As for `block_to_learn`.

    Raises
    ------
    UsageError, DataError
        As for `block_to_learn`, and if the pairs are of other rows or of another blocking.
    """
    return learn(_candidates(side, query, settings, work), settings, Stopwatch(), pairs=pairs)


def require_learnable(reference: KeyTable, query: KeyTable) -> None:
    """Raise a DataError unless a program can be learned on these tables; the reference table has one row a key."""
    require_text(query)
    if len(reference) == 1:
        raise DataError(
            f"reference has {_single(reference)}; a program is learned from how reference rows differ",
            argument="reference",
            remedy="give at least two that differ",
        )


def _single(reference: KeyTable) -> str:
    rows = reference.rows_in_all
    return "a single row" if rows == 1 else f"{rows:,} rows, all with the same compared values"


def _candidates(side: ReferenceSide, query: KeyTable, settings: LearningSettings, work: Work) -> Candidates:
    require_learnable(side.table, query)
    blocker, k = settings.blocking(len(side.table))
    if (side.blocker, side.blocking) != (blocker, k):
        raise UsageError(
            f"the reference table is indexed for {side.blocking} candidates a row of {side.blocker!r}, but {k} of "
            f"{blocker!r} are wanted; index it for these settings"
        )
    return Candidates(side.table, query, k, work, blocker=blocker, prepared=side)
