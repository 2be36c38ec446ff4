"""Small cases, each a folder with right.csv (query), gt.csv (id_l, id_r) and reference tables (left*.csv, l<n>.csv).

Every reference table is joined at the command line, as a user would, on all the columns it shares with the query table,
or on those that `--on` names for the case. Further query tables beside right.csv are joined to left.csv too. What is
refused gives a row with the message.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from benchmarks._command import add_json_option, command
from benchmarks._measure import Column, print_table, write_json
from fuzzyjoin.tables import ROW_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["case_row", "main"]

TABLE: Final = (
    Column("case", "case", 14),
    Column("reference", "reference", 24),
    Column("query", "query", 17),
    Column("joined", "joined", 6, "d"),
    Column("right", "right", 6, "d"),
    Column("of", "matchable", 5, "d"),
    Column("estimate", "estimate", 8, ".3f"),
    Column("low", "low", 6, ".3f"),
    Column("high", "high", 6, ".3f"),
    Column("least p", "least_probability", 7, ".2f"),
    Column("equal", "equal_reference_rows", 5, "d"),
    Column("said", "said", 0),
)

REFERENCE: Final = re.compile(r"(left.*|l\d+)\.(csv|tsv)")
QUERY, TRUTH, MAIN_REFERENCE = "right.csv", "gt.csv", "left.csv"


def main(argv: Sequence[str] | None = None) -> None:
    """Join the cases and print a row a join."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cases", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the cases' folders")
    parser.add_argument("--case", nargs="+", metavar="NAME", help="default: all of them")
    parser.add_argument(
        "--on", nargs="+", default=[], metavar="CASE:REF=QUERY", help="join the tables of that case on these columns"
    )
    add_json_option(parser)
    arguments = parser.parse_args(argv)
    on: dict[str, list[str]] = {}
    for part in arguments.on:
        name, _, columns = part.partition(":")
        on.setdefault(name, []).append(columns)
    rows = print_table(TABLE, _rows(arguments.folder, arguments.case, on))
    write_json(arguments.json, {"cases": rows})


def _rows(folder: Path, chosen: Sequence[str] | None, on: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    for case in sorted(path.parent for path in folder.glob(f"*/{TRUTH}")):
        if chosen and case.name not in chosen:
            continue
        files = sorted(path.name for path in case.iterdir() if path.name != TRUTH)
        references = [name for name in files if REFERENCE.fullmatch(name)]
        for reference in references:
            yield case_row(case, reference, QUERY, on.get(case.name, []))
        for query in files:
            if query != QUERY and query not in references:
                yield case_row(case, MAIN_REFERENCE, query, on.get(case.name, []))


def case_row(case: Path, reference: str, query: str, on: Sequence[str]) -> dict[str, Any]:
    """Join two tables of a case by the command and compare the matches with the truth, if that is the query table's."""
    columns = [argument for part in on for argument in ("--on", part)]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "matches.csv"
        tables = [str(case / reference), str(case / query)]
        done = subprocess.run(  # noqa: S603 - the project's own command
            [sys.executable, "-m", "fuzzyjoin", "join", *tables, *columns, "-o", str(output), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        row = {"case": case.name, "reference": reference, "query": query}
        if done.returncode not in {0, 3}:
            return {**row, "exit_code": done.returncode, "said": done.stderr.strip().splitlines()[-1]}
        matches = pd.read_csv(output, dtype=str, keep_default_na=False)
    outcome = json.loads(done.stdout)
    truth = pd.read_csv(case / TRUTH, dtype=str, keep_default_na=False)
    known = set(zip(truth["id_r"], truth["id_l"], strict=True)) if query == QUERY else set()
    query_ids = matches["query_id"]
    if outcome["id_columns"]["query"] == ROW_NUMBER:
        # The truth of a table without ids counts its rows from 0.
        query_ids = (query_ids.astype(int) - 1).astype(str)
    pairs = zip(query_ids, matches["reference_id"], strict=True)
    return {
        **row,
        "exit_code": done.returncode,
        "joined": len(matches),
        "right": sum(pair in known for pair in pairs) if known else None,
        "matchable": truth["id_r"].nunique() if known else None,
        "estimate": outcome["precision_estimate"]["value"],
        "low": outcome["precision_estimate"]["low"],
        "high": outcome["precision_estimate"]["high"],
        "least_probability": matches["precision_estimate"].astype(float).min() if len(matches) else None,
        "equal_reference_rows": outcome["counts"]["equal_reference_rows"],
        "said": " ".join(outcome["warnings"]),
    }


if __name__ == "__main__":
    command(main)
