"""What a command says when it is done: a JSON object for scripts on stdout, a summary for people on stderr."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import typer

from fuzzyjoin.definition import Scorer
from fuzzyjoin.tables import ROW_NUMBER
from fuzzyjoin.terminal import for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fuzzyjoin.cli.inputs import FilePair
    from fuzzyjoin.definition import PrecisionEstimate
    from fuzzyjoin.evaluation import AuditSample, Evaluation
    from fuzzyjoin.program import Program

__all__ = [
    "Detail",
    "Outcome",
    "draw_summary",
    "evaluation_json",
    "evaluation_lines",
    "field",
    "next_after_join",
    "next_after_learn",
    "print_json",
    "print_outcome",
    "print_warnings",
    "table_words",
]


Detail: TypeAlias = Literal["quiet", "short", "verbose"]
"""How much a command says on stderr."""


_WARNING_LINES = 2
"""Lines that the summary has for warnings."""


@dataclass(frozen=True)
class Outcome:
    """What join, learn and apply have to report.

    Parameters
    ----------
    program
        The program that was learned or applied.
    estimate
        How precise the join is expected to be.
    counts
        Rows of each table and, after a join, how many were matched.
    seconds
        Time by stage.
    tables
        The two tables and their id columns.
    written
        The files by what is in them.
    next_steps
        What to do now, and then.
    warnings
        What the user should know.
    """

    program: Program
    estimate: PrecisionEstimate
    counts: Mapping[str, int]
    seconds: Mapping[str, float]
    tables: FilePair
    written: Mapping[str, Path]
    next_steps: Sequence[str]
    warnings: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Put together what `--json` prints."""
        estimate, record = self.estimate, self.program.learning_record
        sample = record.query_sample if record else None
        return {
            "counts": dict(self.counts),
            "precision_estimate": {
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "level": estimate.level,
                "calibrated": estimate.calibrated,
            },
            "target_reachable": self.program.reachable,
            "program_id": self.program.program_id,
            "query_sample": {"rows": sample.rows, "seed": sample.seed} if sample else None,
            "seconds": {stage: round(value, 6) for stage, value in self.seconds.items()},
            "id_columns": dict(zip(("reference", "query"), self.tables.id_columns, strict=True)),
            "warnings": list(self.warnings),
            "written": {what: str(path) for what, path in self.written.items()},
        }

    def summary(self) -> str:
        """Say in at most eight lines, warnings included, what was done, how sure it is, what to look at and do next."""
        lines = [
            self.headline(),
            *self._first_warnings(),
            field("precision", _estimate_words(self.estimate) + self._target()),
            *self._people(),
            *self._unmatched(),
            *([field("written", ", ".join(map(str, self.written.values())))] if self.written else []),
            *(field("then" if place else "next", step) for place, step in enumerate(self.next_steps)),
        ]
        return "\n".join(lines)

    def details(self) -> str:
        """Say all else: the tables, what the precision comes of, the program in words, seconds a stage."""
        lines = [
            field("reference", table_words(self.tables, 0) + self._equal_rows()),
            field("query", table_words(self.tables, 1)),
            *([field("precision", self._above_target())] if self._above_target() else []),
            *(f"  {line}" for line in _shortened(self.program.explain().splitlines())),
            *(field("seconds", f"{stage} {value:.2f}") for stage, value in self.seconds.items()),
        ]
        return "\n".join(lines)

    def _first_warnings(self) -> list[str]:
        """The warnings, if there are two at most; else the first, and how many more there are."""
        if len(self.warnings) <= _WARNING_LINES:
            return [_warning_line(text) for text in self.warnings]
        more = f"{len(self.warnings) - 1} more warnings: --verbose shows all"
        return [_warning_line(self.warnings[0]), _warning_line(more)]

    def _target(self) -> str:
        record = self.program.learning_record
        return f"; the target is {record.precision_target:g}" if record and self.estimate.value is not None else ""

    def _unmatched(self) -> list[str]:
        """Where to look at the rows without a match."""
        count = self.counts.get("unmatched", 0)
        if not count or not self.program.reachable:
            return []
        where = self.written.get("unmatched")
        look = f"{where} says why and names the best candidate" if where else "--unmatched-out FILE says why"
        review = self.counts.get("review", 0)
        likely = f", {review:,} of them to review" if review else ""
        return [field("look at", f"{count:,} unmatched row{'s' * (count > 1)}{likely}: {look}")]

    def _people(self) -> list[str]:
        """What people decided beside the program, whose estimate leaves it out."""
        pinned, forbidden = (self.counts.get(name, 0) for name in ("pinned", "forbidden"))
        if not pinned and not forbidden:
            return []
        rows = f"{pinned + forbidden:,} row{'s' * (pinned + forbidden > 1)}"
        said = f"decided on {rows}: {pinned:,} joined, {forbidden:,} without a match; the precision leaves them out"
        return [field("people", said)]

    def _equal_rows(self) -> str:
        equal = self.counts.get("equal_reference_rows", 0)
        return f"; {equal:,} repeat the compared values of another row and count once" if equal else ""

    def _above_target(self) -> str:
        """Why the estimate lies above the target, if it does because unlikely rows are left out."""
        decision, record = self.program.definition.decision, self.program.learning_record
        value = self.estimate.value
        if not isinstance(decision, Scorer) or record is None or value is None or not decision.floor:
            return ""
        if value < record.precision_target + _CLEARLY_ABOVE:
            return ""
        return (
            f"above the target {record.precision_target:g}, because no row with a match probability below "
            f"{decision.floor:g} is joined"
        )

    def headline(self) -> str:
        """Say the one thing that everyone must know."""
        if not self.program.reachable:
            empty = f"; {self.written['matches']} holds its header line only" if "matches" in self.written else ""
            return (
                f"The precision target cannot be reached: the program joins nothing{empty}. "
                "A lower --precision-target or another column may help."
            )
        if "matched" not in self.counts:
            return "Learned a program."
        matched, rows, unmatched = (self.counts[count] for count in ("matched", "query_rows", "unmatched"))
        if not rows:
            return "The query table has no rows: nothing is joined."
        return f"Joined {matched:,} of {rows:,} query rows; {unmatched:,} stay unmatched."


