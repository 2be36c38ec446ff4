"""An index of the reference table on disk: all that learning and joining need of it, ready to be opened.

An index is a folder of arrays with a manifest. Its name is the hash of what it is made for: the reference table's
content, the columns, the blocking and the forms that are compared (see `needs`). It appears as a whole or not at all.
For another table, or a program that needs other forms, there is another index, built from scratch or made of the index
of the table as it was (see `update`). What it holds never changes; nearest neighbours of reference rows, which take the
most time, may be added later, and are otherwise found when they are first asked for.

What is opened is checked first. Opening must stay quick whatever the size, so it reads the ends of every file and
blocks spread over it (see `array_files` and `soundness`): a file that is missing, cut off, emptied, zeroed or swapped
is noticed, a few changed bytes within a large file are not. `verify_index` reads everything.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.compare import Candidates, ReferenceParts, ReferenceSide
from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
from fuzzyjoin.files import sync_file, sync_folder
from fuzzyjoin.index.array_files import FILE_NAME, file_records, read_value, write_value
from fuzzyjoin.index.needs import IndexNeeds
from fuzzyjoin.index.soundness import Inspection
from fuzzyjoin.program import Program
from fuzzyjoin.tables import KeyTable, as_text
from fuzzyjoin.text import Texts, object_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.threads import Work

__all__ = [
    "build_index",
    "complete_index",
    "find_index",
    "is_index",
    "open_index",
    "remove_index",
    "storable",
    "verify_index",
    "write_index",
]

SCHEMA_VERSION: Final = 3
"""Version 1 had no checksums, version 2 other names of parts."""
MANIFEST: Final = "manifest.json"
NAME_DIGITS: Final = 32
OF_THE_TABLE: Final = ("reference", "id_column")
"""What a manifest says of the table that an index was made of; the rest says what it holds."""

PARTS: Final = ("columns", "blocking_texts", "index")
SCORER_PARTS: Final = (*PARTS, "forms", "nearest_neighbours", "discriminative_tokens")
NEARLY_EQUAL: Final = "nearly_equal"
"""What is stored of the reference side, its cached properties: always, by a scorer's program, and by one that tells
nearly equal rows apart."""

NEAREST_NEIGHBOURS: Final = "nearest_neighbours"
SOME_NEIGHBOURS: Final = "some_nearest_neighbours"
"""Names of the files of nearest neighbours: of every row, and of some rows alone."""


def find_index(folder: Path, needs: IndexNeeds, table: KeyTable) -> Path:
    """Where an index of this reference table that holds what is needed stands in the folder, if it was built."""
    return folder / _name(_made_for(needs, table))


def is_index(path: Path) -> bool:
    """Whether an index stands there: it appears with its manifest or not at all."""
    return (path / MANIFEST).is_file()


def build_index(folder: Path, needs: IndexNeeds, table: KeyTable, work: Work, *, all_neighbours: bool = True) -> Path:
    """Build the index of a reference table, unless it is there; return where it stands.

    Where the folder holds the index that a program was learned on, the program's is made of that, and nothing is
    tokenised or laid out again. `all_neighbours` as for `write_index`.

    Raises
    ------
    UsageError
        If the program blocks by a blocker of the user's own.
    DataError
        If the index cannot be written.
    """
    path = find_index(folder, needs, table)
    if is_index(path):
        return path
    blocking = needs.blocking
    if blocking.k is None:
        raise UsageError(
            f"the program blocks by {blocking.method!r}, a blocker of your own, which an index cannot hold; apply it "
            "without an index"
        )
    side = _side_to_learn_on(folder, needs, table)
    if side is None:
        side = ReferenceSide(storable(table), blocking.k, needs.negative_rules(), needs.blocker)
    write_index(path, side, needs, work, all_neighbours=all_neighbours)
    return path


def write_index(path: Path, side: ReferenceSide, needs: IndexNeeds, work: Work, *, all_neighbours: bool) -> None:
    """Derive what will be asked of the reference side and write it to the place that `find_index` names.

    Without `all_neighbours` a scorer's index has those of the rows that every lookup asks for, and room for the others.

    Raises
    ------
    DataError
        If it cannot be written; then nothing stands there.
    """
    _derive(side, needs)
    if needs.scorer:
        from fuzzyjoin.compare import SAMPLE, sample_rows  # noqa: PLC0415 - unions do without its kernels

        rows = len(side.table)
        _find_neighbours(side, np.arange(rows) if all_neighbours else sample_rows(rows, SAMPLE), work)
    parts = SCORER_PARTS if needs.scorer else PARTS
    if side.tells_nearly_equal_apart:
        parts = (*parts, NEARLY_EQUAL)
    with _room_beside(path) as room:
        content = {
            "schema_version": SCHEMA_VERSION,
            "made_for": _made_for(needs, side.table),
            "table": write_value(side.table, room, "table"),
            "parts": {name: write_value(getattr(side, name), room, _file_name(side, name)) for name in parts},
        }
        _write_manifest(room, content | {"files": file_records(room)})
        sync_folder(room)
        # The rename comes last: an interrupted run leaves no folder that looks whole.
        _move(room, path)
        sync_folder(path.parent)


def complete_index(path: Path, needs: IndexNeeds, work: Work) -> None:
    """Find the neighbours that an index lacks and keep them in it; errors as for `open_index` and `write_index`.

    Whoever has it open goes on with what it has; whoever opens it meanwhile finds it as it was or completed.
    """
    if not needs.scorer:
        return
    side = open_index(path, needs)
    missing = np.flatnonzero(~side.nearest_neighbours[-1])
    if missing.size == 0:
        return
    _find_neighbours(side, missing, work)
    content = _read_manifest(path)
    with _room_beside(path) as room:
        content["parts"][NEAREST_NEIGHBOURS] = write_value(
            side.nearest_neighbours, room, _file_name(side, NEAREST_NEIGHBOURS)
        )
        found = file_records(room)
        earlier = [name for name in content["files"] if name.startswith(SOME_NEIGHBOURS)]
        kept = {name: record for name, record in content["files"].items() if name not in earlier}
        content["files"] = dict(sorted({**kept, **found}.items()))
        _write_manifest(room, content)
        # The manifest comes last: until then the index is as it was.
        for name in (*found, MANIFEST):
            (room / name).replace(path / name)
            sync_folder(path)
        for name in earlier:
            (path / name).unlink(missing_ok=True)


def verify_index(index: str | Path, program: Program | str | Path) -> None:
    """Read an index as a whole and check that it is what was written.

    Opening an index reads a part of every file. This reads all of it, which takes about a second a gigabyte, or as long
    as the disk takes.

    Parameters
    ----------
    index
        The folder that `index_reference` or `update_index` returned.
    program
        The program that it was built for, or its file.

    Raises
    ------
    UsageError
        If there is no such index, or it was built for another program.
    DataError
        If anything in it was changed; the message names the file.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from fuzzyjoin import index_reference, learn_program, verify_index
    >>> reference = pd.DataFrame({"id": [1, 2, 3], "name": ["Grand Mall", "North Plaza", "Lake Center"]})
    >>> query = pd.DataFrame({"id": [7, 8], "name": ["The Grand Mall", "Lake Centre"]})
    >>> program = learn_program(reference, query, on="name", space="small")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verify_index(index_reference(program, reference, folder), program)
    """
    loaded = program if isinstance(program, Program) else Program.load(program)
    open_index(Path(index), IndexNeeds.of(loaded.definition), whole=True)


def remove_index(path: Path) -> None:
    """Remove an index, sound or not; a folder that holds anything else stays, and a DataError says so."""
    if (other := _other_content(path)) is not None:
        raise DataError(f"{path} is where an index belongs, but holds {other!r}; move that away and run again")
    # It leaves its place at once: half deleted it would be taken for an index.
    with tempfile.TemporaryDirectory(prefix=".deleted-", dir=path.parent) as leaving:
        path.rename(Path(leaving) / path.name)


def _other_content(path: Path) -> str | None:
    """The name of something in a folder that an index does not hold; None if there is nothing else."""
    if not path.is_dir() or path.is_symlink():
        return path.name
    for entry in sorted(path.iterdir()):
        if not entry.is_file() or (entry.name != MANIFEST and FILE_NAME.fullmatch(entry.name) is None):
            return entry.name
    return None


def _file_name(side: ReferenceSide, part: str) -> str:
    """What the names of a part's files begin with."""
    return SOME_NEIGHBOURS if part == NEAREST_NEIGHBOURS and not side.nearest_neighbours[-1].all() else part


