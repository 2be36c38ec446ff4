"""The warehouse's tables and views, as the migrations leave them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tasks.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = [
    "EVIDENCE",
    "UNMATCHED_EVIDENCE",
    "UtcTimestamp",
    "current_matches",
    "current_unmatched",
    "decisions",
    "erasures",
    "labelled_audits",
    "learning_records",
    "match_audit",
    "match_changes",
    "matches",
    "metadata",
    "pipelines",
    "program_history",
    "programs",
    "query_rows",
    "run_audit",
    "runs",
    "unmatched",
    "validations",
    "views",
]


class UtcTimestamp(sa.types.TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in the database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise WarehouseError(f"time {value.isoformat()} has no time zone; give it one, such as datetime.UTC")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn what the database holds into an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

programs = sa.Table(
    "fuzzyjoin_programs",
    metadata,
    sa.Column("program_id", sa.Text, primary_key=True),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("in_words", sa.Text, nullable=False),
    sa.Column("stored_at", UtcTimestamp, nullable=False),
)

pipelines = sa.Table(
    "fuzzyjoin_pipelines",
    metadata,
    sa.Column("pipeline", sa.Text, primary_key=True),
    sa.Column("promotion", sa.Text, nullable=False),
    sa.Column("current_program_id", sa.Text, sa.ForeignKey("fuzzyjoin_programs.program_id")),
    # Counts the decisions: the update that raises it makes two people's decisions wait for each other.
    sa.Column("decisions", sa.Integer, nullable=False),
    sa.Column("created_at", UtcTimestamp, nullable=False),
    sa.CheckConstraint("promotion IN ('automatic', 'review')", name="fuzzyjoin_pipelines_promotion"),
)

runs = sa.Table(
    "fuzzyjoin_runs",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("pipeline", sa.Text, sa.ForeignKey("fuzzyjoin_pipelines.pipeline"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("triggered_by", sa.Text, nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("reference_fingerprint", sa.Text),
    sa.Column("reference_rows", sa.BigInteger),
    sa.Column("query_fingerprint", sa.Text),
    sa.Column("query_rows", sa.BigInteger),
    sa.Column("program_id", sa.Text, sa.ForeignKey("fuzzyjoin_programs.program_id")),
    sa.Column("precision_estimate", sa.Double),
    sa.Column("precision_low", sa.Double),
    sa.Column("precision_high", sa.Double),
    sa.Column("precision_level", sa.Double),
    sa.Column("precision_calibrated", sa.Boolean),
    sa.Column("matches_opened", sa.BigInteger),
    sa.Column("matches_closed", sa.BigInteger),
    sa.Column("matches_unchanged", sa.BigInteger),
    sa.Column("query_rows_unmatched", sa.BigInteger),
    sa.Column("started_at", UtcTimestamp, nullable=False),
    sa.Column("ended_at", UtcTimestamp),
    sa.Column("failure", sa.Text),
    sa.Column("covers", sa.Text),
    sa.Column("matches_current", sa.BigInteger),
    # Of all matches that hold at its end; the estimate above is of the rows that the run looked at.
    sa.Column("current_precision_estimate", sa.Double),
    sa.Column("current_precision_low", sa.Double),
    sa.Column("current_precision_high", sa.Double),
    sa.Column("current_precision_level", sa.Double),
    sa.Column("current_precision_note", sa.Text),
    sa.CheckConstraint("status IN ('running', 'succeeded', 'failed', 'died', 'refused')", name="fuzzyjoin_runs_status"),
)

learning_records = sa.Table(
    "fuzzyjoin_learning_records",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("program_id", sa.Text, sa.ForeignKey("fuzzyjoin_programs.program_id"), nullable=False),
    sa.Column("run_id", sa.Text, sa.ForeignKey("fuzzyjoin_runs.run_id"), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("precision_target", sa.Double, nullable=False),
    sa.Column("precision_estimate", sa.Double),
    sa.Column("reference_fingerprint", sa.Text, nullable=False),
    sa.Column("query_fingerprint", sa.Text, nullable=False),
    sa.Column("learned_at", UtcTimestamp, nullable=False),
)

# What a match was decided on, in the words of the library's result.
EVIDENCE = (
    "query_text",
    "reference_text",
    "configuration",
    "join_function",
    "distance",
    "threshold",
    "runner_up_id",
    "runner_up_distance",
    "margin",
    "precision_estimate",
)

matches = sa.Table(
    "fuzzyjoin_matches",
    metadata,
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("query_id", sa.Text, nullable=False),
    sa.Column("reference_id", sa.Text, nullable=False),
    sa.Column("query_text", sa.Text),
    sa.Column("reference_text", sa.Text),
    sa.Column("configuration", sa.Integer),
    sa.Column("join_function", sa.Text),
    sa.Column("distance", sa.Double),
    sa.Column("threshold", sa.Double),
    sa.Column("runner_up_id", sa.Text),
    sa.Column("runner_up_distance", sa.Double),
    sa.Column("margin", sa.Double),
    sa.Column("precision_estimate", sa.Double),
    sa.Column("program_id", sa.Text, nullable=False),
    sa.Column("opened_by_run", sa.Text, nullable=False),
    sa.Column("closed_by_run", sa.Text),
    sa.Column("closed_because", sa.Text),
    sa.Column("valid_from", UtcTimestamp, nullable=False),
    sa.Column("valid_to", UtcTimestamp),
)
# A query row has at most one match at a time; DuckDB has no partial indexes, and a primary key of row and run instead.
sa.Index(
    "fuzzyjoin_matches_one_current",
    matches.c.pipeline,
    matches.c.query_id,
    unique=True,
    sqlite_where=matches.c.valid_to.is_(None),
    postgresql_where=matches.c.valid_to.is_(None),
)

# Apart from the current ones, so that a match is in one index at a time, and a run's work does not grow with history.
sa.Index(
    "fuzzyjoin_matches_history",
    matches.c.pipeline,
    matches.c.query_id,
    sqlite_where=matches.c.valid_to.is_not(None),
    postgresql_where=matches.c.valid_to.is_not(None),
)

# Why a query row was not joined, in the words of the library's result; best is the candidate nearest to being joined.
UNMATCHED_EVIDENCE = (
    "reason",
    "best_reference_id",
    "best_probability",
    "query_text",
    "best_reference_text",
    "best_configuration",
    "best_distance",
    "best_threshold",
)

unmatched = sa.Table(
    "fuzzyjoin_unmatched",
    metadata,
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("query_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("best_reference_id", sa.Text),
    # Match probability of the candidate; none where there is no candidate, or no scorer decides.
    sa.Column("best_probability", sa.Double),
    sa.Column("query_text", sa.Text),
    sa.Column("best_reference_text", sa.Text),
    sa.Column("best_configuration", sa.Integer),
    sa.Column("best_distance", sa.Double),
    sa.Column("best_threshold", sa.Double),
    sa.Column("program_id", sa.Text, nullable=False),
    sa.Column("opened_by_run", sa.Text, nullable=False),
    sa.Column("closed_by_run", sa.Text),
    sa.Column("closed_because", sa.Text),
    sa.Column("valid_from", UtcTimestamp, nullable=False),
    sa.Column("valid_to", UtcTimestamp),
)
# As with matches.
sa.Index(
    "fuzzyjoin_unmatched_one_current",
    unmatched.c.pipeline,
    unmatched.c.query_id,
    unique=True,
    sqlite_where=unmatched.c.valid_to.is_(None),
    postgresql_where=unmatched.c.valid_to.is_(None),
)
sa.Index(
    "fuzzyjoin_unmatched_history",
    unmatched.c.pipeline,
    unmatched.c.query_id,
    sqlite_where=unmatched.c.valid_to.is_not(None),
    postgresql_where=unmatched.c.valid_to.is_not(None),
)

# What each query row held when it was last matched.
query_rows = sa.Table(
    "fuzzyjoin_query_rows",
    metadata,
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("query_id", sa.Text, nullable=False),
    sa.Column("row_hash", sa.Text, nullable=False),
    # Of the program and the reference table by which the row was last matched.
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("changed_by_run", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "query_id"),
)

validations = sa.Table(
    "fuzzyjoin_validations",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("fuzzyjoin_runs.run_id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("expectation", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("observed", sa.Text),
    sa.Column("expected", sa.Text),
    sa.Column("checked_at", UtcTimestamp, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "number"),
    sa.CheckConstraint("severity IN ('hard', 'soft')", name="fuzzyjoin_validations_severity"),
)

decisions = sa.Table(
    "fuzzyjoin_decisions",
    metadata,
    sa.Column("pipeline", sa.Text, sa.ForeignKey("fuzzyjoin_pipelines.pipeline"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("program_id", sa.Text, sa.ForeignKey("fuzzyjoin_programs.program_id"), nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("decided_at", UtcTimestamp, nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "number"),
    sa.CheckConstraint("kind IN ('proposal', 'approval', 'refusal', 'rollback')", name="fuzzyjoin_decisions_kind"),
)

erasures = sa.Table(
    "fuzzyjoin_erasures",
    metadata,
    sa.Column("pipeline", sa.Text, sa.ForeignKey("fuzzyjoin_pipelines.pipeline"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("query_id", sa.Text),
    sa.Column("reference_id", sa.Text),
    sa.Column("erased_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("erased_at", UtcTimestamp, nullable=False),
    sa.Column("matches_redacted", sa.BigInteger, nullable=False),
    sa.Column("snapshots_deleted", sa.BigInteger, nullable=False),
    # A JSON list of their content hashes.
    sa.Column("snapshots", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("pipeline", "number"),
    sa.CheckConstraint("(query_id IS NULL) <> (reference_id IS NULL)", name="fuzzyjoin_erasures_one_id"),
)

# Ids and labels only: no value, and no hash that tells a value to whoever guesses it.
labelled_audits = sa.Table(
    "fuzzyjoin_labelled_audits",
    metadata,
    sa.Column("audit_id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("fuzzyjoin_runs.run_id"), nullable=False),
    sa.Column("program_id", sa.Text, sa.ForeignKey("fuzzyjoin_programs.program_id"), nullable=False),
    sa.Column("labelled_by", sa.Text, nullable=False),
    sa.Column("recorded_at", UtcTimestamp, nullable=False),
    # JSON: how the pairs were drawn, and each pair with its label.
    sa.Column("design", sa.Text, nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("precision", sa.Double),
    sa.Column("precision_low", sa.Double, nullable=False),
    sa.Column("precision_high", sa.Double, nullable=False),
    sa.Column("recall", sa.Double),
    sa.Column("recall_low", sa.Double),
    sa.Column("recall_high", sa.Double),
    sa.Column("level", sa.Double, nullable=False),
    sa.Column("pairs", sa.BigInteger, nullable=False),
    sa.Column("unsure", sa.BigInteger, nullable=False),
    sa.Column("unlabelled", sa.BigInteger, nullable=False),
    sa.Column("labels_needed", sa.BigInteger),
)

# Views are read only; their definitions are SQL text in the migrations.
views = sa.MetaData()

current_matches = sa.Table(
    "fuzzyjoin_current_matches",
    views,
    *(
        sa.Column(column.name, column.type)
        for column in matches.columns
        if column.name not in {"closed_by_run", "closed_because", "valid_to"}
    ),
)

current_unmatched = sa.Table(
    "fuzzyjoin_current_unmatched",
    views,
    *(
        sa.Column(column.name, column.type)
        for column in unmatched.columns
        if column.name not in {"closed_by_run", "closed_because", "valid_to"}
    ),
)

match_audit = sa.Table(
    "fuzzyjoin_match_audit",
    views,
    *(sa.Column(column.name, column.type) for column in matches.columns),
    sa.Column("run_triggered_by", sa.Text),
    sa.Column("run_code_version", sa.Text),
    sa.Column("run_parameters", sa.Text),
    sa.Column("run_reference_fingerprint", sa.Text),
    sa.Column("run_query_fingerprint", sa.Text),
    sa.Column("run_precision_estimate", sa.Double),
    sa.Column("run_precision_low", sa.Double),
    sa.Column("run_precision_high", sa.Double),
    sa.Column("run_precision_level", sa.Double),
    sa.Column("run_precision_calibrated", sa.Boolean),
    sa.Column("run_started_at", UtcTimestamp),
    sa.Column("run_ended_at", UtcTimestamp),
    sa.Column("run_validations", sa.BigInteger),
    sa.Column("run_validations_failed", sa.BigInteger),
    sa.Column("program_in_words", sa.Text),
    sa.Column("program_definition", sa.Text),
)

run_audit = sa.Table(
    "fuzzyjoin_run_audit",
    views,
    *(sa.Column(column.name, column.type) for column in runs.columns),
    sa.Column("program_in_words", sa.Text),
    sa.Column("learned_precision_target", sa.Double),
    sa.Column("learned_precision_estimate", sa.Double),
    sa.Column("learned_at", UtcTimestamp),
    sa.Column("validations", sa.BigInteger),
    sa.Column("validations_failed_hard", sa.BigInteger),
    sa.Column("validations_failed_soft", sa.BigInteger),
    sa.Column("measured_precision", sa.Double),
    sa.Column("measured_precision_low", sa.Double),
    sa.Column("measured_precision_high", sa.Double),
    sa.Column("measured_recall", sa.Double),
    sa.Column("measured_recall_low", sa.Double),
    sa.Column("measured_recall_high", sa.Double),
    sa.Column("measured_level", sa.Double),
    sa.Column("measured_by", sa.Text),
    sa.Column("measured_at", UtcTimestamp),
)

match_changes = sa.Table(
    "fuzzyjoin_match_changes",
    views,
    sa.Column("pipeline", sa.Text),
    sa.Column("run_id", sa.Text),
    sa.Column("query_id", sa.Text),
    sa.Column("before_reference_id", sa.Text),
    sa.Column("after_reference_id", sa.Text),
    sa.Column("before_program_id", sa.Text),
    sa.Column("after_program_id", sa.Text),
    sa.Column("program_changed", sa.Boolean),
    sa.Column("reference_changed", sa.Boolean),
    sa.Column("query_changed", sa.Boolean),
    sa.Column("closed_because", sa.Text),
)

program_history = sa.Table(
    "fuzzyjoin_program_history",
    views,
    *(sa.Column(column.name, column.type) for column in decisions.columns),
    sa.Column("current_from", UtcTimestamp),
    sa.Column("current_until", UtcTimestamp),
    sa.Column("program_in_words", sa.Text),
)
