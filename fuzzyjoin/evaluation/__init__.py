"""The labelled audit: precision and recall as a person's labels measure them, beside what the program estimates.

A blind sample of matches and near-misses is drawn, a person says yes, no or unsure to each pair, and the report gives
intervals that hold for the way the sample was drawn. Labels are never read by learning or applying: a program does not
change by them.
"""

from __future__ import annotations

from fuzzyjoin.evaluation.audit_design import AuditDesign, Population, SampledPair
from fuzzyjoin.evaluation.audit_report import AuditReport, LabelCounts, Measured, measure_audit
from fuzzyjoin.evaluation.audit_sample import AuditSample, draw_audit
from fuzzyjoin.evaluation.label_sheet import LABELS, AuditLabels, read_labels

__all__ = [
    "LABELS",
    "AuditDesign",
    "AuditLabels",
    "AuditReport",
    "AuditSample",
    "LabelCounts",
    "Measured",
    "Population",
    "SampledPair",
    "draw_audit",
    "measure_audit",
    "read_labels",
]
