"""Run a flow at the command line, with its parameters from a YAML or JSON file."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from prefect.exceptions import ParameterTypeError

from fuzzyjoin.errors import FuzzyJoinError, UsageError
from tasks.outcome import run_in_words
from tasks.settings import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prefect import Flow

__all__ = ["main"]

FLOWS: Final = ("match_tables", "learn_program", "apply_program", "sync_warehouse")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one flow; the exit code is 0 if it is done, 1 for a problem of the data, 2 if the call is wrong."""
    parser = argparse.ArgumentParser(prog="python -m flows", description=__doc__)
    parser.add_argument("flow", choices=FLOWS)
    parser.add_argument("parameters", type=Path, help="YAML or JSON file with the flow's parameters")
    arguments = parser.parse_args(argv)
    try:
        flow: Flow[..., str] = getattr(import_module(f"flows.{arguments.flow}"), arguments.flow)
        parameters = _validated(flow, _read(arguments.parameters), arguments.parameters)
        run_id = flow(**parameters)
    except FuzzyJoinError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(run_in_words(run_id, parameters.get("warehouse", Warehouse())))
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{path} cannot be read as YAML: {reason}; give a file with the flow's parameters") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no parameters; write one a line, such as pipeline: malls")
    return content


def _validated(flow: Flow[..., str], parameters: Mapping[str, Any], path: Path) -> dict[str, Any]:
    known = set(flow.parameters.properties)
    unknown = sorted(parameters.keys() - known)
    missing = sorted(set(flow.parameters.required) - parameters.keys())
    if unknown:
        raise UsageError(f"{path}: {flow.name} has no parameter {unknown[0]!r}; it has {', '.join(sorted(known))}")
    if missing:
        raise UsageError(f"{path}: {flow.name} needs the parameter {missing[0]!r}; add it")
    try:
        return flow.validate_parameters(dict(parameters))
    except ParameterTypeError as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from None


if __name__ == "__main__":
    sys.exit(main())
