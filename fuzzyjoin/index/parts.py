"""Joining a long query table in batches: each finished part is kept, so that a run that was stopped can go on.

A row's match depends on the program, the reference table and that row alone, so parts put together are the join of the
whole table, wherever one ends and the next begins. Parts stand in a folder with a manifest that says of which program
and tables they are parts. Each names the rows that it covers and is found again whatever the batches are now; parts of
anything else are thrown away. Only what this module wrote is ever removed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from bisect import bisect_right
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fuzzyjoin.compare import Tally
from fuzzyjoin.definition import PrecisionEstimate, Scorer
from fuzzyjoin.errors import DataError
from fuzzyjoin.files import sync_file, sync_folder
from fuzzyjoin.index.matcher import query_table
from fuzzyjoin.joining import PairDecisions, reference_counts
from fuzzyjoin.program import JoinResult
from fuzzyjoin.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from fuzzyjoin.index.matcher import Matcher
    from fuzzyjoin.kernels.types import Float64Array
    from fuzzyjoin.program import Program
    from fuzzyjoin.threads import Progress

__all__ = ["JoinedParts", "join_in_parts", "most_rows", "uncovered", "whole_estimate"]

MANIFEST: Final = "manifest.json"
FORMAT: Final = "parts of a fuzzyjoin join"
FORMAT_VERSION: Final = 4
FIRST_KEYS: Final = {"fuzzyjoin", "program_id", "reference", "query", "id_columns", "batch_rows"}
"""What the manifest of version 1 holds, which does not name itself."""

TABLES: Final = ("matches", "unmatched")
"""What every part holds; with `top` it holds the candidates too."""

COUNTED: Final = ("query_rows", "matched", "unmatched", "review", "pinned", "forbidden", "candidate_pairs")

OWN_NAME: Final = re.compile(
    r"manifest\.json(\.tmp)?|[0-9]{6,}(-[0-9]{6,})?(\.json(\.tmp)?|-(matches|unmatched|candidates)\.(parquet|tmp))"
)
"""Names of the files that are written here, by version 1 too."""


@dataclass(frozen=True)
class JoinedParts:
    """A finished join of a table in parts.

    Attributes
    ----------
    folder
        Where the parts are.
    parts
        What is known of each part, in the order of the query table; `rows` are the first that it covers and the first
        that it does not.
    precision_estimate
        Estimated precision of all matches.
    counts, seconds
        As in `JoinResult`; the seconds are those of this run.
    kept
        Parts that an earlier run had finished.
    thrown_away
        Whether the folder held parts of another join, or of another version, which are gone.
    """

    folder: Path
    parts: tuple[dict[str, Any], ...]
    precision_estimate: PrecisionEstimate
    counts: dict[str, int]
    seconds: dict[str, float]
    kept: int
    thrown_away: bool

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Decisions of people that do not hold, or that somebody should look at again, one sentence each."""
        return tuple(sentence for part in self.parts for sentence in part["conflicts"])

    def tables(self, name: str) -> Iterator[pa.Table]:
        """The matches, the unmatched rows, or the candidates if asked, part after part, as the query table goes."""
        return _tables(self.folder, self.parts, name)

    def remove(self) -> None:
        """Remove the parts, once they have been put together."""
        with suppress(OSError):
            _remove(self.folder)


def join_in_parts(
    matcher: Matcher,
    batches: Iterable[pd.DataFrame],
    folder: Path,
    *,
    parts_of: Mapping[str, Any],
    rows: int,
    id_column: str,
    progress: Progress,
    top: int | None = None,
    people: PairDecisions | None = None,
) -> JoinedParts:
    """Join batches of query rows, one after the other, and keep each as a part.

    Parameters
    ----------
    matcher
        The program and the reference table.
    batches
        The query rows; the same at every run, however they are cut.
    folder
        Where the parts go. Those that an earlier run finished are kept, if they are parts of the same. Whoever calls
        sees to it that no other process works there.
    parts_of
        What the parts are parts of, as JSON holds it: program and tables.
    rows
        Rows of all batches together.
    id_column
        The id column of the query rows, whose values differ.
    progress
        Told the share of the rows that is joined.
    top
        How many candidates a query row to keep, as for `Matcher.lookup`; `parts_of` names it.
    people
        What people decided on pairs; `parts_of` names that too.

    Raises
    ------
    DataError
        If a part cannot be written, or the folder holds something else.
    """
    watch = Stopwatch()
    # Once, not for every batch.
    people = people and people.beside(matcher.side.table)
    with _explained(folder):
        thrown_away = _begin(folder, parts_of)
        known = _finished(folder, rows)
        covered = [tuple(part["rows"]) for part in known]
        parts = list(known)
        done = sum(part["query_rows"] for part in known)
        first = 0
        # Without any row the one batch there is makes a part of headers.
        for batch in batches:
            wanted = uncovered(covered, first, first + len(batch)) if rows else ([] if parts else [(0, 0)])
            for start, stop in wanted:
                try:
                    rest = batch.iloc[start - first : stop - first]
                    parts.append(
                        join_part(matcher, rest, id_column, watch, _stem(folder, start, stop), top=top, people=people)
                    )
                except BaseException:
                    # Stopped in its first part, a run leaves nothing worth keeping.
                    if not parts:
                        _remove(folder)
                    raise
                done += stop - start
                progress("joining", done / max(rows, 1))
            first += len(batch)
    parts.sort(key=lambda part: part["rows"][0])
    counts = {name: sum(part[name] for part in parts) for name in COUNTED}
    return JoinedParts(
        folder,
        tuple(parts),
        whole_estimate(
            matcher.program,
            [part["tally"] and Tally(*part["tally"]) for part in parts],
            (table["precision_estimate"].to_numpy() for table in _tables(folder, parts, "matches")),
        ),
        {**reference_counts(matcher.side.table), **counts},
        dict(watch.seconds),
        len(known),
        thrown_away,
    )


