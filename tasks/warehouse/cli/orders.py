"""Commands that change something."""

# No postponed annotations here: typer reads these at run time.
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fuzzyjoin.errors import UsageError
from tasks.warehouse import decisions
from tasks.warehouse.cli.options import By, Pipeline, ProgramId, Reason, Snapshots
from tasks.warehouse.cli.session import say, warehouse
from tasks.warehouse.connection import shown, writing
from tasks.warehouse.ids import full_program_id
from tasks.warehouse.migrations import migrate_up

if TYPE_CHECKING:
    from tasks.warehouse.erasure import Subject

__all__ = ["approve", "audit_record", "erase", "migrate", "refuse", "rollback"]


def migrate() -> None:
    """Bring the tables and views to the newest version."""
    with warehouse() as engine:
        migrate_up(engine)
        say(f"{shown(engine)} has the newest tables and views")


def approve(pipeline: Pipeline, program_id: ProgramId, *, by: By, reason: Reason = None) -> None:
    """Make a proposed program the current one."""
    with warehouse() as engine, writing(engine) as connection:
        whole_id = full_program_id(connection, program_id, pipeline=pipeline)
        decisions.approve(connection, pipeline, whole_id, by=by, reason=reason, at=datetime.now(UTC))
    say(f"{pipeline} uses program {whole_id} now")


def refuse(pipeline: Pipeline, program_id: ProgramId, *, by: By, reason: Reason = None) -> None:
    """Turn a proposed program down."""
    with warehouse() as engine, writing(engine) as connection:
        whole_id = full_program_id(connection, program_id, pipeline=pipeline)
        decisions.refuse(connection, pipeline, whole_id, by=by, reason=reason, at=datetime.now(UTC))
    say(f"{pipeline} goes on without program {whole_id}")


def rollback(pipeline: Pipeline, program_id: ProgramId, *, by: By, reason: Reason = None) -> None:
    """Make a program current again that was so before."""
    with warehouse() as engine, writing(engine) as connection:
        whole_id = full_program_id(connection, program_id, pipeline=pipeline)
        decisions.roll_back(connection, pipeline, whole_id, by=by, reason=reason, at=datetime.now(UTC))
    say(f"{pipeline} uses program {whole_id} again")


def erase(
    pipeline: Pipeline,
    *,
    query_id: Annotated[str | None, typer.Option("--query-id", metavar="ID", help="The query row.")] = None,
    reference_id: Annotated[
        str | None, typer.Option("--reference-id", metavar="ID", help="The reference row, instead of a query row.")
    ] = None,
    by: By,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept on record.")],
    snapshots: Snapshots,
) -> None:
    """Remove a person's values; that it was done stays on record."""
    # Brings the readers of tables, which the other commands do without.
    from tasks.store.folders import storage_folder  # noqa: PLC0415
    from tasks.store.saved_work import delete_saved_work  # noqa: PLC0415
    from tasks.warehouse.erasure import erase as remove  # noqa: PLC0415

    subject = _subject(query_id, reference_id)
    with warehouse() as engine:
        done = remove(
            engine,
            pipeline,
            subject,
            snapshots,
            by=by,
            reason=reason,
            at=datetime.now(UTC),
            delete_saved_work=delete_saved_work,
        )
    say(done.in_words())
    say(f"Looked for snapshots in {snapshots}, and for saved work in {storage_folder()}.")


def audit_record(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The labelled sheet.")],
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="The design that was drawn with it.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who labelled.")],
) -> None:
    """Put the labels of a run's sample on record with it."""
    # As above.
    from fuzzyjoin import AuditDesign, read_labels  # noqa: PLC0415
    from tasks.warehouse.labelled_audits import record_audit  # noqa: PLC0415

    drawn = AuditDesign.load(design)
    labels = read_labels(sheet, drawn)
    with warehouse() as engine, writing(engine) as connection:
        audit_id, report = record_audit(connection, drawn, labels, by=by, at=datetime.now(UTC))
    say(report.explain())
    say(f"On record with run {drawn.run_id} as {audit_id}.")


def _subject(query_id: str | None, reference_id: str | None) -> "Subject":
    # As in `erase`.
    from tasks.warehouse.erasure import Subject  # noqa: PLC0415

    if query_id is not None and reference_id is not None:
        raise UsageError("--query-id and --reference-id are both given; give one of them")
    if query_id is not None:
        return Subject("query", query_id)
    if reference_id is not None:
        return Subject("reference", reference_id)
    raise UsageError("neither --query-id nor --reference-id is given; give one of them")
