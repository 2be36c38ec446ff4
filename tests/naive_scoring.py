"""Slow, obvious twins of what scoring computes: plain Python on lists, sets and dicts."""

from __future__ import annotations

import math
from collections import Counter

ALIKE = 0.6


def share(part, whole):
    """1 - part / whole, kept at 0 or more; 1 of nothing."""
    return max(0.0, 1.0 - part / whole) if whole > 0.0 else 1.0


def set_features(query, reference, frequency, weights, left_out):
    """Jaccard, cosine, uniform Jaccard, and the share of each side's weight that the other lacks.

    `query` and `reference` are {token: count}; a token that `frequency` does not hold was never seen.
    """

    def weight(token):
        seen = frequency.get(token, left_out)
        return weights[seen - left_out if token in query else seen]

    common = set(query) & set(reference)
    shared = sum(map(weight, common))
    x, y = sum(map(weight, query)), sum(map(weight, reference))
    dot = sum(weight(token) ** 2 * query[token] * reference[token] for token in common)
    squares = [sum((weight(token) * count) ** 2 for token, count in side.items()) for side in (query, reference)]
    return [
        share(shared, x + y - shared),
        share(dot, math.sqrt(squares[0] * squares[1])),
        share(len(common), len(set(query) | set(reference))),
        share(shared, x),
        share(shared, y),
    ]


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row, above = [i], row
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
    return row[-1]


def similarity(a, b):
    a, b = a[:24], b[:24]
    return 1.0 - levenshtein(a, b) / max(len(a), len(b), 1)


def digits(word):
    return any(letter.isdigit() for letter in word)


def word_features(query, reference, frequency, weights, left_out):
    """By name what two lists of words share and lack; at most 24 unmatched words a side."""

    def in_rows(word):
        return frequency.get(word, left_out) - (left_out if word in query else 0)

    def weight(word):
        return weights[in_rows(word)]

    unit, scale = max(weights[0], 1e-9), max(math.log(len(weights) - left_out), 1e-9)
    lost_query = [word for word in query if word not in reference]
    lost_reference = [word for word in reference if word not in query]
    shared = [word for word in reference if word in query]
    best_query = [
        max([similarity(a, b) for b in lost_reference if not digits(a) and not digits(b)], default=0.0)
        for a in lost_query
    ]
    best_reference = [
        max([similarity(a, b) for a in lost_query if not digits(a) and not digits(b)], default=0.0)
        for b in lost_reference
    ]
    masses = sum(map(weight, query)), sum(map(weight, reference))

    def soft(words, best):
        total = sum(map(weight, words))
        return total - sum(weight(word) * alike for word, alike in zip(words, best, strict=True) if alike >= ALIKE)

    def distinct(words, best):
        return [word for word, alike in zip(words, best, strict=True) if alike < ALIKE]

    def place(words, other):
        return next((position / len(words) for position, word in enumerate(words) if word not in other), 1.0)

    odd_query, odd_reference = distinct(lost_query, best_query), distinct(lost_reference, best_reference)
    shortened = [
        a
        for a in lost_query
        if not digits(a) and any(not digits(b) and (a.startswith(b) or b.startswith(a)) for b in lost_reference)
    ]
    return {
        "query unmatched mass": sum(map(weight, lost_query)) / max(masses[0], 1e-9),
        "reference unmatched mass": sum(map(weight, lost_reference)) / max(masses[1], 1e-9),
        "query soft unmatched mass": soft(lost_query, best_query) / max(masses[0], 1e-9),
        "reference soft unmatched mass": soft(lost_reference, best_reference) / max(masses[1], 1e-9),
        "query unmatched words": len(lost_query),
        "reference unmatched words": len(lost_reference),
        "query heaviest unmatched word": max(map(weight, odd_query), default=0.0) / unit,
        "reference heaviest unmatched word": max(map(weight, odd_reference), default=0.0) / unit,
        "query unmatched numbers": sum(map(digits, lost_query)),
        "reference unmatched numbers": sum(map(digits, lost_reference)),
        "shared numbers": sum(map(digits, shared)),
        "query unmatched words unseen": sum(in_rows(word) == 0 for word in lost_query),
        "query commonest unmatched word": max([math.log(in_rows(word) + 1) for word in odd_query], default=0.0) / scale,
        "reference commonest unmatched word": max([math.log(in_rows(word)) for word in odd_reference], default=0.0)
        / scale,
        "first word equal": float(bool(query and reference) and query[0] == reference[0]),
        "last word equal": float(bool(query and reference) and query[-1] == reference[-1]),
        "query first unmatched place": place(query, reference),
        "reference first unmatched place": place(reference, query),
        "best near-equal word": max(best_query, default=0.0),
        "abbreviated words": len(shortened),
        "shared words": len(shared),
        "shared mass": sum(map(weight, shared)) / unit,
        "query words": len(query),
        "reference words": len(reference),
        "query mass": masses[0] / unit,
        "shared rarest word": max(map(weight, shared), default=0.0) / unit,
    }


