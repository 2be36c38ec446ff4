"""What is drawn: the right numbers from every band, by seed and ids alone, and nothing that a blind sheet must hide."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import fuzzyjoin
from fuzzyjoin import AuditDesign, AuditLabels, DataError, PrecisionEstimate, UsageError, draw_audit
from tests.evaluation.cases import draw, read


def pairs(sample, population=None):
    return {
        (pair.query_id, pair.reference_id)
        for pair in sample.design.pairs
        if population is None or pair.population == population
    }


def test_every_band_gives_the_same_number_of_rows_nearest_first(malls):
    _, _, result, _ = malls
    design = draw(malls, from_matches=40, from_near_misses=12).design
    for population, drawn, frame, columns in (
        (design.matches, 10, result.matches, ("reference_id", "distance")),
        (
            design.near_misses,
            3,
            result.unmatched.dropna(subset="best_reference_id"),
            ("best_reference_id", "best_distance"),
        ),
    ):
        assert sum(population.rows) == len(frame)
        assert population.drawn == (drawn,) * 4
        name = "match" if frame is result.matches else "near-miss"
        distances = dict(zip(zip(frame["query_id"], frame[columns[0]], strict=True), frame[columns[1]], strict=True))
        in_band = [
            [
                distances[pair.query_id, pair.reference_id]
                for pair in design.pairs
                if (pair.population, pair.band) == (name, band)
            ]
            for band in range(4)
        ]
        assert [len(band) for band in in_band] == [drawn] * 4
        for nearer, farther in pairwise(in_band):
            assert max(nearer) <= min(farther)


def test_rows_without_a_candidate_are_counted_and_not_drawn(malls):
    _, _, result, _ = malls
    design = draw(malls).design
    without = int(result.unmatched["best_reference_id"].isna().sum())
    assert design.without_candidate == without
    assert sum(design.near_misses.rows) == len(result.unmatched) - without


def test_the_order_of_rows_changes_no_byte(malls):
    reference, query, result, _ = malls
    first = draw(malls, seed=3)
    shuffled = [
        frame.sample(frac=1.0, random_state=1) for frame in (reference, query, result.matches, result.unmatched)
    ]
    second = draw_audit(result.program, *shuffled, seed=3)
    assert second.design.to_json() == first.design.to_json()
    assert second.sheet.equals(first.sheet)


def test_the_order_of_rows_changes_no_byte_where_the_tables_are_not_those_learned_on(malls):
    reference, query, result, _ = malls
    part = query.head(150)
    applied = result.program.apply(reference, part)
    first = draw_audit(result.program, reference, part, applied.matches, applied.unmatched)
    second = draw_audit(result.program, reference, part, applied.matches[::-1], applied.unmatched)
    assert second.design.to_json() == first.design.to_json()


@pytest.fixture(scope="module")
def scored(malls):
    """A program that a scorer decides."""
    reference, query, _, _ = malls
    return fuzzyjoin.learn_program(reference, query, on="title")


@pytest.fixture(params=["union", "scorer"])
def program(malls, request):
    chosen = malls[2].program if request.param == "union" else request.getfixturevalue("scored")
    assert chosen.definition.decision.kind == request.param
    return chosen


def as_written(matches):
    """Matches as a file of `apply` gives them back: text, in another order."""
    text = matches.sample(frac=1.0, random_state=1).to_csv(index=False)
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def test_the_order_of_matches_changes_no_digit_of_the_estimate(malls, scored):
    reference, query, _, _ = malls
    applied = scored.apply(reference, query.head(150))
    matches = applied.matches.assign(precision_estimate=[1 / (row + 3) for row in range(len(applied.matches))])
    values = {
        draw_audit(
            scored, reference, query.head(150), matches.sample(frac=1.0, random_state=state)
        ).design.precision_estimate.value
        for state in range(20)
    }
    assert len(values) == 1


@pytest.mark.usefixtures("learning_on_a_sample")
def test_the_estimate_of_a_program_learned_on_a_sample_is_that_of_the_rows_joined(malls):
    reference, query, _, _ = malls
    result = fuzzyjoin.fuzzy_join(reference, query, on="title")
    design = draw_audit(result.program, reference, query, result.matches, result.unmatched).design
    assert design.precision_estimate == result.precision_estimate
    assert design.precision_estimate.value != result.program.precision_estimate.value


def test_the_estimate_of_new_rows_is_that_of_apply(malls, program):
    reference, query, _, _ = malls
    applied = program.apply(reference, query.head(150))
    sample = draw_audit(program, reference, query.head(150), as_written(applied.matches), applied.unmatched)
    assert sample.design.precision_estimate == applied.precision_estimate
    assert sample.warnings == ()


def test_the_estimate_of_a_union_does_not_depend_on_the_size_of_the_batches(malls, monkeypatch):
    reference, query, result, _ = malls
    monkeypatch.setattr("fuzzyjoin.evaluation.own_estimate.BATCH_ROWS", 40)
    assert draw_audit(result.program, reference, query, result.matches).design.precision_estimate == (
        result.precision_estimate
    )


def test_the_estimate_of_some_of_the_matches_is_that_of_applying_to_their_rows(malls, program):
    reference, query, _, _ = malls
    matches = program.apply(reference, query).matches[10:60]
    alone = program.apply(reference, query[query["id"].isin(matches["query_id"])])
    assert draw_audit(program, reference, query, matches).design.precision_estimate == alone.precision_estimate


def test_the_estimate_of_the_rows_learned_on_is_that_of_learning(malls, program):
    reference, query, _, _ = malls
    matches = program.apply(reference, query).matches
    assert draw_audit(program, reference, query, matches).design.precision_estimate == program.precision_estimate


def test_matches_that_a_union_does_not_make_have_no_estimate_and_it_says_so(malls):
    reference, query, result, _ = malls
    matches = result.matches[["query_id", "reference_id", "distance"]].copy()
    matches.loc[matches.index[0], "reference_id"] = matches["reference_id"].iloc[1]
    sample = draw_audit(result.program, reference, query, matches)
    assert sample.design.precision_estimate == PrecisionEstimate()
    (warning,) = sample.warnings
    assert f"joins 1 of these {len(matches)} query rows otherwise than matches says" in warning
    assert repr(matches["query_id"].iloc[0]) in warning


class SameFirstWord:
    """0 if the first words agree, else 1."""

    name = "same first word"

    def distances(self, reference, query):
        return np.array([float(a.split()[:1] != b.split()[:1]) for a, b in zip(reference, query, strict=True)])


@pytest.fixture(scope="module")
def joined_by_own(malls):
    """A join by a function of the user's own, which the program cannot be applied again without."""
    reference, query, _, _ = malls
    return fuzzyjoin.fuzzy_join(reference, query, on="title", space=[SameFirstWord()], precision_target=0.2)


