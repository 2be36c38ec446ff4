"""Ask a person whether a proposed program may be used."""

from __future__ import annotations

from prefect import flow
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run

from tasks.review import Answer, ReviewTimeoutError, oldest_proposal, publish_proposal, question, record_answer
from tasks.settings import PipelineName, ReviewSettings, Warehouse

__all__ = ["review_program"]


@flow(name="review_program", result_serializer="json", flow_run_name="review {pipeline}")
def review_program(
    pipeline: PipelineName, review: ReviewSettings = ReviewSettings(), warehouse: Warehouse = Warehouse()
) -> None:
    """Show the proposed program beside the current one, and wait for a person to approve or refuse it.

    While it waits, and if nobody answers, the current program goes on working.

    Args:
        pipeline: Name of the recurring match job whose proposal is looked at.
        review: How long to wait.
        warehouse: Where the proposal is.
    """
    proposal = oldest_proposal(pipeline, warehouse)
    if proposal is None:
        return
    publish_proposal(proposal)
    try:
        answer = pause_flow_run(
            wait_for_input=Answer.with_initial_data(description=question(proposal)), timeout=review.wait_seconds
        )
    except FlowPauseTimeout:
        raise ReviewTimeoutError(proposal, review.wait_seconds) from None
    record_answer(proposal, answer, warehouse)
