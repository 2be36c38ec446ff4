"""Candidate pairs found beforehand: blocking as a step of its own, whose result can be kept in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fuzzyjoin.blocking.candidate_pairs import CandidatePairs
from fuzzyjoin.blocking.token_blocking import BLOCKERS
from fuzzyjoin.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from fuzzyjoin.blocking.token_blocking import BlockerName
    from fuzzyjoin.blocking.user_blocker import Blocker
    from fuzzyjoin.kernels.types import Int64Array
    from fuzzyjoin.tables import KeyTable

__all__ = ["BlockedPairs"]

_METADATA: Final = b"fuzzyjoin"
_TABLES: Final = ("query", "reference")
_COLUMNS: Final = {"table": "int8", "row": "int32", "candidate": "int32"}
_MOST_ROWS: Final = 1 << 31
"""Positions are whole numbers of 32 bits."""


@dataclass(frozen=True)
class BlockedPairs:
    """The candidate pairs of two tables, in positions of their canonical order.

    Attributes
    ----------
    reference_fingerprint, query_fingerprint
        Of the tables that were blocked.
    blocker, k
        The built-in blocker that found them, and how many candidates a row it keeps.
    query_pairs
        Candidate reference rows of every query row.
    reference_pairs
        Neighbours of every reference row, itself left out; None where only those of some rows are wanted later.
    """

    reference_fingerprint: str
    query_fingerprint: str
    blocker: BlockerName
    k: int
    query_pairs: CandidatePairs
    reference_pairs: CandidatePairs | None

    def require_tables(self, reference: KeyTable, query: KeyTable) -> None:
        """Raise a UsageError if these are pairs of other tables, a DataError if they name rows that are not there."""
        for table, fingerprint in ((reference, self.reference_fingerprint), (query, self.query_fingerprint)):
            if table.fingerprint() != fingerprint:
                raise UsageError(
                    f"pairs were blocked on another {table.role} table ({fingerprint}) than the one given; call "
                    "block_tables with the same tables, columns and ids"
                )
        try:
            _require_sound(self.query_pairs, len(query), len(reference), within_reference=False)
            if self.reference_pairs is not None:
                _require_sound(self.reference_pairs, len(reference), len(reference), within_reference=True)
        except ValueError as error:
            raise DataError(f"pairs: {error}; block the tables again") from None

    def require_blocking(self, blocker: BlockerName, k: int | Blocker) -> None:
        """Raise a UsageError if these are not the pairs that another blocking would find."""
        if (self.blocker, self.k) != (blocker, k):
            asked = f"{k} a row of {blocker!r}" if isinstance(k, int) else f"those of {k.name!r}"
            raise UsageError(
                f"pairs hold {self.k} candidates a row of the blocker {self.blocker!r}, but {asked} are wanted; call "
                "block_tables with the same method and space, or go without pairs"
            )

    def save(self, path: Path) -> None:
        """Write the pairs as a Parquet file with the columns `table`, `row` and `candidate`, at once and whole."""
        import pyarrow as pa  # noqa: PLC0415 - only who keeps pairs pays for it
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above

        from fuzzyjoin.files import write_file  # noqa: PLC0415 - as above

        parts = [pairs for pairs in (self.query_pairs, self.reference_pairs) if pairs is not None]
        columns = {
            "table": np.repeat(np.arange(len(parts), dtype=np.int8), [len(pairs) for pairs in parts]),
            "row": np.concatenate([_rows(pairs) for pairs in parts]).astype(np.int32),
            "candidate": np.concatenate([pairs.reference for pairs in parts]),
        }
        about = {
            "reference_fingerprint": self.reference_fingerprint,
            "query_fingerprint": self.query_fingerprint,
            "blocker": self.blocker,
            "k": self.k,
            "rows": [pairs.indptr.size - 1 for pairs in parts],
        }
        table = pa.table(columns)
        content = table.replace_schema_metadata({_METADATA: json.dumps(about).encode()})
        write_file(path, lambda staged: pq.write_table(content, staged))

    @classmethod
    def load(cls, path: Path) -> BlockedPairs:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file cannot be read as candidate pairs.
        """
        import pyarrow as pa  # noqa: PLC0415 - as in save
        import pyarrow.parquet as pq  # noqa: PLC0415 - as in save

        try:
            table = pq.read_table(path)
            about = json.loads((table.schema.metadata or {})[_METADATA])
            _require_known(about, table)
            return cls(
                about["reference_fingerprint"],
                about["query_fingerprint"],
                about["blocker"],
                about["k"],
                *_all_pairs(table, about["rows"], about["k"]),
            )
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, RecursionError, MemoryError) as error:
            raise DataError(f"{path} cannot be read as candidate pairs: {error}; block the tables again") from None


