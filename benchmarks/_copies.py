"""Copies of AutoFJ-50 to train on: rows withheld, repeated or cut into words, letters and words changed, columns added.

Half of what a scorer must know is not in tasks where nearly every query row has a match and both tables come from one
encyclopedia: rows without a match, several rows with the same match, misspelt or abbreviated names, keys of one word,
keys that are spread over several columns. The copies add that without any other data, all by named seeds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from benchmarks._columns import split_name, with_column
from benchmarks._noise import misspelt, reworded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._data import Task

__all__ = ["COPIES", "copy_of", "generator", "withheld"]

COLUMNS: Final = ("columns 1", "columns 2", "columns 3")
COPIES: Final = ("whole", "withheld", "letters", "words", *COLUMNS, "repeated", "vocabulary")
"""Kinds of tables to train on: a task as it ships, and its copies."""

MOST_QUERIES: Final = 600
"""Query rows of a changed copy."""

MOST_WORDS: Final = 3000
LETTERS: Final = 4
"""Rows of the reference table of a vocabulary, at most, and letters of each, at least."""

REPEATS: Final = (2.0, 4.0, 10.0)
"""How often a query row stands in a repeated copy on average, each time with changes of its own."""

SHRUNK: Final = 0.3
"""Share of the copies whose reference table loses most of the rows without a match."""

SPLIT: Final = 0.3
"""Share of the copies with further columns whose names are divided between two."""


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


def _drawn_noise(kind: str, random: np.random.Generator) -> _Noise:
    """Draw less noise, and more rows without a match, where further columns tell rows apart."""
    columns = kind in COLUMNS
    return _Noise(
        letters=float(random.choice([0.0, 0.02, 0.05, 0.1] if columns else [0.02, 0.05, 0.1, 0.15, 0.25])),
        words=float(random.choice([0.0, 0.05, 0.1, 0.2, 0.3] if columns else [0.05, 0.1, 0.2, 0.3, 0.5])),
        from_reference=float(random.choice([0.0, 0.5, 1.0])),
        withheld=float(random.choice([0.0, 0.2, 0.4, 0.7] if columns else [0.0, 0.2, 0.4])),
    )


def _changed(task: Task, kind: str, random: np.random.Generator) -> Task:
    column = task.columns[0]
    reference, query = task.reference.sort_values("id"), task.query.sort_values("id")
    if kind == "repeated":
        task = _repeated(replace(task, query=query), float(random.choice(REPEATS)), random)
        query = task.query
    elif len(query) > MOST_QUERIES:
        query = query.iloc[np.sort(random.choice(len(query), MOST_QUERIES, replace=False))]
    noise = _drawn_noise(kind, random)
    vocabulary = " ".join(reference[column].dropna()).split()
    right = dict(zip(task.truth["id_r"], task.truth["id_l"], strict=True))
    texts = _texts(query, reference, column, right, noise.from_reference, random)
    changed = [_noisy(text, kind, noise, vocabulary, random) for text in texts]
    query = query.assign(**{column: changed})
    columns = [column]
    if kind in COLUMNS:
        for number in range(int(random.integers(1, 6))):
            name = f"extra {number}"
            reference, query = with_column(reference, query, column, name, right, vocabulary, random)
            columns.insert(int(random.integers(len(columns) + 1)), name)
        if random.random() < SPLIT:
            reference, query = (split_name(table, column, "rest of the name") for table in (reference, query))
            columns.append("rest of the name")
    matched = sorted({right[name] for name in query["id"] if name in right})
    gone = {matched[place] for place in random.permutation(len(matched))[: round(noise.withheld * len(matched))]}
    if kind not in COLUMNS and random.random() < SHRUNK:
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
        return misspelt(text, noise.letters, random)
    if kind == "words":
        return reworded(text, noise.words, vocabulary, random)
    return misspelt(reworded(text, noise.words / 2, vocabulary, random), noise.letters / 3, random)
