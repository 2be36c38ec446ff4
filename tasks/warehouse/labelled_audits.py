"""The labelled audit of a run: its sample drawn from the snapshots, and the labels on record with the run.

What is stored has ids and labels, and no value of a row: so an erasure finds nothing here to remove, and the labels go
on saying what was right. Nothing reads them when a program is learned, chosen or applied.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fuzzyjoin import draw_audit, measure_audit
from fuzzyjoin.tables import as_text
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.replay import run_inputs
from tasks.warehouse.run_audit import audit_run
from tasks.warehouse.schema import labelled_audits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

    from fuzzyjoin import AuditDesign, AuditLabels, AuditReport, AuditSample

__all__ = ["draw_for_run", "record_audit"]


def draw_for_run(
    engine: Engine,
    run_id: str,
    folder: str | Path,
    *,
    from_matches: int,
    from_near_misses: int,
    seed: int,
    show: Sequence[str] = (),
    earlier: tuple[AuditDesign, AuditLabels] | None = None,
) -> AuditSample:
    """Draw pairs to label from the tables that a run read, joined again by its program. Nothing is written.

    Parameters
    ----------
    engine
        The warehouse.
    run_id
        A run that succeeded and wrote matches.
    folder
        Where the snapshots are.
    from_matches, from_near_misses, seed, show, earlier
        As for `fuzzyjoin.draw_audit`.

    Raises
    ------
    WarehouseError
        As for `tasks.warehouse.replay.replay`; or if the run does not come out as it was.
    DataError, UsageError
        As for `replay` and `fuzzyjoin.draw_audit`.
    """
    inputs = run_inputs(engine, run_id, folder)
    found = inputs.program.apply(inputs.reference, inputs.query, id=inputs.id_columns)
    now = {
        as_text(query_id): as_text(reference_id)
        for query_id, reference_id in zip(found.matches["query_id"], found.matches["reference_id"], strict=True)
    }
    read = {as_text(value) for value in inputs.query[inputs.id_columns[1]]}
    then = {query_id: match["reference_id"] for query_id, match in inputs.held.items() if query_id in read}
    other = sorted(query_id for query_id in read if then.get(query_id) != now.get(query_id))
    if other:
        raise WarehouseError(
            f"run {run_id!r} does not come out as it was: {len(other)} of {len(read)} query rows, such as "
            f"{other[0]!r}, are decided otherwise now, so its matches cannot be sampled; the command replay lists them"
        )
    return draw_audit(
        inputs.program,
        inputs.reference,
        inputs.query,
        found.matches,
        found.unmatched,
        id=inputs.id_columns,
        from_matches=from_matches,
        from_near_misses=from_near_misses,
        seed=seed,
        show=show,
        earlier=earlier,
        precision_estimate=found.precision_estimate,
        run_id=run_id,
    )


def record_audit(
    connection: Connection, design: AuditDesign, labels: AuditLabels, *, by: str, at: datetime
) -> tuple[str, AuditReport]:
    """Put a labelled sample on record with its run: ids, labels and figures; no values and no notes.

    Parameters
    ----------
    connection
        The warehouse, in a transaction.
    design
        A design that `draw_for_run` drew.
    labels
        Its labels, some of which may be missing.
    by
        Who labelled.
    at
        When it is recorded.

    Returns
    -------
    str
        Its id: the hash of what is stored, times aside.
    AuditReport
        What the labels say.

    Raises
    ------
    WarehouseError
        If the design was not drawn from a run of this warehouse, by is empty, or the same is on record already.
    DataError
        If no pair is labelled.
    """
    if not by:
        raise WarehouseError("by is empty; an auditor needs to know who labelled: give a name")
    if design.run_id is None:
        raise WarehouseError("the design was drawn from files, not from a run; draw it with the command audit-draw")
    run = audit_run(connection, design.run_id)
    if run.program_id != design.program_id:
        raise WarehouseError(
            f"the design is of program {design.program_id}, but run {design.run_id!r} used {run.program_id}; record it "
            "in the warehouse that it was drawn from"
        )
    report = measure_audit(design, labels)
    content = {"labelled_by": by, "design": _design(design), "labels": _labels(design, labels)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    audit_id = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    known = connection.execute(sa.select(labelled_audits).where(labelled_audits.c.audit_id == audit_id)).first()
    if known is not None:
        raise WarehouseError(
            f"these labels of {by} are on record already, as {audit_id} of {known.recorded_at.isoformat()}; record "
            "again when there are more"
        )
    counts = [part for part in (report.matches, report.near_misses) if part]
    recall = report.recall
    connection.execute(
        sa.insert(labelled_audits).values(
            audit_id=audit_id,
            run_id=design.run_id,
            program_id=design.program_id,
            labelled_by=by,
            recorded_at=at,
            design=json.dumps(content["design"]),
            labels=json.dumps(content["labels"]),
            precision=report.precision.value,
            precision_low=report.precision.low,
            precision_high=report.precision.high,
            recall=recall.value if recall else None,
            recall_low=recall.low if recall else None,
            recall_high=recall.high if recall else None,
            level=report.level,
            pairs=len(design.pairs),
            unsure=sum(part.unsure for part in counts),
            unlabelled=sum(part.unlabelled for part in counts),
            labels_needed=report.labels_needed,
        )
    )
    return audit_id, report


def _design(design: AuditDesign) -> dict[str, Any]:
    """All of the design but its pairs, which stand with their labels."""
    return design.model_dump(mode="json", exclude={"pairs"})


def _labels(design: AuditDesign, labels: AuditLabels) -> list[dict[str, Any]]:
    """Each pair with its label; without the hash of its values, which would tell them to whoever guesses them."""
    return [
        {**pair.model_dump(mode="json", exclude={"shown"}), "label": label}
        for pair, label in zip(design.pairs, labels.labels, strict=True)
    ]
