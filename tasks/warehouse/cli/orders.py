"""Commands that change something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tasks.warehouse import decisions
from tasks.warehouse.cli.answers import say
from tasks.warehouse.connection import shown, writing
from tasks.warehouse.ids import full_program_id
from tasks.warehouse.migrations import migrate_up

if TYPE_CHECKING:
    import argparse

    from sqlalchemy.engine import Engine

__all__ = ["approve", "audit_record", "erase", "migrate", "refuse", "rollback"]


def migrate(engine: Engine, _arguments: argparse.Namespace) -> int:
    """Bring the warehouse to the newest version."""
    migrate_up(engine)
    say(f"{shown(engine)} has the newest tables and views")
    return 0


def approve(engine: Engine, arguments: argparse.Namespace) -> int:
    """Make a proposed program the current one."""
    with writing(engine) as connection:
        program_id = full_program_id(connection, arguments.program_id, pipeline=arguments.pipeline)
        decisions.approve(
            connection,
            arguments.pipeline,
            program_id,
            by=arguments.by,
            reason=arguments.reason,
            at=datetime.now(UTC),
        )
    say(f"{arguments.pipeline} uses program {program_id} now")
    return 0


def refuse(engine: Engine, arguments: argparse.Namespace) -> int:
    """Turn a proposed program down."""
    with writing(engine) as connection:
        program_id = full_program_id(connection, arguments.program_id, pipeline=arguments.pipeline)
        decisions.refuse(
            connection,
            arguments.pipeline,
            program_id,
            by=arguments.by,
            reason=arguments.reason,
            at=datetime.now(UTC),
        )
    say(f"{arguments.pipeline} goes on without program {program_id}")
    return 0


def rollback(engine: Engine, arguments: argparse.Namespace) -> int:
    """Make a program current again that was so before."""
    with writing(engine) as connection:
        program_id = full_program_id(connection, arguments.program_id, pipeline=arguments.pipeline)
        decisions.roll_back(
            connection,
            arguments.pipeline,
            program_id,
            by=arguments.by,
            reason=arguments.reason,
            at=datetime.now(UTC),
        )
    say(f"{arguments.pipeline} uses program {program_id} again")
    return 0


def erase(engine: Engine, arguments: argparse.Namespace) -> int:
    """Remove a person's values."""
    # Brings the readers of tables, which the other commands do without.
    from tasks.store.folders import storage_folder  # noqa: PLC0415
    from tasks.store.saved_work import delete_saved_work  # noqa: PLC0415
    from tasks.warehouse.erasure import Subject  # noqa: PLC0415
    from tasks.warehouse.erasure import erase as remove  # noqa: PLC0415

    if arguments.query_id is not None:
        subject = Subject("query", arguments.query_id)
    else:
        subject = Subject("reference", arguments.reference_id)
    done = remove(
        engine,
        arguments.pipeline,
        subject,
        arguments.snapshots,
        by=arguments.by,
        reason=arguments.reason,
        at=datetime.now(UTC),
        delete_saved_work=delete_saved_work,
    )
    say(done.in_words())
    say(f"Looked for snapshots in {arguments.snapshots}, and for saved work in {storage_folder()}.")
    return 0


def audit_record(engine: Engine, arguments: argparse.Namespace) -> int:
    """Put labels on record with their run."""
    # As above.
    from fuzzyjoin import AuditDesign, read_labels  # noqa: PLC0415
    from tasks.warehouse.labelled_audits import record_audit  # noqa: PLC0415

    design = AuditDesign.load(arguments.design)
    labels = read_labels(arguments.sheet, design)
    with writing(engine) as connection:
        audit_id, report = record_audit(connection, design, labels, by=arguments.by, at=datetime.now(UTC))
    say(report.explain())
    say(f"On record with run {design.run_id} as {audit_id}.")
    return 0
