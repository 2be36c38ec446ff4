"""A column as the text that is compared, the way Great Expectations is shown it."""

from __future__ import annotations

import re

import pandas as pd

from fuzzyjoin.tables import as_text

__all__ = ["text_column"]

_HALF = re.compile("[\ud800-\udfff]")


def text_column(column: pd.Series) -> pd.Series:
    r"""The column's values as text, None where one is missing or blank.

    Parameters
    ----------
    column
        Any column.

    Returns
    -------
    pandas.Series
        Of dtype object, rows counted from 0. Half a character (a lone surrogate), which pandas cannot hash, is shown
        as the replacement character it would become when it is written.

    Examples
    --------
    >>> text_column(pd.Series([7.0, None, " ", "\ud800x"], dtype=object)).tolist()
    ['7', None, None, '�x']
    """
    texts = [as_text(value) or None for value in column.to_numpy(dtype=object)]
    try:
        "".join(filter(None, texts)).encode()
    except UnicodeEncodeError:
        texts = [text and _HALF.sub("\ufffd", text) for text in texts]
    return pd.Series(texts, dtype=object)
