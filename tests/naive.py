"""Slow, obvious twins of what the library computes: plain Python, written from the paper's formulas.

Weights are multiples of 2**-16, so that their sums and products are exact in floats, and the twins can be compared to
the last bit, ties included. With `Fraction` weights the same functions are exact whatever the weights.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from fractions import Fraction

import numpy as np
import Stemmer

MARKER = 0x110000
ONE = 2**40
"""Probability 1 of the greedy union: probabilities are whole numbers of 1 / ONE."""
LARGEST_NEIGHBOURHOOD = 254
STEPS = 50


# Text


def lower(text):
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def is_punctuation(character):
    return not (character.isspace() or character == "_" or unicodedata.category(character)[0] in "LMN")


def strip_punctuation(text):
    return " ".join("".join(character for character in text if not is_punctuation(character)).split())


def punctuation_to_space(text):
    return " ".join("".join(" " if is_punctuation(character) else character for character in text).split())


def stem(text):
    """Porter stems; words of one or two letters stay, as in Porter's paper."""
    return " ".join(Stemmer.Stemmer("porter").stemWord(word) if len(word) > 2 else word for word in text.split())


PREPROCESSINGS = {
    "lower": lower,
    "lower+stem": lambda text: stem(lower(text)),
    "lower+strip": lambda text: strip_punctuation(lower(text)),
    "lower+strip+stem": lambda text: stem(strip_punctuation(lower(text))),
}


def blocking_text(texts):
    """The blocking text of one row, given its columns."""
    return stem(punctuation_to_space(lower(" ".join(texts))))


# Tokens


def grams(text):
    """3-grams of code points, the text padded by two markers at each end."""
    if not text:
        return []
    padded = [MARKER, MARKER, *map(ord, text), MARKER, MARKER]
    return [tuple(padded[place : place + 3]) for place in range(len(padded) - 2)]


def words(text):
    return text.split()


TOKENISERS = {"3-gram": grams, "word": words}


def document_frequency(rows):
    """Rows that hold a token; `rows` are collections of tokens."""
    return Counter(token for row in rows for token in set(row))


def on_grid(weight):
    return round(weight * 2**16) / 2**16


def idf(rows):
    """max(0, log(n / (df + 1))) on the grid: of every token of the reference rows, and of one that they never hold."""
    weights = {
        token: on_grid(max(0.0, math.log(len(rows) / (frequency + 1))))
        for token, frequency in document_frequency(rows).items()
    }
    return weights, on_grid(math.log(max(1, len(rows))))


def uniform(rows):
    return dict.fromkeys(document_frequency(rows), 1.0), 1.0


WEIGHTINGS = {"uniform": uniform, "idf": idf}


# Distances


def one_minus(numerator, denominator):
    return max(0.0, 1 - numerator / denominator) if denominator > 0 else 1.0


def set_distance(name, left, right, weights, unseen):
    """A set distance between two Counters of tokens; `weights` of the reference's tokens, `unseen` of all others."""

    def weight(token):
        return weights.get(token, unseen)

    if name.startswith("contain-"):
        contained = set(left) <= set(right) or set(right) <= set(left)
        return set_distance(name.removeprefix("contain-"), left, right, weights, unseen) if contained else 1.0
    shared = set(left) & set(right)
    both = sum(map(weight, shared))
    either = sum(map(weight, set(left) | set(right)))
    if name == "cosine":
        dot = sum(weight(token) * left[token] * weight(token) * right[token] for token in shared)
        norms = [sum((weight(token) * bag[token]) ** 2 for token in bag) for bag in (left, right)]
        return one_minus(dot, math.sqrt(norms[0] * norms[1]))
    return {
        "jaccard": one_minus(both, either),
        "dice": one_minus(2 * both, both + either),
        "intersect": one_minus(both, both + either),
        "max-inclusion": one_minus(both, min(sum(map(weight, bag)) for bag in (left, right))),
    }[name]


