"""Tables from files and from a real SQLite database, all as text."""

from __future__ import annotations

import datetime as dt
import traceback
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from fuzzyjoin.errors import DataError, FuzzyJoinError, UsageError
from fuzzyjoin.files.table_files import write_table
from tasks.ingestion import (
    FileSource,
    InputSource,
    QuerySource,
    SourceUnavailableError,
    TableSource,
    content_hash,
    ingest,
    load_snapshot,
    read_input,
)
from tasks.ingestion.cells import cell_text

TOWNS = [("007", "Bergen", "NO"), ("1e5", None, "NO"), ("9", 'say "hi", 東京', "JP")]


@pytest.fixture
def engine(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/source.db")
    with engine.begin() as connection:
        connection.execute(sa.text('CREATE TABLE towns (id TEXT, name TEXT, "the country" TEXT)'))
        rows = [dict(zip("abc", town, strict=True)) for town in TOWNS]
        connection.execute(sa.text("INSERT INTO towns VALUES (:a, :b, :c)"), rows)
    yield engine
    engine.dispose()


def cells(frame):
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False)]


def error_of(source, engine):
    with pytest.raises(FuzzyJoinError) as caught:
        read_input(source, engine=engine)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet"])
def test_a_file_is_read_as_text(tmp_path, ending):
    path = tmp_path / f"towns{ending}"
    write_table(pd.DataFrame(TOWNS, columns=["id", "name", "country"]), path)
    assert cells(read_input(FileSource(path=str(path)))) == TOWNS


def test_named_columns_only_are_taken_from_a_file(tmp_path):
    path = tmp_path / "towns.csv"
    write_table(pd.DataFrame(TOWNS, columns=["id", "name", "country"]), path)
    frame = read_input(FileSource(path=str(path), columns=("country", "id")))
    assert list(frame.columns) == ["country", "id"]
    with pytest.raises(UsageError, match=r"'nmae'.*did you mean 'name'"):
        read_input(FileSource(path=str(path), columns=("nmae",)))


def test_a_database_table_is_read_as_text(engine):
    frame = read_input(TableSource(table="towns"), engine=engine)
    assert list(frame.columns) == ["id", "name", "the country"]
    assert {str(kind) for kind in frame.dtypes} == {"str"}
    assert cells(frame) == TOWNS


def test_named_columns_only_are_taken_from_a_database_table(engine):
    frame = read_input(TableSource(table="towns", columns=("the country", "id")), engine=engine)
    assert cells(frame) == [(country, key) for key, _, country in TOWNS]


def test_an_unknown_column_of_a_table_is_an_error_also_where_sqlite_takes_it_for_text(engine):
    error = error_of(TableSource(table="towns", columns=("id", "nmae")), engine)
    assert isinstance(error, UsageError)
    assert "no column 'nmae'; its columns are id, name, the country" in str(error)


def test_a_schema_is_part_of_the_name(engine):
    assert len(read_input(TableSource(table="towns", schema_name="main"), engine=engine)) == len(TOWNS)
    assert "'other.towns'" in str(error_of(TableSource(table="towns", schema_name="other"), engine))


def test_a_tables_name_is_never_read_as_sql(engine):
    error = error_of(TableSource(table='towns"; DROP TABLE towns; --'), engine)
    assert isinstance(error, DataError)
    assert len(read_input(TableSource(table="towns"), engine=engine)) == len(TOWNS)


def test_a_parameters_value_is_bound_and_never_read_as_sql(engine):
    sql = 'SELECT id FROM towns WHERE "the country" = :country'
    assert cells(read_input(QuerySource(sql=sql, parameters={"country": "JP"}), engine=engine)) == [("9",)]
    assert len(read_input(QuerySource(sql=sql, parameters={"country": "JP' OR '1'='1"}), engine=engine)) == 0


def test_a_query_without_rows_keeps_its_columns(engine):
    frame = read_input(QuerySource(sql="SELECT id, name FROM towns WHERE 1 = 0"), engine=engine)
    assert (list(frame.columns), len(frame)) == (["id", "name"], 0)
    assert {str(kind) for kind in frame.dtypes} == {"str"}


def test_more_rows_than_one_batch_keep_their_order(engine):
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000) SELECT i FROM n"
    frame = read_input(QuerySource(sql=numbers), engine=engine)
    assert frame["i"].tolist() == [str(number) for number in range(1, 120_001)]


@pytest.mark.parametrize(
    ("sql", "parameters", "kind", "says"),
    [
        ("SELECT id FROM towns WHERE id = :id", {}, UsageError, "value in parameters"),
        ("SELECT id FROM towns WHERE name = ':x'", {}, UsageError, r"write \: for a colon"),
        ("SELECT id FROM nowhere", {}, DataError, "no such table: nowhere"),
        ("SELECT id, name AS id FROM towns", {}, DataError, "two columns named 'id'"),
        ("SELECT x'00ff' AS image", {}, DataError, "column 'image' holds a bytes"),
        ("DELETE FROM towns", {}, DataError, "a source is only read: write one SELECT"),
    ],
)
def test_a_query_that_cannot_be_read_says_why(engine, sql, parameters, kind, says):
    error = error_of(QuerySource(sql=sql, parameters=parameters), engine)
    assert isinstance(error, kind)
    assert says in str(error)


def test_an_error_does_not_list_the_parameters(engine):
    source = QuerySource(sql="SELECT id FROM nowhere WHERE id = :id", parameters={"id": "private"})
    assert "private" not in str(error_of(source, engine))


