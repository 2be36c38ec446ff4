"""Ask a person whether a proposed program may be used."""

from __future__ import annotations

from typing import Final

from prefect import flow
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run

from tasks.settings import PipelineName, ReviewSettings, Warehouse
from tasks.steps.compare_programs import effect_of
from tasks.steps.review_proposal import (
    Answer,
    ReviewTimeoutError,
    oldest_proposal,
    publish_nothing_to_review,
    publish_proposal,
    question,
    record_answer,
)

__all__ = ["review_program"]

POLL_SECONDS: Final = 3
"""How soon an answer is noticed."""


@flow(name="review_program", result_serializer="json", flow_run_name="review {pipeline}")
def review_program(
    pipeline: PipelineName, review: ReviewSettings = ReviewSettings(), warehouse: Warehouse = Warehouse()
) -> None:
    """Show the proposed program beside the current one, and wait for a person to approve or refuse it.

    While it waits, and if nobody answers, the current program stays in use.

    Args:
        pipeline: Name of the recurring match job whose proposal is looked at.
        review: How long to wait, and what may be shown.
        warehouse: Where the proposal is.
    """
    proposal = oldest_proposal(pipeline, warehouse, review.shown_columns)
    if proposal is None:
        publish_nothing_to_review(pipeline)
        return
    effect = effect_of(pipeline, proposal.program_id, proposal.current_program_id, warehouse, review.shown_columns)
    publish_proposal(proposal, effect)
    try:
        answer = pause_flow_run(
            wait_for_input=Answer.with_initial_data(description=question(proposal, effect)),
            timeout=review.wait_seconds,
            poll_interval=POLL_SECONDS,
        )
    except FlowPauseTimeout:
        raise ReviewTimeoutError(proposal, review.wait_seconds) from None
    record_answer(proposal, answer, warehouse)
