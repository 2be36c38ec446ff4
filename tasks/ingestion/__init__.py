"""Tables in: read from a file or a database as text, kept as snapshots named by their content."""

from __future__ import annotations

from tasks.ingestion.database import SourceUnavailableError
from tasks.ingestion.reading import ingest, read_source
from tasks.ingestion.snapshots import (
    SnapshotMissingError,
    TableHandle,
    content_hash,
    delete_old_snapshots,
    is_content_hash,
    load_rows,
    load_snapshot,
    snapshot_path,
    write_ordered_snapshot,
    write_snapshot,
)
from tasks.ingestion.sources import DatabaseSource, FileSource, QuerySource, Source, TableSource

__all__ = [
    "DatabaseSource",
    "FileSource",
    "QuerySource",
    "SnapshotMissingError",
    "Source",
    "SourceUnavailableError",
    "TableHandle",
    "TableSource",
    "content_hash",
    "delete_old_snapshots",
    "ingest",
    "is_content_hash",
    "load_rows",
    "load_snapshot",
    "read_source",
    "snapshot_path",
    "write_ordered_snapshot",
    "write_snapshot",
]
