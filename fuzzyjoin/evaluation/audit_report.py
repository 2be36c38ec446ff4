"""The report: precision and recall by the labels, with intervals, beside the program's own estimate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.evaluation.audit_design import LEVEL
from fuzzyjoin.evaluation.intervals import labels_needed, share_interval

if TYPE_CHECKING:
    from fuzzyjoin.definition import PrecisionEstimate
    from fuzzyjoin.evaluation.audit_design import AuditDesign, Population
    from fuzzyjoin.evaluation.label_sheet import AuditLabels

__all__ = ["HALF_WIDTH", "AuditReport", "LabelCounts", "Measured", "measure_audit"]

HALF_WIDTH: Final = 0.02
"""How far the interval of the precision may reach to each side, for the number of labels that would be enough."""


@dataclass(frozen=True)
class Measured:
    """A share in [0, 1] by the labels, with its interval; `value` is None where no pair is labelled yes or no."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True)
class LabelCounts:
    """Rows of a population, pairs drawn from it, and what they were labelled."""

    rows: int
    drawn: int
    yes: int
    no: int
    unsure: int
    unlabelled: int


@dataclass(frozen=True)
class AuditReport:
    """What the labels say.

    Attributes
    ----------
    program_id, design_id
        What was audited, and by which sample.
    level
        Coverage of both intervals.
    precision
        Share of the joined rows that are right.
    recall
        Share of the rows whose best candidate is right that were joined to it; None if near-misses were not drawn.
    precision_estimate
        The program's own estimate.
    agreement
        Whether the interval of the precision meets that of the estimate, or its value where it has none.
    matches, near_misses
        The labels of each population; None if near-misses were not drawn.
    labels_needed
        Matches to label for an interval of ± 0.02 at the measured precision; None if that is unknown.
    """

    program_id: str
    design_id: str
    level: float
    precision: Measured
    recall: Measured | None
    precision_estimate: PrecisionEstimate
    agreement: Literal["agree", "disagree", "no estimate"]
    matches: LabelCounts
    near_misses: LabelCounts | None
    labels_needed: int | None

    @property
    def labels_missing(self) -> int | None:
        """How many more matches to label than are labelled yes or no."""
        if self.labels_needed is None:
            return None
        return max(self.labels_needed - self.matches.yes - self.matches.no, 0)

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "program_id": self.program_id,
            "design_id": self.design_id,
            "level": self.level,
            "precision": asdict(self.precision),
            "precision_estimate": self.precision_estimate.model_dump(mode="json"),
            "agreement": self.agreement,
            "recall": asdict(self.recall) if self.recall else None,
            "labels": {
                "matches": asdict(self.matches),
                "near_misses": asdict(self.near_misses) if self.near_misses else None,
            },
            "labels_needed": {
                "half_width": HALF_WIDTH,
                "matches": self.labels_needed,
                "more": self.labels_missing,
            },
            "next": self.next_step(),
        }

    def explain(self) -> str:
        """The report in words."""
        lines = [
            (
                "precision",
                _words(self.precision),
                f"{self.matches.yes} of {self._decided()} labelled matches are right",
            ),
            ("estimate", _estimate_words(self.precision_estimate), _AGREEMENT[self.agreement]),
            ("recall", *self._recall_words()),
            ("labels", self._label_words(), self._doubt_words()),
            ("enough", *self._needed_words()),
            ("next", self.next_step(), ""),
        ]
        head = f"Labelled audit, intervals at the level {self.level:g}."
        return "\n".join([head, *(f"  {name:<10} {what}{f' ({why})' if why else ''}" for name, what, why in lines)])

    def next_step(self) -> str:
        """What to do now."""
        waiting = sum(counts.unlabelled for counts in self._populations())
        if waiting:
            return f"label the other {waiting} pairs with `fuzzyjoin audit label`: until then they count as unsure"
        if self.agreement == "disagree" and self.precision.high < (self.precision_estimate.value or 0.0):
            return (
                "do not rely on the estimate here: learn again with a higher --precision-target or another column, and "
                "audit that"
            )
        if self.agreement == "disagree":
            return "the join is more precise than it says: learn again with a lower --precision-target, and audit that"
        if self.labels_missing:
            return (
                f"for ± {HALF_WIDTH:g} draw again with --from-matches {self.labels_needed} and --earlier, which keeps "
                "these labels"
            )
        return "nothing: the labels are enough, and no program changes by them"

    def _populations(self) -> list[LabelCounts]:
        return [counts for counts in (self.matches, self.near_misses) if counts]

    def _decided(self) -> int:
        return self.matches.yes + self.matches.no

    def _recall_words(self) -> tuple[str, str]:
        if self.recall is None:
            return "not measured", "near-misses were not drawn: give the unmatched rows to draw"
        return _words(self.recall), "at most: a right reference row that is not the row's best candidate is not seen"

    def _label_words(self) -> str:
        parts = [f"{self.matches.drawn} of {self.matches.rows:,} matches"]
        if self.near_misses:
            parts.append(f"{self.near_misses.drawn} of {self.near_misses.rows:,} near-misses")
        return " and ".join(parts)

    def _doubt_words(self) -> str:
        unsure, waiting = (
            sum(getattr(counts, name) for counts in self._populations()) for name in ("unsure", "unlabelled")
        )
        return f"{unsure} unsure, {waiting} not labelled: both count as wrong for the lower ends, right for the upper"

    def _needed_words(self) -> tuple[str, str]:
        if self.labels_needed is None:
            return "unknown", "no match is labelled yes or no"
        more = f"{self.labels_missing} more" if self.labels_missing else "there are that many"
        return f"{self.labels_needed:,} labelled matches for ± {HALF_WIDTH:g}, if the precision is as measured", more


