"""A program on the run's page, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from fuzzyjoin import Program
from tasks.pages.artifact_keys import artifact_key
from tasks.pages.estimates import estimate_text
from tasks.pages.markdown import code, escaped, wrapped
from tasks.run.masking import shows_rule_words
from tasks.store.named_files import checked

if TYPE_CHECKING:
    from tasks.handles import PairsHandle, ProgramHandle, RunHandle

__all__ = ["learned_in_words", "publish_program"]


@task(name="publish program", task_run_name="publish program", cache_policy=NO_CACHE)
def publish_program(run: RunHandle, program: ProgramHandle, pairs: PairsHandle, standing: str) -> None:
    """Show a program in words, and what it was learned from; `standing` says what became of it."""
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
                    f"{program.precision_target:g}. It was learned from {pairs.query_pairs:,} candidate pairs of "
                    f"{pairs.query_rows:,} query rows."
                ),
                code(wrapped(words)),
            ]
        ),
    )


def learned_in_words(program: ProgramHandle, standing: str) -> str:
    """What a run that only learned has done, in half a line; `standing` says what became of the program."""
    estimate = program.precision_estimate
    value = "unknown" if estimate.value is None else f"{estimate.value:.2f}"
    interval = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.2f} to {estimate.high:.2f})"
    return f"a program was learned, estimated precision {value}{interval}: {standing.rstrip('.')}"