def among_rivals(distances):
    """Leads of one row's candidates, one list a distance, and the three summaries of each candidate."""
    leads = [
        [min(values[:place] + values[place + 1 :], default=value + 1.0) - value for place, value in enumerate(values)]
        for values in distances
    ]
    summaries = []
    for place in range(len(distances[0])):
        nearest = sum(values[place] == min(values) for values in distances)
        ranks = [sum(other < values[place] for other in values) / max(len(values) - 1, 1) for values in distances]
        kinds = len(distances)
        summaries.append((nearest / kinds, sum(ranks) / kinds, sum(lead[place] for lead in leads) / kinds))
    return leads, summaries


def nearest_neighbours(distances, kept):
    """(distance, neighbour) of the nearest of {neighbour: distance}, padded; ties to the one that comes first."""
    ranked = sorted(((distance, name) for name, distance in distances.items()), key=lambda pair: pair[0])[:kept]
    return ranked + [(math.inf, -1)] * (kept - len(ranked))


def neighbour_features(distance, neighbours, usual, asked):
    """The three comparisons of one distance; `neighbours` as above, `asked` left out if it is not None."""
    others = [other for other, name in neighbours if asked is None or name != asked]
    first = min([*others, 1.0])
    within = sum(other <= 2.0 * distance for other in others)
    ratio = distance / (distance + first) if distance + first > 0.0 else 0.5
    return ratio, min(within, len(neighbours) - 1), sum(other <= distance for other in usual) / max(len(usual), 1)


def tree_score(tree, row):
    """The leaf that a row falls into; a tree is a number or (feature, threshold, left, right, mean)."""
    while not isinstance(tree, float):
        feature, threshold, left, right, _ = tree
        tree = left if row[feature] <= threshold else right
    return tree


def highest_score(tree, row, unknown):
    """The highest leaf that a row can fall into where the features in `unknown` can have any value."""
    if isinstance(tree, float):
        return tree
    feature, threshold, left, right, _ = tree
    if feature in unknown:
        return max(highest_score(child, row, unknown) for child in (left, right))
    return highest_score(left if row[feature] <= threshold else right, row, unknown)


def path_contributions(tree, row, features):
    """What every feature adds on the row's path; last the mean of the whole tree."""
    added = Counter()

    def mean(node):
        return node if isinstance(node, float) else node[4]

    added[features] = mean(tree)
    while not isinstance(tree, float):
        feature, threshold, left, right, _ = tree
        child = left if row[feature] <= threshold else right
        added[feature] += mean(child) - mean(tree)
        tree = child
    return [added[place] for place in range(features + 1)]


def ascending(values, weights):
    """The ascending sequence nearest in weighted least squares: max over beginnings of min over ends of block means."""

    def mean(start, end):
        block = range(start, end)
        return sum(weights[place] * values[place] for place in block) / sum(weights[place] for place in block)

    size = len(values)
    return [
        max(min(mean(start, end) for end in range(place + 1, size + 1)) for start in range(place + 1))
        for place in range(size)
    ]


def contested_matches(scores, matches, decoys, references, grid):
    """How many matches are contested, and at each of `grid` how much more often wrong matches are than right ones."""
    rows = list(zip(scores, matches, strict=True))

    def disputed(chosen):
        """Contested matches of the chosen rows, which are the best scored: all but one of those to the same row."""
        return sum(max([match for _, match in chosen].count(reference) - 1, 0) for reference in range(references))

    def highest(reference):
        return max([score for score, match in rows if match == reference and match >= 0], default=-math.inf)

    least = sorted(scores, reverse=True)[max(1, round(0.25 * len(rows))) - 1]
    best = [(score, match) for score, match in rows if score >= least]
    share, contested = len(best) / len(rows), (disputed(best) + 0.1) / (len(best) + 1.0)
    each = min(
        [1.0 + step / 10.0 for step in range(70)] + list(range(8, 200)),
        key=lambda m: abs(1.0 - (1.0 - (1.0 - share) ** m) / (share * m) - contested),
    )
    contrast = []
    for point in grid:
        above = sum(min(max(round((score + 7.0) / 0.25) * 0.25 - 7.0, -7.0), 7.0) >= point for score in scores)
        by_right = 1.0 - (1.0 - min(above / len(rows), 0.999)) ** (each - 1.0)
        by_wrong = sum(highest(decoy) >= point for decoy in decoys) / max(len(decoys), 1)
        contrast.append(max(by_wrong - by_right, 0.0))
    return disputed(rows), contrast
