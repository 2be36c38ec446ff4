"""The first minute of somebody new: installing and running the pipeline, running it again, and the README's join.

Everything runs in a clone of this checkout's commit with an empty home, so that nothing of an earlier run or of a
package manager's cache helps; what was changed since the commit is not measured. "bare flow" is a flow of the same
Prefect that does nothing, with a temporary server as at `make run`. "imports" is a process that imports numba, pandas
and pyarrow and ends. The cold join compiles every kernel into an empty cache, and the warm one finds them there. Of
several runs the median is shown. "CPU" is that of a command and of all processes that it waited for.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks._command import add_json_option, command
from benchmarks._measure import ROOT, Column, measured_tree, print_table, say, write_json
from fuzzyjoin import FuzzyJoinError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["main", "measured"]

BARE_FLOW: Final = "from prefect import flow\n\n@flow\ndef nothing() -> None: ...\n\nnothing()"
IMPORTS: Final = "import numba, pandas, pyarrow"
EXAMPLE: Final = "docs/examples/autofj50/ShoppingMall"
JOIN: Final = (
    *(".venv/bin/fuzzyjoin", "join", f"{EXAMPLE}/left.csv", f"{EXAMPLE}/right.csv", "--on", "title"),
    *("--precision-target", "0.9", "-o", "build/matches.csv", "--unmatched-out", "build/unmatched.csv"),
    *("--program-out", "build/program.json"),
)
NOT_SET: Final = ("FUZZYJOIN_", "MAKE", "MFLAGS", "NUMBA_", "PREFECT_", "UV_CACHE_DIR", "VIRTUAL_ENV", "XDG_")
"""What the names of variables begin with that somebody new has not set."""

ALLOWED_SECONDS: Final = 5.0
"""What a second `make run` may take beside its share of a bare flow."""

TABLE: Final = (
    Column("command", "what", 24),
    Column("runs", "runs", 4, "d"),
    Column("seconds", "seconds", 8, ".1f"),
    Column("CPU (s)", "cpu_seconds", 8, ".1f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Clone, measure, and print a row a command and the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_minute", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each warm command; default: 3")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    tree = measured_tree()
    with tempfile.TemporaryDirectory() as name:
        rows = print_table(TABLE, _rows(Path(name), arguments.runs))
    seconds = {row["what"]: row["seconds"] for row in rows}
    ratios = {
        "make_run": (seconds["make run, again"] - ALLOWED_SECONDS) / seconds["bare flow"],
        "join": seconds["join, warm"] / seconds["imports"],
    }
    say()
    say(f"make run again, less {ALLOWED_SECONDS:.0f} s: {ratios['make_run']:.2f} times a bare flow")
    say(f"join, warm: {ratios['join']:.2f} times the imports")
    say(f"Measured on commit {tree['commit']}, Python {tree['python']}, {os.cpu_count()} processors.")
    write_json(arguments.json, {"tree": tree, "rows": rows, "ratios": ratios})


def _rows(folder: Path, runs: int) -> Iterator[dict[str, Any]]:
    clone, home, kernels = (folder / name for name in ("clone", "home", "kernels"))
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)  # noqa: S603, S607
    environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_SET)} | {
        "HOME": str(home)
    }
    # As the Makefile and the pipeline set them.
    of_prefect = {
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    make_run = ("make", f"PYTHON={sys.executable}", "run")
    python = (".venv/bin/python", "-c")
    cold = environment | {"NUMBA_CACHE_DIR": str(kernels)}

    yield measured("make run, empty clone", make_run, clone, environment, runs=1)
    yield measured("make run, again", make_run, clone, environment, runs=runs)
    yield measured("bare flow", (*python, BARE_FLOW), clone, environment | of_prefect, runs=runs, before=1)
    yield measured("imports", (*python, IMPORTS), clone, environment, runs=runs, before=1)
    yield measured("join, cold", JOIN, clone, cold, runs=1)
    yield measured("join, warm", JOIN, clone, cold, runs=runs)


def measured(
    what: str, call: Sequence[str], folder: Path, environment: Mapping[str, str], *, runs: int, before: int = 0
) -> dict[str, Any]:
    """The median seconds of a command in a folder, after `before` runs that do not count."""
    figures = [_run(call, folder, environment) for _ in range(before + runs)][before:]
    return {
        "what": what,
        "runs": runs,
        "seconds": median(seconds for seconds, _ in figures),
        "cpu_seconds": median(cpu_seconds for _, cpu_seconds in figures),
    }


def _run(call: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    used, started = _cpu_seconds(), time.perf_counter()
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    seconds = time.perf_counter() - started
    if done.returncode:
        raise FuzzyJoinError(f"{' '.join(call)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return seconds, _cpu_seconds() - used


def _cpu_seconds() -> float:
    """Seconds of all processors that ended child processes used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    command(main)
