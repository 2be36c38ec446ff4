"""What a person sees on a run's page: the tasks that publish the program, the estimate and the boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import Program
from fuzzyjoin.figures import apart
from tasks.apply import load_frame
from tasks.artifacts import artifact_key
from tasks.charts import curve_chart
from tasks.credentials import opened_warehouse
from tasks.markdown import code, escaped, table, wrapped
from tasks.masking import masked_texts, shows_rule_words
from tasks.storage import checked
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import audit_run, estimate_of_all_in_words

if TYPE_CHECKING:
    from fuzzyjoin.definition import PrecisionEstimate
    from tasks.handles import InputHandle, ProgramHandle, ResultHandle, RunHandle
    from tasks.warehouse.materialise import Changes
    from tasks.warehouse.run_audit import RunAudit

__all__ = ["estimate_text", "learned_in_words", "publish_program", "publish_result"]

BOUNDARY_ROWS: Final = 20


@task(name="publish program", task_run_name="publish program", cache_policy=NO_CACHE)
def publish_program(run: RunHandle, program: ProgramHandle, standing: str) -> None:
    """Show a program in words; `standing` says what became of it."""
    learned = Program.load(checked(program.file))
    words = learned.explain(rule_words=shows_rule_words(learned, run.privacy.shown_columns))
    create_markdown_artifact(
        key=artifact_key(run.pipeline, "program"),
        description="The program in words",
        markdown="\n\n".join(
            [
                "# The program",
                escaped(standing),
                (
                    "Estimated precision when it was learned: "
                    f"**{estimate_text(program.precision_estimate, program.precision_target)}**; the target was "
                    f"{program.precision_target:g}."
                ),
                code(wrapped(words)),
            ]
        ),
    )


@task(name="publish result", task_run_name="publish result", cache_policy=NO_CACHE)
def publish_result(
    run: RunHandle,
    program: ProgramHandle,
    result: ResultHandle,
    *,
    reference: InputHandle,
    query: InputHandle,
    changes: Changes,
) -> None:
    """Show what the run found and wrote, how sure it is, and where the boundary lies."""
    for warning in result.warnings:
        get_run_logger().warning("%s", warning)
    with opened_warehouse(run.warehouse) as engine:
        warehouse = shown(engine)
        with reading(engine) as connection:
            recorded = audit_run(connection, run.run_id)
    create_markdown_artifact(
        key=artifact_key(run.pipeline, "result"),
        description="What the run found and wrote",
        markdown=_result(run, program, result, changes, warehouse=warehouse, recorded=recorded),
    )
    curve = load_frame(result.curve)
    if len(curve):
        create_markdown_artifact(
            key=artifact_key(run.pipeline, "precision-curve"),
            description="Estimate against the threshold",
            markdown=curve_chart(curve, target=program.precision_target),
        )
    create_markdown_artifact(
        key=artifact_key(run.pipeline, "boundary"),
        description="Rows nearest to the boundary",
        markdown=_boundary(run, result, reference, query),
    )


def learned_in_words(program: ProgramHandle, standing: str) -> str:
    """What a run that only learned has done, in half a line; `standing` says what became of the program."""
    estimate = program.precision_estimate
    value = "unknown" if estimate.value is None else f"{estimate.value:.2f}"
    interval = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.2f} to {estimate.high:.2f})"
    return f"a program was learned, estimated precision {value}{interval}: {standing.rstrip('.')}"


def estimate_text(estimate: PrecisionEstimate, beside: float | None = None) -> str:
    """The estimate with its interval, where it has one, told apart from the number that it stands beside."""
    if estimate.value is None:
        return "none, because nothing is joined"
    value = apart(estimate.value, estimate.value if beside is None else beside, digits=3)[0]
    if estimate.low is None or estimate.high is None or estimate.level is None:
        return f"{value} (the method's own, without an interval)"
    return f"{value} ({estimate.low:.3f} to {estimate.high:.3f} at level {estimate.level:g})"


def _result(
    run: RunHandle,
    program: ProgramHandle,
    result: ResultHandle,
    changes: Changes,
    *,
    warehouse: str,
    recorded: RunAudit,
) -> str:
    rows = result.matched_rows + result.unmatched_rows
    counts = [
        ("query rows looked at", f"{rows:,}"),
        ("matched", f"{result.matched_rows:,}"),
        ("unmatched", f"{result.unmatched_rows:,}"),
        ("matches opened", f"{changes.opened:,}"),
        ("matches closed", f"{changes.closed:,}"),
        ("matches unchanged", f"{changes.unchanged:,}"),
    ]
    seconds = ", ".join(f"{stage} {spent:.2f}" for stage, spent in result.seconds.items())
    parts = [
        f"# {result.matched_rows:,} of {rows:,} query rows matched",
        (
            f"Estimated precision: **{estimate_text(result.precision_estimate, program.precision_target)}**; the "
            f"target is {program.precision_target:g}."
        ),
        _current(recorded),
        table(("", ""), counts),
        "\n".join(f"- {escaped(warning)}" for warning in result.warnings),
        "## Where it is",
        (
            f"- warehouse {code(warehouse, inline=True)}, pipeline {code(run.pipeline, inline=True)}, run "
            f"{code(run.run_id, inline=True)}"
        ),
        (
            "- `fuzzyjoin_current_matches`: the matches that hold now; `fuzzyjoin_match_audit`: every match with its "
            "evidence, run and program"
        ),
        "## Ask why",
        code(f"python -m tasks.warehouse why {run.pipeline} QUERY_ID\npython -m tasks.warehouse run {run.run_id}"),
        f"Seconds in the library: {seconds}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _current(recorded: RunAudit) -> str:
    """All matches that hold, where these are not those of the run."""
    if recorded.covers == "all":
        return ""
    return (
        f"{recorded.matches_current:,} matches hold now, of this run and of earlier ones. Their estimated precision: "
        f"**{estimate_of_all_in_words(recorded)}**."
    )


def _boundary(run: RunHandle, result: ResultHandle, reference: InputHandle, query: InputHandle) -> str:
    rows = boundary_rows(load_frame(result.matches), load_frame(result.unmatched))
    texts = [masked_texts(side, run.privacy) for side in (query, reference)]
    lines = [
        (
            "yes" if row.joined else "no",
            " of ".join(apart(row.distance, row.threshold, digits=3, kind="g")),
            row.query_id,
            texts[0].get(row.query_id) or "",
            row.reference_id,
            texts[1].get(row.reference_id) or "",
        )
        for row in rows.itertuples()
    ]
    if not lines:
        return "# The boundary\n\nNo query row has a candidate that a threshold could let in or keep out."
    head = ("joined", "distance of threshold", "query", "query text", "reference", "reference text")
    return "\n\n".join(
        [
            "# The boundary",
            (
                "The joined rows that came nearest to being left out, and the rows left out that came nearest to being "
                "joined, by distance relative to the threshold. Right and wrong matches mixed here is what a boundary "
                "looks like; wrong ones far on the joined side are not."
            ),
            table(head, lines),
        ]
    )


def boundary_rows(matches: pd.DataFrame, unmatched: pd.DataFrame) -> pd.DataFrame:
    """The rows nearest to the boundary, ascending by distance relative to the threshold; half of them joined.

    Columns: joined, query_id, reference_id, distance, threshold.
    """
    names = {"best_reference_id": "reference_id", "best_distance": "distance", "best_threshold": "threshold"}
    columns = ["query_id", "reference_id", "distance", "threshold"]
    inside = matches[columns].assign(joined=True)
    outside = unmatched.rename(columns=names)[columns].assign(joined=False).dropna()
    inside, outside = (
        side.assign(relative=side["distance"] / side["threshold"].where(side["threshold"] > 0.0, 1.0)).sort_values(
            ["relative", "query_id"], ascending=[ascending, True]
        )
        for side, ascending in ((inside, False), (outside, True))
    )
    half = BOUNDARY_ROWS // 2
    taken_outside = outside.head(max(half, BOUNDARY_ROWS - len(inside)))
    taken_inside = inside.head(BOUNDARY_ROWS - len(taken_outside))
    return pd.concat([taken_inside[::-1], taken_outside])
