"""An index of the reference table on disk: all that applying a stored program needs of it, ready to be opened.

An index is a folder of arrays with a manifest. Its name is the hash of what it is made for: the reference table's
content, the columns, the blocking and the forms that the program compares. It appears as a whole or not at all. For
another table, or another program that needs other forms, there is another index, built anew or made of the index of the
table as it was (see `fuzzyjoin.update`). What it holds never changes; siblings of reference rows, which take the most
time, may be added later, and are otherwise found when they are first asked for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.candidates import Candidates
from fuzzyjoin.distances import derive, group_functions
from fuzzyjoin.errors import DataError, UsageError
from fuzzyjoin.program import Configuration, Program, Scorer
from fuzzyjoin.reference import ReferenceSide
from fuzzyjoin.storage import read_value, write_value
from fuzzyjoin.tables import KeyTable, as_text
from fuzzyjoin.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzzyjoin.join_functions import JoinFunction
    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.threads import Work

__all__ = [
    "build_index",
    "complete_index",
    "find_index",
    "is_index",
    "open_index",
    "storable",
    "write_index",
]

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
NAME_DIGITS: Final = 32

PARTS: Final = ("columns", "blocking_texts", "index")
SCORER_PARTS: Final = (*PARTS, "forms", "siblings", "telling_words")
"""What is stored of the reference side: its cached properties."""


def find_index(folder: Path, program: Program, table: KeyTable) -> Path:
    """Where the index of this reference table for this program stands in the folder, if it was built."""
    return folder / _name(_made_for(program, table))


def is_index(path: Path) -> bool:
    """Whether an index stands there: it appears with its manifest or not at all."""
    return (path / MANIFEST).is_file()


def build_index(folder: Path, program: Program, table: KeyTable, work: Work) -> Path:
    """Build the index of a reference table for a program, unless it is there; return where it stands.

    Raises
    ------
    UsageError
        If the program blocks by a blocker of the user's own.
    DataError
        If the index cannot be written.
    """
    path = find_index(folder, program, table)
    if is_index(path):
        return path
    blocking = program.definition.blocking
    if blocking.k is None:
        raise UsageError(
            f"the program blocks by {blocking.method!r}, a blocker of your own, which an index cannot hold; apply it "
            "without an index"
        )
    side = ReferenceSide(storable(table), blocking.k, program.negative_rules, program.built_in_blocker)
    write_index(path, side, program, work, all_siblings=True)
    return path


def write_index(path: Path, side: ReferenceSide, program: Program, work: Work, *, all_siblings: bool) -> None:
    """Derive what the program will ask of the reference side and write it to the place that `find_index` names.

    Without `all_siblings` a scorer's index has those of the rows that every lookup asks for, and room for the others.

    Raises
    ------
    DataError
        If it cannot be written; then nothing stands there.
    """
    _derive(side, program)
    if isinstance(program.definition.decision, Scorer):
        from fuzzyjoin.scoring.evidence import SAMPLE, sample_rows  # noqa: PLC0415 - unions do without its kernels

        rows = len(side.table)
        _find_siblings(side, program, np.arange(rows) if all_siblings else sample_rows(rows, SAMPLE), work)
    parts = SCORER_PARTS if isinstance(program.definition.decision, Scorer) else PARTS
    with _room_beside(path) as room:
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "made_for": _made_for(program, side.table),
            "table": write_value(side.table, room, "table"),
            "parts": {name: write_value(getattr(side, name), room, name) for name in parts},
        }
        (room / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        # The rename comes last: an interrupted run leaves no folder that looks whole.
        _move(room, path)


def complete_index(path: Path, program: Program, work: Work) -> None:
    """Find the siblings that an index lacks and keep them in it; errors as for `open_index` and `write_index`.

    Whoever has it open, or opens it meanwhile, goes on: what the index holds already stays as it is.
    """
    if not isinstance(program.definition.decision, Scorer):
        return
    side = open_index(path, program)
    missing = np.flatnonzero(~side.siblings[-1])
    if missing.size == 0:
        return
    _find_siblings(side, program, missing, work)
    with _room_beside(path) as room:
        write_value(side.siblings, room, "siblings")
        # One file after the other, and last the one that says which rows have theirs: until then the rows that had
        # theirs before are the same in every file, and the others are not looked at.
        for file in sorted(room.iterdir()):
            file.replace(path / file.name)


@contextmanager
def _room_beside(path: Path) -> Iterator[Path]:
    """A folder of an index's name to write in, on the same disk as its place and gone afterwards."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # What cannot be cleared away must not hide why the index was not finished.
        with tempfile.TemporaryDirectory(prefix=".building-", dir=folder, ignore_cleanup_errors=True) as fresh:
            room = Path(fresh) / path.name
            room.mkdir()
            yield room
    except OSError as error:
        raise DataError(
            f"the index cannot be written to {folder} ({error.strerror or error}); free the disk or name another folder"
        ) from None


