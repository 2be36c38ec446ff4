"""Made-up tables with known truth, of kinds that no scorer was trained on: people, companies, flats, parts, papers."""

from __future__ import annotations

import string

import numpy as np
import pandas as pd


def listed(text):
    """The parts of a line, which commas part."""
    return text.split(", ")


SYLLABLES = listed("ka, lo, mi, ren, tas, vol, ber, gi, han, dor, el, ni, su, par, tek, mon, ra, vi, sen, lau")
GIVEN = listed("Anna, Ben, Carla, David, Elif, Farid, Greta, Hugo, Ines, Jonas, Karin, Luis, Mara, Nils, Olga, Rosa")
FORMS = listed("Ltd, Limited, GmbH, Inc, Incorporated, AG, Holding, Group, & Sons, Partners")
STREETS = listed("Street, St, Road, Rd, Avenue, Ave, Lane, Square")
PARTS = listed("valve, pump, filter, bearing, seal")
TOPICS = listed("learning, matching, joins, graphs, storage, sorting, queries, indexes, streams, privacy, ranking")
LINKS = listed("of, for, with, over, under, beyond, without")
OPENINGS = listed("On, Towards, Fast, Robust, The")


def word(random):
    return "".join(random.choice(SYLLABLES, random.integers(2, 4))).capitalize()


def person(random):
    return f"{random.choice(GIVEN)} {word(random)} {random.integers(1930, 2005)}"


def company(random):
    return f"{word(random)} {random.choice([word(random), ''])} {random.choice(FORMS)}".replace("  ", " ")


def flat(random):
    number = f"{random.integers(1, 200)}{random.choice(['', 'a', 'b'])}"
    return f"{number} {word(random)} {random.choice(STREETS)}, {word(random)}"


def part(random):
    code = "".join(random.choice(list(string.ascii_uppercase + string.digits), 3))
    return f"{word(random)} {random.choice(PARTS)} {code}-{random.integers(10, 99)}"


def paper(random):
    parts = [random.choice(TOPICS), random.choice(LINKS), random.choice(TOPICS), random.choice(LINKS), word(random)]
    return f"{random.choice(OPENINGS)} {' '.join(parts)} {random.choice(TOPICS)}"


KINDS = {"people": person, "companies": company, "flats": flat, "parts": part, "papers": paper}


def retyped(random, name, most):
    """The name as somebody else would type it: up to `most` changes of letters, words, case and punctuation."""
    for _ in range(random.integers(0, most + 1)):
        place = int(random.integers(0, len(name)))
        words = name.split()
        kind = random.integers(0, 6)
        if kind == 0:
            name = name[:place] + name[place + 1 :]
        elif kind == 1:
            name = name[:place] + str(random.choice(list(string.ascii_lowercase))) + name[place:]
        elif kind == 2:
            name = name.upper()
        elif kind == 3 and len(words) > 2:
            del words[random.integers(0, len(words))]
            name = " ".join(words)
        elif kind == 4:
            name = " ".join([*words[1:], words[0]])
        else:
            name = name.replace("-", " ").replace(",", "").replace("&", "and")
        name = name.strip() or "x"
    return name


def another(random, name, kind):
    """A thing much like the one named: one of its words is that of some other thing."""
    words, others = name.split(), KINDS[kind](random).split()
    place = int(random.integers(0, len(words)))
    words[place] = others[min(place, len(others) - 1)]
    return " ".join(words)


def known_tables(kind, seed, *, references=250, queries=160):
    """A reference table, a query table, {query id: reference id} of the rows that have a match.

    A share of the queries, drawn by the seed, has none: they name things that are much like one in the reference table,
    or like none there.
    """
    random = np.random.default_rng([seed, *kind.encode()])
    names = list(dict.fromkeys(KINDS[kind](random) for _ in range(2 * (references + queries))))
    known, unknown = names[:references], names[references:]
    share, alike, most = random.uniform(0.0, 0.6), random.uniform(0.0, 0.2), int(random.integers(1, 7))
    query, truth = [], {}
    for row in range(queries):
        place = int(random.integers(0, len(known)))
        name = known[place]
        if random.random() < share:
            name = another(random, name, kind) if random.random() < alike else unknown[row]
        if name in known:
            truth[f"q{row}"] = f"r{known.index(name)}"
        query.append((f"q{row}", retyped(random, name, most)))
    reference = [(f"r{row}", name) for row, name in enumerate(known)]
    return (pd.DataFrame(rows, columns=["id", "title"]) for rows in (reference, query)), truth
