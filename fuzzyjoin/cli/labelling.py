"""Labelling a sheet at the terminal: one pair at a time, saved after every answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import typer

from fuzzyjoin.evaluation import read_sheet, sheet_output
from fuzzyjoin.files import write_all
from fuzzyjoin.terminal import printable

if TYPE_CHECKING:
    from pathlib import Path

    from fuzzyjoin.evaluation import Label, Sheet

__all__ = ["label_sheet"]

_ANSWERS: Final[dict[str, Label]] = {"y": "yes", "n": "no", "u": "unsure", "yes": "yes", "no": "no", "unsure": "unsure"}
_KEYS: Final = "y yes, n no, u unsure, b back, q quit"


def label_sheet(path: Path) -> None:
    """Ask for the labels that a sheet has not yet, until all are there or the person stops.

    The end of the input and Ctrl-C stop as q does: what was answered stands in the file.
    """
    sheet = read_sheet(path)
    typer.echo(f"Do both rows name the same thing?  {_KEYS}")
    try:
        sheet = _ask_all(sheet)
    except KeyboardInterrupt:
        typer.echo()
        sheet = read_sheet(path)
    done, rows = sum(label is not None for label in sheet.labels), len(sheet.labels)
    left = f"; rerun the command to label the other {rows - done}" if done < rows else ""
    typer.echo(f"{done} of {rows} pairs are labelled in {path}{left}.")


def _ask_all(sheet: Sheet) -> Sheet:
    """Go through the rows without a label, in order; back leads to the row that was shown before."""
    shown: list[int] = []
    place = _next(sheet, 0)
    while place is not None:
        answer = _ask(sheet, place)
        if answer in {"q", None}:
            break
        if answer == "b":
            place = shown.pop() if shown else place
            continue
        label = _ANSWERS.get(answer or "")
        if label is None:
            typer.echo(f"  {printable(answer or '')!r} is no answer; {_KEYS}")
            continue
        sheet = sheet.labelled(place, label)
        write_all([sheet_output(sheet.frame, sheet.path, sheet.separator)])
        shown.append(place)
        following = _next(sheet, place + 1)
        place = _next(sheet, 0) if following is None else following
    return sheet


def _next(sheet: Sheet, start: int) -> int | None:
    return next((place for place in range(start, len(sheet.labels)) if sheet.labels[place] is None), None)


def _ask(sheet: Sheet, place: int) -> str | None:
    """Show a pair and read an answer; None at the end of the input."""
    row = sheet.frame.iloc[place]
    now = sheet.labels[place]
    typer.echo(f"\n{place + 1} of {len(sheet.labels)}{f', now {now}' if now else ''}")
    for column in ("query", "reference"):
        typer.echo(f"  {column:<10} {printable(str(row[column]))}")
    typer.echo("> ", nl=False)
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        typer.echo()
        return None
    return answer.strip().casefold()
