"""The sheet: the file that a person labels, in a spreadsheet or at the prompt, and reading it back.

A cell of values begins with "[": so no spreadsheet takes it for a number, a date or a formula.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.files import (
    CsvError,
    FileFormat,
    Layout,
    Output,
    csv_reader,
    delimited_batches,
    line_of_row,
    require_file,
)
from fuzzyjoin.tables import require_column
from fuzzyjoin.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from fuzzyjoin.evaluation.audit_design import AuditDesign, SampledPair

__all__ = [
    "LABELS",
    "SHEET_COLUMNS",
    "AuditLabels",
    "Label",
    "Sheet",
    "cell",
    "read_labels",
    "read_sheet",
    "require_csv",
    "sheet_output",
    "values_hash",
]

Label = Literal["yes", "no", "unsure"]

LABELS: Final[dict[Label, tuple[str, ...]]] = {
    "yes": ("yes", "y", "1", "true"),
    "no": ("no", "n", "0", "false"),
    "unsure": ("unsure", "u", "?"),
}
"""What a label may read, upper case too, by what it means."""

SHEET_COLUMNS: Final = ("number", "query", "reference", "label", "note")

_MEANINGS: Final[dict[str, Label]] = {word: label for label, words in LABELS.items() for word in words}
_HASH_DIGITS: Final = 16
_SEPARATORS: Final = (",", ";", "\t")
_ROWS_AT_ONCE: Final = 65_536


@dataclass(frozen=True)
class AuditLabels:
    """Labels and notes by the order of a design's pairs; a label is None where there is none yet."""

    labels: tuple[Label | None, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet as it stands in a file: all its columns, and how the file parts them."""

    path: Path
    frame: pd.DataFrame
    separator: str
    numbers: tuple[int, ...]
    labels: tuple[Label | None, ...]

    def labelled(self, place: int, label: Label) -> Sheet:
        """The sheet with the label of the row at a place."""
        frame = self.frame.copy()
        frame.loc[frame.index[place], "label"] = label
        return replace(self, frame=frame, labels=(*self.labels[:place], label, *self.labels[place + 1 :]))


def cell(names: Sequence[str], values: Sequence[str]) -> str:
    """The values of a row as one cell.

    >>> cell(["title", "city"], ["=1+1", ""])
    '[title] =1+1 [city] (empty)'
    """
    return " ".join(
        f"[{printable(name)}] {printable(value) or '(empty)'}" for name, value in zip(names, values, strict=True)
    )


def values_hash(query: str, reference: str) -> str:
    """Names the values of a pair, however many spaces a spreadsheet left of them.

    >>> values_hash("[a] 1 ", "[a]  2") == values_hash("[a] 1", "[a] 2")
    True
    """
    text = "\0".join(" ".join(part.split()) for part in (query, reference))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]


def require_csv(path: Path) -> None:
    """Raise `UsageError` unless a sheet can go by this name: spreadsheets open CSV alone by a click."""
    if path.suffix.casefold() != ".csv":
        raise UsageError(f"{path}: a sheet is a CSV file; give it a name that ends in .csv")


def sheet_output(frame: pd.DataFrame, path: Path, separator: str = ",") -> Output:
    """Make the output that writes a sheet, for `write_all`: CSV that spreadsheets read as UTF-8."""

    def write(staged: Path) -> None:
        text = frame.to_csv(sep=separator, index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
        staged.write_text(text, encoding="utf-8-sig", newline="")

    return Output(path, write)


def read_labels(path: str | Path, design: AuditDesign) -> AuditLabels:
    """Read a labelled sheet back.

    Rows may stand in another order, further columns may be there, cells may be parted by commas, semicolons or tabs,
    and labels may be written in upper case; `LABELS` lists the words. A row without a label is not yet labelled.

    Parameters
    ----------
    path
        The CSV file, in UTF-8 with or without a byte order mark.
    design
        The design that was drawn with the sheet.

    Returns
    -------
    AuditLabels

    Raises
    ------
    UsageError
        If there is no such file, or a column is missing.
    DataError
        If the file cannot be read, a row is missing, is there twice, shows other values than were drawn, or has an
        unknown label.

    Examples
    --------
    >>> import pandas as pd, fuzzyjoin
    >>> from tempfile import TemporaryDirectory
    >>> reference = pd.DataFrame({"id": ["a", "b", "c"], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": ["x", "y"], "name": ["Grand Mal", "Lake Centre"]})
    >>> result = fuzzyjoin.fuzzy_join(reference, query, on="name", space="small")
    >>> sample = fuzzyjoin.draw_audit(result.program, reference, query, result.matches, result.unmatched)
    >>> with TemporaryDirectory() as folder:
    ...     sample.sheet.assign(label=["YES", ""]).to_csv(f"{folder}/labelled.csv", index=False)
    ...     fuzzyjoin.read_labels(f"{folder}/labelled.csv", sample.design).labels
    ('yes', None)
    """
    sheet = read_sheet(Path(path))
    pairs = {pair.number: pair for pair in design.pairs}
    found: dict[int, int] = {}
    for place, number in enumerate(sheet.numbers):
        if number not in pairs:
            raise DataError(
                f"{_row(sheet, place)}: number is {number}, but the design has 1 to {len(pairs)}; give the design that "
                "was drawn with this sheet"
            )
        _require_same_values(sheet, place, pairs[number])
        found[number] = place
    missing = [number for number in pairs if number not in found]
    if missing:
        others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"{path}: the row of number {missing[0]} is missing{others}; expected {len(pairs)} rows: put it back, "
            "without a label if there is none"
        )
    notes = sheet.frame["note"].fillna("").tolist() if "note" in sheet.frame.columns else [""] * len(found)
    return AuditLabels(
        labels=tuple(sheet.labels[found[number]] for number in pairs),
        notes=tuple(str(notes[found[number]]) for number in pairs),
    )


def read_sheet(path: Path) -> Sheet:
    """Read a sheet and check what can be checked without its design; errors as for `read_labels`."""
    require_file(path)
    separator = _separator(path)
    try:
        pieces = delimited_batches(path, FileFormat("delimited", separator), _ROWS_AT_ONCE, Layout(separator))
        frame = pa.concat_tables(pieces).to_pandas(ignore_metadata=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    known = {name.strip().casefold(): name for name in reversed(frame.columns)}
    frame = frame.rename(columns={known[name]: name for name in SHEET_COLUMNS if name in known})
    for column in SHEET_COLUMNS[:-1]:
        require_column(frame, column, str(path))
    # A spreadsheet may leave lines of separators alone behind the last row. Rows keep their place for messages.
    frame = frame.dropna(how="all")
    sheet = Sheet(path, frame, separator, (), ())
    numbers: list[int] = []
    labels: list[Label | None] = []
    for place, (number, label) in enumerate(zip(frame["number"], frame["label"], strict=True)):
        numbers.append(_number(sheet, place, number))
        if numbers[-1] in numbers[:-1]:
            raise DataError(
                f"{_row(sheet, place)}: number {numbers[-1]} stands a second time; expected each once: take one of the "
                "two rows out"
            )
        labels.append(_label(sheet, place, label))
    if not numbers:
        raise DataError(f"{path}: has no rows to label; give a sheet that was drawn")
    return replace(sheet, numbers=tuple(numbers), labels=tuple(labels))


def _separator(path: Path) -> str:
    """Tell what parts the cells, by the header: a spreadsheet writes what its country uses."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next((line for line in file if line.strip()), "")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    for separator in _SEPARATORS:
        cells = _cells(header, separator)
        if "label" in [name.strip().casefold() for name in cells]:
            return separator
    return _SEPARATORS[0]


def _cells(header: str, separator: str) -> list[str]:
    try:
        return next(csv_reader([header], separator), [])
    except CsvError:
        return []


def _row(sheet: Sheet, place: int) -> str:
    line = line_of_row(sheet.path, FileFormat("delimited", sheet.separator), int(sheet.frame.index[place]))
    return f"{sheet.path}: line {line}"


def _number(sheet: Sheet, place: int, value: object) -> int:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise DataError(
            f"{_row(sheet, place)}: number is {text!r}; expected the row's number as it was drawn: put it back"
        )
    return int(text)


def _label(sheet: Sheet, place: int, value: object) -> Label | None:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return None
    if text.casefold() not in _MEANINGS:
        raise DataError(
            f"{_row(sheet, place)}: label is {text!r}; expected yes, no or unsure: write one of them, or leave it empty"
        )
    return _MEANINGS[text.casefold()]


def _require_same_values(sheet: Sheet, place: int, pair: SampledPair) -> None:
    query, reference = (str(sheet.frame[column].fillna("").iloc[place]) for column in ("query", "reference"))
    if values_hash(query, reference) != pair.shown:
        raise DataError(
            f"{_row(sheet, place)}: number {pair.number} shows {query!r} and {reference!r}, but other values were "
            "drawn; expected those of the sheet as it was drawn: put them back, or give the design of this sheet"
        )
