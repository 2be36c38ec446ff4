"""Commands that only read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fuzzyjoin.terminal import for_terminal
from tasks.store.code_version import code_version
from tasks.warehouse import audit, decisions
from tasks.warehouse.changes import changed_by_run, changed_matches, totals
from tasks.warehouse.connection import reading
from tasks.warehouse.ids import full_program_id, full_run_id
from tasks.warehouse.no_match import why_not
from tasks.warehouse.pipelines import current_program_id
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import load_program
from tasks.warehouse.run_audit import audit_run, recent_runs

if TYPE_CHECKING:
    import argparse

    from sqlalchemy.engine import Engine

__all__ = ["audit_draw", "changes", "diff", "history", "program", "replay", "run", "runs", "say", "why"]

NO_ANSWER = 1


def say(text: str) -> None:
    """Write a line, or several, to standard output; what cells hold does nothing to the terminal."""
    sys.stdout.write(f"{for_terminal(text)}\n")


def runs(engine: Engine, arguments: argparse.Namespace) -> int:
    """List a pipeline's last runs."""
    with reading(engine) as connection:
        found = recent_runs(connection, arguments.pipeline, limit=arguments.limit)
    if not found:
        say(f"{arguments.pipeline} has no runs yet.")
        return 0
    say(f"The last run of {arguments.pipeline} {found[0].outcome()}.")
    say(f"{len(found)} {'run' if len(found) == 1 else 'runs'}, the newest first:")
    for one in found:
        say(one.line())
    return 0


def run(engine: Engine, arguments: argparse.Namespace) -> int:
    """Tell everything about a run."""
    with reading(engine) as connection:
        say(audit_run(connection, full_run_id(connection, arguments.run_id)).in_words())
    return 0


def history(engine: Engine, arguments: argparse.Namespace) -> int:
    """List the decisions on a pipeline's program."""
    with reading(engine) as connection:
        current = current_program_id(connection, arguments.pipeline)
        made = decisions.history(connection, arguments.pipeline)
    say(f"Current program: {current or 'none yet'}")
    for decision in made:
        reason = f" ({decision.reason})" if decision.reason else ""
        told = f"{decision.kind} of {decision.program_id} by {decision.decided_by}{reason}"
        say(f"{decision.number}  {decision.decided_at.isoformat(timespec='seconds')}  {told}")
    return 0


def why(engine: Engine, arguments: argparse.Namespace) -> int:
    """Tell why a query row was joined as it was, or to nothing."""
    at = arguments.at or datetime.now(UTC)
    with reading(engine) as connection:
        answer = audit.why(connection, arguments.pipeline, arguments.query_id, at=at)
        if answer is None:
            no_match = why_not(connection, arguments.pipeline, arguments.query_id, at=at)
            say(no_match.in_words())
            return NO_ANSWER if no_match.unmatched is None else 0
    say(answer.in_words())
    return 0


def changes(engine: Engine, arguments: argparse.Namespace) -> int:
    """List the matches that a run changed, or that changed between two."""
    with reading(engine) as connection:
        run_id = full_run_id(connection, arguments.run)
        if arguments.later_run is None:
            changed = changed_by_run(connection, run_id)
        else:
            changed = changed_matches(connection, run_id, full_run_id(connection, arguments.later_run))
    say(totals(changed))
    for match in changed:
        say(match.line())
    return 0


def diff(engine: Engine, arguments: argparse.Namespace) -> int:
    """Tell the difference of two programs."""
    with reading(engine) as connection:
        programs = [
            load_program(connection, full_program_id(connection, given))
            for given in (arguments.before, arguments.after)
        ]
    say("\n".join(diff_programs(*programs)) or "They are the same program.")
    return 0


def program(engine: Engine, arguments: argparse.Namespace) -> int:
    """Write a stored program, with the record of its learning, as a file."""
    # Brings the writers of files, which the other commands do without.
    from fuzzyjoin.files import Output, check_outputs, write_all  # noqa: PLC0415

    check_outputs([arguments.output], inputs=[])
    with reading(engine) as connection:
        stored = load_program(connection, full_program_id(connection, arguments.program_id))
    write_all([Output(arguments.output, stored.save)])
    say(f"Wrote program {stored.program_id} to {arguments.output}.")
    say(f"Next: fuzzyjoin explain {arguments.output} REFERENCE QUERY --query-id ID")
    return 0


def replay(engine: Engine, arguments: argparse.Namespace) -> int:
    """Do a run again from its snapshots."""
    # Brings the join's compiled parts, which the other commands do without.
    from tasks.warehouse.replay import replay as do_again  # noqa: PLC0415

    with reading(engine) as connection:
        run_id = full_run_id(connection, arguments.run_id)
    done = do_again(engine, run_id, arguments.snapshots, code_now=code_version())
    say(done.in_words())
    return NO_ANSWER if done.differences else 0


def audit_draw(engine: Engine, arguments: argparse.Namespace) -> int:
    """Draw a sample of a run for a person to label."""
    # Bring the join's compiled parts, as above.
    from fuzzyjoin import AuditDesign, read_labels  # noqa: PLC0415
    from fuzzyjoin.evaluation import require_csv, sheet_output  # noqa: PLC0415
    from fuzzyjoin.files import Output, check_outputs, write_all  # noqa: PLC0415
    from tasks.warehouse.labelled_audits import draw_for_run  # noqa: PLC0415

    require_csv(arguments.output)
    check_outputs([arguments.output, arguments.design_out], inputs=arguments.earlier or [])
    with reading(engine) as connection:
        run_id = full_run_id(connection, arguments.run_id)
    earlier = None
    if arguments.earlier:
        design = AuditDesign.load(arguments.earlier[1])
        earlier = design, read_labels(arguments.earlier[0], design)
    sample = draw_for_run(
        engine,
        run_id,
        arguments.snapshots,
        from_matches=arguments.from_matches,
        from_near_misses=arguments.from_near_misses,
        seed=arguments.seed,
        show=arguments.show,
        earlier=earlier,
    )
    write_all([sheet_output(sample.sheet, arguments.output), Output(arguments.design_out, sample.design.save)])
    say(f"Drew {len(sample.design.pairs)} pairs of run {run_id} into {arguments.output}.")
    say(f"Next: fuzzyjoin audit label {arguments.output}, then audit-record with {arguments.design_out}.")
    return 0
