"""The commands and their arguments."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tasks.warehouse.cli import answers, orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

    Command = Callable[[Engine, argparse.Namespace], int]
    Commands = argparse._SubParsersAction["OneLineParser"]  # noqa: SLF001 - its only name

__all__ = ["make_parser"]

STORAGE_VARIABLE = "FUZZYJOIN_STORAGE"
DEFAULT_STORAGE = "fuzzyjoin-storage"
RUNS_SHOWN = 20
# As at `fuzzyjoin audit draw`.
FROM_MATCHES = 120
FROM_NEAR_MISSES = 80


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the call, and exit with 2."""
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(2)


def make_parser(description: str) -> argparse.ArgumentParser:
    """The parser of all commands; each sets `command` to the function that does it."""
    parser = OneLineParser(
        prog="python -m tasks.warehouse",
        description=description,
        epilog=(
            "FUZZYJOIN_WAREHOUSE_URL names the warehouse, FUZZYJOIN_WAREHOUSE_PASSWORD is its password; "
            f"{STORAGE_VARIABLE} is the folder of the snapshots' folder, by default {DEFAULT_STORAGE}. "
            "Of an id of a run or program its beginning is enough, if no other begins so."
        ),
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "migrate", orders.migrate, "bring the tables and views to the newest version")
    _add_questions(commands)
    _add_comparisons(commands)
    _add_orders(commands)
    _add_labelled_audit(commands)
    return parser


def _add_questions(commands: Commands) -> None:
    listing = _add(commands, "runs", answers.runs, "the last runs of a pipeline, the newest first")
    listing.add_argument("pipeline")
    listing.add_argument("--limit", type=int, default=RUNS_SHOWN, metavar="N", help=f"default: {RUNS_SHOWN}")

    run = _add(commands, "run", answers.run, "everything about a run")
    run.add_argument("run_id")

    decisions = _add(commands, "history", answers.history, "the decisions on a pipeline's program")
    decisions.add_argument("pipeline")

    ask = _add(commands, "why", answers.why, "why a query row was joined to what it was joined to, or to nothing")
    ask.add_argument("pipeline")
    ask.add_argument("query_id")
    ask.add_argument("--at", type=_time, metavar="TIME", help="ISO 8601, UTC unless it says otherwise; default: now")


def _add_comparisons(commands: Commands) -> None:
    changes = _add(commands, "changes", answers.changes, "which matches changed between two runs, and why")
    changes.add_argument("run", help="the earlier run; without a later one, what this run changed itself")
    changes.add_argument("later_run", nargs="?")

    diff = _add(commands, "diff", answers.diff, "the difference of two programs in words")
    diff.add_argument("before", metavar="PROGRAM_ID")
    diff.add_argument("after", metavar="PROGRAM_ID")

    export = _add(
        commands, "program", answers.program, "write a stored program as a file, for fuzzyjoin explain and apply"
    )
    export.add_argument("program_id", metavar="PROGRAM_ID")
    export.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="the program, as JSON")

    again = _add(commands, "replay", answers.replay, "do a run again from its snapshots; exits with 1 if it differs")
    again.add_argument("run_id")
    _add_snapshots(again)


def _add_orders(commands: Commands) -> None:
    for name, command, told in (
        ("approve", orders.approve, "make a proposed program the current one"),
        ("refuse", orders.refuse, "turn a proposed program down"),
        ("rollback", orders.rollback, "make a program current again that was so before"),
    ):
        decide = _add(commands, name, command, told)
        decide.add_argument("pipeline")
        decide.add_argument("program_id")
        decide.add_argument("--by", required=True, metavar="NAME", help="who decides")
        decide.add_argument("--reason", metavar="TEXT")

    erase = _add(commands, "erase", orders.erase, "remove a person's values and keep on record that it was done")
    erase.add_argument("pipeline")
    whose = erase.add_mutually_exclusive_group(required=True)
    whose.add_argument("--query-id", metavar="ID")
    whose.add_argument("--reference-id", metavar="ID")
    erase.add_argument("--by", required=True, metavar="NAME", help="who decides")
    erase.add_argument("--reason", required=True, metavar="TEXT", help="kept on record")
    _add_snapshots(erase)


def _add_labelled_audit(commands: Commands) -> None:
    draw = _add(commands, "audit-draw", answers.audit_draw, "draw a blind sample of a run for a person to label")
    draw.add_argument("run_id")
    draw.add_argument("-o", "--output", required=True, type=Path, metavar="FILE", help="the sheet, a .csv")
    draw.add_argument("--design-out", required=True, type=Path, metavar="FILE", help="the design, as JSON")
    draw.add_argument("--from-matches", type=int, default=FROM_MATCHES, metavar="N", help="default: %(default)s")
    draw.add_argument(
        "--from-near-misses", type=int, default=FROM_NEAR_MISSES, metavar="N", help="default: %(default)s"
    )
    draw.add_argument("--seed", type=int, default=0, metavar="N", help="another seed draws another sample")
    draw.add_argument("--show", action="append", default=[], metavar="NAME", help="a further column to show; repeat it")
    draw.add_argument(
        "--earlier", nargs=2, type=Path, metavar=("SHEET", "DESIGN"), help="a labelled sample whose labels are kept"
    )
    _add_snapshots(draw)

    record = _add(commands, "audit-record", orders.audit_record, "put the labels of a run's sample on record with it")
    record.add_argument("sheet", type=Path, metavar="SHEET")
    record.add_argument("design", type=Path, metavar="DESIGN")
    record.add_argument("--by", required=True, metavar="NAME", help="who labelled")


def _add(commands: Commands, name: str, command: Command, told: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=told, description=told)
    parser.set_defaults(command=command)
    return parser


def _add_snapshots(parser: argparse.ArgumentParser) -> None:
    folder = Path(os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE) / "snapshots"
    parser.add_argument("--snapshots", type=Path, default=folder, metavar="FOLDER", help="default: %(default)s")


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give ISO 8601, such as 2026-03-01T02:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
