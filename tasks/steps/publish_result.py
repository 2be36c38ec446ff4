"""What a run found on its page: the task that publishes counts, the estimate and the boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from fuzzyjoin.figures import apart
from tasks.orchestration.credentials import opened_warehouse
from tasks.pages.artifact_keys import artifact_key
from tasks.pages.charts import curve_chart
from tasks.pages.estimates import estimate_text
from tasks.pages.markdown import code, escaped, table
from tasks.run.masking import masked_texts
from tasks.store.named_files import load_frame
from tasks.warehouse.connection import reading, shown
from tasks.warehouse.run_audit import audit_run, estimate_of_all_in_words

if TYPE_CHECKING:
    from tasks.handles import InputHandle, ProgramHandle, ResultHandle, RunHandle
    from tasks.warehouse.matches import Changes
    from tasks.warehouse.run_audit import RunAudit

__all__ = ["publish_result"]

BOUNDARY_ROWS: Final = 20


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
        _published(run),
        "## Ask why",
        code(f"python -m tasks.warehouse why {run.pipeline} QUERY_ID\npython -m tasks.warehouse run {run.run_id}"),
        f"Seconds in the library: {seconds}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _published(run: RunHandle) -> str:
    name = run.publish.joined
    return f"- {code(name, inline=True)}: both tables side by side, every query row beside its match" if name else ""


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
