"""A table's cells as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["as_text"]


def as_text(value: Any) -> str:  # noqa: ANN401 - a table's cell can be anything
    """A cell as text, "" if it is missing. Whole numbers lose their ".0", which a missing neighbour gave them.

    >>> as_text(None), as_text(float("nan")), as_text(1997.0), as_text("nan")
    ('', '', '1997', 'nan')
    """
    if isinstance(value, str):
        return "" if value.isspace() else value
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else str(float(value))
    return str(value)
