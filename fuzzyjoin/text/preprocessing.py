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
SHORT_WORD = 2


def lower(text: str) -> str:
    r"""NFKC, lower case, runs of white space to one space.

    >>> lower("  \ufb01ne  STRASSE ")
    'fine strasse'
    """
    if not text.isascii():
        # Lower case can decompose (İ), and NFKC of the result is what equal text must share.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return " ".join(text.lower().split())


def has_punctuation(text: str) -> bool:
    """Whether there is anything for the pattern to find; most text has none, and this is quicker to ask."""
    return not text.replace(" ", "").isalnum()


def strip_punctuation(text: str) -> str:
    """Delete characters that are neither word characters, nor spaces, nor combining marks.

    >>> strip_punctuation("at&t (u.s.)")
    'att us'
    >>> strip_punctuation("हिन्दी!")
    'हिन्दी'
    """
    return " ".join(PUNCTUATION.sub(_keep_mark, text).split()) if has_punctuation(text) else text


def punctuation_to_space(text: str) -> str:
    """Replace each such character by a space instead.

    >>> punctuation_to_space("at&t (u.s.)")
    'at t u s'
    """
    return " ".join(PUNCTUATION.sub(_mark_or_space, text).split()) if has_punctuation(text) else text


def _keep_mark(found: re.Match[str]) -> str:
    return found[0] if _is_mark(found[0]) else ""


def _mark_or_space(found: re.Match[str]) -> str:
    return found[0] if _is_mark(found[0]) else " "


def _is_mark(character: str) -> bool:
    # \w leaves out vowel signs and other marks, without which Devanagari or Thai words fall apart.
    return unicodedata.category(character)[0] == "M"


def stem(texts: Sequence[str]) -> list[str]:
    """Replace every word by its Porter stem; words of one or two letters and of other scripts stay as they are.

    >>> stem(["running dogs", "s is", "собаки"])
    ['run dog', 's is', 'собаки']
    """
    words = sorted(set(" ".join(texts).split()))
    # The stemmer would leave nothing at all of a lone "s".
    stems = {
        word: stemmed if len(word) > SHORT_WORD else word for word, stemmed in zip(words, _stems(words), strict=True)
    }
    return [" ".join([stems[word] for word in text.split()]) for text in texts]


def _stems(words: list[str]) -> list[str]:
    # No cache: every word comes once, and filling it would cost more than the stemming.
    stems: list[str] = Stemmer.Stemmer("porter", maxCacheSize=0).stemWords(words)
    return stems


PREPROCESSINGS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "lower": list,
    "lower+stem": stem,
    "lower+strip": lambda texts: [strip_punctuation(text) for text in texts],
    "lower+strip+stem": lambda texts: stem([strip_punctuation(text) for text in texts]),
}
"""The paper's preprocessings, of text that is in lower case already."""


def preprocess(texts: Sequence[str], method: str) -> list[str]:
    """Apply one of `PREPROCESSINGS` to every text; the texts are as `lower` gives them.

    >>> preprocess(["st. john's hospitals"], "lower+strip+stem")
    ['st john hospit']
    """
    return PREPROCESSINGS[method](texts)


def blocking_text(columns: Sequence[Sequence[str]]) -> list[str]:
    """Text that blocking compares: all columns in one, punctuation to spaces, stemmed.

    `columns` holds one sequence of texts a column, as `lower` gives them.

    >>> blocking_text([["st. john's"], ["hospitals"]])
    ['st john s hospit']
    """
    return stem([punctuation_to_space(" ".join(texts)) for texts in zip(*columns, strict=True)])