def _write_manifest(room: Path, content: dict[str, Any]) -> None:
    """Write the manifest, with a checksum of its own."""
    signed = {**content, "checksum": _digest(content)}
    path = room / MANIFEST
    path.write_text(json.dumps(signed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sync_file(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of an index and check that it is as it was written, and of this version."""
    content: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    if content["schema_version"] != SCHEMA_VERSION:
        raise UsageError(
            f"{path} has schema_version {content['schema_version']!r}, this version reads {SCHEMA_VERSION}; build "
            "it again"
        )
    if content.pop("checksum") != _digest(content):
        raise ValueError(f"{MANIFEST} was changed")
    return content


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


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


def open_index(path: Path, needs: IndexNeeds, *, whole: bool = False) -> ReferenceSide:
    """Open an index that holds what is needed; with `whole` read all of it (see `verify_index`).

    Raises
    ------
    UsageError
        If there is none, or it was built for other needs.
    DataError
        If it cannot be read, or is not as it was written.
    """
    if not is_index(path):
        raise UsageError(f"{path} is no index: it holds no {MANIFEST}; build one, or give the folder that was built")
    damage: Exception | None = None
    # Twice, because it may have been completed between two looks at it.
    for _ in range(2):
        try:
            return _opened(path, needs, whole=whole)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged file can end its reader in any way
            damage = error
    raise DataError(f"{path} cannot be read as an index ({damage}); remove it and build it again")


def _opened(path: Path, needs: IndexNeeds, *, whole: bool) -> ReferenceSide:
    content = _read_manifest(path)
    made_for, needed = content["made_for"], needs.made_for()
    if {name: value for name, value in made_for.items() if name not in OF_THE_TABLE} != needed:
        raise UsageError(
            f"{path} was built for another program, or by another version; build an index for this program"
        )
    table = read_value(content["table"], path, content["files"], whole=whole)
    parts = {
        name: read_value(part, path, content["files"], whole=whole)
        for name, part in content["parts"].items()
        if name in (*SCORER_PARTS, NEARLY_EQUAL)
    }
    Inspection.of(table, parts, whole=whole)
    return ReferenceSide(table, needed["blocking"]["k"], needs.negative_rules(), needs.blocker, ReferenceParts(**parts))


def _side_to_learn_on(folder: Path, needs: IndexNeeds, table: KeyTable) -> ReferenceSide | None:
    """The reference side of the index that a program was learned on, if it is there and serves the program too."""
    learned_on = needs.to_block()
    path = find_index(folder, learned_on, table)
    if needs == learned_on or not is_index(path):
        return None
    try:
        side = open_index(path, learned_on)
    except FuzzyJoinError:
        # It only saves work.
        return None
    rules = needs.negative_rules()
    words = object_array([word for words in rules.sides() for word in words])
    if words.size and (side.index.words.vocabulary.lookup(words) < 0).any():
        # Of a program that was learned on another table: its words enter the vocabulary.
        return None
    return replace(side, rules=rules)


def _derive(side: ReferenceSide, needs: IndexNeeds) -> None:
    """Derive what will be asked of the reference side, but for nearest neighbours."""
    _ = side.index.lists
    if side.tells_nearly_equal_apart:
        _ = side.nearly_equal.shared
    if needs.scorer:
        _ = side.forms, side.discriminative_tokens
        return
    for column, used in zip(side.columns, needs.used, strict=True):
        for form in needs.forms if used else ():
            preprocessing, _, tokenisation = form.partition("/")
            if tokenisation:
                column.tokens(preprocessing, tokenisation)
            else:
                column.texts(preprocessing)


def _find_neighbours(side: ReferenceSide, rows: Int64Array, work: Work) -> None:
    """Find the nearest neighbours of some rows (ascending)."""
    from fuzzyjoin.compare import FeatureTables  # noqa: PLC0415 - unions do without its kernels

    candidates = Candidates(side.table, _no_rows(side.table), side.blocking, work, side.rules, prepared=side)
    # Rows are neighbours by all columns together: what a column weighs does not enter.
    FeatureTables(candidates, ()).find_nearest_neighbours(rows)


def _made_for(needs: IndexNeeds, table: KeyTable) -> dict[str, Any]:
    return {"reference": table.fingerprint(), "id_column": table.id_column, **needs.made_for()}


def _name(made_for: dict[str, Any]) -> str:
    content = {"schema_version": SCHEMA_VERSION, **made_for}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]


def storable(table: KeyTable) -> KeyTable:
    """The table with its texts laid out; ids become text unless all are whole numbers."""
    columns, rule_columns = (tuple(map(Texts.of, texts)) for texts in (table.columns, table.rule_columns))
    laid_out = replace(
        table, columns=columns, rule_columns=rule_columns, known_fingerprint=table.fingerprint(), source=None
    )
    if table.equal is None:
        return replace(laid_out, ids=_stored_ids(table.ids))
    every = _stored_ids(table.equal.ids)
    # Of the same kind as all ids together, not only as these.
    own = _stored_ids(table.ids) if isinstance(every, np.ndarray) else Texts.of(table.id_texts())
    return replace(laid_out, ids=own, equal=replace(table.equal, ids=every))


def _stored_ids(ids: Iterable[Any]) -> np.ndarray | Texts:
    whole = all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in ids)
    return np.array(list(ids), np.int64) if whole else Texts.of([as_text(value) for value in ids])


def _no_rows(table: KeyTable) -> KeyTable:
    """A query table without rows."""
    return KeyTable(
        role="query",
        id_column=table.id_column,
        column_names=table.column_names,
        ids=np.empty(0, object),
        columns=tuple([] for _ in table.columns),
        source_rows=np.empty(0, np.int64),
        rule_names=table.rule_names,
        rule_columns=tuple([] for _ in table.rule_columns),
    )


def _move(room: Path, path: Path) -> None:
    """Rename a finished index to its place; whoever built the same one meanwhile was first."""
    try:
        room.rename(path)
    except OSError:
        if not is_index(path):
            # Such as an index whose manifest was lost.
            remove_index(path)
            room.rename(path)
