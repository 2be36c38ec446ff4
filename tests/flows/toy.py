"""Flows with parameters, artifacts and pauses like those of the project, and nothing behind them."""

import base64
from typing import Literal

from prefect import flow, pause_flow_run
from prefect.artifacts import create_markdown_artifact
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import BaseModel, ConfigDict, Field

from tasks.ingestion.sources import Source

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><rect width="600" height="300"/></svg>'


class Settings(BaseModel):
    """What is joined, and how exactly."""

    model_config = ConfigDict(extra="forbid")

    on: tuple[str, ...] = Field(min_length=1, description="Columns to compare.")
    precision_target: float = Field(default=0.9, gt=0, lt=1, description="Share of matches that should be right.")
    space: Literal["small", "medium", "large"] = Field(default="small", description="How much is tried.")


@flow
def toy_match(reference: Source, settings: Settings):
    picture = base64.b64encode(PICTURE.encode()).decode()
    text = f"# Program\n\n![Estimate](data:image/svg+xml;base64,{picture})\n\n{reference.path} {settings.on}"
    create_markdown_artifact(text, key="program", description="The program in words.")


class Decision(RunInput):
    decision: Literal["approve", "refuse"] = Field(description="What becomes of the program.")
    by: str = Field(min_length=1, description="Your name.")


@flow
def toy_review(seconds: int = 300):
    question = Decision.with_initial_data(description="# Program *abc*")
    try:
        answer = pause_flow_run(wait_for_input=question, timeout=seconds, poll_interval=1)
    except FlowPauseTimeout:
        create_markdown_artifact("expired", key="decision")
        raise
    create_markdown_artifact(f"{answer.decision} by {answer.by}", key="decision")
