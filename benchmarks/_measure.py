"""What every benchmark measures and how it is printed."""

from __future__ import annotations

import json
import math
import multiprocessing
import platform
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

import pandas as pd

import fuzzyjoin
from fuzzyjoin import fuzzy_join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from benchmarks._data import Task
    from fuzzyjoin import JoinResult

__all__ = [
    "Clock",
    "Column",
    "JoinOptions",
    "apart",
    "best_recall_at",
    "mean",
    "measured_tree",
    "peak_memory_mb",
    "peak_memory_mb_of",
    "print_table",
    "say",
    "timed_join",
    "warm_up",
    "write_json",
]

MEBI: Final = 1 << 20
ROOT: Final = Path(__file__).parents[1]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class JoinOptions:
    """The options of a join that the benchmarks let their caller choose."""

    method: Literal["auto", "autofj"]
    space: str | None
    precision_target: float
    threads: int | None


class Clock:
    """Seconds since it was made: those that passed, and those that this process's threads computed."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Seconds that passed."""
        return time.perf_counter() - self._started[0]

    @property
    def cpu_seconds(self) -> float:
        """Seconds of all processors that this process used, in user and system mode."""
        return time.process_time() - self._started[1]


def best_recall_at(precision: float, ranked: Sequence[tuple[float, bool]], matchable: int) -> float:
    """Return the recall of a perfect threshold: the largest prefix of `ranked` that keeps the precision.

    `ranked` holds (confidence, is right), best first; pairs of equal confidence are taken together or not at all.
    """
    best = correct = 0
    for taken, (confidence, is_right) in enumerate(ranked, start=1):
        correct += is_right
        tied_with_next = taken < len(ranked) and ranked[taken][0] == confidence
        if not tied_with_next and correct >= precision * taken:
            best = max(best, correct)
    return best / matchable if matchable else 0.0


def measured_tree(*paths: str) -> dict[str, str]:
    """Return the commit of the measured files, marked where they were changed since, and the interpreter."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("log", "-1", "--format=%h", "--", *paths) or f"version {fuzzyjoin.__version__}"
    changed = bool(git("status", "--porcelain", "--", *paths))
    return {"commit": f"{commit}, with changes" if changed else commit, "python": platform.python_version()}


def timed_join(task: Task, options: JoinOptions) -> tuple[JoinResult, float]:
    """Join the task's tables; return the result and the seconds of the join call alone."""
    start = time.perf_counter()
    result = fuzzy_join(
        task.reference,
        task.query,
        on=list(task.columns),
        id="id",
        precision_target=options.precision_target,
        method=options.method,
        space=options.space,
        threads=options.threads,
    )
    return result, time.perf_counter() - start


def warm_up(options: JoinOptions) -> float:
    """Join tiny tables, over one column and over two, so that every kernel is compiled; return the seconds it took."""
    adjectives = ("Green", "Northern", "Little", "Royal", "Upper", "Silver")
    nouns = ("Harbour Bridge", "Valley Museum", "River Station", "Forest Garden", "Hill School")
    names = [f"{adjective} {noun}" for adjective in adjectives for noun in nouns]
    places = [f"{noun} Road {number}" for number, noun in enumerate(nouns * len(adjectives))]
    reference = pd.DataFrame({"id": [f"r{row}" for row in range(len(names))], "name": names, "place": places})
    query = pd.DataFrame(
        {
            "id": [f"q{row}" for row in range(len(names))],
            "name": [f"The {name.replace('e', '', 1)}" for name in names],
            "place": [place.lower() for place in places],
        }
    )
    start = time.perf_counter()
    for columns in (["name"], ["name", "place"]):
        fuzzy_join(
            reference,
            query,
            on=columns,
            id="id",
            precision_target=0.5,
            method=options.method,
            space=options.space,
            threads=options.threads,
        )
    return time.perf_counter() - start


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had, in MiB."""
    # Linux carries ru_maxrss over from the parent on exec; what /proc says is this program's own.
    own = peak_memory_mb_of("self")
    if own is not None:
        return own
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / MEBI if sys.platform == "darwin" else largest / 1024


def peak_memory_mb_of(process: int | Literal["self"]) -> float | None:
    """Return the largest resident memory of a process, in MiB; None if it has ended, or the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1024 if lines else None


def apart(function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Call a function in a fresh process, so that its peak memory and its failures are its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise SystemExit(
                f"the process that ran {function.__name__} was killed, which usually means too little memory"
            ) from error


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are defined, None if none is."""
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


@dataclass(frozen=True)
class Column:
    """One column of a printed table: the heading, the key of its value in a row, its width and number format."""

    heading: str
    key: str
    width: int
    form: str = "s"

    def heading_cell(self) -> str:
        """Return the heading, aligned as its values are."""
        return self._aligned(self.heading)

    def cell(self, row: Mapping[str, Any]) -> str:
        """Return the row's value as text; a value that is absent or undefined shows as a dash."""
        value = row.get(self.key)
        return self._aligned("-" if value is None else format(value, self.form))

    def _aligned(self, text: str) -> str:
        return text.ljust(self.width) if self.form == "s" else text.rjust(self.width)


def print_table(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print each row as soon as it is made, under the headings; return the rows."""
    say("  ".join(column.heading_cell() for column in columns).rstrip())
    printed = []
    for row in rows:
        say("  ".join(column.cell(row) for column in columns).rstrip())
        printed.append(row)
    return printed


def say(line: str = "") -> None:
    """Print a line at once, so that a long run can be followed through a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_json(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write the figures as JSON, if a file was asked for."""
    if path is not None:
        path.write_text(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