def open_index(path: Path, program: Program) -> ReferenceSide:
    """Open an index for the program that it was built for.

    Raises
    ------
    UsageError
        If there is none, or it was built for a program that needs another.
    DataError
        If it cannot be read.
    """
    manifest = path / MANIFEST
    if not is_index(path):
        raise UsageError(f"{path} is no index: it holds no {MANIFEST}; build one, or give the folder that was built")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise UsageError(
                f"{path} has schema_version {content['schema_version']!r}, this version reads {SCHEMA_VERSION}; build "
                "it again"
            )
        made_for = content["made_for"]
        needed = _needs(program)
        if {name: made_for.get(name) for name in needed} != needed:
            raise UsageError(
                f"{path} was built for another program, or by another version; build an index for this program"
            )
        table = read_value(content["table"], path)
        parts = {name: read_value(part, path) for name, part in content["parts"].items()}
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise DataError(f"{path} cannot be read as an index ({error}); remove it and build it again") from None
    side = ReferenceSide(table, needed["blocking"]["k"], program.negative_rules, program.built_in_blocker)
    side.__dict__.update(parts)
    return side


def _derive(side: ReferenceSide, program: Program) -> None:
    """Derive what the program will ask of the reference side, but for siblings."""
    decision = program.definition.decision
    _ = side.index.lists
    if isinstance(decision, Scorer):
        _ = side.forms, side.telling_words
        return
    for column, weight in zip(side.columns, (column.weight for column in program.columns), strict=True):
        for group in group_functions(_functions(decision.configurations)):
            if weight > 0.0:
                derive(column, group)


def _find_siblings(side: ReferenceSide, program: Program, rows: Int64Array, work: Work) -> None:
    """Find the siblings of some rows (ascending)."""
    from fuzzyjoin.scoring.evidence import EvidenceTables  # noqa: PLC0415 - unions do without its kernels

    candidates = Candidates(side.table, _no_rows(side.table), side.blocking, work, side.rules, prepared=side)
    EvidenceTables(candidates, tuple(column.weight for column in program.columns)).find_siblings(rows)


def _functions(configurations: tuple[Configuration, ...]) -> list[JoinFunction]:
    """The built-in join functions; the user's own derive nothing."""
    functions = {part.function_name: part.join_function for part in configurations}
    return [function for function in functions.values() if not hasattr(function, "custom")]


def _made_for(program: Program, table: KeyTable) -> dict[str, Any]:
    return {"reference": table.fingerprint(), "id_column": table.id_column, **_needs(program)}


def _needs(program: Program) -> dict[str, Any]:
    """What an index must hold for the program, and the versions that decide how text is read."""
    definition = program.definition
    decision = definition.decision
    forms = (
        ["scorer"]
        if isinstance(decision, Scorer)
        else sorted({"/".join(filter(None, (f.preprocess, f.tokenise))) for f in _functions(decision.configurations)})
    )
    return {
        "columns": [column.reference for column in definition.columns],
        "used": [column.weight > 0.0 for column in definition.columns],
        "blocking": {"method": definition.blocking.method, "k": definition.blocking.k},
        "rules": hashlib.sha256("\n".join(definition.negative_rules).encode()).hexdigest(),
        "forms": forms,
        "versions": {
            "fuzzyjoin": version("fuzzyjoin"),
            "pystemmer": version("pystemmer"),
            "unicode": unicodedata.unidata_version,
        },
    }


def _name(made_for: dict[str, Any]) -> str:
    content = {"schema_version": SCHEMA_VERSION, **made_for}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]


def storable(table: KeyTable) -> KeyTable:
    """The table with its texts laid out; ids become text unless all are whole numbers."""
    whole = all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in table.ids)
    ids = np.array(list(table.ids), np.int64) if whole else Texts.of([as_text(value) for value in table.ids])
    return replace(table, ids=ids, columns=tuple(map(Texts.of, table.columns)), known_fingerprint=table.fingerprint())


def _no_rows(table: KeyTable) -> KeyTable:
    """A query table without rows."""
    return KeyTable(
        role="query",
        id_column=table.id_column,
        column_names=table.column_names,
        ids=np.empty(0, object),
        columns=tuple([] for _ in table.columns),
        source_rows=np.empty(0, np.int64),
    )


def _move(room: Path, path: Path) -> None:
    """Rename a finished index to its place; whoever built the same one meanwhile was first."""
    try:
        room.rename(path)
    except OSError:
        if not is_index(path):
            shutil.rmtree(path, ignore_errors=True)
            room.rename(path)
