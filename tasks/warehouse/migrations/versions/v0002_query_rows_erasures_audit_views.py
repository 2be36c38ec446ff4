"""What each query row held, erasures, views for the auditor; and matches without the key that the database pays for."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# A run of revision 0001 that looked at every query row accounts for every one.
FILL_RUNS = """
UPDATE fuzzyjoin_runs
SET covers = CASE WHEN matches_opened + matches_unchanged + query_rows_unmatched = query_rows
                  THEN 'all' ELSE 'changes' END,
    matches_current = (SELECT count(*) FROM fuzzyjoin_matches m
                       WHERE m.pipeline = fuzzyjoin_runs.pipeline AND m.valid_from <= fuzzyjoin_runs.ended_at
                         AND (m.valid_to IS NULL OR m.valid_to > fuzzyjoin_runs.ended_at))
WHERE status = 'succeeded' AND matches_opened IS NOT NULL
"""

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
        WHERE v.run_id = r.run_id AND NOT v.passed AND v.severity = 'soft') AS validations_failed_soft
FROM fuzzyjoin_runs r
LEFT JOIN fuzzyjoin_programs p ON p.program_id = r.program_id
LEFT JOIN fuzzyjoin_learning_records l ON l.record_id = (
    SELECT min(n.record_id) FROM fuzzyjoin_learning_records n
    WHERE n.program_id = r.program_id AND n.learned_at = (
        SELECT max(o.learned_at) FROM fuzzyjoin_learning_records o
        WHERE o.program_id = r.program_id AND (r.ended_at IS NULL OR o.learned_at <= r.ended_at)))
"""

# "Before" is the match that the run closed, else what the run before it left behind. Where one side has no match, its
# text is unknown: then the query row is taken for changed if it is on record so, or if nothing is known of it and the
# query table has changed. Asked of current and of closed matches apart, SQLite finds the index of either.
MATCH_CHANGES = """
CREATE VIEW fuzzyjoin_match_changes AS
WITH chain AS (
    SELECT run_id, pipeline, program_id, reference_fingerprint, query_fingerprint, ended_at,
           lag(program_id) OVER earlier AS program_before,
           lag(reference_fingerprint) OVER earlier AS reference_before,
           lag(query_fingerprint) OVER earlier AS query_before
    FROM fuzzyjoin_runs
    WHERE status = 'succeeded' AND covers IS NOT NULL
    WINDOW earlier AS (PARTITION BY pipeline ORDER BY ended_at, started_at, run_id)
), touched AS (
    SELECT a.pipeline, a.opened_by_run AS run_id, a.query_id, b.reference_id AS before_reference_id, a.reference_id AS
           after_reference_id, b.program_id AS before_program_id, a.program_id AS after_program_id, b.closed_because,
           b.query_text AS before_text, a.query_text AS after_text
    FROM fuzzyjoin_matches a
    LEFT JOIN fuzzyjoin_matches b ON b.pipeline = a.pipeline AND b.query_id = a.query_id
                                 AND b.closed_by_run = a.opened_by_run AND b.valid_to IS NOT NULL
    UNION ALL
    SELECT b.pipeline, b.closed_by_run, b.query_id, b.reference_id, NULL, b.program_id, NULL, b.closed_because,
           b.query_text, NULL
    FROM fuzzyjoin_matches b
    WHERE b.valid_to IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM fuzzyjoin_matches a
        WHERE a.pipeline = b.pipeline AND a.query_id = b.query_id AND a.opened_by_run = b.closed_by_run
          AND a.valid_to IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM fuzzyjoin_matches a
        WHERE a.pipeline = b.pipeline AND a.query_id = b.query_id AND a.opened_by_run = b.closed_by_run
          AND a.valid_to IS NOT NULL)
)
SELECT t.pipeline, t.run_id, t.query_id, t.before_reference_id, t.after_reference_id, t.before_program_id,
       t.after_program_id,
       COALESCE(t.before_program_id, c.program_before, c.program_id) <> c.program_id AS program_changed,
       COALESCE(COALESCE(c.reference_before, c.reference_fingerprint) <> c.reference_fingerprint, FALSE)
           AS reference_changed,
       CASE WHEN t.before_text IS NOT NULL AND t.after_text IS NOT NULL THEN t.before_text <> t.after_text
            WHEN t.closed_because = 'query row gone' THEN TRUE
            WHEN q.changed_by_run = t.run_id THEN TRUE
            WHEN k.ended_at < c.ended_at THEN FALSE
            ELSE COALESCE(COALESCE(c.query_before, c.query_fingerprint) <> c.query_fingerprint, FALSE) END
           AS query_changed,
       t.closed_because
FROM touched t
JOIN chain c ON c.run_id = t.run_id
LEFT JOIN fuzzyjoin_query_rows q ON q.pipeline = t.pipeline AND q.query_id = t.query_id
LEFT JOIN fuzzyjoin_runs k ON k.run_id = q.changed_by_run
"""

PROGRAM_HISTORY = """
CREATE VIEW fuzzyjoin_program_history AS
SELECT d.pipeline, d.number, d.kind, d.program_id, d.decided_by, d.reason, d.decided_at,
       CASE WHEN d.kind IN ('approval', 'rollback') THEN d.decided_at END AS current_from,
       n.decided_at AS current_until,
       p.in_words AS program_in_words
FROM fuzzyjoin_decisions d
JOIN fuzzyjoin_programs p ON p.program_id = d.program_id
LEFT JOIN fuzzyjoin_decisions n ON n.pipeline = d.pipeline AND d.kind IN ('approval', 'rollback') AND n.number = (
    SELECT min(o.number) FROM fuzzyjoin_decisions o
    WHERE o.pipeline = d.pipeline AND o.number > d.number AND o.kind IN ('approval', 'rollback')
      AND o.program_id <> d.program_id)
"""

