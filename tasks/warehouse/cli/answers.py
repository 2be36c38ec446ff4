"""Commands that only read."""

# No postponed annotations here: typer reads these at run time.
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tasks.store.code_version import code_version
from tasks.warehouse import audit, decisions
from tasks.warehouse.changes import changed_by_run, changed_matches, totals
from tasks.warehouse.cli.options import OutputFile, Pipeline, ProgramId, RunId, Snapshots
from tasks.warehouse.cli.session import say, warehouse
from tasks.warehouse.connection import reading
from tasks.warehouse.ids import full_program_id, full_run_id
from tasks.warehouse.no_match import why_not
from tasks.warehouse.pipelines import current_program_id
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import load_program
from tasks.warehouse.run_audit import audit_run, recent_runs

__all__ = ["audit_draw", "changes", "diff", "history", "program", "replay", "run", "runs", "why"]

NO_ANSWER = 1


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; give ISO 8601, such as 2026-03-01T02:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def runs(
    pipeline: Pipeline,
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="How many of them.")] = 20,
) -> None:
    """The last runs of a pipeline, the newest first."""
    with warehouse() as engine, reading(engine) as connection:
        found = recent_runs(connection, pipeline, limit=limit)
    if not found:
        say(f"{pipeline} has no runs yet.")
        return
    say(f"The last run of {pipeline} {found[0].outcome()}.")
    say(f"{len(found)} {'run' if len(found) == 1 else 'runs'}, the newest first:")
    for one in found:
        say(one.line())


def run(run_id: RunId) -> None:
    """Everything about a run."""
    with warehouse() as engine, reading(engine) as connection:
        say(audit_run(connection, full_run_id(connection, run_id)).in_words())


def history(pipeline: Pipeline) -> None:
    """The decisions on a pipeline's program."""
    with warehouse() as engine, reading(engine) as connection:
        current = current_program_id(connection, pipeline)
        made = decisions.history(connection, pipeline)
    say(f"Current program: {current or 'none yet'}")
    for decision in made:
        reason = f" ({decision.reason})" if decision.reason else ""
        told = f"{decision.kind} of {decision.program_id} by {decision.decided_by}{reason}"
        say(f"{decision.number}  {decision.decided_at.isoformat(timespec='seconds')}  {told}")


def why(
    pipeline: Pipeline,
    query_id: Annotated[str, typer.Argument(metavar="QUERY_ID", help="Id of the query row.")],
    *,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at", parser=_time, metavar="TIME", help="ISO 8601, UTC unless it says otherwise; without it now."
        ),
    ] = None,
) -> None:
    """Why a query row is joined as it is, or to nothing."""
    time = at or datetime.now(UTC)
    with warehouse() as engine, reading(engine) as connection:
        answer = audit.why(connection, pipeline, query_id, at=time)
        if answer is not None:
            say(answer.in_words())
            return
        no_match = why_not(connection, pipeline, query_id, at=time)
    say(no_match.in_words())
    if no_match.unmatched is None:
        raise typer.Exit(NO_ANSWER)


def changes(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="The earlier run; without a later one, what this run changed itself.")
    ],
    later_run: Annotated[str | None, typer.Argument(metavar="LATER_RUN", help="The later run.")] = None,
) -> None:
    """Which matches changed between two runs, and why."""
    with warehouse() as engine, reading(engine) as connection:
        run_id = full_run_id(connection, run)
        if later_run is None:
            changed = changed_by_run(connection, run_id)
        else:
            changed = changed_matches(connection, run_id, full_run_id(connection, later_run))
    say(totals(changed))
    for match in changed:
        say(match.line())


def diff(before: ProgramId, after: ProgramId) -> None:
    """The difference of two programs in words."""
    with warehouse() as engine, reading(engine) as connection:
        programs = [load_program(connection, full_program_id(connection, given)) for given in (before, after)]
    say("\n".join(diff_programs(*programs)) or "They are the same program.")


def program(program_id: ProgramId, *, output: Annotated[Path, OutputFile]) -> None:
    """Write a stored program as a file.

    The record of its learning comes with it; fuzzyjoin explain and fuzzyjoin apply read the file.
    """
    # Brings the writers of files, which the other commands do without.
    from fuzzyjoin.files import Output, check_outputs, write_all  # noqa: PLC0415

    check_outputs([output], inputs=[])
    with warehouse() as engine, reading(engine) as connection:
        stored = load_program(connection, full_program_id(connection, program_id))
    write_all([Output(output, stored.save)])
    say(f"Wrote program {stored.program_id} to {output}.")
    say(f"Next: fuzzyjoin explain {output} REFERENCE QUERY --query-id ID")


def replay(run_id: RunId, *, snapshots: Snapshots) -> None:
    """Do a run again from its snapshots.

    Exits with 1 if it differs.
    """
    # Brings the join's compiled parts, which the other commands do without.
    from tasks.warehouse.replay import replay as do_again  # noqa: PLC0415

    with warehouse() as engine:
        with reading(engine) as connection:
            whole_id = full_run_id(connection, run_id)
        done = do_again(engine, whole_id, snapshots, code_now=code_version())
    say(done.in_words())
    if done.differences:
        raise typer.Exit(NO_ANSWER)


def audit_draw(
    run_id: RunId,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The sheet, a .csv.")],
    design_out: Annotated[Path, typer.Option("--design-out", metavar="FILE", help="The design, as JSON.")],
    # As at `fuzzyjoin audit draw`.
    from_matches: Annotated[int, typer.Option("--from-matches", metavar="N", help="Matches to draw.")] = 120,
    from_near_misses: Annotated[
        int, typer.Option("--from-near-misses", metavar="N", help="Rows that were not joined to draw.")
    ] = 80,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed draws another sample.")] = 0,
    show: Annotated[
        list[str] | None, typer.Option("--show", metavar="NAME", help="A further column to show; repeat it.")
    ] = None,
    earlier: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--earlier", metavar="SHEET DESIGN", help="A labelled sample whose labels are kept."),
    ] = None,
    snapshots: Snapshots,
) -> None:
    """Draw a blind sample of a run for a person to label."""
    # Bring the join's compiled parts, as above.
    from fuzzyjoin import AuditDesign, read_labels  # noqa: PLC0415
    from fuzzyjoin.evaluation import require_csv, sheet_output  # noqa: PLC0415
    from fuzzyjoin.files import Output, check_outputs, write_all  # noqa: PLC0415
    from tasks.warehouse.labelled_audits import draw_for_run  # noqa: PLC0415

    require_csv(output)
    check_outputs([output, design_out], inputs=earlier or [])
    with warehouse() as engine:
        with reading(engine) as connection:
            whole_id = full_run_id(connection, run_id)
        labelled = None
        if earlier is not None:
            sheet, design_file = earlier
            design = AuditDesign.load(design_file)
            labelled = design, read_labels(sheet, design)
        sample = draw_for_run(
            engine,
            whole_id,
            snapshots,
            from_matches=from_matches,
            from_near_misses=from_near_misses,
            seed=seed,
            show=show or [],
            earlier=labelled,
        )
    write_all([sheet_output(sample.sheet, output), Output(design_out, sample.design.save)])
    say(f"Drew {len(sample.design.pairs)} pairs of run {whole_id} into {output}.")
    say(f"Next: fuzzyjoin audit label {output}, then audit-record with {design_out}.")