def print_outcome(outcome: Outcome, *, detail: Detail, as_json: bool) -> None:
    """Print warnings and summary on stderr and, for scripts, the JSON object on stdout.

    Quiet leaves the summary out, but never the warnings or that the target cannot be reached.
    """
    if detail == "short":
        typer.echo(for_terminal(outcome.summary()), err=True)
    else:
        print_warnings(outcome.warnings)
    if detail == "verbose":
        typer.echo(for_terminal(f"{replace(outcome, warnings=()).summary()}\n{outcome.details()}"), err=True)
    elif detail == "quiet" and not outcome.program.reachable:
        typer.echo(for_terminal(outcome.headline()), err=True)
    if as_json:
        print_json(outcome.as_json())


_CONFIGURATIONS_SHOWN = 8

_CLEARLY_ABOVE = 0.01


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


def print_warnings(warnings: Sequence[str]) -> None:
    """Print each warning as a line on stderr."""
    for warning in warnings:
        typer.echo(_warning_line(for_terminal(warning)), err=True)


def _warning_line(warning: str) -> str:
    return f"warning: {' '.join(warning.split())}"


def next_after_join(
    tables: FilePair, written: Mapping[str, Path], program: Path | None, query_ids: Sequence[str]
) -> list[str]:
    """Suggest what to do with a join: ask why a row was joined, and measure what was only estimated."""
    if program is None:
        return ["add --program-out program.json to keep the program, for `fuzzyjoin apply` and `fuzzyjoin explain`"]
    if not query_ids:
        return next_after_learn(tables, program)
    asked: list[str | Path] = [program, *_tables_asked(tables)]
    drawn = [*asked, written["matches"], "-o", "sheet.csv", "--design-out", "design.json"]
    if "unmatched" in written:
        drawn += ["--unmatched", written["unmatched"]]
    return [
        f"why a row was joined: {_command('explain', [*asked, '--query-id', query_ids[0]])}",
        f"measure the precision by labels: {_command('audit draw', drawn)}",
    ]


