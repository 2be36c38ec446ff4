"""Intervals against binomial sums in exact fractions, and their coverage over every small population there is."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzyjoin.evaluation.intervals import (
    BANDS,
    band_rows,
    binomial_interval,
    labels_needed,
    rounding_error,
    rows_drawn,
    share_interval,
)

LEVEL = 0.9


def chance_of_at_least(count, drawn, share):
    share = Fraction(share)
    return sum(math.comb(drawn, hits) * share**hits * (1 - share) ** (drawn - hits) for hits in range(count, drawn + 1))


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("drawn", [1, 2, 3, 7, 12, 90])
def test_ends_are_where_the_binomial_tail_is_half_the_error(drawn, level):
    tail = (1.0 - level) / 2.0
    for count in range(0, drawn + 1, 1 if drawn < 20 else 9):
        low, high = binomial_interval(count, count, drawn, level)
        if count:
            assert float(chance_of_at_least(count, drawn, low)) == pytest.approx(tail, rel=1e-8)
        else:
            assert low == 0.0
        if count < drawn:
            assert float(chance_of_at_least(drawn - count, drawn, 1.0 - high)) == pytest.approx(tail, rel=1e-8)
        else:
            assert high == 1.0


def test_a_large_sample_does_not_overflow():
    low, high = binomial_interval(45_000, 45_000, 50_000, LEVEL)
    assert (low, high) == (pytest.approx(0.9 - 0.00222, abs=5e-5), pytest.approx(0.9 + 0.00220, abs=5e-5))


@given(st.integers(0, 60), st.integers(0, 80))
def test_bands_are_equal_and_every_band_gives_the_same(rows, wanted):
    sizes, drawn = band_rows(rows), rows_drawn(rows, wanted)
    assert sum(sizes) == rows
    assert max(sizes) - min(sizes) <= 1
    assert drawn == sizes or len(set(drawn)) == 1
    assert all(taken <= size for taken, size in zip(drawn, sizes, strict=True))
    assert min(wanted, rows) <= sum(drawn) < wanted + BANDS
    larger = rows_drawn(rows, wanted + 1)
    assert all(before <= after for before, after in zip(drawn, larger, strict=True))


@cache
def hypergeometric(right, rows, drawn):
    """Chances of 0, 1, … right ones among those drawn from a band."""
    ways = math.comb(rows, drawn)
    return [math.comb(right, hits) * math.comb(rows - right, drawn - hits) / ways for hits in range(drawn + 1)]


def counted(right, rows, drawn):
    """Chances of each count over all bands."""
    chances = [1.0]
    for band in zip(right, rows, drawn, strict=True):
        more = hypergeometric(*band)
        total = [0.0] * (len(chances) + len(more) - 1)
        for (first, chance), (second, other) in product(enumerate(chances), enumerate(more)):
            total[first + second] += chance * other
        chances = total
    return chances


def coverage(right, rows, drawn, ends):
    share = sum(right) / sum(rows)
    return sum(
        chance
        for yes, chance in enumerate(counted(right, rows, drawn))
        if ends[yes][0] - 1e-12 <= share <= ends[yes][1] + 1e-12
    )


def least_coverage(rows, wanted, rights, level=LEVEL):
    drawn = rows_drawn(sum(rows), wanted)
    ends = [share_interval(yes, 0, drawn=drawn, rows=rows, level=level) for yes in range(sum(drawn) + 1)]
    return min(coverage(right, rows, drawn, ends) for right in rights)


@pytest.mark.parametrize("rows", [3, 5, 8, 9, 13, 14])
def test_coverage_is_kept_over_every_small_population(rows):
    sizes = band_rows(rows)
    every = list(product(*(range(size + 1) for size in sizes)))
    for wanted in range(1, rows + 1, BANDS):
        assert least_coverage(sizes, wanted, every) >= LEVEL - 1e-9


def test_coverage_is_kept_in_larger_populations():
    sizes = band_rows(202)
    # From nearly all right to nearly none, alike in every band and parted as sharply as can be.
    some = [tuple(min(size, max(0, right)) for size in sizes) for right in (0, 1, 2, 5, 12, 25, 37, 45, 48, 49, 50, 51)]
    some += [(50, 51, 50, part) for part in (0, 1, 10, 40, 48)] + [(50, 51, part, 0) for part in (0, 1, 25, 49)]
    some += [(1, 0, 0, 0), (0, 0, 0, 1), (0, 1, 1, 0)]
    for wanted in (4, 20, 80, 160, 200):
        for level in (LEVEL, 0.95):
            assert least_coverage(sizes, wanted, some, level) >= level - 1e-9


@pytest.mark.parametrize("rows", [5, 6, 7, 8, 50, 203])
def test_the_rounding_is_the_farthest_that_the_expected_share_can_be_off(rows):
    sizes, drawn = band_rows(rows), rows_drawn(rows, BANDS)
    off = [
        abs(
            sum(size * right for size, right in zip(sizes, shares, strict=True)) / sum(sizes)
            - sum(taken * right for taken, right in zip(drawn, shares, strict=True)) / sum(drawn)
        )
        for shares in product((0, 1), repeat=BANDS)
    ]
    rounding = rounding_error(drawn=drawn, rows=sizes)
    assert rounding == pytest.approx(max(off))
    assert rounding <= 1 / rows + 1e-12
    low, high = share_interval(2, 0, drawn=drawn, rows=sizes, level=LEVEL)
    alone = binomial_interval(2, 2, BANDS, LEVEL)
    assert low == pytest.approx(max(alone[0] - rounding, 2 / rows))
    assert high == pytest.approx(min(alone[1] + rounding, 1 - 2 / rows))


@pytest.mark.parametrize(("yes", "unsure"), [(0, 0), (10, 0), (7, 2), (0, 10)])
def test_all_rows_labelled_leaves_only_the_unsure_open(yes, unsure):
    sizes = band_rows(10)
    assert share_interval(yes, unsure, drawn=sizes, rows=sizes, level=LEVEL) == (
        pytest.approx(yes / 10),
        pytest.approx((yes + unsure) / 10),
    )


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_an_unsure_label_widens_and_the_ends_are_ordered(rows, wanted, data):
    sizes, drawn = band_rows(rows), rows_drawn(rows, wanted)
    labelled = sum(drawn)
    yes = data.draw(st.integers(0, labelled))
    unsure = data.draw(st.integers(0, labelled - yes))
    low, high = share_interval(yes, unsure, drawn=drawn, rows=sizes, level=LEVEL)
    assert 0.0 <= low <= high <= 1.0
    for right in range(unsure + 1):
        inner = share_interval(yes + right, 0, drawn=drawn, rows=sizes, level=LEVEL)
        assert low - 1e-9 <= inner[0]
        assert inner[1] <= high + 1e-9


def half_width(share, rows, drawn):
    """The widest interval for a count next to the share."""
    taken, sizes = rows_drawn(rows, drawn), band_rows(rows)
    counts = {math.floor(share * sum(taken)), math.ceil(share * sum(taken))}
    ends = [share_interval(yes, 0, drawn=taken, rows=sizes, level=LEVEL) for yes in counts]
    return max(high - low for low, high in ends) / 2.0


@pytest.mark.parametrize("rows", [1, 30, 227, 1000, 100_000])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.87, 0.98, 1.0])
def test_labels_needed_is_enough_and_one_band_less_is_not(share, rows):
    needed = labels_needed(share, rows, half_width=0.02, level=LEVEL)
    assert needed <= rows
    assert half_width(share, rows, needed) <= 0.02
    if needed > BANDS:
        before = needed - BANDS if needed < rows else (rows - 1) // BANDS * BANDS
        assert half_width(share, rows, before) > 0.02
    # The length falls in steps, so a little less may by chance be enough too, but not much less.
    first = next(drawn for drawn in range(BANDS, rows + BANDS, BANDS) if half_width(share, rows, drawn) <= 0.02)
    assert min(first, rows) >= 0.85 * needed - BANDS
