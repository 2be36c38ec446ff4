"""What people's decisions on pairs cost a join: reading them, and finding their rows in both tables.

The rest of a join with decisions is that of a join without. Half of the decisions pin, half forbid.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._measure import Clock, Column, print_table, write_json
from fuzzyjoin.joining import NO_MATCH, PairDecisions
from fuzzyjoin.tables import key_table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "measured"]

DECISIONS: Final = 10_000
ROWS: Final = (10_000, 100_000, 1_000_000)

TABLE: Final = (
    Column("rows a table", "rows", 12, "d"),
    Column("decisions", "decisions", 9, "d"),
    Column("read s", "read_seconds", 8, ".2f"),
    Column("find s", "find_seconds", 8, ".2f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Print a row for each size of the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pair_decisions", description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS, metavar="N", help="default: up to a million")
    parser.add_argument("--decisions", type=int, default=DECISIONS, metavar="N", help="default: 10,000")
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    rows = print_table(TABLE, (measured(rows, arguments.decisions) for rows in arguments.rows))
    write_json(arguments.json, {"sizes": rows})


def measured(rows: int, decisions: int) -> dict[str, float]:
    """Return the seconds for tables of so many rows."""
    frame = pd.DataFrame({"id": range(rows), "name": [f"thing {row * 7919 % rows}" for row in range(rows)]})
    query, reference = (
        key_table(frame, role=role, id_column="id", columns=["name"]) for role in ("query", "reference")
    )
    reference = reference.distinct()
    step = max(rows // decisions, 1)
    asked = pd.DataFrame({"query_id": range(0, rows, step)})[:decisions]
    asked["reference_id"] = [str(row) if row % 2 else NO_MATCH for row in range(len(asked))]
    clock = Clock()
    people = PairDecisions.of(asked.assign(by="ada", when="2026-03-01", why=""))
    read = clock.seconds
    clock = Clock()
    found = people.on(query, reference)
    return {"rows": rows, "decisions": found.rows.size, "read_seconds": read, "find_seconds": clock.seconds}


if __name__ == "__main__":
    command(main)
