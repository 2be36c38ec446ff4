"""Copies of AutoFJ-50 to train on: rows withheld, repeated or cut into words, letters and words changed, columns added.

Half of what a scorer must know is not in tasks where nearly every query row has a match and both tables come from one
encyclopedia: rows without a match, several rows with the same match, misspelt or abbreviated names, keys of one word,
keys that are spread over several columns. The copies add that without any other data, all by named seeds.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._data import Task

__all__ = ["COPIES", "copy_of", "generator", "withheld"]

COPIES: Final = ("whole", "withheld", "letters", "words", "columns", "repeated", "vocabulary")
"""Kinds of tables to train on: a task as it ships, and its copies."""

MOST_QUERIES: Final = 600
"""Query rows of a changed copy."""

LETTER_CHANGES: Final = ("drop", "replace", "add", "swap")
WORD_CHANGES: Final = ("drop", "initial", "shorten", "add", "join")

MOST_WORDS: Final = 3000
LETTERS: Final = 4
"""Rows of the reference table of a vocabulary, at most, and letters of each, at least."""

REPEATS: Final = (2.0, 4.0, 10.0)
"""How often a query row stands in a repeated copy on average, each time with changes of its own."""

SHRUNK: Final = 0.3
"""Share of the copies whose reference table loses most of the rows without a match."""


def generator(*parts: object) -> np.random.Generator:
    """Return the random numbers that these names stand for."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def copy_of(task: Task, kind: str, seed: object = 0) -> Task:
    """Return one of the copies of a task."""
    if kind == "whole":
        return task
    if kind == "withheld":
        return withheld(task, 0.3, seed)
    random = generator(task.name, kind, seed)
    return _changed(_vocabulary(task, random) if kind == "vocabulary" else task, kind, random)


def withheld(task: Task, share: float, seed: object) -> Task:
    """Return the task without a share of the reference rows that have a match."""
    matched = sorted(set(task.truth["id_l"]))
    order = generator(task.name, "withheld", seed).permutation(len(matched))
    gone = {matched[place] for place in order[: round(share * len(matched))]}
    return _without(task, gone)


def _without(task: Task, gone: set[str]) -> Task:
    return replace(
        task,
        reference=task.reference[~task.reference["id"].isin(gone)],
        truth=task.truth[~task.truth["id_l"].isin(gone)],
    )


@dataclass(frozen=True)
class _Noise:
    """How much is changed, drawn once a copy."""

    letters: float
    words: float
    from_reference: float
    withheld: float


