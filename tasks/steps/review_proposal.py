"""A person's answer to a proposed program: the tasks that show the proposal and record what was decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.input import RunInput
from pydantic import BaseModel, ConfigDict, Field

from fuzzyjoin import FuzzyJoinError, PrecisionEstimate
from tasks.orchestration.credentials import opened_warehouse
from tasks.orchestration.temporary_server import wait_for_temporary_server
from tasks.pages.artifact_keys import artifact_key
from tasks.pages.estimates import estimate_text
from tasks.pages.markdown import code, escaped, short_id, table, wrapped
from tasks.run.masking import shows_rule_words
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.decisions import approve, history, open_proposals, refuse
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.pipelines import current_program_id, require_pipeline
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import load_program

if TYPE_CHECKING:
    from tasks.settings import Warehouse
    from tasks.steps.compare_programs import Effect
    from tasks.warehouse.decisions import Decision

__all__ = [
    "AlreadyAnsweredError",
    "Answer",
    "Proposal",
    "ReviewTimeoutError",
    "oldest_proposal",
    "publish_nothing_to_review",
    "publish_proposal",
    "question",
    "record_answer",
]

# As in `tasks.run.pipeline_run`, for the flow that makes no run.
wait_for_temporary_server()

DIFFERENCES_SHOWN: Final = 5
"""In the form, whose fields come below them."""


class Answer(RunInput):
    """A person's answer."""

    decision: Literal["approve", "refuse"] = Field(
        description="approve: the pipeline uses the program from its next run on. refuse: the current one stays."
    )
    by: str = Field(pattern=r"\S", max_length=200, description="Your name, for the auditor.")
    reason: str = Field(default="", max_length=2000, description="Why, for the auditor.")


class Proposal(BaseModel):
    """A proposed program beside the one in use.

    Attributes
    ----------
    pipeline, program_id
        What is proposed for which pipeline.
    proposed_by, proposed_at
        By which run, and when.
    words
        The program in words.
    differences
        What decides differently from the current program, one sentence each.
    current_program_id
        None if this is the first.
    estimate, current_estimate
        As estimated when each was last learned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: str
    program_id: str
    proposed_by: str
    proposed_at: datetime
    words: str
    differences: tuple[str, ...]
    current_program_id: str | None
    estimate: PrecisionEstimate
    current_estimate: PrecisionEstimate | None


class ReviewTimeoutError(FuzzyJoinError):
    """Nobody answered a proposal in time."""

    def __init__(self, proposal: Proposal, seconds: int) -> None:
        super().__init__(
            f"nobody approved or refused program {proposal.program_id} of pipeline {proposal.pipeline!r} within "
            f"{seconds} s; it stays proposed and the current program stays in use: run review_program again"
        )


class AlreadyAnsweredError(FuzzyJoinError):
    """Somebody else answered first."""

    def __init__(self, proposal: Proposal, first: Decision, *, by: str) -> None:
        super().__init__(
            f"{first.decided_by} answered first ({first.kind}, {first.decided_at.isoformat(timespec='seconds')}): the "
            f"answer of {by} to program {proposal.program_id} of pipeline {proposal.pipeline!r} is not recorded"
        )


@task(name="oldest proposal", task_run_name="oldest proposal", cache_policy=NO_CACHE)
def oldest_proposal(pipeline: str, warehouse: Warehouse, shown_columns: tuple[str, ...] = ()) -> Proposal | None:
    """The proposal that has waited longest for an answer, None if there is none; which columns' words it may hold."""
    with opened_warehouse(warehouse) as engine:
        migrate_up(engine)
        with reading(engine) as connection:
            require_pipeline(connection, pipeline)
            waiting = open_proposals(connection, pipeline)
            if not waiting:
                return None
            program = load_program(connection, waiting[0].program_id)
            current_id = current_program_id(connection, pipeline)
            current = load_program(connection, current_id) if current_id else None
    rule_words = all(shows_rule_words(one, shown_columns) for one in (program, current) if one)
    return Proposal(
        pipeline=pipeline,
        program_id=program.program_id,
        proposed_by=waiting[0].decided_by,
        proposed_at=waiting[0].decided_at,
        words=program.explain(rule_words=rule_words),
        differences=diff_programs(current, program, rule_words=rule_words) if current else (),
        current_program_id=current_id,
        estimate=program.precision_estimate,
        current_estimate=current.precision_estimate if current else None,
    )


