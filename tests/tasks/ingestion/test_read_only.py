"""A source is only read: whatever a query asks for, the database and the files beside it are as they were."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import duckdb
import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
from tasks.ingestion import QuerySource, SourceUnavailableError, TableSource, read_input

READER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""
TABLE = ("CREATE TABLE towns (id INTEGER, name VARCHAR(20))", "INSERT INTO towns VALUES (1, 'Bergen'), (2, 'Oslo')")
WRITES = (
    "DROP TABLE towns",
    "DELETE FROM towns",
    "DELETE FROM towns RETURNING id, name",
    "UPDATE towns SET name = 'x' RETURNING id, name",
    "INSERT INTO towns VALUES (3, 'x') RETURNING id, name",
    "CREATE TABLE more AS SELECT * FROM towns",
    "ALTER TABLE towns ADD COLUMN more INTEGER",
    "SELECT id FROM towns; DROP TABLE towns",
    "COMMIT; DROP TABLE towns",
    "COMMIT",
    "ROLLBACK",
)
SQLITE = (
    "PRAGMA user_version = 5",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA writable_schema = ON",
    "ATTACH '{folder}/other.db' AS other",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "SAVEPOINT x",
    "CREATE TEMP TABLE more AS SELECT * FROM towns",
    "SELECT load_extension('x')",
)
POSTGRESQL = (
    "WITH gone AS (DELETE FROM towns RETURNING id, name) SELECT * FROM gone",
    "SELECT id, nextval('numbers') FROM towns",
    "SELECT id, emptied() FROM towns",
    "TRUNCATE towns",
    "COPY towns TO '{folder}/towns.csv'",
    "COPY (DELETE FROM towns RETURNING id) TO STDOUT",
    "SET TRANSACTION READ WRITE; DROP TABLE towns; SELECT 1",
    "SELECT set_config('transaction_read_only', 'off', false); DELETE FROM towns RETURNING id",
    "SELECT set_config('transaction_read_only', 'off', true) AS id, emptied()",
)
DUCKDB = (
    "WITH gone AS (DELETE FROM towns RETURNING id, name) SELECT * FROM gone",
    "SELECT id, nextval('numbers') FROM towns",
    "COPY towns TO '{folder}/towns.csv'",
    "EXPLAIN ANALYZE COPY towns TO '{folder}/towns.csv'",
    "EXPORT DATABASE '{folder}/export'",
    "ATTACH '{folder}/other.db'",
    "PRAGMA profiling_output='{folder}/profile.json'",
    "SET threads = 1",
    "TRUNCATE towns",
)


def refused(engine, sql, folder):
    """The query fails by an error of one line that names the source and what to do; nothing has changed."""
    before = files(folder)
    with pytest.raises(FuzzyJoinError) as caught:
        read_input(QuerySource(sql=sql.format(folder=folder)), engine=engine)
    assert str(caught.value).startswith("query: ")
    assert "a source is only read: write one SELECT" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, SourceUnavailableError)
    assert files(folder) == before
    unchanged(engine)


def unchanged(engine):
    frame = read_input(TableSource(table="towns"), engine=engine)
    assert frame.to_dict("list") == {"id": ["1", "2"], "name": ["Bergen", "Oslo"]}


def files(folder):
    """What stands beside the database; its log and lock files come and go with connections."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm", "-journal", ".wal"))}