def edit_distance(left, right):
    previous = list(range(len(right) + 1))
    for row, character in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            current.append(
                min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (character != other)),
            )
        previous = current
    return float(previous[-1])


def jaro_winkler(left, right):
    """1 - Jaro-Winkler similarity, prefix weight 0.1 over at most four characters, for similarities above 0.7."""
    window = max(0, max(len(left), len(right)) // 2 - 1)
    taken = set()
    matches = []
    for place, character in enumerate(left):
        for other in range(max(0, place - window), min(len(right), place + window + 1)):
            if other not in taken and right[other] == character:
                taken.add(other)
                matches.append(character)
                break
    if not matches:
        return 0.0 if left == right else 1.0
    size = len(matches)
    transposed = sum(a != right[b] for a, b in zip(matches, sorted(taken), strict=True)) // 2
    similarity = (size / len(left) + size / len(right) + (size - transposed) / size) / 3
    prefix = 0
    while prefix < min(4, len(left), len(right)) and left[prefix] == right[prefix]:
        prefix += 1
    if similarity > 0.7:
        similarity += prefix * 0.1 * (1 - similarity)
    return 1 - similarity


CHARACTER_DISTANCES = {"edit": edit_distance, "jaro-winkler": jaro_winkler}


class Column:
    """One key column: distances between a text and a text of the reference table."""

    def __init__(self, reference):
        self.reference = reference
        self.weights = {}
        self.known = {}

    def distance(self, function, text, reference_text):
        key = function, text, reference_text
        if key not in self.known:
            self.known[key] = self.compute(function, text, reference_text)
        return self.known[key]

    def compute(self, function, text, reference_text):
        left, right = (PREPROCESSINGS[function.preprocess](value) for value in (text, reference_text))
        if function.tokenise is None:
            distance = CHARACTER_DISTANCES[function.distance](left, right)
            return distance if left and right else max(1.0, distance)
        tokenise = TOKENISERS[function.tokenise]
        kind = function.preprocess, function.tokenise, function.weight
        if kind not in self.weights:
            rows = [tokenise(PREPROCESSINGS[function.preprocess](value)) for value in self.reference]
            self.weights[kind] = WEIGHTINGS[function.weight](rows)
        return set_distance(function.distance, Counter(tokenise(left)), Counter(tokenise(right)), *self.weights[kind])


# Blocking and negative rules


def best_rows(scores, k, exclude=None):
    """Positions of the k largest positive scores, the lower position first on ties; in ascending order."""
    ranked = sorted((-score, row) for row, score in enumerate(scores) if score > 0 and row != exclude)
    return sorted(row for _, row in ranked[:k])


def block(texts, reference_texts, k, *, exclude_self=False, blocker="lexical", values=None):
    """Candidates of each blocking text: Σ idf(t) · count(t) / length over its 3-grams and words.

    Or by cosine: Σ idf(t)² · count(t) / √(Σ idf² · count of the reference row). Where `values` of both sides are given,
    a row's candidates have its value, and a row without any has none.
    """
    tokenised = [(Counter(grams(text)), Counter(words(text))) for text in reference_texts]
    kinds = [idf([bags[kind] for bags in tokenised])[0] for kind in (0, 1)]
    if blocker == "cosine":
        kinds = [{token: weight * weight for token, weight in kind.items()} for kind in kinds]
    scales = [
        1.0 / max(1, bags[0].total() + bags[1].total())
        if blocker == "lexical"
        else 1.0 / math.sqrt(max(1e-9, sum(kinds[kind][t] * n for kind in (0, 1) for t, n in bags[kind].items())))
        for bags in tokenised
    ]
    candidates = []
    for place, text in enumerate(texts):
        asked = set(grams(text)), set(words(text))
        scores = [
            sum(kinds[kind][token] * bags[kind][token] for kind in (0, 1) for token in asked[kind] & set(bags[kind]))
            * scale
            for bags, scale in zip(tokenised, scales, strict=True)
        ]
        if values is not None:
            own = values[0][place]
            scores = [score if own and own == value else 0.0 for score, value in zip(scores, values[1], strict=True)]
        candidates.append(best_rows(scores, k, place if exclude_self else None))
    return candidates


def learn_rules(reference_texts, neighbours):
    """Pairs of words "a/b" in which two neighbouring rows of more than one word differ, and in nothing else."""
    rules = set()
    bags = [set(text.split()) for text in reference_texts]
    for row, others in enumerate(neighbours):
        for other in others:
            left, right = bags[row] - bags[other], bags[other] - bags[row]
            if len(left) == len(right) == 1 and len(bags[row]) > 1 and len(bags[other]) > 1:
                rules.add("/".join(sorted(left | right)))
    return sorted(rules)


def is_forbidden(query_text, reference_text, rules):
    left, right = set(query_text.split()), set(reference_text.split())
    return any(
        {first, second} == set(rule.split("/")) for first in left - right for second in right - left for rule in rules
    )


# The search


def nearest(distances):
    """The candidate with the smallest distance, the lower position on ties; `distances` by position."""
    return min(distances, key=lambda row: (distances[row], row))


def probability(neighbours):
    """p = 1 / (1 + neighbours) as a fraction of whole units."""
    return Fraction(ONE // (1 + min(neighbours, LARGEST_NEIGHBOURHOOD)), ONE)


def union_totals(joins):
    """TP, joined pairs and joined queries of a union: `joins` holds {query: (reference, probability)} dicts."""
    best = {}
    pairs = set()
    for join in joins:
        for query, (reference, value) in join.items():
            best[query] = max(best.get(query, 0), value)
            pairs.add((query, reference))
    return sum(best.values()), len(pairs), len(best)


def greedy_union(configurations, stop_below):
    """Greedy union (paper, Algorithm 1), all totals anew at each step.

    `configurations` is a dict {(function, step): {query: (reference, probability)}}. The largest TP / FP is the largest
    TP / pairs. Returns a list of (function, step, precision, queries joined).
    """
    chosen = []
    trace = []
    pairs_before = 0
    while True:
        trials = []
        for (function, step), join in configurations.items():
            true, pairs, joined = union_totals([*chosen, join])
            if pairs > pairs_before:
                trials.append((Fraction(true) / pairs, true, -function, -step, pairs, joined))
        if not trials:
            return trace
        # Ties go to the larger TP, then to the earlier function, then to the smaller threshold.
        precision, _, function, step, pairs_before, joined = max(trials)
        chosen.append(configurations[-function, -step])
        trace.append((-function, -step, float(precision), joined))
        if precision < stop_below:
            return trace


def thresholds(low, high):
    return [low + step * ((high - low) / (STEPS - 1)) for step in range(STEPS - 1)] + [high]


def one_a_key(rows):
    """Rows (id, text, …) without those whose texts a row of a smaller id has; ids are texts."""
    first = {}
    for row in sorted(rows, key=lambda row: str(row[0])):
        first.setdefault(tuple(text or "" for text in row[1:]), row)
    return list(first.values())


class Tables:
    """A reference and a query table in canonical order with everything that is compared.

    `reference` and `query` are lists of (id, text, …).
    """

    def __init__(self, reference, query, *, rules=True, k=None):
        self.reference = sorted(reference, key=lambda row: (*row[1:], str(row[0])))
        self.query = sorted(query, key=lambda row: (*row[1:], str(row[0])))
        self.columns = [Column([row[place] for row in self.reference]) for place in range(1, len(reference[0]))]
        self.k = k or max(1, min(50, math.isqrt(len(reference))))
        reference_texts = [blocking_text(row[1:]) for row in self.reference]
        query_texts = [blocking_text(row[1:]) for row in self.query]
        self.neighbours = block(reference_texts, reference_texts, self.k, exclude_self=True)
        self.rules = learn_rules(reference_texts, self.neighbours) if rules else []
        self.blocked = block(query_texts, reference_texts, self.k)
        self.candidates = [
            [row for row in rows if not is_forbidden(text, reference_texts[row], self.rules)]
            for text, rows in zip(query_texts, self.blocked, strict=True)
        ]

    def distance(self, function, weights, row, other):
        """Weighted distance of a row (id, text, …) of either table to the reference row at position `other`."""
        return sum(
            weight * column.distance(function, text, reference_text)
            for column, weight, text, reference_text in zip(
                self.columns, weights, row[1:], self.reference[other][1:], strict=True
            )
            if weight
        )

    def distances(self, function, weights, place):
        """Distances of a query row to its candidates, by position."""
        return {other: self.distance(function, weights, self.query[place], other) for other in self.candidates[place]}

    def neighbourhood(self, function, weights, place, radius):
        """Neighbours of a reference row within a radius."""
        row = self.reference[place]
        return sum(self.distance(function, weights, row, other) <= radius for other in self.neighbours[place])

    def search(self, functions, weights, target):
        """Configurations (function, threshold), precision and joined rows of the best union; None if out of reach."""
        joins = {}
        steps = []
        for number, function in enumerate(functions):
            found = {}
            for place in range(len(self.query)):
                distances = self.distances(function, weights, place)
                if distances:
                    row = nearest(distances)
                    found[place] = row, distances[row]
            if not found:
                return None
            reached = [distance for _, distance in found.values()]
            steps.append(thresholds(min(reached), max(reached)))
            for step, threshold in enumerate(steps[-1]):
                joins[number, step] = {
                    place: (row, probability(self.neighbourhood(function, weights, row, 2 * threshold)))
                    for place, (row, distance) in found.items()
                    if distance <= threshold
                }
        trace = greedy_union(joins, target - 0.05)
        last = max((place for place, step in enumerate(trace) if step[2] > target), default=None)
        if last is None:
            return None
        chosen = [(functions[number], steps[number][step]) for number, step, _, _ in trace[: last + 1]]
        return chosen, trace[last][2], trace[last][3]

    def select_columns(self, functions, target):
        """Forward selection: weights of the columns and what the search found under them."""
        size = len(self.columns)
        weights, best = [0.0] * size, None
        shares = np.linspace(0.0, 1.0, 10)[1:-1].tolist()[::-1]
        for number in range(size):
            trials = []
            for column in range(size):
                if weights[column]:
                    continue
                for share in [0.0] if number == 0 else shares:
                    trial = [weight * share for weight in weights]
                    trial[column] = 1.0 - share
                    found = self.search(functions, trial, target)
                    if found:
                        trials.append((found[1] * found[2], trial, found))
            # Of equal rewards the first.
            round_best = max(trials, key=lambda trial: trial[0], default=None)
            if round_best is None or (best is not None and round_best[0] <= best[1] * best[2]):
                break
            _, weights, best = round_best
        return (weights, best) if best else ([1 / size] * size, None)

    def match(self, configurations, weights):
        """Matches by query id: (reference id, probability, configuration), and the estimated precision of all."""
        matches = {}
        joins = []
        for number, (function, threshold) in enumerate(configurations):
            join = {}
            for place, row in enumerate(self.query):
                distances = self.distances(function, weights, place)
                if not distances or distances[nearest(distances)] > threshold:
                    continue
                found = nearest(distances)
                value = probability(self.neighbourhood(function, weights, found, 2 * threshold))
                join[place] = found, value
                if row[0] not in matches or value > matches[row[0]][1]:
                    matches[row[0]] = self.reference[found][0], value, number
            joins.append(join)
        true, pairs, _ = union_totals(joins)
        return matches, float(Fraction(true) / pairs) if pairs else None
