"""Labelled audits, and the measured precision beside the estimate of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# As in revision 0002, with room for what this one adds.
RUN_AUDIT = """
CREATE VIEW fuzzyjoin_run_audit AS
SELECT r.run_id, r.pipeline, r.status, r.triggered_by, r.code_version, r.parameters, r.reference_fingerprint,
       r.reference_rows, r.query_fingerprint, r.query_rows, r.program_id, r.precision_estimate, r.precision_low,
       r.precision_high, r.precision_level, r.precision_calibrated, r.matches_opened, r.matches_closed,
       r.matches_unchanged, r.query_rows_unmatched, r.started_at, r.ended_at, r.failure, r.covers, r.matches_current,
       p.in_words AS program_in_words, l.precision_target AS learned_precision_target,
       l.precision_estimate AS learned_precision_estimate, l.learned_at,
       (SELECT count(*) FROM fuzzyjoin_validations v WHERE v.run_id = r.run_id) AS validations,
       (SELECT count(*) FROM fuzzyjoin_validations v
        WHERE v.run_id = r.run_id AND NOT v.passed AND v.severity = 'hard') AS validations_failed_hard,
       (SELECT count(*) FROM fuzzyjoin_validations v
        WHERE v.run_id = r.run_id AND NOT v.passed AND v.severity = 'soft') AS validations_failed_soft{measured}
FROM fuzzyjoin_runs r
LEFT JOIN fuzzyjoin_programs p ON p.program_id = r.program_id
LEFT JOIN fuzzyjoin_learning_records l ON l.record_id = (
    SELECT min(n.record_id) FROM fuzzyjoin_learning_records n
    WHERE n.program_id = r.program_id AND n.learned_at = (
        SELECT max(o.learned_at) FROM fuzzyjoin_learning_records o
        WHERE o.program_id = r.program_id AND (r.ended_at IS NULL OR o.learned_at <= r.ended_at))){audits}
"""

MEASURED = """,
       a.precision AS measured_precision, a.precision_low AS measured_precision_low,
       a.precision_high AS measured_precision_high, a.recall AS measured_recall, a.recall_low AS measured_recall_low,
       a.recall_high AS measured_recall_high, a.level AS measured_level, a.labelled_by AS measured_by,
       a.recorded_at AS measured_at"""

# The newest audit of the run.
AUDITS = """
LEFT JOIN fuzzyjoin_labelled_audits a ON a.audit_id = (
    SELECT min(n.audit_id) FROM fuzzyjoin_labelled_audits n
    WHERE n.run_id = r.run_id AND n.recorded_at = (
        SELECT max(o.recorded_at) FROM fuzzyjoin_labelled_audits o WHERE o.run_id = r.run_id))"""


def upgrade() -> None:
    """Add them."""
    dialect = op.get_bind().dialect.name
    op.create_table(
        "fuzzyjoin_labelled_audits",
        sa.Column("audit_id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("program_id", sa.Text, nullable=False),
        sa.Column("labelled_by", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
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
        *_refers(dialect),
    )
    if dialect == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER fuzzyjoin_labelled_audits_no_{action.lower()} BEFORE {action} ON "
                "fuzzyjoin_labelled_audits BEGIN SELECT RAISE(ABORT, 'fuzzyjoin_labelled_audits is append-only'); END"
            )
    if dialect == "postgresql":
        op.execute(
            "CREATE TRIGGER fuzzyjoin_labelled_audits_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
            "fuzzyjoin_labelled_audits FOR EACH STATEMENT EXECUTE FUNCTION fuzzyjoin_append_only()"
        )
    op.execute("DROP VIEW fuzzyjoin_run_audit")
    op.execute(RUN_AUDIT.format(measured=MEASURED, audits=AUDITS))


def downgrade() -> None:
    """Remove them; what was labelled is then no longer on record."""
    op.execute("DROP VIEW fuzzyjoin_run_audit")
    op.execute(RUN_AUDIT.format(measured="", audits=""))
    op.drop_table("fuzzyjoin_labelled_audits")


def _refers(dialect: str) -> list[sa.ForeignKeyConstraint]:
    # As in revision 0001.
    if dialect == "duckdb":
        return []
    return [
        sa.ForeignKeyConstraint(["run_id"], ["fuzzyjoin_runs.run_id"]),
        sa.ForeignKeyConstraint(["program_id"], ["fuzzyjoin_programs.program_id"]),
    ]