def most_rows(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of some ranges of rows those, apart from one another, that cover most rows together, ascending.

    Of equally good choices the one of fewest ranges.

    >>> most_rows([(0, 10), (5, 100), (20, 40), (100, 120)])
    [(5, 100), (100, 120)]
    """
    ordered = sorted(set(ranges), key=lambda rows: (rows[1], rows[0]))
    stops = [stop for _, stop in ordered]
    # Of the first so many ranges: rows covered, ranges fewer, and the last range chosen with what was chosen before it.
    best: list[tuple[int, int, tuple[Any, ...] | None]] = [(0, 0, None)]
    for place, (start, stop) in enumerate(ordered):
        before = best[bisect_right(stops, start, 0, place)]
        taken = before[0] + stop - start, before[1] - 1
        best.append((*taken, ((start, stop), before[2])) if taken > best[-1][:2] else best[-1])
    chosen, chain = [], best[-1][2]
    while chain is not None:
        chosen.append(chain[0])
        chain = chain[1]
    return chosen[::-1]


def uncovered(covered: Sequence[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """What ranges of rows, ascending and apart from one another, leave of another range.

    >>> uncovered([(0, 2), (5, 7)], 1, 9)
    [(2, 5), (7, 9)]
    """
    left = []
    for first, last in covered:
        if start < min(first, stop):
            left.append((start, min(first, stop)))
        start = max(start, min(last, stop))
    if start < stop:
        left.append((start, stop))
    return left


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the folder."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{folder}: a part of the join cannot be written ({error.strerror or error}); free the disk and run again: "
            "finished parts are kept"
        ) from None


def _begin(folder: Path, parts_of: Mapping[str, Any]) -> bool:
    """Make the folder ready; whether it held parts of something else, which were thrown away.

    Raises
    ------
    DataError
        If it holds anything that was not written here.
    """
    wanted = {"format": FORMAT, "version": FORMAT_VERSION, "parts_of": json.loads(json.dumps(parts_of))}
    thrown_away = False
    if folder.exists() or folder.is_symlink():
        other = _other_content(folder)
        if other is not None:
            raise DataError(
                f"{folder}: is where the parts of the join go, but holds {other}, which no join wrote; move it away, "
                "or name another output"
            )
        if _manifest(folder) == wanted:
            return False
        thrown_away = any(folder.iterdir())
        _remove(folder)
    # It appears with its manifest, so that a folder without one is never of a join.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as fresh:
        room = Path(fresh) / folder.name
        room.mkdir()
        _write_text(room / MANIFEST, json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        if folder.is_symlink():
            shutil.copy(room / MANIFEST, folder / MANIFEST)
        else:
            room.rename(folder)
    return thrown_away


def _other_content(folder: Path) -> str | None:
    """Something in the folder that was not written here, for a message; None if there is nothing else."""
    if not folder.is_dir():
        return "a file in its place"
    entries = sorted(folder.iterdir())
    for entry in entries:
        if not entry.is_file() or OWN_NAME.fullmatch(entry.name) is None:
            return repr(entry.name)
    if entries and not _is_own(_manifest(folder)):
        return repr(MANIFEST if (folder / MANIFEST).is_file() else entries[0].name)
    return None


def _is_own(manifest: object) -> bool:
    """Whether a manifest was written here, by whichever version."""
    return isinstance(manifest, dict) and (manifest.get("format") == FORMAT or set(manifest) == FIRST_KEYS)


def _manifest(folder: Path) -> Any:  # noqa: ANN401 - whatever stands there
    """The manifest; None if there is none that can be read."""
    try:
        return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None


def _remove(folder: Path) -> None:
    """Remove what was written here, the manifest last, and the folder if nothing else is in it."""
    own = [entry for entry in folder.iterdir() if OWN_NAME.fullmatch(entry.name)]
    for entry in sorted(own, key=lambda entry: entry.name == MANIFEST):
        entry.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _finished(folder: Path, rows: int) -> list[dict[str, Any]]:
    """What is known of the parts in the folder that can be kept: whole, of these rows, and apart from one another."""
    known: dict[tuple[int, int], dict[str, Any]] = {}
    for about in folder.glob("[0-9]*.json"):
        part = _part_known(about, rows)
        if part is not None:
            start, stop = part["rows"]
            known[start, stop] = part
    return [known[place] for place in most_rows(known)]


def _part_known(about: Path, rows: int) -> dict[str, Any] | None:
    """What is known of a part; None if any of its files is not as it was written."""
    try:
        part: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
        checksum = part.pop("checksum")
        start, stop = part["rows"]
        sound = (
            checksum == _digest(part)
            and about.name == _stem(about.parent, start, stop).with_suffix(".json").name
            and 0 <= start < stop <= rows
            and {*TABLES} <= {*part["files"]} <= {*TABLES, "candidates"}
            and all(_hash(_part(about.with_suffix(""), name)) == hashed for name, hashed in part["files"].items())
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return part if sound else None


def join_part(
    matcher: Matcher,
    batch: pd.DataFrame,
    id_column: str,
    watch: Stopwatch,
    stem: Path,
    *,
    top: int | None = None,
    people: PairDecisions | None = None,
) -> dict[str, Any]:
    """Join rows and write their part; what is known of it comes last, and says that the part is whole.

    `stem` names the rows: position of the first, and of the first behind them.
    """
    with watch.stage("tables"):
        table, _ = query_table(matcher.program, batch, id_column)
    decisions = matcher.decide(table, watch, pair_scores=top is not None, people=people)
    result = JoinResult.of(matcher.program, decisions, watch, top=top)
    with watch.stage("parts"):
        hashes = {}
        for name in TABLES if top is None else (*TABLES, "candidates"):
            frame = getattr(result, name)
            fresh = stem.with_name(f"{stem.name}-{name}.tmp")
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), fresh)
            hashes[name] = _hash(fresh)
            sync_file(fresh)
            fresh.replace(_part(stem, name))
        tally = decisions.matches.tally
        about = {
            "rows": [int(position) for position in stem.name.split("-")],
            **{name: int(result.counts[name]) for name in COUNTED},
            "tally": None if tally is None else [tally.mass, tally.pairs],
            "conflicts": list(decisions.decided.conflicts if decisions.decided else ()),
            "files": hashes,
        }
        _write_text(stem.with_suffix(".json"), json.dumps({**about, "checksum": _digest(about)}) + "\n")
        sync_folder(stem.parent)
    return about


def whole_estimate(
    program: Program, tallies: Iterable[Tally | None], probabilities: Iterable[Float64Array]
) -> PrecisionEstimate:
    """The estimate of parts together, as that of one join.

    Parameters
    ----------
    program
        The program that joined them.
    tallies
        Of a union's parts, one each.
    probabilities
        Of a scorer's parts: the probability of each match, in [0, 1].
    """
    if not isinstance(program.definition.decision, Scorer):
        known = [tally for tally in tallies if tally is not None]
        whole = Tally(sum(tally.mass for tally in known), sum(tally.pairs for tally in known))
        return PrecisionEstimate(value=whole.precision_estimate)
    from fuzzyjoin.scoring import headline  # noqa: PLC0415 - unions do without its kernels

    every = np.concatenate([np.empty(0), *probabilities])
    # Of a match that a person decided on nothing is estimated.
    return headline(every[~np.isnan(every)], program.definition.between_task_sd)


def _tables(folder: Path, parts: Iterable[Mapping[str, Any]], name: str) -> Iterator[pa.Table]:
    for part in parts:
        yield pq.read_table(_part(_stem(folder, *part["rows"]), name))


def _stem(folder: Path, start: int, stop: int) -> Path:
    """What the names of a part's files begin with."""
    return folder / f"{start:09d}-{stop:09d}"


def _part(stem: Path, name: str) -> Path:
    return stem.with_name(f"{stem.name}-{name}.parquet")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write_text(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text(text, encoding="utf-8")
    sync_file(fresh)
    fresh.replace(path)