VIEWS = {
    "fuzzyjoin_run_audit": RUN_AUDIT,
    "fuzzyjoin_match_changes": MATCH_CHANGES,
    "fuzzyjoin_program_history": PROGRAM_HISTORY,
}


def upgrade() -> None:
    """Add them."""
    dialect = op.get_bind().dialect.name
    _tables(dialect)
    op.add_column("fuzzyjoin_runs", sa.Column("covers", sa.Text))
    op.add_column("fuzzyjoin_runs", sa.Column("matches_current", sa.BigInteger))
    op.execute(FILL_RUNS)
    if dialect != "duckdb":
        _matches(dialect, keyed=False)
        op.create_index(
            "fuzzyjoin_matches_history",
            "fuzzyjoin_matches",
            ["pipeline", "query_id"],
            sqlite_where=sa.text("valid_to IS NOT NULL"),
            postgresql_where=sa.text("valid_to IS NOT NULL"),
        )
    for definition in VIEWS.values():
        op.execute(definition)


def downgrade() -> None:
    """Remove them; which values were erased is then no longer on record."""
    dialect = op.get_bind().dialect.name
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    if dialect != "duckdb":
        op.drop_index("fuzzyjoin_matches_history", "fuzzyjoin_matches")
        _matches(dialect, keyed=True)
    for column in ("matches_current", "covers"):
        op.drop_column("fuzzyjoin_runs", column)
    op.drop_table("fuzzyjoin_erasures")
    op.drop_table("fuzzyjoin_query_rows")


def _refers(dialect: str) -> list[sa.ForeignKeyConstraint]:
    # As in revision 0001.
    return [] if dialect == "duckdb" else [sa.ForeignKeyConstraint(["pipeline"], ["fuzzyjoin_pipelines.pipeline"])]


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _tables(dialect: str) -> None:
    op.create_table(
        "fuzzyjoin_query_rows",
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("row_hash", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("changed_by_run", sa.Text, nullable=False),
        # As with matches, no foreign keys: they would be looked up for every row.
        sa.PrimaryKeyConstraint("pipeline", "query_id"),
    )
    if dialect == "postgresql":
        # A changed hash finds room beside the old one, and the key is not written again.
        op.execute("ALTER TABLE fuzzyjoin_query_rows SET (fillfactor = 50)")
    op.create_table(
        "fuzzyjoin_erasures",
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("query_id", sa.Text),
        sa.Column("reference_id", sa.Text),
        sa.Column("erased_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _time("erased_at"),
        sa.Column("matches_redacted", sa.BigInteger, nullable=False),
        sa.Column("snapshots_deleted", sa.BigInteger, nullable=False),
        sa.Column("snapshots", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "number"),
        sa.CheckConstraint("(query_id IS NULL) <> (reference_id IS NULL)", name="fuzzyjoin_erasures_one_id"),
        *_refers(dialect),
    )
    if dialect == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER fuzzyjoin_erasures_no_{action.lower()} BEFORE {action} ON fuzzyjoin_erasures "
                "BEGIN SELECT RAISE(ABORT, 'fuzzyjoin_erasures is append-only'); END"
            )
    if dialect == "postgresql":
        op.execute(
            "CREATE TRIGGER fuzzyjoin_erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fuzzyjoin_erasures "
            "FOR EACH STATEMENT EXECUTE FUNCTION fuzzyjoin_append_only()"
        )


def _matches(dialect: str, *, keyed: bool) -> None:
    """Take the primary key off the matches, or put it back.

    It says nothing that the index on current matches does not: a run opens at most one match a query row. And every
    close and every opening of a match wrote an entry of three texts for it.
    """
    key = "PRIMARY KEY (pipeline, query_id, opened_by_run)"
    if dialect == "postgresql":
        change = f"ADD CONSTRAINT fuzzyjoin_matches_pkey {key}" if keyed else "DROP CONSTRAINT fuzzyjoin_matches_pkey"
        op.execute(f"ALTER TABLE fuzzyjoin_matches {change}")
        return
    # SQLite changes no keys: the rows move to a new table, and the index and the views, which refer to the old one,
    # are made again as they were.
    kept = op.get_bind().execute(
        sa.text(
            "SELECT sql FROM sqlite_master WHERE name IN "
            "('fuzzyjoin_matches_one_current', 'fuzzyjoin_current_matches', 'fuzzyjoin_match_audit') ORDER BY rowid"
        )
    )
    definitions = list(kept.scalars())
    op.execute("DROP VIEW fuzzyjoin_match_audit")
    op.execute("DROP VIEW fuzzyjoin_current_matches")
    op.execute(
        "CREATE TABLE fuzzyjoin_matches_new (pipeline TEXT NOT NULL, query_id TEXT NOT NULL, reference_id TEXT NOT "
        "NULL, query_text TEXT, reference_text TEXT, configuration INTEGER, join_function TEXT, distance DOUBLE, "
        "threshold DOUBLE, runner_up_id TEXT, runner_up_distance DOUBLE, margin DOUBLE, precision_estimate DOUBLE, "
        "program_id TEXT NOT NULL, opened_by_run TEXT NOT NULL, closed_by_run TEXT, closed_because TEXT, valid_from "
        f"DATETIME NOT NULL, valid_to DATETIME{', ' + key if keyed else ''})"
    )
    op.execute("INSERT INTO fuzzyjoin_matches_new SELECT * FROM fuzzyjoin_matches")
    op.execute("DROP TABLE fuzzyjoin_matches")
    op.execute("ALTER TABLE fuzzyjoin_matches_new RENAME TO fuzzyjoin_matches")
    for definition in definitions:
        op.execute(definition)
