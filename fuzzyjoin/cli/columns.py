"""The columns to compare, where the user names none."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

from fuzzyjoin.errors import UsageError
from fuzzyjoin.tables import choose_ids, propose_columns
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin.tables import IdColumn

__all__ = ["chosen_columns"]


def chosen_columns(
    reference: pd.DataFrame, query: pd.DataFrame, ids: IdColumn, equal: Sequence[tuple[str, str]], *, yes: bool
) -> tuple[list[tuple[str, str]] | None, tuple[str, ...]]:
    """The pairs of columns to compare, None for all that have the same name, and what the user should know of it.

    Where the values suggest something else than the names, the user is asked, if there is one. `yes` takes what the
    values suggest. Columns that must be `equal` are left out: they tell no candidates apart.

    Raises
    ------
    UsageError
        If the user declines, or if there is none to ask and no column has the same name.
    """
    taken = choose_ids(ids, reference, query)
    left, right = ({pair[side] for pair in equal} - {taken[side]} for side in (0, 1))
    reference, query = reference.drop(columns=list(left)), query.drop(columns=list(right))
    proposals = propose_columns(reference, query, id=ids)
    shared = [(str(name), str(name)) for name in reference if name in query and name not in taken]
    options = shlex.join(option for left, right in proposals.on for option in ("--on", _named(left, right)))
    if set(proposals.on) == set(shared) or (shared and not proposals.pairs):
        return None, ()
    if not proposals.pairs:
        raise UsageError(
            "on is not given, and no two columns have the same name or hold values of the same kind; name the columns "
            "to compare with --on REFERENCE_COLUMN=QUERY_COLUMN"
        )
    if yes:
        return proposals.on, (f"compared as proposed: {options}", *proposals.warnings)
    if sys.stdin.isatty() and sys.stderr.isatty():
        typer.echo(for_terminal(str(proposals)), err=True)
        if typer.confirm("Compare these columns?", default=True, err=True):
            return proposals.on, ()
        raise UsageError("no columns are chosen; name the columns to compare with --on")
    if shared:
        note = f"compared are all columns of the same name; by their values, --yes would take: {options}"
        return None, (note,)
    raise UsageError(
        f"on is not given, and no column but the ids has the same name in both tables; by their values give {options}, "
        "or --yes to take that"
    )


def _named(left: str, right: str) -> str:
    return left if left == right else f"{left}={right}"
