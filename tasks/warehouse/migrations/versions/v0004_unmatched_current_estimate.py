"""Query rows that were not joined, with the reason; and the estimate of all matches that hold when a run ends."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CURRENT_UNMATCHED = """
CREATE VIEW fuzzyjoin_current_unmatched AS
SELECT pipeline, query_id, reason, best_reference_id, best_probability, query_text, best_reference_text,
       best_configuration, best_distance, best_threshold, program_id, opened_by_run, valid_from
FROM fuzzyjoin_unmatched
WHERE valid_to IS NULL
"""

# As in revision 0003, with room for what this one adds.
RUN_AUDIT = """
CREATE VIEW fuzzyjoin_run_audit AS
SELECT r.run_id, r.pipeline, r.status, r.triggered_by, r.code_version, r.parameters, r.reference_fingerprint,
       r.reference_rows, r.query_fingerprint, r.query_rows, r.program_id, r.precision_estimate, r.precision_low,
       r.precision_high, r.precision_level, r.precision_calibrated, r.matches_opened, r.matches_closed,
       r.matches_unchanged, r.query_rows_unmatched, r.started_at, r.ended_at, r.failure, r.covers, r.matches_current,
       {current}p.in_words AS program_in_words, l.precision_target AS learned_precision_target,
       l.precision_estimate AS learned_precision_estimate, l.learned_at,
       (SELECT count(*) FROM fuzzyjoin_validations v WHERE v.run_id = r.run_id) AS validations,
       (SELECT count(*) FROM fuzzyjoin_validations v
        WHERE v.run_id = r.run_id AND NOT v.passed AND v.severity = 'hard') AS validations_failed_hard,
       (SELECT count(*) FROM fuzzyjoin_validations v
        WHERE v.run_id = r.run_id AND NOT v.passed AND v.severity = 'soft') AS validations_failed_soft,
       a.precision AS measured_precision, a.precision_low AS measured_precision_low,
       a.precision_high AS measured_precision_high, a.recall AS measured_recall, a.recall_low AS measured_recall_low,
       a.recall_high AS measured_recall_high, a.level AS measured_level, a.labelled_by AS measured_by,
       a.recorded_at AS measured_at
FROM fuzzyjoin_runs r
LEFT JOIN fuzzyjoin_programs p ON p.program_id = r.program_id
LEFT JOIN fuzzyjoin_learning_records l ON l.record_id = (
    SELECT min(n.record_id) FROM fuzzyjoin_learning_records n
    WHERE n.program_id = r.program_id AND n.learned_at = (
        SELECT max(o.learned_at) FROM fuzzyjoin_learning_records o
        WHERE o.program_id = r.program_id AND (r.ended_at IS NULL OR o.learned_at <= r.ended_at)))
LEFT JOIN fuzzyjoin_labelled_audits a ON a.audit_id = (
    SELECT min(n.audit_id) FROM fuzzyjoin_labelled_audits n
    WHERE n.run_id = r.run_id AND n.recorded_at = (
        SELECT max(o.recorded_at) FROM fuzzyjoin_labelled_audits o WHERE o.run_id = r.run_id))
"""

CURRENT = """r.current_precision_estimate, r.current_precision_low, r.current_precision_high, r.current_precision_level,
       r.current_precision_note,
       """

FIGURES = tuple(f"current_precision_{part}" for part in ("estimate", "low", "high", "level"))

# After a run over all query rows the matches that hold are those that it found.
FILL_RUNS = """
UPDATE fuzzyjoin_runs
SET current_precision_estimate = precision_estimate, current_precision_low = precision_low,
    current_precision_high = precision_high, current_precision_level = precision_level
WHERE status = 'succeeded' AND covers = 'all'
"""


def upgrade() -> None:
    """Add them; of rows that were not joined before, nothing is on record."""
    dialect = op.get_bind().dialect.name
    _unmatched(dialect)
    for name in FIGURES:
        op.add_column("fuzzyjoin_runs", sa.Column(name, sa.Double))
    op.add_column("fuzzyjoin_runs", sa.Column("current_precision_note", sa.Text))
    op.execute(FILL_RUNS)
    op.execute("DROP VIEW fuzzyjoin_run_audit")
    op.execute(RUN_AUDIT.format(current=CURRENT))
    op.execute(CURRENT_UNMATCHED)


def downgrade() -> None:
    """Remove them; why a row was not joined is then no longer on record."""
    op.execute("DROP VIEW fuzzyjoin_current_unmatched")
    op.execute("DROP VIEW fuzzyjoin_run_audit")
    for name in ("current_precision_note", *reversed(FIGURES)):
        op.drop_column("fuzzyjoin_runs", name)
    op.execute(RUN_AUDIT.format(current=""))
    op.drop_table("fuzzyjoin_unmatched")


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _unmatched(dialect: str) -> None:
    # As with matches: no foreign keys, which would be looked up for every row; one index for the rows that are
    # unmatched now and one for the others; and on DuckDB, which has no partial indexes, a key.
    key = [sa.PrimaryKeyConstraint("pipeline", "query_id", "opened_by_run")] if dialect == "duckdb" else []
    op.create_table(
        "fuzzyjoin_unmatched",
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("best_reference_id", sa.Text),
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
        _time("valid_from"),
        _time("valid_to", nullable=True),
        *key,
    )
    if dialect == "duckdb":
        return
    for name, which, unique in (("one_current", "IS NULL", True), ("history", "IS NOT NULL", False)):
        op.create_index(
            f"fuzzyjoin_unmatched_{name}",
            "fuzzyjoin_unmatched",
            ["pipeline", "query_id"],
            unique=unique,
            sqlite_where=sa.text(f"valid_to {which}"),
            postgresql_where=sa.text(f"valid_to {which}"),
        )