def _changed(task: Task, kind: str, random: np.random.Generator) -> Task:
    column = task.columns[0]
    reference, query = task.reference.sort_values("id"), task.query.sort_values("id")
    if kind == "repeated":
        task = _repeated(replace(task, query=query), float(random.choice(REPEATS)), random)
        query = task.query
    elif len(query) > MOST_QUERIES:
        query = query.iloc[np.sort(random.choice(len(query), MOST_QUERIES, replace=False))]
    noise = _Noise(
        letters=float(random.choice([0.02, 0.05, 0.1, 0.15, 0.25])),
        words=float(random.choice([0.05, 0.1, 0.2, 0.3, 0.5])),
        from_reference=float(random.choice([0.0, 0.5, 1.0])),
        withheld=float(random.choice([0.0, 0.2, 0.4])),
    )
    vocabulary = " ".join(reference[column].dropna()).split()
    right = dict(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    texts = _texts(query, reference, column, right, noise.from_reference, random)
    changed = [_noisy(text, kind, noise, vocabulary, random) for text in texts]
    query = query.assign(**{column: changed})
    columns = [column]
    if kind == "columns":
        for number in range(int(random.integers(1, 5))):
            name = f"extra {number}"
            reference, query = _with_column(reference, query, name, right, vocabulary, random)
            columns.insert(int(random.integers(len(columns) + 1)), name)
    matched = sorted({right[name] for name in query["id"] if name in right})
    gone = {matched[place] for place in random.permutation(len(matched))[: round(noise.withheld * len(matched))]}
    if kind != "columns" and random.random() < SHRUNK:
        kept = int(len(reference) * random.choice([0.05, 0.2]))
        others = sorted(set(reference["id"]) - set(matched))
        gone |= {others[place] for place in random.permutation(len(others))[kept:]}
    return _without(replace(task, reference=reference, query=query, columns=tuple(columns)), gone)


def _vocabulary(task: Task, random: np.random.Generator) -> Task:
    """Return the words of the reference table as a table, some of them asked for: one-word keys."""
    column = task.columns[0]
    texts = task.reference[column].dropna()
    words = sorted({word for text in texts for word in text.split() if len(word) >= LETTERS})
    if len(words) > MOST_WORDS:
        words = [words[place] for place in np.sort(random.choice(len(words), MOST_WORDS, replace=False)).tolist()]
    asked = [words[place] for place in np.sort(random.permutation(len(words))[:MOST_QUERIES]).tolist()]
    reference, query = (
        pd.DataFrame({"id": [f"{side} {word}" for word in rows], column: rows}, dtype=object)
        for side, rows in (("l", words), ("r", asked))
    )
    truth = pd.DataFrame({"id_l": [f"l {word}" for word in asked], "id_r": [f"r {word}" for word in asked]})
    return replace(task, reference=reference, query=query, truth=truth, columns=(column,))


def _repeated(task: Task, times: float, random: np.random.Generator) -> Task:
    """Return some query rows several times over, under new ids: several rows have the same match."""
    counts = random.geometric(1.0 / times, len(task.query))
    order = random.permutation(len(task.query))
    kept = order[np.cumsum(counts[order]) <= MOST_QUERIES]
    kept = kept if kept.size else order[:1]
    rows = np.repeat(np.sort(kept), counts[np.sort(kept)])[:MOST_QUERIES]
    right = dict(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    query = task.query.iloc[rows]
    pairs = [(f"{name}, {number}", right.get(name)) for number, name in enumerate(query["id"])]
    truth = [(name, match) for name, match in pairs if match is not None]
    return replace(
        task,
        query=query.assign(id=[name for name, _ in pairs]),
        truth=pd.DataFrame({"id_l": [match for _, match in truth], "id_r": [name for name, _ in truth]}, dtype=object),
    )


def _texts(  # noqa: PLR0917 - the two tables and what joins them
    query: pd.DataFrame,
    reference: pd.DataFrame,
    column: str,
    right: dict[str, str],
    share: float,
    random: np.random.Generator,
) -> list[str]:
    """Return the query texts, a share of them replaced by their match's, so that the noise is the only difference."""
    known = dict(zip(reference["id"], reference[column].fillna(""), strict=True))
    return [
        known[right[name]] if random.random() < share and right.get(name) in known else text
        for name, text in zip(query["id"], query[column].fillna(""), strict=True)
    ]


def _noisy(text: str, kind: str, noise: _Noise, vocabulary: Sequence[str], random: np.random.Generator) -> str:
    if kind in {"letters", "vocabulary"}:
        return _misspelt(text, noise.letters, random)
    if kind == "words":
        return _reworded(text, noise.words, vocabulary, random)
    return _misspelt(_reworded(text, noise.words / 2, vocabulary, random), noise.letters / 3, random)


def _misspelt(text: str, rate: float, random: np.random.Generator) -> str:
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


def _reworded(text: str, rate: float, vocabulary: Sequence[str], random: np.random.Generator) -> str:
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


def _with_column(  # noqa: PLR0917 - as above
    reference: pd.DataFrame,
    query: pd.DataFrame,
    name: str,
    right: dict[str, str],
    vocabulary: Sequence[str],
    random: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with a further column: names, years or prices that agree for most matches, some missing."""
    kind = int(random.integers(3))
    agreeing = float(random.choice([0.5, 0.7, 0.9, 1.0]))
    missing = float(random.choice([0.0, 0.0, 0.1, 0.4]))
    if kind == 0:
        size = int(random.choice([4, 20, 100]))
        values = [
            " ".join(vocabulary[random.integers(len(vocabulary))] for _ in range(int(random.integers(1, 3))))
            for _ in range(size)
        ]
    elif kind == 1:
        values = [str(year) for year in range(1950, 2020)]
    else:
        values = [f"{price:.2f}" for price in np.exp(random.normal(3.0, 1.0, 400))]

    def drawn() -> str:
        # Squared, so that some values are frequent.
        return values[int(len(values) * random.random() ** 2)]

    ours = {identifier: drawn() for identifier in reference["id"]}
    theirs = []
    for identifier in query["id"]:
        agrees = random.random() < agreeing and right.get(identifier) in ours
        value = ours[right[identifier]] if agrees else drawn()
        theirs.append(_misspelt(value, 0.03, random) if kind == 0 else value)
    return (
        reference.assign(**{name: _with_gaps([ours[identifier] for identifier in reference["id"]], missing, random)}),
        query.assign(**{name: _with_gaps(theirs, missing, random)}),
    )


def _with_gaps(values: list[str], share: float, random: np.random.Generator) -> list[str | None]:
    return [None if random.random() < share else value for value in values]
