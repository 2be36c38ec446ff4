"""What many tests are made of: random texts and tables, token rows as arrays, the bundled examples."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from fuzzyjoin.compare import resolve_space
from fuzzyjoin.search import LearningSettings
from tests import naive

EXAMPLES = Path(__file__).resolve().parents[1] / "docs/examples/autofj50"

# Latin with and without accents (composed and not), Cyrillic, Devanagari with vowel signs, Japanese, full width,
# letters whose case changes their length, punctuation, spaces of several kinds, beyond the basic plane.
ALPHABET = "aabBs cd E7_.-'&  ée\u0301Йжя हिन्दी日本語ＡｂßİΣ\u3000\t𝔘🎉"

texts = st.text(st.sampled_from(ALPHABET), max_size=12) | st.sampled_from(
    ["", "nan", "s", "...", "running dogs", "at&t (u.s.)", "हिन्दी भाषा", "東京タワー", "Кремль", "Café", "Cafe\u0301"]
)

# Everything that fits into a Python string, lone surrogates among it.
any_text = st.text(st.characters(), max_size=12)

# A row's tokens with their counts; ids from 6 on are beyond the vocabulary of `VOCABULARY` tokens.
VOCABULARY = 6
bags = st.dictionaries(st.integers(0, VOCABULARY - 1), st.integers(1, 3), max_size=5)
# Weights of the vocabulary and, last, of unseen tokens.
any_weights = st.lists(
    st.sampled_from([0.0, 1.0, 0.1, 0.7]) | st.floats(1e-3, 20.0), min_size=VOCABULARY + 1, max_size=VOCABULARY + 1
)
exact_weights = any_weights.map(lambda weights: [naive.on_grid(weight) for weight in weights])
query_bags = st.dictionaries(st.integers(0, VOCABULARY + 2), st.integers(1, 3), max_size=5)


def csr(rows):
    """Rows of {token: count} as row offsets, sorted ids, counts."""
    indptr = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    ids = np.array([token for row in rows for token in sorted(row)], np.int32)
    counts = np.array([row[token] for row in rows for token in sorted(row)], np.int32)
    return indptr, ids, counts


LEFT = 4
"""Tokens of the left one of two vocabularies that are `VOCABULARY` together."""


def divided(rows):
    """Rows of {token: count} as the rows of two vocabularies, that of `LEFT` tokens first."""
    left = [{token: count for token, count in row.items() if token < LEFT} for row in rows]
    return left, [{token - LEFT: count for token, count in row.items() if token >= LEFT} for row in rows]


def pairs_of(candidates):
    """Lists of candidate positions, one a row, as offsets and positions."""
    indptr = np.cumsum([0, *map(len, candidates)], dtype=np.int64)
    return indptr, np.array([row for rows in candidates for row in rows], np.int32)


def rows_of(indptr, values):
    """One list a row of a flat array."""
    return [values[start:end].tolist() for start, end in pairwise(indptr)]


@st.composite
def candidate_lists(draw, rows, references):
    """Candidates of each of `rows` rows among `references` reference rows, in ascending order."""
    one = st.sets(st.integers(0, references - 1)).map(sorted) if references else st.just([])
    return draw(st.lists(one, min_size=rows, max_size=rows))


@st.composite
def subsets(draw, size):
    """Some positions below `size`, ascending."""
    return draw(st.sets(st.integers(0, size - 1)).map(sorted)) if size else []


def frame(rows, columns=("title",)):
    """A table of (id, text, …) rows; None stands for a missing value."""
    return pd.DataFrame(rows, columns=["id", *columns], dtype=object)


def example(task):
    """A bundled task: reference table, query table, {query id: true reference ids}."""
    reference, query, truth = (
        pd.read_csv(EXAMPLES / task / f"{name}.csv", dtype=str) for name in ("left", "right", "gt")
    )
    true = {}
    for left, right in zip(truth["id_l"], truth["id_r"], strict=True):
        true.setdefault(right, set()).add(left)
    return reference, query, true


SAMPLED_ROWS = 80


@dataclass(frozen=True)
class SampledSettings(LearningSettings):
    """Settings under which tables of a few hundred query rows are long."""

    sample_rows: int = SAMPLED_ROWS


NAMES = [
    "north", "south", "grand", "royal", "old", "the", "of", "mall", "plaza", "center", "galleries", "running", "s",
    "2008", "2009", "saint", "st.", "(city)", "o'hare", "café", "cafe\u0301", "Straße", "İzmir", "𝔘nion",
    "москва", "площадь", "東京", "タワー", "हिन्दी", "भाषा",
]  # fmt: skip


def random_name(random):
    return " ".join(random.choice(NAMES, size=random.integers(1, 5)).tolist())


def misspelt(random, name):
    """A name with a few changes, now and then with none or with nothing left of it."""
    letters = list(name)
    for _ in range(random.integers(0, 4)):
        place = int(random.integers(0, len(letters) + 1))
        kind = random.integers(0, 5)
        if kind == 0:
            letters[place : place + 1] = []
        elif kind == 1:
            letters.insert(place, str(random.choice(list("ae s.é京"))))
        elif kind == 2:
            letters = list("".join(letters).upper())
        elif kind == 3:
            letters = list(" ".join("".join(letters).split()[1:]))
        else:
            letters = [*letters, *" ", *str(random.choice(NAMES))]
    return "".join(letters)


def random_tables(seed, *, columns=1, references=16, queries=10):
    """A reference and a query table as lists of (id, text, …): with opposites, duplicates and missing values."""
    random = np.random.default_rng(seed)
    reference = [(f"r{row}", *(random_name(random) for _ in range(columns))) for row in range(references)]
    reference[-1] = ("twin", *reference[0][1:])
    reference[-2] = ("old", *(f"royal {text} 2008" for text in reference[1][1:]))
    reference[-3] = ("new", *(f"royal {text} 2009" for text in reference[1][1:]))
    query = []
    for row in range(queries):
        source = reference[random.integers(0, references)]
        query.append((f"q{row}", *(misspelt(random, text) for text in source[1:])))
    query[-2] = ("newer", *(f"the royal {text} 2009" for text in reference[1][1:]))
    query[-1] = ("stranger", *(random_name(random) for _ in range(columns)))
    blank = [("blank", *("" for _ in range(columns)))]
    return reference + blank, query + blank


SMALL = resolve_space("small")
