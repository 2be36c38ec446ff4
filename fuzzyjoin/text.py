"""Preprocessing of key text: the four of the paper (section 2.2) and the one that blocking uses.

Text is Unicode throughout: NFKC first, then lower case; no script and no combining mark is ever dropped.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import Stemmer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PREPROCESSINGS", "blocking_text", "preprocess"]

PUNCTUATION = re.compile(r"[^\w\s]")
SPACE = re.compile(r"\s+")


def lower(text: str) -> str:
    r"""NFKC, lower case, runs of white space to one space.

    >>> lower("  \ufb01ne  STRASSE ")
    'fine strasse'
    """
    if not text.isascii():
        # Lower case can decompose (İ), and NFKC of the result is what equal text must share.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return " ".join(text.lower().split())


def strip_punctuation(text: str) -> str:
    """Delete characters that are neither word characters, nor spaces, nor combining marks.

    >>> strip_punctuation("at&t (u.s.)")
    'att us'
    >>> strip_punctuation("हिन्दी!")
    'हिन्दी'
    """
    return " ".join(PUNCTUATION.sub(_keep_mark, text).split())


def punctuation_to_space(text: str) -> str:
    """Replace each such character by a space instead.

    >>> punctuation_to_space("at&t (u.s.)")
    'at t u s'
    """
    return " ".join(PUNCTUATION.sub(_mark_or_space, text).split())


def _keep_mark(found: re.Match[str]) -> str:
    return found[0] if _is_mark(found[0]) else ""


def _mark_or_space(found: re.Match[str]) -> str:
    return found[0] if _is_mark(found[0]) else " "


def _is_mark(character: str) -> bool:
    # \w leaves out vowel signs and other marks, without which Devanagari or Thai words fall apart.
    return unicodedata.category(character)[0] == "M"


def stem(texts: Sequence[str]) -> list[str]:
    """Replace every word by its Porter stem; words of other scripts stay as they are.

    >>> stem(["running dogs", "собаки"])
    ['run dog', 'собаки']
    """
    words = [text.split() for text in texts]
    unique = sorted({word for row in words for word in row})
    stems = dict(zip(unique, Stemmer.Stemmer("porter").stemWords(unique), strict=True))
    return [" ".join([stems[word] for word in row]) for row in words]


def _lower(texts: Sequence[str]) -> list[str]:
    return [lower(text) for text in texts]


def _lower_stem(texts: Sequence[str]) -> list[str]:
    return stem(_lower(texts))


def _lower_strip(texts: Sequence[str]) -> list[str]:
    return [strip_punctuation(lower(text)) for text in texts]


def _lower_strip_stem(texts: Sequence[str]) -> list[str]:
    return stem(_lower_strip(texts))


PREPROCESSINGS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "lower": _lower,
    "lower+stem": _lower_stem,
    "lower+strip": _lower_strip,
    "lower+strip+stem": _lower_strip_stem,
}


def preprocess(texts: Sequence[str], method: str) -> list[str]:
    """Apply one of `PREPROCESSINGS` to every text.

    >>> preprocess(["St. John's Hospitals"], "lower+strip+stem")
    ['st john hospit']
    """
    return PREPROCESSINGS[method](texts)


def blocking_text(rows: Sequence[Sequence[str]]) -> list[str]:
    """Text that blocking compares: all columns in one, lower case, punctuation to spaces, stemmed.

    `rows` holds one sequence of texts a column.

    >>> blocking_text([["St. John's"], ["Hospitals"]])
    ['st john s hospit']
    """
    joined = [" ".join(texts) for texts in zip(*rows, strict=True)]
    return stem([punctuation_to_space(lower(text)) for text in joined])