def _rows(pairs: CandidatePairs) -> Int64Array:
    rows: Int64Array = np.repeat(np.arange(pairs.indptr.size - 1), np.diff(pairs.indptr))
    return rows


def _require_known(about: Any, table: pa.Table) -> None:  # noqa: ANN401 - whatever a file holds
    """Raise a ValueError unless a file has the columns of pairs, and what it says of them can be."""
    if {field.name: str(field.type) for field in table.schema} != _COLUMNS:
        raise ValueError(f"its columns are {table.schema.names}, or of other types")
    texts = (about["reference_fingerprint"], about["query_fingerprint"])
    numbers = (about["k"], *about["rows"])
    if not all(isinstance(text, str) for text in texts) or about["blocker"] not in BLOCKERS:
        raise ValueError(f"the blocker is {about['blocker']!r}, or a fingerprint is no text")
    if not all(isinstance(number, int) and 0 < number < _MOST_ROWS for number in numbers):
        raise ValueError(f"k and rows are {numbers}")
    if len(about["rows"]) not in (1, len(_TABLES)):
        raise ValueError(f"it holds pairs of {len(about['rows'])} tables")


def _all_pairs(table: pa.Table, rows: list[int], k: int) -> tuple[CandidatePairs, CandidatePairs | None]:
    """The query pairs and, where they are there, the reference pairs."""
    whose, row, candidate = (table[name].to_numpy() for name in ("table", "row", "candidate"))
    if table.num_rows and not 0 <= whose.min() <= whose.max() < len(rows):
        raise ValueError(f"a pair is of table {whose.max()}")
    # How many reference rows there are is known here only if they have pairs of their own.
    references = rows[1] if len(rows) > 1 else _MOST_ROWS
    found = []
    for place, count in enumerate(rows):
        here = whose == place
        if here.any() and not 0 <= row[here].min() <= row[here].max() < count:
            raise ValueError(f"a pair names row {row[here].max()} of the {_TABLES[place]} table, which has {count}")
        if (np.diff(row[here]) < 0).any():
            raise ValueError(f"the rows of the {_TABLES[place]} table do not ascend")
        sizes = np.bincount(row[here], minlength=count)
        if sizes.max() > k:
            raise ValueError(f"a row has {sizes.max()} candidates, more than k = {k}")
        pairs = CandidatePairs(
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), candidate[here].astype(np.int32)
        )
        _require_sound(pairs, count, references, within_reference=place == 1)
        found.append(pairs)
    return found[0], found[1] if len(found) > 1 else None


def _require_sound(pairs: CandidatePairs, rows: int, references: int, *, within_reference: bool) -> None:
    """Raise a ValueError unless kernels can walk with the pairs of so many rows: they check nothing themselves."""
    starts, candidates = pairs.indptr, pairs.reference
    if starts.shape != (rows + 1,) or candidates.ndim != 1:
        raise ValueError(f"there are pairs of {starts.size - 1} rows, expected {rows}")
    if starts[0] != 0 or starts[-1] != candidates.size or (np.diff(starts) < 0).any():
        raise ValueError("the pairs of a row begin before those of the row ahead of it end")
    if candidates.size == 0:
        return
    if candidates.min() < 0 or candidates.max() >= references:
        raise ValueError(
            f"candidates are positions from {candidates.min()} to {candidates.max()}, but the reference table has "
            f"{references} rows"
        )
    row = np.repeat(np.arange(rows), np.diff(starts))
    if ((np.diff(candidates.astype(np.int64)) <= 0) & (row[1:] == row[:-1])).any():
        raise ValueError("the candidates of a row do not ascend")
    if within_reference and (row == candidates).any():
        raise ValueError("a reference row is a candidate of itself")
