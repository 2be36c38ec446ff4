"""Joining a long query table in batches: each finished part is kept, so that a run that was stopped can go on.

A row's match depends on the program, the reference table and that row alone, so parts put together are the join of the
whole table. Parts stand in a folder with a manifest that says of which program and tables they are parts; parts of
anything else are thrown away.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fuzzyjoin.errors import DataError
from fuzzyjoin.matcher import query_table
from fuzzyjoin.matching import Tally
from fuzzyjoin.program import PrecisionEstimate, Scorer
from fuzzyjoin.result import result_of
from fuzzyjoin.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from fuzzyjoin.kernels.types import Float64Array
    from fuzzyjoin.matcher import Matcher
    from fuzzyjoin.program import Program
    from fuzzyjoin.threads import Progress

__all__ = ["JoinedParts", "join_in_parts", "whole_estimate"]

MANIFEST: Final = "manifest.json"
TABLES: Final = ("matches", "unmatched")
COUNTED: Final = ("query_rows", "matched", "unmatched", "candidate_pairs")


@dataclass(frozen=True)
class JoinedParts:
    """A finished join of a table in parts.

    Attributes
    ----------
    folder
        Where the parts are.
    parts
        What is known of each part.
    precision_estimate
        Estimated precision of all matches.
    counts, seconds
        As in `JoinResult`; the seconds are those of this run.
    kept
        Parts that an earlier run had finished.
    """

    folder: Path
    parts: tuple[dict[str, Any], ...]
    precision_estimate: PrecisionEstimate
    counts: dict[str, int]
    seconds: dict[str, float]
    kept: int

    def tables(self, name: str) -> Iterator[pa.Table]:
        """The matches, or the unmatched rows, part after part, in the order of the query table."""
        return _tables(self.folder, len(self.parts), name)

    def remove(self) -> None:
        """Remove the parts, once they have been put together."""
        shutil.rmtree(self.folder, ignore_errors=True)


def join_in_parts(
    matcher: Matcher,
    batches: Iterable[pd.DataFrame],
    folder: Path,
    *,
    parts_of: Mapping[str, Any],
    rows: int,
    id_column: str,
    progress: Progress,
) -> JoinedParts:
    """Join batches of query rows, one after the other, and keep each as a part.

    Parameters
    ----------
    matcher
        The program and the reference table.
    batches
        The query rows; the same at every run.
    folder
        Where the parts go. Those that an earlier run finished are kept, if they are parts of the same.
    parts_of
        What the parts are parts of, as JSON holds it: program, tables, size of the batches.
    rows
        Rows of all batches together, for the progress.
    id_column
        The id column of the query rows, whose values differ.
    progress
        Told the share of the rows that is joined.

    Raises
    ------
    DataError
        If a part cannot be written.
    """
    watch = Stopwatch()
    with _explained(folder):
        known = _begin(folder, parts_of)
        parts = list(known)
        done = sum(part["query_rows"] for part in known)
        # Without any row the one batch there is makes a part of headers.
        filled = (batch for batch in batches if len(batch) or not rows)
        for place, batch in enumerate(filled):
            if place < len(known):
                continue
            try:
                parts.append(join_part(matcher, batch, id_column, watch, folder / f"{place:06d}"))
            except BaseException:
                # Stopped in its first part, a run leaves nothing worth keeping.
                if not parts:
                    shutil.rmtree(folder, ignore_errors=True)
                raise
            done += len(batch)
            progress("joining", done / max(rows, 1))
    counts = {name: sum(part[name] for part in parts) for name in COUNTED}
    return JoinedParts(
        folder,
        tuple(parts),
        whole_estimate(
            matcher.program,
            [part["tally"] and Tally(*part["tally"]) for part in parts],
            (table["precision_estimate"].to_numpy() for table in _tables(folder, len(parts), "matches")),
        ),
        {"reference_rows": len(matcher.side.table), **counts},
        dict(watch.seconds),
        len(known),
    )


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


def _begin(folder: Path, parts_of: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Make the folder ready; what is known of the parts in it that can be kept."""
    manifest = folder / MANIFEST
    if folder.is_dir() and not manifest.is_file() and any(folder.iterdir()):
        raise DataError(f"{folder}: is where the parts of the join go, but holds something else; move it away")
    wanted = json.dumps(parts_of, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _write_text(manifest, wanted)
    known: list[dict[str, Any]] = []
    while (about := folder / f"{len(known):06d}.json").is_file():
        known.append(json.loads(about.read_text(encoding="utf-8")))
    return known


def join_part(matcher: Matcher, batch: pd.DataFrame, id_column: str, watch: Stopwatch, stem: Path) -> dict[str, Any]:
    """Join a batch and write its part; what is known of it comes last, and says that the part is whole."""
    with watch.stage("tables"):
        table = query_table(matcher.program, batch, id_column)
    decisions = matcher.decide(table, watch)
    result = result_of(decisions, watch)
    with watch.stage("parts"):
        for name in TABLES:
            frame = getattr(result, name)
            fresh = stem.with_name(f"{stem.name}-{name}.tmp")
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), fresh)
            fresh.replace(_part(stem, name))
        tally = decisions.matches.tally
        about = {
            **{name: result.counts[name] for name in COUNTED},
            "tally": None if tally is None else [tally.mass, tally.pairs],
        }
        _write_text(stem.with_suffix(".json"), json.dumps(about) + "\n")
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
    from fuzzyjoin.scoring.decision import headline  # noqa: PLC0415 - unions do without its kernels

    return headline(np.concatenate([np.empty(0), *probabilities]), program.definition.spread)


def _tables(folder: Path, parts: int, name: str) -> Iterator[pa.Table]:
    for place in range(parts):
        yield pq.read_table(_part(folder / f"{place:06d}", name))


def _part(stem: Path, name: str) -> Path:
    return stem.with_name(f"{stem.name}-{name}.parquet")


def _write_text(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
