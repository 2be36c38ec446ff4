"""The warehouse at the command line: migrate it, ask it why, compare runs and programs, go back to a program."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from fuzzyjoin.errors import FuzzyJoinError
from tasks.warehouse.audit import why
from tasks.warehouse.changes import changed_matches
from tasks.warehouse.connection import reading, shown, warehouse_engine, warehouse_url, writing
from tasks.warehouse.decisions import roll_back
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.program_diff import diff_programs
from tasks.warehouse.programs import load_program
from tasks.warehouse.secrets import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Engine

__all__ = ["main"]

NO_MATCH = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it is done, 1 if the warehouse has no answer, 2 if the call is wrong."""
    arguments = _parser().parse_args(argv)
    try:
        engine = warehouse_engine(warehouse_url())
        return _run(engine, arguments)
    except FuzzyJoinError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _run(engine: Engine, arguments: argparse.Namespace) -> int:
    command: Callable[[Engine, argparse.Namespace], int] = arguments.command
    try:
        return command(engine, arguments)
    except DBAPIError as error:
        reason = scrub(str(error.orig), engine.url).partition("\n")[0]
        raise WarehouseError(
            f"warehouse {shown(engine)}: {reason}; is it migrated? If not: python -m tasks.warehouse migrate"
        ) from None
    finally:
        engine.dispose()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tasks.warehouse",
        description=__doc__,
        epilog="FUZZYJOIN_WAREHOUSE_URL names the warehouse, FUZZYJOIN_WAREHOUSE_PASSWORD is its password.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    migrate = commands.add_parser("migrate", help="bring the tables and views to the newest version")
    migrate.set_defaults(command=_migrate)

    ask = commands.add_parser("why", help="why a query row was joined to what it was joined to")
    ask.add_argument("pipeline")
    ask.add_argument("query_id")
    ask.add_argument("--at", type=_time, metavar="TIME", help="ISO 8601, UTC unless it says otherwise; default: now")
    ask.set_defaults(command=_why)

    changes = commands.add_parser("changes", help="which matches changed between two runs, and why")
    changes.add_argument("earlier_run")
    changes.add_argument("later_run")
    changes.set_defaults(command=_changes)

    diff = commands.add_parser("diff", help="the difference of two programs in words")
    diff.add_argument("before", metavar="PROGRAM_ID")
    diff.add_argument("after", metavar="PROGRAM_ID")
    diff.set_defaults(command=_diff)

    rollback = commands.add_parser("rollback", help="make a program current again that was so before")
    rollback.add_argument("pipeline")
    rollback.add_argument("program_id")
    rollback.add_argument("--by", required=True, metavar="NAME", help="who decides")
    rollback.add_argument("--reason", metavar="TEXT")
    rollback.set_defaults(command=_rollback)
    return parser


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _migrate(engine: Engine, _arguments: argparse.Namespace) -> int:
    migrate_up(engine)
    _say(f"{shown(engine)} has the newest tables and views")
    return 0


def _why(engine: Engine, arguments: argparse.Namespace) -> int:
    at = arguments.at or datetime.now(UTC)
    with reading(engine) as connection:
        answer = why(connection, arguments.pipeline, arguments.query_id, at=at)
    if answer is None:
        _say(f"Query {arguments.query_id} of pipeline {arguments.pipeline} had no match at {at.isoformat()}.")
        return NO_MATCH
    _say(answer.in_words())
    return 0


def _changes(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as connection:
        changed = changed_matches(connection, arguments.earlier_run, arguments.later_run)
    for match in changed:
        causes = " or ".join(match.causes) or "unknown"
        _say(f"{match.query_id}: {match.before or 'no match'} -> {match.after or 'no match'}, changed by: {causes}")
    _say(f"{len(changed)} changed")
    return 0


def _diff(engine: Engine, arguments: argparse.Namespace) -> int:
    with reading(engine) as connection:
        programs = [load_program(connection, program_id) for program_id in (arguments.before, arguments.after)]
    _say("\n".join(diff_programs(*programs)) or "They are the same program.")
    return 0


def _rollback(engine: Engine, arguments: argparse.Namespace) -> int:
    with writing(engine) as connection:
        roll_back(
            connection,
            arguments.pipeline,
            arguments.program_id,
            by=arguments.by,
            reason=arguments.reason,
            at=datetime.now(UTC),
        )
    _say(f"{arguments.pipeline} uses program {arguments.program_id} again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
