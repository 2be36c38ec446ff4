"""Run a flow at the command line, with its parameters from a YAML or JSON file."""

# No postponed annotations here: typer reads these at run time.
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

import typer
import yaml
from pydantic import ConfigDict, ValidationError, create_model
from rich.console import Console

from fuzzyjoin.cli import OneLineErrors, exit_code
from fuzzyjoin.errors import UsageError
from fuzzyjoin.terminal import for_terminal
from tasks.run.completion import run_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect import Flow

__all__ = ["main"]

ParametersFile: TypeAlias = Annotated[
    Path, typer.Argument(metavar="PARAMETERS", help="YAML or JSON file with the flow's parameters.")
]


class _Flows(OneLineErrors):
    interrupted = "interrupted; run it again: what is finished is kept"


app = typer.Typer(
    cls=_Flows,
    help=__doc__,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one flow; the exit code is 0 if it is done, 1 for a problem of the data, 2 if the call is wrong."""
    return exit_code(app, argv, prog_name="python -m flows")


@app.command("match_tables")
def match_tables(parameters: ParametersFile) -> None:
    """Learn a program, join by it and write the matches."""
    _run("match_tables", parameters)


@app.command("learn_program")
def learn_program(parameters: ParametersFile) -> None:
    """Learn a program and propose it."""
    _run("learn_program", parameters)


@app.command("apply_program")
def apply_program(parameters: ParametersFile) -> None:
    """Join new and changed rows by the current program."""
    _run("apply_program", parameters)


@app.command("sync_warehouse")
def sync_warehouse(parameters: ParametersFile) -> None:
    """Join a whole table, close the matches of rows that are gone."""
    _run("sync_warehouse", parameters)


def _run(name: str, path: Path) -> None:
    # Not a class of our own: the orchestrator has made its consoles.
    Console.on_broken_pipe = _log_to_nowhere  # type: ignore[method-assign,assignment]
    flow: Flow[..., str] = getattr(import_module(f"flows.{name}"), name)
    parameters = _validated(flow, _read(path), path)
    run_id = flow(**parameters)
    sys.stdout.write(for_terminal(run_in_words(run_id, parameters["warehouse"])))


def _log_to_nowhere(console: Console) -> None:
    """What happens when the reader of the log has gone, instead of an exit: a run goes on without a log."""
    console.quiet = True


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{path} cannot be read as YAML: {reason}; give a file with the flow's parameters") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no parameters; write one a line, such as pipeline: malls")
    return content


def _validated(flow: "Flow[..., str]", parameters: dict[str, Any], path: Path) -> dict[str, Any]:
    """The parameters as the flow's own types; the orchestrator would log what is wrong with them, values included."""
    hints = get_type_hints(flow.fn, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in signature(flow.fn).parameters.items()
    }
    model = create_model("Parameters", __config__=ConfigDict(extra="forbid"), **fields)
    try:
        checked = model.model_validate(parameters)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()]
        raise UsageError(f"{path}: {'; '.join(wrong)}; {flow.name} has {', '.join(fields)}") from None
    return {name: getattr(checked, name) for name in fields}