class TestAProgramWithAJoinFunctionOfOnesOwn:
    def test_on_the_rows_learned_on_it_is_that_of_learning(self, malls, joined_by_own):
        reference, query, _, _ = malls
        sample = draw_audit(joined_by_own.program, reference, query, joined_by_own.matches)
        assert sample.design.precision_estimate == joined_by_own.precision_estimate
        assert sample.warnings == ()

    def test_on_other_rows_there_is_none_unless_it_is_given(self, malls, joined_by_own):
        reference, query, _, _ = malls
        matches = joined_by_own.matches[:-1]
        sample = draw_audit(joined_by_own.program, reference, query, matches)
        assert sample.design.precision_estimate == PrecisionEstimate()
        assert "give precision_estimate" in sample.warnings[0]
        given = PrecisionEstimate(value=0.5)
        sample = draw_audit(joined_by_own.program, reference, query, matches, precision_estimate=given)
        assert sample.design.precision_estimate == given
        assert sample.warnings == ()


def test_another_seed_draws_another_sample(malls):
    assert pairs(draw(malls, from_matches=40, seed=1)) != pairs(draw(malls, from_matches=40, seed=2))


def test_every_row_is_drawn_equally_often(malls):
    _, _, result, _ = malls
    seeds = 300
    counts = dict.fromkeys(zip(result.matches["query_id"], result.matches["reference_id"], strict=True), 0)
    for seed in range(seeds):
        for pair in pairs(draw(malls, from_matches=40, from_near_misses=0, seed=seed)):
            counts[pair] += 1
    expected = seeds * 40 / len(counts)
    spread = (expected * (1 - 40 / len(counts))) ** 0.5
    assert all(abs(count - expected) < 5 * spread for count in counts.values())


