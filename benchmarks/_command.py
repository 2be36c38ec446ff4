"""What the benchmark commands have in common at the command line."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import benchmarks
from benchmarks._measure import JoinOptions, apart, say, warm_up
from fuzzyjoin.errors import FuzzyJoinError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_join_options", "add_json_option", "announce_kernels", "command", "join_options", "seconds_since_start"]


def command(main: Callable[[], None]) -> NoReturn:
    """Run a command; an error that its caller can act on is one line and an exit code, not a traceback."""
    try:
        main()
    except FuzzyJoinError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.exit()


def add_join_options(parser: argparse.ArgumentParser, *, method: str, space: str | None = None) -> None:
    """Add the options of the join, with the command's own defaults."""
    parser.add_argument("--method", choices=("auto", "autofj"), default=method, help=f"default: {method}")
    of_space = space or "the method's own"
    parser.add_argument("--space", choices=("small", "medium", "large"), default=space, help=f"default: {of_space}")
    parser.add_argument("--precision-target", type=float, default=0.9, metavar="TARGET", help="default: 0.9")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the library's own")


def join_options(arguments: argparse.Namespace) -> JoinOptions:
    """Return the options of the join that were given."""
    return JoinOptions(
        method=arguments.method,
        space=arguments.space,
        precision_target=arguments.precision_target,
        threads=arguments.threads,
    )


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add --json FILE; a folder that is missing is found before the run, not after it."""
    parser.add_argument("--json", type=_writable_file, metavar="FILE", help="also write the figures to FILE")


def announce_kernels(options: JoinOptions, import_seconds: float, *, cold: bool = False) -> None:
    """Compile or load every kernel before anything is timed, and say what that took."""
    if cold:
        say(f"first compile into an empty kernel cache, in a process apart: {_first_compile_seconds(options):.1f} s")
    loading = f"imports {import_seconds:.1f} s, kernels compiled or loaded from the cache {warm_up(options):.1f} s"
    say(f"{loading}; neither is counted below")
    say()


def seconds_since_start() -> float:
    """Return the seconds since the benchmark package began to load."""
    return time.perf_counter() - benchmarks.STARTED


def _first_compile_seconds(options: JoinOptions) -> float:
    before = os.environ.get("NUMBA_CACHE_DIR")
    with tempfile.TemporaryDirectory() as empty:
        # The child reads this when it imports numba; this process has read it already.
        os.environ["NUMBA_CACHE_DIR"] = empty
        try:
            return apart(warm_up, options)
        finally:
            del os.environ["NUMBA_CACHE_DIR"]
            if before is not None:
                os.environ["NUMBA_CACHE_DIR"] = before


def _writable_file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{path}: no folder {path.parent}; make it first")
    return path