_AGREEMENT: Final = {
    "agree": "the program's own; the labels agree",
    "disagree": "the program's own; the labels DISAGREE",
    "no estimate": "the program has none",
}


def measure_audit(design: AuditDesign, labels: AuditLabels) -> AuditReport:
    """Measure precision and recall by labels.

    A pair that is labelled unsure, or not yet, counts as wrong for the lower end of an interval and as right for the
    upper one; values leave it out. So a part of the sample may be labelled, in any order, and the intervals hold.

    Parameters
    ----------
    design
        How the pairs were drawn.
    labels
        Their labels, from `read_labels`.

    Returns
    -------
    AuditReport
        Nothing else reads labels: a program never changes by them.

    Raises
    ------
    UsageError
        If there are not as many labels as pairs.
    DataError
        If no pair is labelled.

    Notes
    -----
    Precision: the interval of Clopper and Pearson for the labelled matches (see `labelled_audit.intervals`). Recall:
    right matches / (right matches + right near-misses), at the ends of intervals for both populations whose errors
    together are 1 - level (Bonferroni).

    Examples
    --------
    >>> import pandas as pd, fuzzyjoin
    >>> from fuzzyjoin.evaluation import AuditLabels
    >>> reference = pd.DataFrame({"id": ["a", "b", "c"], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": ["x", "y"], "name": ["Grand Mal", "Lake Centre"]})
    >>> result = fuzzyjoin.fuzzy_join(reference, query, on="name", space="small")
    >>> sample = fuzzyjoin.draw_audit(result.program, reference, query, result.matches, result.unmatched)
    >>> report = fuzzyjoin.measure_audit(sample.design, AuditLabels(labels=("yes", "no"), notes=("", "")))
    >>> report.precision
    Measured(value=0.5, low=0.5, high=0.5)
    """
    if len(labels.labels) != len(design.pairs):
        raise UsageError(
            f"labels holds {len(labels.labels)} labels, the design {len(design.pairs)} pairs; give the labels that "
            "were read with this design"
        )
    if not any(labels.labels):
        raise DataError("labels: no pair is labelled yet; label some of them first")
    matches = _counts(design, labels, "match", design.matches)
    near = _counts(design, labels, "near-miss", design.near_misses) if design.near_misses else None
    precision = _measured(matches, design.matches, LEVEL)
    estimate = design.precision_estimate
    return AuditReport(
        program_id=design.program_id,
        design_id=design.design_id,
        level=LEVEL,
        precision=precision,
        recall=_recall(design, matches, near),
        precision_estimate=estimate,
        agreement=_agreement(precision, estimate),
        matches=matches,
        near_misses=near,
        labels_needed=None
        if precision.value is None
        else labels_needed(precision.value, matches.rows, half_width=HALF_WIDTH, level=LEVEL),
    )


def _counts(design: AuditDesign, labels: AuditLabels, name: str, population: Population) -> LabelCounts:
    given = [label for pair, label in zip(design.pairs, labels.labels, strict=True) if pair.population == name]
    yes, no, unsure, unlabelled = (given.count(label) for label in ("yes", "no", "unsure", None))
    return LabelCounts(sum(population.rows), sum(population.drawn), yes, no, unsure, unlabelled)


def _measured(counts: LabelCounts, population: Population, level: float) -> Measured:
    decided = counts.yes + counts.no
    low, high = share_interval(
        counts.yes,
        counts.unsure + counts.unlabelled,
        drawn=population.drawn,
        rows=population.rows,
        level=level,
    )
    return Measured(counts.yes / decided if decided else None, low, high)


def _recall(design: AuditDesign, matches: LabelCounts, near: LabelCounts | None) -> Measured | None:
    if near is None or design.near_misses is None:
        return None
    # Each of the two intervals may fail half as often, so that both hold together at the level.
    each = 1.0 - (1.0 - LEVEL) / 2.0
    joined, missed = _measured(matches, design.matches, each), _measured(near, design.near_misses, each)
    if not near.rows:
        missed = Measured(0.0, 0.0, 0.0)
    low = _share(joined.low * matches.rows, missed.high * near.rows, 0.0)
    high = _share(joined.high * matches.rows, missed.low * near.rows, 1.0)
    if joined.value is None or missed.value is None or not (joined.value or missed.value):
        return Measured(None, low, high)
    return Measured(_share(joined.value * matches.rows, missed.value * near.rows, 0.0), low, high)


def _share(part: float, rest: float, undefined: float) -> float:
    return part / (part + rest) if part + rest > 0.0 else undefined


def _agreement(precision: Measured, estimate: PrecisionEstimate) -> Literal["agree", "disagree", "no estimate"]:
    if estimate.value is None:
        return "no estimate"
    low, high = (estimate.value if end is None else end for end in (estimate.low, estimate.high))
    return "agree" if low <= precision.high and precision.low <= high else "disagree"


def _words(share: Measured) -> str:
    value = "undefined" if share.value is None else f"{share.value:.3f}"
    return f"{value}, between {share.low:.3f} and {share.high:.3f}"


def _estimate_words(estimate: PrecisionEstimate) -> str:
    if estimate.value is None:
        return "none"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}, without an interval"
    return f"{estimate.value:.3f}, between {estimate.low:.3f} and {estimate.high:.3f}"
