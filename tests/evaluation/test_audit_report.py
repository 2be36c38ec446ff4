"""What the labels say: against the truth of a real task, and the coverage of its intervals over many samples."""

from __future__ import annotations

import json

import pytest

from fuzzyjoin import AuditLabels, DataError, UsageError, draw_audit, measure_audit
from fuzzyjoin.definition import PrecisionEstimate
from fuzzyjoin.evaluation.intervals import binomial_interval, share_interval
from tests.evaluation.cases import draw, label_by_truth


def truth_of(malls):
    """Precision, and the recall that an audit can see: of the rows whose best candidate is right."""
    _, _, result, right = malls
    joined = [pair in right for pair in zip(result.matches["query_id"], result.matches["reference_id"], strict=True)]
    missed = [
        pair in right for pair in zip(result.unmatched["query_id"], result.unmatched["best_reference_id"], strict=True)
    ]
    return sum(joined) / len(joined), sum(joined) / (sum(joined) + sum(missed))


def labelled(design, label_of):
    labels = tuple(label_of(pair) for pair in design.pairs)
    return AuditLabels(labels=labels, notes=("",) * len(labels))


def test_all_rows_labelled_gives_the_truth(malls):
    design = draw(malls, from_matches=1000, from_near_misses=1000).design
    report = measure_audit(design, label_by_truth(design, malls[3]))
    precision, recall = truth_of(malls)
    for measured, true in ((report.precision, precision), (report.recall, recall)):
        assert (measured.value, measured.low, measured.high) == (pytest.approx(true),) * 3


@pytest.mark.slow
@pytest.mark.parametrize("size", [12, 40, 100])
def test_intervals_hold_the_truth_as_often_as_they_say(malls, size):
    precision, recall = truth_of(malls)
    assert 0.5 < precision < 1.0
    assert 0.5 < recall < 1.0
    seeds = range(200)
    held = [0, 0]
    for seed in seeds:
        design = draw(malls, from_matches=size, from_near_misses=12, seed=seed).design
        report = measure_audit(design, label_by_truth(design, malls[3]))
        held[0] += report.precision.low <= precision <= report.precision.high
        held[1] += report.recall.low <= recall <= report.recall.high
        assert report.precision.low > 0.0
    assert min(held) >= 0.9 * len(seeds)


def test_the_precision_is_the_interval_of_its_own_population(malls):
    design = draw(malls, from_matches=40, from_near_misses=12).design
    labels = label_by_truth(design, malls[3])
    report = measure_audit(design, labels)
    yes = sum(
        label == "yes" for pair, label in zip(design.pairs, labels.labels, strict=True) if pair.population == "match"
    )
    assert (report.matches.yes, report.matches.no) == (yes, 40 - yes)
    assert report.precision.value == yes / 40
    expected = share_interval(yes, 0, drawn=design.matches.drawn, rows=design.matches.rows, level=0.9)
    assert (report.precision.low, report.precision.high) == expected


def test_the_recall_is_made_of_both_populations_at_half_the_error_each(malls):
    design = draw(malls, from_matches=40, from_near_misses=12).design
    report = measure_audit(design, label_by_truth(design, malls[3]))
    matches, near = report.matches, report.near_misses
    ends = [
        share_interval(counts.yes, 0, drawn=population.drawn, rows=population.rows, level=0.95)
        for counts, population in ((matches, design.matches), (near, design.near_misses))
    ]
    right, wrong = ([end * counts.rows for end in pair] for pair, counts in zip(ends, (matches, near), strict=True))
    assert report.recall.low == pytest.approx(right[0] / (right[0] + wrong[1]))
    assert report.recall.high == pytest.approx(right[1] / (right[1] + wrong[0]))


@pytest.mark.parametrize("open_label", ["unsure", None])
def test_unsure_and_missing_labels_widen_both_ends_and_leave_the_value(malls, open_label):
    design = draw(malls, from_matches=40, from_near_misses=20).design
    whole = label_by_truth(design, malls[3])
    part = labelled(design, lambda pair: whole.labels[pair.number - 1] if pair.number % 3 else open_label)
    report, full = measure_audit(design, part), measure_audit(design, whole)
    assert report.precision.low < full.precision.low
    assert report.precision.high > full.precision.high
    assert report.recall.low < full.recall.low
    assert report.precision.value == report.matches.yes / (report.matches.yes + report.matches.no)
    opened = sum(pair.number % 3 == 0 for pair in design.pairs)
    waiting = [
        getattr(counts, "unsure" if open_label else "unlabelled") for counts in (report.matches, report.near_misses)
    ]
    assert sum(waiting) == opened


def test_the_interval_with_open_labels_holds_whatever_they_would_be(malls):
    """Worst case: only the right ones were labelled, or only the wrong ones."""
    precision, _ = truth_of(malls)
    for seed in range(20):
        design = draw(malls, from_matches=1000, seed=seed).design
        whole = label_by_truth(design, malls[3])
        for kept in ("yes", "no"):
            chosen = AuditLabels(
                labels=tuple(label if label == kept else None for label in whole.labels), notes=whole.notes
            )
            report = measure_audit(design, chosen)
            assert report.precision.low <= precision <= report.precision.high


