"""What the joined table costs beside the join: a left join as a frame, as CSV and as Parquet, in seconds and memory.

Tables and matches are made up; nothing is joined. The CSV file is written of tables of text, as `fuzzyjoin join` has
them when it has read CSV files; the Parquet file of Parquet files, which are read again for their types. Each output is
made in a process of its own that holds the tables already. Memory is the largest resident memory while it is made, less
what was resident before.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._measure import Clock, Column, apart, peak_memory_mb, print_table, say, write_json
from fuzzyjoin.cli.inputs import FilePair, TableFile
from fuzzyjoin.cli.joined_output import joined_output
from fuzzyjoin.files import AS_FOUND, read_table, write_all
from fuzzyjoin.joining import JoinedRows, id_places, joined_table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "output_row"]

SEED: Final = 2026
OUTPUTS: Final = ("frame", "csv", "parquet")
MOST_SECONDS: Final = 20.0
MOST_MB: Final = 2048.0

TABLE: Final = (
    Column("output", "output", 8),
    Column("query", "query_rows", 10, ",d"),
    Column("reference", "reference_rows", 10, ",d"),
    Column("columns", "columns", 7, "d"),
    Column("seconds", "seconds", 8, ".2f"),
    Column("cpu s", "cpu_seconds", 8, ".2f"),
    Column("MB beside", "beside_mb", 9, ",.0f"),
    Column("file MB", "file_mb", 8, ",.0f"),
    Column("at most s", "most_seconds", 9, ".0f"),
    Column("at most MB", "most_mb", 10, ",.0f"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the outputs and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joined_output", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="of both tables; default: 1000000")
    parser.add_argument(
        "--matched", type=float, default=0.8, metavar="SHARE", help="query rows that are matched; default: 0.8"
    )
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    if arguments.rows < 1:
        parser.error("--rows: give 1 or more")
    if not 0.0 <= arguments.matched <= 1.0:
        parser.error("--matched: give a share from 0 to 1")
    rows = print_table(TABLE, (apart(output_row, output, arguments.rows, arguments.matched) for output in OUTPUTS))
    say("MB beside: beside the tables and the matches, which the join holds too")
    write_json(arguments.json, {"matched": arguments.matched, "outputs": rows})


def output_row(output: str, rows: int, matched: float) -> dict[str, Any]:
    """Make one output of tables of so many rows and measure it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = _made_up(rows, matched)
        if output == "frame":
            reference, query = made.reference, made.query
        else:
            reference, query = (_through_file(table, folder, output) for table in (made.reference, made.query))
        matches = made.matches
        before = _peak_from_here()
        clock = Clock()
        path = folder / f"joined.{output}"
        if output == "frame":
            joined = JoinedRows.of(matches, query["id"], id_places(reference["id"]))
            columns = joined_table(query, reference, joined, "left").shape[1]
        else:
            tables = FilePair(
                TableFile(reference, folder / f"reference.{output}", AS_FOUND, AS_FOUND),
                TableFile(query, folder / f"query.{output}", AS_FOUND, AS_FOUND),
                ("id", "id"),
                None,
                None,
            )
            write_all([joined_output(matches, tables, path, "left")])
            columns = reference.shape[1] + query.shape[1] + 1
        seconds, cpu_seconds, peak = clock.seconds, clock.cpu_seconds, peak_memory_mb()
        return {
            "output": output,
            "query_rows": rows,
            "reference_rows": rows,
            "columns": columns,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "beside_mb": peak - before,
            "file_mb": path.stat().st_size / (1 << 20) if path.exists() else None,
            "most_seconds": MOST_SECONDS,
            "most_mb": MOST_MB,
        }


@dataclass(frozen=True)
class _MadeUp:
    """Two tables, and what a join of them could have given."""

    reference: pd.DataFrame
    query: pd.DataFrame
    matches: pd.DataFrame


def _made_up(rows: int, matched: float) -> _MadeUp:
    """Return tables of so many rows, of six and five columns; row i's match, if it has one, is any reference row."""
    random = np.random.default_rng(SEED)
    numbers = np.arange(rows)
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(random.integers(0, 9000, rows), unit="D")
    kinds = pd.Categorical.from_codes(random.integers(0, 4, rows), ["mall", "plaza", "market", "arcade"])
    reference = pd.DataFrame(
        {
            "id": random.permutation(numbers),
            "name": [f"Shopping centre number {number}" for number in numbers],
            "city": [f"Town {number % 5000}" for number in numbers],
            "opened": days,
            "floors": random.integers(1, 9, rows),
            "kind": kinds,
        }
    )
    query = pd.DataFrame(
        {
            "id": [f"q{number}" for number in numbers],
            "name": [f"shoping center no. {number}" for number in numbers],
            "sold": random.integers(0, 10_000, rows),
            "price": np.round(random.random(rows) * 100, 2),
            "note": [None if number % 3 else f"note {number}" for number in numbers],
        }
    )
    chosen = np.flatnonzero(random.random(rows) < matched)
    matches = pd.DataFrame(
        {
            "query_id": query["id"].to_numpy(object)[chosen],
            "reference_id": reference["id"].to_numpy(object)[random.integers(0, rows, chosen.size)],
            "precision_estimate": random.random(chosen.size),
        }
    )
    return _MadeUp(reference, query, matches)


def _through_file(table: pd.DataFrame, folder: Path, output: str) -> pd.DataFrame:
    """Return the table as the command line has it: read from a file of the output's format, as text."""
    path = folder / f"{'query' if 'sold' in table else 'reference'}.{output}"
    if output == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return read_table(path)


def _peak_from_here() -> float:
    """Forget the largest resident memory so far, where a process can, and return what is resident, in MiB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak_memory_mb()


if __name__ == "__main__":
    command(main)
