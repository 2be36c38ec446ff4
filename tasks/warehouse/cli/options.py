"""Arguments and options that several commands share."""

# No postponed annotations here: typer reads these at run time.
import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["By", "OutputFile", "Pipeline", "ProgramId", "Reason", "RunId", "Snapshots"]

STORAGE_VARIABLE = "FUZZYJOIN_STORAGE"
DEFAULT_STORAGE = "fuzzyjoin-storage"


def _snapshots_folder() -> Path:
    return Path(os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE) / "snapshots"


Pipeline: TypeAlias = Annotated[str, typer.Argument(metavar="PIPELINE", help="Name of the pipeline.")]
RunId: TypeAlias = Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the run, or its beginning.")]
ProgramId: TypeAlias = Annotated[str, typer.Argument(metavar="PROGRAM_ID", help="Id of the program, or its beginning.")]
By: TypeAlias = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")]
Reason: TypeAlias = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept on record.")]
OutputFile = typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
Snapshots: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--snapshots",
        metavar="FOLDER",
        default_factory=_snapshots_folder,
        show_default=f"snapshots in the folder {STORAGE_VARIABLE}, or in {DEFAULT_STORAGE}",
        help="Where the runs' snapshots are.",
    ),
]
