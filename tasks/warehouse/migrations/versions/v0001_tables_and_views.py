"""The tables, the views, and what keeps records from being rewritten."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("fuzzyjoin_programs", "fuzzyjoin_learning_records", "fuzzyjoin_decisions")

CURRENT_MATCHES = """
CREATE VIEW fuzzyjoin_current_matches AS
SELECT pipeline, query_id, reference_id, query_text, reference_text, configuration, join_function, distance, threshold,
       runner_up_id, runner_up_distance, margin, precision_estimate, program_id, opened_by_run, valid_from
FROM fuzzyjoin_matches
WHERE valid_to IS NULL
"""

MATCH_AUDIT = """
CREATE VIEW fuzzyjoin_match_audit AS
SELECT m.pipeline, m.query_id, m.reference_id, m.query_text, m.reference_text, m.configuration, m.join_function,
       m.distance, m.threshold, m.runner_up_id, m.runner_up_distance, m.margin, m.precision_estimate, m.program_id,
       m.opened_by_run, m.closed_by_run, m.closed_because, m.valid_from, m.valid_to,
       r.triggered_by AS run_triggered_by, r.code_version AS run_code_version, r.parameters AS run_parameters,
       r.reference_fingerprint AS run_reference_fingerprint, r.query_fingerprint AS run_query_fingerprint,
       r.precision_estimate AS run_precision_estimate, r.precision_low AS run_precision_low,
       r.precision_high AS run_precision_high, r.precision_level AS run_precision_level,
       r.precision_calibrated AS run_precision_calibrated,
       r.started_at AS run_started_at, r.ended_at AS run_ended_at,
       (SELECT count(*) FROM fuzzyjoin_validations v WHERE v.run_id = r.run_id) AS run_validations,
       (SELECT count(*) FROM fuzzyjoin_validations v WHERE v.run_id = r.run_id AND NOT v.passed)
           AS run_validations_failed,
       p.in_words AS program_in_words, p.definition AS program_definition
FROM fuzzyjoin_matches m
JOIN fuzzyjoin_runs r ON r.run_id = m.opened_by_run
JOIN fuzzyjoin_programs p ON p.program_id = m.program_id
"""


def upgrade() -> None:
    """Create everything."""
    dialect = op.get_bind().dialect.name
    _tables_of_programs_and_runs(dialect)
    _tables_of_results(dialect)
    op.execute(CURRENT_MATCHES)
    op.execute(MATCH_AUDIT)
    if dialect == "sqlite":
        _append_only_on_sqlite()
    if dialect == "postgresql":
        _append_only_on_postgresql()


def downgrade() -> None:
    """Remove everything, history included."""
    op.execute("DROP VIEW fuzzyjoin_match_audit")
    op.execute("DROP VIEW fuzzyjoin_current_matches")
    for table in ("decisions", "validations", "matches", "learning_records", "runs", "pipelines", "programs"):
        op.drop_table(f"fuzzyjoin_{table}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fuzzyjoin_append_only()")


def _refers(dialect: str, column: str, target: str) -> list[sa.ForeignKeyConstraint]:
    # DuckDB refuses updates of rows that others refer to, and a run's row is updated when it ends.
    return [] if dialect == "duckdb" else [sa.ForeignKeyConstraint([column], [f"fuzzyjoin_{target}"])]


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _tables_of_programs_and_runs(dialect: str) -> None:
    op.create_table(
        "fuzzyjoin_programs",
        sa.Column("program_id", sa.Text, primary_key=True),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("in_words", sa.Text, nullable=False),
        _time("stored_at"),
    )
    op.create_table(
        "fuzzyjoin_pipelines",
        sa.Column("pipeline", sa.Text, primary_key=True),
        sa.Column("promotion", sa.Text, nullable=False),
        sa.Column("current_program_id", sa.Text),
        sa.Column("decisions", sa.Integer, nullable=False),
        _time("created_at"),
        sa.CheckConstraint("promotion IN ('automatic', 'review')", name="fuzzyjoin_pipelines_promotion"),
        *_refers(dialect, "current_program_id", "programs.program_id"),
    )
    op.create_table(
        "fuzzyjoin_runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("triggered_by", sa.Text, nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("reference_fingerprint", sa.Text),
        sa.Column("reference_rows", sa.BigInteger),
        sa.Column("query_fingerprint", sa.Text),
        sa.Column("query_rows", sa.BigInteger),
        sa.Column("program_id", sa.Text),
        sa.Column("precision_estimate", sa.Double),
        sa.Column("precision_low", sa.Double),
        sa.Column("precision_high", sa.Double),
        sa.Column("precision_level", sa.Double),
        sa.Column("precision_calibrated", sa.Boolean),
        sa.Column("matches_opened", sa.BigInteger),
        sa.Column("matches_closed", sa.BigInteger),
        sa.Column("matches_unchanged", sa.BigInteger),
        sa.Column("query_rows_unmatched", sa.BigInteger),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sa.Column("failure", sa.Text),
        sa.CheckConstraint(
            "status IN ('running', 'succeeded', 'failed', 'died', 'refused')", name="fuzzyjoin_runs_status"
        ),
        *_refers(dialect, "pipeline", "pipelines.pipeline"),
        *_refers(dialect, "program_id", "programs.program_id"),
    )
    op.create_table(
        "fuzzyjoin_learning_records",
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("program_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("precision_target", sa.Double, nullable=False),
        sa.Column("precision_estimate", sa.Double),
        sa.Column("reference_fingerprint", sa.Text, nullable=False),
        sa.Column("query_fingerprint", sa.Text, nullable=False),
        _time("learned_at"),
        *_refers(dialect, "program_id", "programs.program_id"),
        *_refers(dialect, "run_id", "runs.run_id"),
    )


def _tables_of_results(dialect: str) -> None:
    op.create_table(
        "fuzzyjoin_matches",
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
        _time("valid_from"),
        _time("valid_to", nullable=True),
        # Its runs are not foreign keys: the database would look them up for every row, and a run writes its own id.
        sa.PrimaryKeyConstraint("pipeline", "query_id", "opened_by_run"),
    )
    if dialect != "duckdb":
        op.create_index(
            "fuzzyjoin_matches_one_current",
            "fuzzyjoin_matches",
            ["pipeline", "query_id"],
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL"),
        )
    op.create_table(
        "fuzzyjoin_validations",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("expectation", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("observed", sa.Text),
        sa.Column("expected", sa.Text),
        _time("checked_at"),
        sa.PrimaryKeyConstraint("run_id", "number"),
        sa.CheckConstraint("severity IN ('hard', 'soft')", name="fuzzyjoin_validations_severity"),
        *_refers(dialect, "run_id", "runs.run_id"),
    )
    op.create_table(
        "fuzzyjoin_decisions",
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("program_id", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        _time("decided_at"),
        sa.PrimaryKeyConstraint("pipeline", "number"),
        sa.CheckConstraint("kind IN ('proposal', 'approval', 'refusal', 'rollback')", name="fuzzyjoin_decisions_kind"),
        *_refers(dialect, "pipeline", "pipelines.pipeline"),
        *_refers(dialect, "program_id", "programs.program_id"),
    )


def _append_only_on_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _append_only_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION fuzzyjoin_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION fuzzyjoin_append_only()"
        )
