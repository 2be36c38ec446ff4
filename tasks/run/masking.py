"""What may be seen of a table's rows outside the warehouse, and inside it where the settings say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tasks.ingestion import load_snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzyjoin import Program
    from tasks.handles import InputHandle
    from tasks.settings import Privacy

__all__ = ["masked_texts", "shown_texts", "shows_rule_words"]


def shows_rule_words(program: Program, shown_columns: Sequence[str]) -> bool:
    """Whether the words of a program's negative rules may be shown; they come from any of its columns."""
    return {name for column in program.columns for name in (column.reference, column.query)} <= set(shown_columns)


def shown_texts(table: InputHandle, privacy: Privacy) -> pd.Series:
    """The columns of each row that may be shown, as one text, by id; missing where none has a value."""
    return _texts(table, [name for name in table.columns if name in privacy.shown_columns], privacy)


def masked_texts(table: InputHandle, privacy: Privacy) -> pd.Series:
    """All compared columns of each row as one text, by id; of a masked cell its length alone."""
    return _texts(table, table.columns, privacy)


def _texts(table: InputHandle, columns: Sequence[str], privacy: Privacy) -> pd.Series:
    frame = load_snapshot(table.table)
    names = list(dict.fromkeys(columns))
    texts = []
    for row in frame[names].itertuples(index=False):
        cells = [(name, cell) for name, cell in zip(names, row, strict=True) if isinstance(cell, str)]
        seen = [cell if name in privacy.shown_columns else f"[{len(cell)} characters]" for name, cell in cells]
        texts.append(" | ".join(seen) or None)
    return pd.Series(texts, index=frame[table.id_column], dtype=object)
