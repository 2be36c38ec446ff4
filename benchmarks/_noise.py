"""Noise for training: letters and words changed as people and systems change them."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["misspelt", "reworded"]

LETTER_CHANGES: Final = ("drop", "replace", "add", "swap")
WORD_CHANGES: Final = ("drop", "initial", "shorten", "add", "join")


def misspelt(text: str, rate: float, random: np.random.Generator) -> str:
    """Drop, replace, add or swap letters."""
    letters = string.ascii_lowercase
    result: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        change = LETTER_CHANGES[random.integers(4)] if letter.isalpha() and random.random() < rate else ""
        if change == "replace":
            result.append(letters[random.integers(26)])
        elif change == "add":
            result += [letter, letters[random.integers(26)]]
        elif change == "swap" and place + 1 < len(text):
            result += [text[place + 1], letter]
            place += 1
        elif change != "drop":
            result.append(letter)
        place += 1
    return "".join(result).strip() or text


def reworded(text: str, rate: float, vocabulary: Sequence[str], random: np.random.Generator) -> str:
    """Drop, abbreviate, add, join or turn round words."""
    words = text.split()
    result: list[str] = []
    for word in words:
        change = WORD_CHANGES[random.integers(5)] if random.random() < rate else ""
        if change == "drop" and len(words) > 1:
            continue
        if change == "initial":
            result.append(f"{word[:1]}.")
        elif change == "shorten":
            result.append(word[: max(2, len(word) // 2)])
        elif change == "add":
            result += [word, vocabulary[random.integers(len(vocabulary))]]
        elif change == "join" and result:
            result[-1] += word
        else:
            result.append(word)
    if len(result) > 1 and random.random() < rate:
        turn = int(random.integers(1, len(result)))
        result = result[turn:] + result[:turn]
    return " ".join(result) or text
