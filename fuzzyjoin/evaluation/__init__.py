"""The labelled audit: precision and recall as a person's labels measure them, beside what the program estimates.

A blind sample of matches and near-misses is drawn, a person says yes, no or unsure to each pair, and the report gives
intervals that hold for the way the sample was drawn. Labels are never read by learning or applying: a program does not
change by them.
"""

from fuzzyjoin.evaluation.audit_design import AuditDesign, Population, SampledPair
from fuzzyjoin.evaluation.audit_report import AuditReport, LabelCounts, Measured, measure_audit
from fuzzyjoin.evaluation.audit_sample import AuditSample, draw_audit
from fuzzyjoin.evaluation.label_sheet import (
    LABELS,
    AuditLabels,
    Label,
    Sheet,
    read_labels,
    read_sheet,
    require_csv,
    sheet_output,
)
from fuzzyjoin.evaluation.truth import MATCH_COLUMNS, Evaluation, evaluate, truth_columns

__all__ = [
    "LABELS",
    "MATCH_COLUMNS",
    "AuditDesign",
    "AuditLabels",
    "AuditReport",
    "AuditSample",
    "Evaluation",
    "Label",
    "LabelCounts",
    "Measured",
    "Population",
    "SampledPair",
    "Sheet",
    "draw_audit",
    "evaluate",
    "measure_audit",
    "read_labels",
    "read_sheet",
    "require_csv",
    "sheet_output",
    "truth_columns",
]
