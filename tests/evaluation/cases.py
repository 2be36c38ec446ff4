"""The shopping malls, joined once, with their truth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import fuzzyjoin

MALLS = Path(__file__).resolve().parents[2] / "docs/examples/autofj50/ShoppingMall"


def read(name):
    return pd.read_csv(MALLS / f"{name}.csv", dtype=str, keep_default_na=False)


def joined_malls():
    """Reference, query, the join's result and the set of right pairs."""
    reference, query, truth = (read(name) for name in ("left", "right", "gt"))
    result = fuzzyjoin.fuzzy_join(reference, query, on="title", space="small")
    return reference, query, result, set(zip(truth["id_r"], truth["id_l"], strict=True))


def draw(malls, **options):
    reference, query, result, _ = malls
    return fuzzyjoin.draw_audit(result.program, reference, query, result.matches, result.unmatched, **options)


def label_by_truth(design, right):
    """The labels of a person who knows the truth."""
    labels = tuple("yes" if (pair.query_id, pair.reference_id) in right else "no" for pair in design.pairs)
    return fuzzyjoin.AuditLabels(labels=labels, notes=("",) * len(labels))