def test_only_unsure_labels_leave_everything_open(malls):
    design = draw(malls, from_matches=20).design
    report = measure_audit(design, labelled(design, lambda _: "unsure"))
    assert (report.precision.value, report.labels_needed, report.recall.value) == (None, None, None)
    assert (report.precision.low, report.precision.high) == (0.0, 1.0)
    assert report.agreement == "agree"
    assert "undefined" in report.explain()


def test_no_near_misses_drawn_leaves_the_recall_open(malls):
    design = draw(malls, from_matches=20, from_near_misses=0).design
    report = measure_audit(design, label_by_truth(design, malls[3]))
    assert report.recall.value is None
    assert 0.0 < report.recall.low < report.recall.high
    assert report.recall.high == 1.0


def test_near_misses_that_nobody_looked_at_give_no_recall(malls):
    reference, query, result, right = malls
    design = draw_audit(result.program, reference, query, result.matches, from_matches=20).design
    report = measure_audit(design, label_by_truth(design, right))
    assert report.recall is None
    assert "not measured" in report.explain()


def test_a_population_without_rows_is_known(malls):
    design = draw(malls, from_matches=1000).design
    none = design.model_copy(
        update={
            "near_misses": design.near_misses.model_copy(update={"rows": (0,) * 4, "drawn": (0,) * 4}),
            "pairs": tuple(pair for pair in design.pairs if pair.population == "match"),
        }
    )
    report = measure_audit(none, labelled(none, lambda _: "yes"))
    assert (report.recall.value, report.recall.low, report.recall.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("estimate", "agreement"),
    [
        ({}, "no estimate"),
        ({"value": 0.99}, "disagree"),
        ({"value": 0.99, "low": 0.5, "high": 1.0, "level": 0.9}, "agree"),
        ({"value": 0.99, "low": 0.95, "high": 1.0, "level": 0.9}, "disagree"),
        ({"value": 0.2, "low": 0.1, "high": 0.3, "level": 0.9}, "disagree"),
        ({"value": 0.6}, "agree"),
    ],
)
def test_the_estimate_agrees_where_the_intervals_meet(malls, estimate, agreement):
    design = draw(malls, from_matches=40).design.model_copy(
        update={"precision_estimate": PrecisionEstimate(**estimate)}
    )
    matches = [pair.number for pair in design.pairs if pair.population == "match"]
    right = labelled(design, lambda pair: "yes" if pair.number in matches[:24] else "no")
    report = measure_audit(design, right)
    assert 0.4 < report.precision.low < 0.6 < report.precision.high < 0.8
    assert report.agreement == agreement
    words = report.next_step()
    if agreement == "disagree":
        assert ("do not rely" in words) == (estimate["value"] > 0.9)


def test_labels_needed_are_told_as_total_and_as_more(malls):
    design = draw(malls, from_matches=40).design
    report = measure_audit(design, label_by_truth(design, malls[3]))
    assert report.labels_needed > 40
    assert report.labels_missing == report.labels_needed - 40
    content = report.as_json()
    assert content["labels_needed"] == {
        "half_width": 0.02,
        "matches": report.labels_needed,
        "more": report.labels_missing,
    }
    every = draw(malls, from_matches=1000, from_near_misses=1000).design
    done = measure_audit(every, label_by_truth(every, malls[3]))
    assert done.labels_missing == 0


def test_the_labels_that_are_needed_are_enough(malls):
    first = draw(malls, from_matches=40).design
    needed = measure_audit(first, label_by_truth(first, malls[3])).labels_needed
    second = draw(malls, from_matches=needed, from_near_misses=1000).design
    report = measure_audit(second, label_by_truth(second, malls[3]))
    assert report.precision.high - report.precision.low <= 0.05


def test_the_report_is_json_and_words(malls):
    design = draw(malls, from_matches=40).design
    report = measure_audit(design, label_by_truth(design, malls[3]))
    content = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert content["design_id"] == design.design_id
    assert content["program_id"] == malls[2].program.program_id
    assert content["recall"]["low"] == report.recall.low
    words = report.explain()
    for name in ("precision", "estimate", "recall", "labels", "enough", "next"):
        assert f"\n  {name} " in words
    assert f"{report.precision.value:.3f}, between {report.precision.low:.3f} and {report.precision.high:.3f}" in words
    assert "not the row's best candidate is not seen" in words


def test_no_label_at_all_is_refused(malls):
    design = draw(malls).design
    with pytest.raises(DataError, match="no pair is labelled yet"):
        measure_audit(design, labelled(design, lambda _: None))


def test_labels_of_another_sample_are_refused(malls):
    design = draw(malls).design
    with pytest.raises(UsageError, match="labels holds 1 labels"):
        measure_audit(design, AuditLabels(labels=("yes",), notes=("",)))


def test_half_the_sample_unsure_is_the_interval_of_both_extremes():
    low, high = share_interval(10, 20, drawn=(10,) * 4, rows=(1000,) * 4, level=0.9)
    assert (low, high) == (binomial_interval(10, 10, 40, 0.9)[0], binomial_interval(30, 30, 40, 0.9)[1])
