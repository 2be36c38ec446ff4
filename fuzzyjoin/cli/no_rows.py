"""A join of a query table that holds its header only, as on some nights: outputs with headers, and no program."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import typer

from fuzzyjoin.cli.joined_output import no_rows_joined
from fuzzyjoin.cli.reports import field, print_json, print_warnings, table_words
from fuzzyjoin.definition import Blocking, Column, Definition, Union
from fuzzyjoin.files import table_output, write_all
from fuzzyjoin.joining import CANDIDATE_COLUMNS
from fuzzyjoin.program import Program
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fuzzyjoin.cli.inputs import FilePair
    from fuzzyjoin.joining import How

__all__ = ["write_headers"]


def write_headers(
    tables: FilePair, written: Mapping[str, Path], seconds: Mapping[str, float], how: How, *, quiet: bool, as_json: bool
) -> None:
    """Write outputs with headers, and report. A joined table can still have rows: all of the reference table.

    On no rows no program can be learned: a program file, if one was asked for, is not written, and one that is there
    stays as it is.
    """
    started = time.perf_counter()
    frames = _frames()
    outputs = {what: path for what, path in written.items() if what != "program"}
    write_all(
        [
            no_rows_joined(tables, path, how) if what == "joined" else table_output(frames[what], path)
            for what, path in outputs.items()
        ]
    )
    seconds = {**seconds, "write": time.perf_counter() - started}
    done = _NothingToJoin(tables, outputs, written.get("program"), seconds, how)
    print_warnings(tables.notes)
    if not quiet:
        typer.echo(for_terminal(done.summary()), err=True)
    if as_json:
        print_json(done.as_json())


def _frames() -> dict[str, pd.DataFrame]:
    """The tables of a join of no rows, by a program that joins nothing."""
    program = Program(
        definition=Definition(
            columns=(Column(reference="text", query="text", weight=1.0),),
            blocking=Blocking(method="lexical", k=1),
            negative_rules=(),
            decision=Union(configurations=()),
        )
    )
    table = pd.DataFrame({"id": ["1", "2"], "text": ["a", "b"]})
    result = program.apply(table, table[:0])
    return {
        "matches": result.matches,
        "unmatched": result.unmatched,
        "candidates": pd.DataFrame(columns=list(CANDIDATE_COLUMNS)),
    }


@dataclass(frozen=True)
class _NothingToJoin:
    """What there is to report, in the words and with the keys of `fuzzyjoin.cli.reports.Outcome`."""

    tables: FilePair
    written: Mapping[str, Path]
    program_out: Path | None
    seconds: Mapping[str, float]
    how: How

    def summary(self) -> str:
        unlearned = f"; {self.program_out} is not written" if self.program_out else ""
        return "\n".join(
            [
                f"The query table has no rows: nothing is joined, and no program is learned{unlearned}.",
                field("reference", table_words(self.tables, 0)),
                field("query", table_words(self.tables, 1)),
                *(field("written", f"{path} ({what}, {self._held(what)})") for what, path in self.written.items()),
            ]
        )

    def _held(self, what: str) -> str:
        if what == "joined" and self.how == "full":
            return f"the {len(self.tables.reference):,} rows of the reference table"
        return "its header line only"

    def as_json(self) -> dict[str, Any]:
        counts = ("query_rows", "matched", "unmatched", "review", "pinned", "forbidden", "candidate_pairs")
        return {
            "counts": {"reference_rows": len(self.tables.reference), **dict.fromkeys(counts, 0)},
            "precision_estimate": {"value": None, "low": None, "high": None, "level": None, "calibrated": False},
            "target_reachable": None,
            "program_id": None,
            "query_sample": None,
            "seconds": {stage: round(value, 6) for stage, value in self.seconds.items()},
            "id_columns": dict(zip(("reference", "query"), self.tables.id_columns, strict=True)),
            "warnings": list(self.tables.notes),
            "written": {what: str(path) for what, path in self.written.items()},
        }