def writes(engine):
    """The connections that the source gave back to their pool still write."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE towns SET name = 'Oslo' WHERE id = 2")
        connection.exec_driver_sql("CREATE TABLE another (id INTEGER)")
        connection.exec_driver_sql("DROP TABLE another")


@contextmanager
def reader(file):
    """Another process that has a DuckDB file open for reading."""
    command = [sys.executable, "-c", READER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        yield
        process.stdin.close()


class TestSqlite:
    @pytest.fixture
    def file(self, tmp_path):
        folder = tmp_path / "source"
        folder.mkdir()
        return folder / "towns.db"

    @pytest.fixture(params=["rollback journal", "write-ahead log"])
    def engine(self, file, request):
        engine = sa.create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            if request.param == "write-ahead log":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            for sql in TABLE:
                connection.exec_driver_sql(sql)
        yield engine
        engine.dispose()

    @pytest.mark.parametrize("sql", [*WRITES, *SQLITE])
    def test_what_writes_is_refused(self, engine, file, sql):
        refused(engine, sql, file.parent)
        writes(engine)

    @pytest.mark.parametrize("sql", WRITES)
    def test_the_file_is_as_it_was_byte_by_byte(self, engine, file, sql):
        engine.dispose()
        before = file.read_bytes()
        with pytest.raises(FuzzyJoinError):
            read_input(QuerySource(sql=sql), engine=engine)
        engine.dispose()
        assert file.read_bytes() == before

    def test_a_database_in_memory_is_only_read_and_stays(self, tmp_path):
        engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
        with engine.begin() as connection:
            for sql in TABLE:
                connection.exec_driver_sql(sql)
        refused(engine, "DROP TABLE towns", tmp_path)
        writes(engine)
        engine.dispose()

    @pytest.mark.usefixtures("engine")
    def test_a_connection_that_was_only_reading_before_stays_so(self, file):
        reader = sa.create_engine(f"sqlite:///{file}", poolclass=sa.pool.StaticPool)
        with reader.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        unchanged(reader)
        with reader.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA query_only").scalar_one() == 1
        reader.dispose()

    def test_an_engine_that_begins_transactions_itself_is_read_too(self, engine):
        @sa.event.listens_for(engine, "connect")
        def configure(connection, _record):
            connection.isolation_level = None

        @sa.event.listens_for(engine, "begin")
        def begin(connection):
            connection.exec_driver_sql("BEGIN")

        engine.dispose()
        unchanged(engine)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT id FROM texts WHERE texts MATCH 'grand'",
            "SELECT key AS id FROM json_each('[1, 2]')",
            "SELECT name AS id FROM pragma_table_info('towns')",
            "PRAGMA table_info(towns)",
            "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 3) SELECT id FROM n",
            "VALUES (1), (2)",
        ],
    )
    def test_what_only_reads_goes_on_working(self, engine, sql):
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE VIRTUAL TABLE texts USING fts5(id, title)")
            connection.exec_driver_sql("INSERT INTO texts VALUES ('1', 'grand mall')")
        assert len(read_input(QuerySource(sql=sql), engine=engine)) > 0

    def test_a_writer_in_the_same_moment_is_not_kept_waiting(self, file):
        """Nor does it keep the source waiting: with a write-ahead log both work."""
        writer = sqlite3.connect(file, isolation_level=None)
        writer.execute("PRAGMA journal_mode = WAL")
        for sql in TABLE:
            writer.execute(sql)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM towns")
        engine = sa.create_engine(f"sqlite:///{file}")
        unchanged(engine)
        writer.execute("COMMIT")
        engine.dispose()
        writer.close()

    def test_a_file_that_is_not_there_is_named_and_not_made(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TOWNS_URL", f"sqlite:///{tmp_path}/typo.db")
        with pytest.raises(UsageError, match=r"table 'towns': there is no database '.+typo.db'; check the path"):
            read_input(TableSource(table="towns", url_variable="TOWNS_URL"))
        assert list(tmp_path.iterdir()) == []


class TestPostgresql:
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, postgresql_server):
        engine = sa.create_engine(sa.make_url(postgresql_server).set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            for sql in (*TABLE, "CREATE SEQUENCE numbers"):
                connection.exec_driver_sql(sql)
            connection.exec_driver_sql(
                "CREATE FUNCTION emptied() RETURNS integer LANGUAGE sql AS 'DELETE FROM towns RETURNING 1'"
            )
        yield engine
        with engine.begin() as connection:
            for sql in ("DROP TABLE towns", "DROP SEQUENCE numbers", "DROP FUNCTION emptied"):
                connection.exec_driver_sql(sql)
        engine.dispose()

    @pytest.mark.parametrize("sql", [*WRITES, *POSTGRESQL])
    def test_what_writes_is_refused(self, engine, tmp_path, sql):
        tmp_path.chmod(0o777)
        refused(engine, sql, tmp_path)
        writes(engine)


class TestDuckdb:
    @pytest.fixture
    def file(self, tmp_path):
        folder = tmp_path / "source"
        folder.mkdir()
        with duckdb.connect(folder / "towns.db") as connection:
            for sql in (*TABLE, "CREATE SEQUENCE numbers"):
                connection.execute(sql)
        return folder / "towns.db"

    @pytest.fixture
    def engine(self, file):
        engine = sa.create_engine(f"duckdb:///{file}")
        yield engine
        engine.dispose()

    @pytest.mark.parametrize("sql", [*WRITES, *DUCKDB])
    def test_what_writes_is_refused(self, engine, file, sql):
        refused(engine, sql, file.parent)
        writes(engine)

    @pytest.mark.parametrize(
        "sql",
        [
            "FROM towns",
            "VALUES (1), (2)",
            "DESCRIBE towns",
            "PIVOT towns ON id USING count(*)",
            "SELECT * FROM read_csv('{folder}/towns.csv')",
        ],
    )
    def test_what_only_reads_goes_on_working(self, engine, file, sql):
        (file.parent / "towns.csv").write_text("id,name\n1,Bergen\n")
        assert len(read_input(QuerySource(sql=sql.format(folder=file.parent)), engine=engine)) > 0

    def test_a_file_is_opened_for_reading_so_that_another_process_can_read_it(self, file, monkeypatch):
        monkeypatch.setenv("TOWNS_URL", f"duckdb:///{file}")
        with reader(file):
            frame = read_input(QuerySource(sql="SELECT * FROM towns", url_variable="TOWNS_URL"))
        assert frame["id"].tolist() == ["1", "2"]

    def test_a_file_that_this_process_has_open_for_writing_is_only_read(self, file, engine, monkeypatch):
        monkeypatch.setenv("TOWNS_URL", f"duckdb:///{file}")
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            assert len(read_input(TableSource(table="towns", url_variable="TOWNS_URL"))) == 2
            for sql in ("DROP TABLE towns", "SELECT nextval('numbers') AS id"):
                with pytest.raises(DataError, match="only read"):
                    read_input(QuerySource(sql=sql, url_variable="TOWNS_URL"))
            assert connection.exec_driver_sql("SELECT count(*) FROM towns").scalar_one() == 2

    def test_a_file_that_is_not_there_is_named_and_not_made(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TOWNS_URL", f"duckdb:///{tmp_path}/typo.db")
        with pytest.raises(DataError, match=r"typo\.db"):
            read_input(TableSource(table="towns", url_variable="TOWNS_URL"))
        assert list(tmp_path.iterdir()) == []