@task(name="publish proposal", task_run_name="publish proposal", cache_policy=NO_CACHE)
def publish_proposal(proposal: Proposal, effect: Effect) -> None:
    """Show a proposal, and what it would change, on the run's page."""
    create_markdown_artifact(
        key=artifact_key(proposal.pipeline, "proposal"),
        description="The program to be reviewed",
        markdown=_proposal(proposal, effect),
    )


@task(name="publish nothing to review", task_run_name="publish nothing to review", cache_policy=NO_CACHE)
def publish_nothing_to_review(pipeline: str) -> None:
    """Say on the run's page that nobody has to answer."""
    create_markdown_artifact(
        key=artifact_key(pipeline, "proposal"),
        description="Nothing to review",
        markdown=f"# Nothing to review\n\nNo program of pipeline {escaped(pipeline)} waits for an answer.",
    )


def question(proposal: Proposal, effect: Effect) -> str:
    """The question in a few lines, for the form in which a person answers."""
    now = "none" if proposal.current_estimate is None else estimate_text(proposal.current_estimate)
    shown = proposal.differences[:DIFFERENCES_SHOWN]
    left_out = len(proposal.differences) - len(shown)
    more = f"{left_out} more differences are left out here. " if left_out else ""
    program = code(short_id(proposal.program_id), inline=True)
    lines = [
        f"Shall pipeline **{escaped(proposal.pipeline)}** use the program {program}?",
        escaped(effect.in_words()),
        f"Its estimated precision is {estimate_text(proposal.estimate)}; the current program's is {now}.",
        "\n".join(f"- {escaped(sentence)}" for sentence in shown),
        f"{more}The whole program is in this run's artifact *proposal*.",
    ]
    return "\n\n".join(line for line in lines if line)


@task(name="record answer", task_run_name="record answer", cache_policy=NO_CACHE)
def record_answer(proposal: Proposal, answer: Answer, warehouse: Warehouse) -> None:
    """Record the decision, and make an approved program the current one.

    Raises
    ------
    AlreadyAnsweredError
        If somebody else answered meanwhile.
    """
    decide = approve if answer.decision == "approve" else refuse
    with opened_warehouse(warehouse) as engine, writing(engine) as connection:
        try:
            decide(
                connection,
                proposal.pipeline,
                proposal.program_id,
                by=answer.by,
                reason=answer.reason or None,
                at=datetime.now(UTC),
            )
        except WarehouseError:
            made = history(connection, proposal.pipeline)
            answers = [one for one in made if one.program_id == proposal.program_id and one.kind != "proposal"]
            if not answers or answers[-1].decided_at < proposal.proposed_at:
                raise
            raise AlreadyAnsweredError(proposal, answers[-1], by=answer.by) from None


def _proposal(proposal: Proposal, effect: Effect) -> str:
    now = "none" if proposal.current_estimate is None else estimate_text(proposal.current_estimate)
    rows = [
        ("program", short_id(proposal.program_id), short_id(proposal.current_program_id or "none")),
        ("estimated precision", estimate_text(proposal.estimate), now),
    ]
    differences = "\n".join(f"- {escaped(sentence)}" for sentence in proposal.differences)
    return "\n\n".join(
        [
            f"# A program waits for your answer: {escaped(proposal.pipeline)}",
            f"**{escaped(effect.in_words())}**",
            table(("", "proposed", "current"), rows),
            (
                f"Proposed by {escaped(proposal.proposed_by)} at {proposal.proposed_at.isoformat(timespec='minutes')}. "
                "To answer, choose Resume in the menu at the top right of this run's page. Until then the current "
                "program stays in use."
            ),
            *_examples(effect),
            "## How the programs differ",
            differences or "It is the pipeline's first program, or the same one with a lower estimate.",
            "## The proposed program",
            code(wrapped(proposal.words)),
        ]
    )


def _examples(effect: Effect) -> list[str]:
    if not effect.examples:
        return []
    rows = [(one.kind, one.query, one.before or "no match", one.after or "no match") for one in effect.examples]
    return [
        "## Rows that would change",
        "The first of each kind by id, on the tables that the program was learned on.",
        table(("", "query row", "now", "then"), rows),
    ]
