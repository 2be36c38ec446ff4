"""Tables in: read from a file or a database as text, kept as snapshots named by their content."""

from __future__ import annotations

from tasks.ingestion.database import SourceUnavailableError
from tasks.ingestion.reading import ingest, read_input
from tasks.ingestion.snapshots import (
    SnapshotMissingError,
    TableHandle,
    content_hash,
    delete_old_snapshots,
    distinct_rows,
    is_content_hash,
    load_rows,
    load_snapshot,
    snapshot_path,
    write_ordered_snapshot,
    write_snapshot,
)
from tasks.ingestion.sources import DatabaseSource, FileSource, InputSource, QuerySource, TableSource

__all__ = [
    "DatabaseSource",
    "FileSource",
    "InputSource",
    "QuerySource",
    "SnapshotMissingError",
    "SourceUnavailableError",
    "TableHandle",
    "TableSource",
    "content_hash",
    "delete_old_snapshots",
    "distinct_rows",
    "ingest",
    "is_content_hash",
    "load_rows",
    "load_snapshot",
    "read_input",
    "snapshot_path",
    "write_ordered_snapshot",
    "write_snapshot",
]