def test_the_database_is_named_by_an_environment_variable(engine, monkeypatch):
    monkeypatch.setenv("TOWNS_URL", engine.url.render_as_string())
    assert cells(read_input(TableSource(table="towns", url_variable="TOWNS_URL"))) == TOWNS


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("TOWNS_URL", raising=False)
    assert "'TOWNS_URL' is not set" in str(error_of(TableSource(table="towns", url_variable="TOWNS_URL"), None))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("me:pass4word@host/towns", "holds no database URL"),
        ("postgresql://me:pass4word@host:port/towns", "holds no database URL"),
        ("nosuchdatabase://me:pass4word@host/towns", "asks for 'nosuchdatabase', which is not installed"),
    ],
)
def test_an_url_that_cannot_be_used_is_not_shown(monkeypatch, url, says):
    monkeypatch.setenv("TOWNS_URL", url)
    error = error_of(TableSource(table="towns", url_variable="TOWNS_URL"), None)
    assert says in str(error)
    assert "pass4word" not in "".join(traceback.format_exception(error))


def test_a_server_that_does_not_answer_is_named_without_the_password(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("TOWNS_URL", "postgresql+psycopg://me:pass%2F4word@127.0.0.1:1/towns")
    error = error_of(TableSource(table="towns", url_variable="TOWNS_URL"), None)
    assert isinstance(error, SourceUnavailableError)
    shown = "".join(traceback.format_exception(error))
    assert "me:***@127.0.0.1:1/towns" in shown
    assert "pass/4word" not in shown
    assert "pass%2F4word" not in shown


def test_a_connection_that_breaks_off_may_be_tried_again(engine):
    @sa.event.listens_for(engine, "handle_error")
    def broken(context):
        context.is_disconnect = True

    error = error_of(QuerySource(sql="SELECT id FROM nowhere"), engine)
    assert isinstance(error, SourceUnavailableError)


def test_a_refusal_is_not_tried_again(engine):
    assert not isinstance(error_of(QuerySource(sql="SELECT id FROM nowhere"), engine), SourceUnavailableError)


@pytest.mark.parametrize("url", ["://me:pass%2F4word@host/towns", "://me@host/towns?password=pass%2F4word"])
def test_a_password_that_the_driver_repeats_is_masked(url):
    pytest.importorskip("psycopg")
    engine = sa.create_engine(f"postgresql+psycopg{url}")

    @sa.event.listens_for(engine, "do_connect")
    def refuse(dialect, _record, _arguments, _options):
        raise dialect.dbapi.OperationalError("cannot reach postgresql://me:pass%2F4word@host, tried pass/4word")

    shown = "".join(traceback.format_exception(error_of(TableSource(table="towns"), engine)))
    assert "tried ***" in shown
    assert "4word" not in shown


def test_a_source_comes_from_a_form():
    adapter = TypeAdapter(InputSource)
    assert adapter.validate_python({"kind": "table", "table": "towns"}) == TableSource(table="towns")
    with pytest.raises(ValidationError, match="password"):
        adapter.validate_python({"kind": "table", "table": "towns", "password": "pass4word"})


@pytest.mark.parametrize("kind", [FileSource, TableSource, QuerySource])
def test_every_setting_is_described(kind):
    fields = {name: field for name, field in kind.model_fields.items() if name != "kind"}
    assert [name for name, field in fields.items() if not field.description] == []


VALUES = {
    "whole": [7, -1, None],
    "float": [7.0, 0.25, float("nan")],
    "flag": [True, False, None],
    "price": [Decimal("12.50"), Decimal("-0.01"), None],
    "day": [dt.date(2024, 1, 31), dt.date(1900, 12, 1), None],
    "midnight": [dt.datetime(2024, 1, 31), dt.datetime(2024, 2, 1), None],  # noqa: DTZ001 - a table's time has none
    "moment": [dt.datetime(2024, 1, 31, 8, 30, 0, 250_000), dt.datetime(2024, 2, 1, 9), None],  # noqa: DTZ001
    "zoned": [dt.datetime(2024, 1, 31, 8, 30, tzinfo=dt.UTC), dt.datetime(2024, 2, 1, tzinfo=dt.UTC), None],
    "clock": [dt.time(8, 30), dt.time(23, 59, 59, 500_000), None],
    "text": ["007", "", None],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_databases_value_reads_as_the_same_value_in_a_parquet_file(tmp_path, name):
    path = tmp_path / "values.parquet"
    pq.write_table(pa.table({name: VALUES[name]}), path)
    expected = [text for (text,) in cells(read_input(FileSource(path=str(path))))]
    assert [cell_text(value, name) for value in VALUES[name]] == expected


def test_a_time_with_a_zone_does_not_depend_on_the_sessions_zone():
    here = dt.datetime(2024, 1, 31, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert cell_text(here, "at") == cell_text(here.astimezone(dt.UTC), "at") == "2024-01-31 06:30:00Z"


def test_the_same_rows_have_one_hash_whatever_they_come_from(tmp_path, engine):
    path = tmp_path / "towns.csv"
    write_table(pd.DataFrame(TOWNS[::-1], columns=["id", "name", "the country"]), path)
    from_file = ingest(FileSource(path=str(path)), tmp_path / "snapshots")
    from_table = ingest(TableSource(table="towns"), tmp_path / "snapshots", engine=engine)
    assert from_file == from_table
    assert from_file.content_hash == content_hash(load_snapshot(from_file))
