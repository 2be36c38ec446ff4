"""Placeholders: texts such as "N/A" and "-" that stand where a value is missing, told from values by the data."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from fuzzyjoin.tables.cells import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["Missing", "folded", "found_placeholders", "placeholder_notes"]

Missing: TypeAlias = tuple[tuple[str, ...], ...]
"""For each pair of columns that are compared, then of those that must be equal, the texts that are read as missing,
folded and ascending; none for no pair."""

WORDS: Final = frozenset(
    (
        *("n/a", "n.a.", "n.a", "na", "#n/a", "nan", "null", "nil", "none", "nothing", "empty", "blank", "missing"),
        *("unknown", "unk", "undefined", "not available", "not applicable", "not known", "not given", "not specified"),
        *("unspecified", "no data", "no value", "tbd", "tba", "to be determined", "xxx"),
        *("unbekannt", "k.a.", "k. a.", "keine angabe", "nicht bekannt", "nicht verfügbar", "entfällt"),
        *("inconnu", "inconnue", "non renseigné", "non disponible", "s/o", "desconocido", "sin datos", "s/d"),
        *("desconhecido", "sconosciuto", "non disponibile", "onbekend", "okänd", "ukjent", "ukendt", "brak"),
    )
)
"""Words that stand for a missing value, folded; so does any text without a letter and a digit."""

LEAST_ROWS: Final = 3
"""Rows of a column that must hold such words before one of them is taken for a placeholder."""

USUAL_SHARE: Final = 0.95
"""Share of the other values of a column that stand in fewer rows than a placeholder."""


def folded(text: str) -> str:
    """A text as it is compared with placeholders: without case, and without spaces around it.

    >>> folded(" N/A ")
    'n/a'
    """
    return text.strip().casefold()


def found_placeholders(reference: pd.DataFrame, query: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> Missing:
    """Which texts of the compared columns the data show to be placeholders.

    A word is one, in both columns of a pair, if in one of them such words stand in three rows or more, all together,
    and this word in more rows than 95 % of the other values do. The order of the rows does not enter.

    Parameters
    ----------
    reference, query
        The tables.
    pairs
        Their compared columns.

    Returns
    -------
    tuple of tuple of str
        For each pair the folded texts, ascending; no tuple at all if there are none in any pair.

    Examples
    --------
    >>> import pandas as pd
    >>> left = pd.DataFrame({"name": ["Grand Mall", "North Plaza", "N/A"]})
    >>> right = pd.DataFrame({"name": ["Grand Mal", "n/a", "N/A", " - ", "-", "Lake Center"]})
    >>> found_placeholders(left, right, [("name", "name")])
    (('-', 'n/a'),)
    >>> found_placeholders(left, left, [("name", "name")])
    ()
    """
    found = tuple(
        tuple(sorted(_shown(_counts(reference[left])) | _shown(_counts(query[right])))) for left, right in pairs
    )
    return found if any(found) else ()


def placeholder_notes(
    reference: pd.DataFrame, query: pd.DataFrame, pairs: Sequence[tuple[str, str]], missing: Missing
) -> tuple[str, ...]:
    """One sentence for each pair of columns with placeholders: which, and in how many rows of both tables.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"name": ["Grand Mall", "n/a", "N/A", "N/A"]})
    >>> placeholder_notes(table, table[3:], [("name", "name")], (("n/a",),))
    ('name: "N/A" (4 rows) is read as missing',)
    """
    notes = []
    for (left, right), words in zip(pairs, missing, strict=True) if missing else ():
        spellings: dict[str, Counter[str]] = {word: Counter() for word in words}
        for column in (reference[left], query[right]):
            for text, rows in Counter(as_text(value).strip() for value in column.to_numpy(dtype=object)).items():
                if text.casefold() in spellings:
                    spellings[text.casefold()][text] += rows
        told = sorted(
            ((sum(found.values()), max(found, key=lambda text: (found[text], text))) for found in spellings.values()),
            key=lambda part: (-part[0], part[1]),
        )
        if told:
            listed = ", ".join(f'"{text}" ({rows:,} row{"s" * (rows != 1)})' for rows, text in told)
            column = left if left == right else f"{left}={right}"
            notes.append(f"{column}: {listed} {'is' if len(told) == 1 else 'are'} read as missing")
    # A column that is compared and must be equal too is told of once.
    return tuple(dict.fromkeys(notes))


def _counts(column: pd.Series) -> Counter[str]:
    """In how many rows each value stands, folded."""
    counts: Counter[str] = Counter()
    for text, rows in Counter(as_text(value) for value in column.to_numpy(dtype=object)).items():
        counts[folded(text)] += rows
    del counts[""]
    return counts


def _shown(counts: Mapping[str, int]) -> set[str]:
    """The placeholders that a column shows by itself."""
    able = {text: rows for text, rows in counts.items() if _is_word(text)}
    others = sorted(rows for text, rows in counts.items() if text not in able)
    if sum(able.values()) < LEAST_ROWS or not others:
        return set()
    usual = others[math.ceil(USUAL_SHARE * len(others)) - 1]
    return {text for text, rows in able.items() if rows > usual}


def _is_word(text: str) -> bool:
    return text in WORDS or not any(map(str.isalnum, text))
