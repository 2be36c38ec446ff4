"""Run a flow at the command line, with its parameters from a YAML or JSON file."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import yaml
from pydantic import ConfigDict, ValidationError, create_model
from rich.console import Console

from fuzzyjoin.errors import FuzzyJoinError, UsageError
from fuzzyjoin.terminal import for_terminal
from tasks.run.completion import run_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect import Flow

__all__ = ["main"]

FLOWS: Final = ("match_tables", "learn_program", "apply_program", "sync_warehouse")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one flow; the exit code is 0 if it is done, 1 for a problem of the data, 2 if the call is wrong."""
    parser = argparse.ArgumentParser(prog="python -m flows", description=__doc__)
    parser.add_argument("flow", choices=FLOWS)
    parser.add_argument("parameters", type=Path, help="YAML or JSON file with the flow's parameters")
    arguments = parser.parse_args(argv)
    # Not a class of our own: the orchestrator has made its consoles.
    Console.on_broken_pipe = _log_to_nowhere  # type: ignore[method-assign,assignment]
    try:
        flow: Flow[..., str] = getattr(import_module(f"flows.{arguments.flow}"), arguments.flow)
        parameters = _validated(flow, _read(arguments.parameters), arguments.parameters)
        run_id = flow(**parameters)
    except FuzzyJoinError as error:
        sys.stderr.write(f"{for_terminal(str(error))}\n")
        return error.exit_code
    sys.stdout.write(for_terminal(run_in_words(run_id, parameters["warehouse"])))
    return 0


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


def _validated(flow: Flow[..., str], parameters: dict[str, Any], path: Path) -> dict[str, Any]:
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