def next_after_learn(tables: FilePair, program: Path) -> list[str]:
    """Suggest what to do with a program."""
    return [f"join with it: {_command('apply', [program, *_tables_asked(tables), '-o', 'matches.csv'])}"]


def _tables_asked(tables: FilePair) -> list[str]:
    """Name the tables, and the id columns if the user had to."""
    ids = [] if tables.ids is None else ["--id", tables.ids]
    return [*ids, *tables.layout_options, str(tables.reference.path), str(tables.query.path)]


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Put together what `evaluate --json` prints."""
    return {"counts": asdict(evaluation), "precision": evaluation.precision, "recall": evaluation.recall}


def evaluation_lines(evaluation: Evaluation) -> str:
    """Say in two lines how good a join was."""
    joined, correct, matchable = evaluation.joined, evaluation.correct, evaluation.matchable
    return (
        f"precision  {_share(evaluation.precision)}  ({correct:,} of {joined:,} joined query rows are right)\n"
        f"recall     {_share(evaluation.recall)}  ({correct:,} of {matchable:,} query rows that have a match)"
    )


def draw_summary(sample: AuditSample, sheet: Path, design_file: Path) -> str:
    """Say what was drawn for a labelled audit and how to go on."""
    design = sample.design
    drawn = [f"{sum(design.matches.drawn):,} of {sum(design.matches.rows):,} matches"]
    if design.near_misses:
        drawn.append(f"{sum(design.near_misses.drawn):,} of {sum(design.near_misses.rows):,} near-misses")
    kept = int((sample.sheet["label"] != "").sum())
    lines = [
        f"Drew {' and '.join(drawn)} to label{f'; {kept} labels are kept' if kept else ''}.",
        field("written", f"{sheet} (sheet, for the person who labels)"),
        field("written", f"{design_file} (design, not for that person: it says which rows were joined)"),
        field("next", f"label it: {_command('audit label', [sheet])}, or in a spreadsheet"),
        field("then", _command("audit report", [sheet, design_file])),
    ]
    return "\n".join(lines)


def field(name: str, value: str) -> str:
    """Say one thing of a summary, below its headline."""
    return f"  {name:<10} {value}"


def table_words(tables: FilePair, side: int) -> str:
    """Say how many rows a table has, and what names them."""
    source, ids = (tables.reference, tables.query)[side], tables.id_columns[side]
    named = "named by their numbers" if ids == ROW_NUMBER else f"ids from column {ids!r}"
    return f"{source.path}: {len(source):,} rows, {named}"


def _estimate_words(estimate: PrecisionEstimate) -> str:
    if estimate.value is None:
        return "no estimate: nothing is joined"
    words = f"about {estimate.value:.3f}"
    if estimate.low is not None and estimate.high is not None and estimate.level is not None:
        words += f", {estimate.level:.0%} sure to lie between {estimate.low:.3f} and {estimate.high:.3f}"
    return words if estimate.calibrated else f"{words} by the method's own estimate, which is not calibrated"


def _shortened(lines: Sequence[str]) -> list[str]:
    """Cut a long list of configurations, which are the indented lines."""
    listed = [place for place, line in enumerate(lines) if line.startswith(" ")]
    cut = listed[_CONFIGURATIONS_SHOWN:]
    if len(cut) <= 1:
        return list(lines)
    more = f"  … and {len(cut)} more; `fuzzyjoin explain` lists them all"
    return [*lines[: cut[0]], more, *lines[cut[-1] + 1 :]]


def _command(name: str, arguments: Sequence[str | Path]) -> str:
    return shlex.join(["fuzzyjoin", *name.split(), *map(str, arguments)])


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