def test_a_larger_sample_holds_the_smaller(malls):
    small, large = (draw(malls, from_matches=size, from_near_misses=size // 2) for size in (20, 60))
    assert pairs(small) < pairs(large)


def test_asking_for_more_than_there_is_takes_all(malls):
    _, _, result, _ = malls
    sample = draw(malls, from_matches=10_000, from_near_misses=10_000)
    assert len(pairs(sample, "match")) == len(result.matches)
    assert sample.design.matches.drawn == sample.design.matches.rows


def test_the_sheet_is_blind(malls):
    sheet = draw(malls).sheet
    reference, query = read("left"), read("right")
    assert list(sheet.columns) == ["number", "query", "reference", "label", "note"]
    assert set(sheet["query"]) <= {f"[title] {title}" for title in query["title"]}
    assert set(sheet["reference"]) <= {f"[title] {title}" for title in reference["title"]}
    assert (sheet[["label", "note"]] == "").all(axis=None)
    assert sheet["number"].tolist() == [str(number) for number in range(1, len(sheet) + 1)]


def test_the_order_of_the_sheet_tells_nothing(malls):
    """Neither the population nor the band of a pair stands in the order, as ranks show over many seeds."""
    places = {"match": [], "near-miss": []}
    for seed in range(40):
        design = draw(malls, from_matches=24, from_near_misses=24, seed=seed).design
        for pair in design.pairs:
            places[pair.population].append(pair.number / len(design.pairs))
    means = [sum(values) / len(values) for values in places.values()]
    assert means == [pytest.approx(0.5, abs=0.05)] * 2


def test_further_columns_are_shown_of_the_tables_that_have_them(malls):
    reference, query, result, _ = malls
    city = query.assign(city=["Bergen", *[None] * (len(query) - 1)])
    sample = draw_audit(result.program, reference, city, result.matches, from_matches=1000, show=["city"])
    assert sample.sheet["query"].str.contains(r"\[city\] Bergen$").sum() <= 1
    assert sample.sheet["query"].str.contains(r"\[city\] (?:Bergen|\(empty\))$").all()
    assert not sample.sheet["reference"].str.contains("city").any()
    assert "city" not in draw(malls).sheet.to_csv()


def test_earlier_labels_are_kept_with_their_pairs(malls):
    small = draw(malls, from_matches=20, from_near_misses=8)
    labels = ["yes", "no", "unsure", None]
    given = AuditLabels(
        labels=tuple(labels[number % 4] for number in range(len(small.design.pairs))),
        notes=tuple(f"note {number}" for number in range(len(small.design.pairs))),
    )
    large = draw(malls, from_matches=80, from_near_misses=20, earlier=(small.design, given))
    known = {
        (pair.query_id, pair.reference_id): (label or "", note)
        for pair, label, note in zip(small.design.pairs, given.labels, given.notes, strict=True)
    }
    for pair, label, note in zip(large.design.pairs, large.sheet["label"], large.sheet["note"], strict=True):
        assert (label, note) == known.get((pair.query_id, pair.reference_id), ("", ""))
    assert large.design == draw(malls, from_matches=80, from_near_misses=20).design


def test_an_earlier_label_of_other_values_is_not_kept(malls):
    reference, query, result, _ = malls
    small = draw(malls, from_matches=1000)
    given = AuditLabels(labels=("yes",) * len(small.design.pairs), notes=("",) * len(small.design.pairs))
    shown = draw_audit(
        result.program,
        reference,
        query.assign(city="Oslo"),
        result.matches,
        result.unmatched,
        from_matches=1000,
        show=["city"],
        earlier=(small.design, given),
    )
    assert set(shown.sheet["label"]) == {""}


def test_without_unmatched_rows_near_misses_are_left_out(malls):
    reference, query, result, _ = malls
    design = draw_audit(result.program, reference, query, result.matches).design
    assert (design.near_misses, design.without_candidate) == (None, None)
    assert {pair.population for pair in design.pairs} == {"match"}


def test_values_that_move_a_terminal_or_start_a_formula_are_shown_as_text():
    reference = pd.DataFrame({"id": ["a", "b", "c"], "name": ["=1+1 Grand Mall", "North Plaza", "Lake Center"]})
    query = pd.DataFrame({"id": ["x"], "name": ["=1+1 Grand\x1b[2J\nMall"]})
    result = fuzzyjoin.fuzzy_join(reference, query, on="name", space="small")
    sheet = draw_audit(result.program, reference, query, result.matches).sheet
    assert sheet["query"].tolist() == ["[name] =1+1 Grand\\x1b[2J\\nMall"]
    assert sheet["reference"].tolist() == ["[name] =1+1 Grand Mall"]


class TestRefused:
    """Each message names what was given, what was expected and the remedy."""

    def refuse(self, malls, error, *words, matches=None, unmatched=None, query=None, **options):
        reference, own_query, result, _ = malls
        with pytest.raises(error) as caught:
            draw_audit(
                result.program,
                reference,
                own_query if query is None else query,
                result.matches if matches is None else matches,
                result.unmatched if unmatched is None else unmatched,
                **options,
            )
        for word in words:
            assert word in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_matches_wanted(self, malls):
        self.refuse(malls, UsageError, "from_matches is 0", "1 or more", from_matches=0)

    def test_fewer_than_no_near_misses_wanted(self, malls):
        self.refuse(malls, UsageError, "from_near_misses is -1", "0 or more", from_near_misses=-1)

    def test_nothing_joined(self, malls):
        self.refuse(malls, DataError, "matches has no rows", matches=malls[2].matches[:0])

    def test_a_column_is_missing(self, malls):
        self.refuse(
            malls, UsageError, "matches has no column 'distance'", matches=malls[2].matches.drop(columns="distance")
        )
        self.refuse(
            malls,
            UsageError,
            "unmatched has no column 'best_reference_id'",
            unmatched=malls[2].unmatched.drop(columns="best_reference_id"),
        )

    def test_a_distance_that_is_no_number(self, malls):
        matches = malls[2].matches.astype({"distance": object})
        matches.loc[matches.index[1], "distance"] = "near"
        self.refuse(malls, DataError, "matches row 2: distance is 'near'", "expected a number", matches=matches)

    def test_a_match_without_a_reference_row(self, malls):
        matches = malls[2].matches.copy()
        matches.loc[matches.index[2], "reference_id"] = None
        self.refuse(malls, DataError, "matches row 3: reference_id is empty", matches=matches)

    def test_an_id_that_the_table_does_not_hold(self, malls):
        matches = malls[2].matches.copy()
        matches.loc[matches.index[0], "query_id"] = "nobody"
        self.refuse(malls, DataError, "query id 'nobody'", matches=matches)

    def test_a_query_row_twice(self, malls):
        matches = malls[2].matches
        self.refuse(malls, DataError, "occurs a second time", matches=pd.concat([matches, matches[:1]]))

    def test_a_row_both_joined_and_not(self, malls):
        unmatched = malls[2].unmatched.copy()
        unmatched.loc[unmatched.index[0], ["query_id", "query_text"]] = (
            malls[2].matches[["query_id", "query_text"]].iloc[0].tolist()
        )
        self.refuse(malls, DataError, "unmatched row 1", "occurs a second time", unmatched=unmatched)

    def test_rows_of_the_query_table_that_are_in_neither(self, malls):
        self.refuse(malls, DataError, "hold 226 query rows, the query table 227", unmatched=malls[2].unmatched[1:])

    def test_tables_that_were_not_joined(self, malls):
        other = malls[1].assign(title=[*malls[1]["title"][1:], "Other Mall"])
        self.refuse(malls, DataError, "query_text is", "give the tables that were joined", query=other)
        reference, query, result, _ = malls
        changed = reference.assign(title=[*reference["title"][1:], "Other Mall"])
        with pytest.raises(DataError, match=r"reference_text is .* but the reference table has"):
            draw_audit(result.program, changed, query, result.matches)

    def test_a_column_to_show_that_neither_table_has(self, malls):
        self.refuse(malls, UsageError, "show names 'colour'", show=["colour"])

    def test_an_estimate_that_is_no_number(self, malls):
        reference, query, result, _ = malls
        applied = result.program.apply(reference, query.head(100))
        matches = applied.matches.assign(precision_estimate="high")
        self.refuse(
            malls, DataError, "precision_estimate", query=query.head(100), matches=matches, unmatched=applied.unmatched
        )


class TestDesignFile:
    def test_it_reads_back_and_names_itself(self, malls, tmp_path):
        design = draw(malls).design
        design.save(tmp_path / "design.json")
        assert AuditDesign.load(tmp_path / "design.json") == design
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", design.design_id)
        assert design.program_id == malls[2].program.program_id

    def test_it_holds_no_values(self, malls):
        text = draw(malls).design.to_json()
        assert not any(title in text for title in [*malls[0]["title"], *malls[1]["title"]] if len(title) > 3)

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("{", "[", "is not JSON"),
            ('"design_version": 1', '"design_version": 2', "has design_version 2, this version reads 1"),
            ('"design_version": 1,', "", "has no design_version"),
            ('"seed": 0', '"seed": 1', "was changed after it was drawn"),
            ('"seed": 0', '"seed": 0, "more": 1', "design: more: Extra inputs"),
            ('"number": 1,', '"number": 7,', "the numbers of pairs are not"),
            ('"population": "near-miss"', '"population": "match"', "other numbers of match pairs than were drawn"),
            ('"population": "near-miss"', '"population": "other"', "pairs."),
        ],
    )
    def test_a_changed_file_is_refused(self, malls, tmp_path, old, new, words):
        text = draw(malls, from_matches=20).design.to_json()
        assert old in text
        (tmp_path / "design.json").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(DataError) as caught:
            AuditDesign.load(tmp_path / "design.json")
        assert str(caught.value).startswith(str(tmp_path / "design.json"))
        assert words in str(caught.value)

    def test_more_drawn_than_there_are_is_refused(self, malls):
        text = draw(malls, from_matches=1000).design.to_json()
        changed = re.sub(r'("rows": \[\s*)\d+', r"\g<1>1", text, count=1)
        assert changed != text
        with pytest.raises(DataError, match="no band can give more than it has"):
            AuditDesign.from_json(changed)

    def test_a_missing_file_is_refused(self, tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            AuditDesign.load(tmp_path / "none.json")
