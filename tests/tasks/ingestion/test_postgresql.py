"""Tables from a real PostgreSQL server: its types, its streaming cursor, its refusals."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sa

from fuzzyjoin.errors import DataError
from tasks.ingestion import QuerySource, SourceUnavailableError, TableSource, read_input


@pytest.fixture(scope="module")
def url(postgresql_server):
    return sa.make_url(postgresql_server).set(drivername="postgresql+psycopg")


@pytest.fixture(scope="module")
def engine(url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE kinds (id integer, price numeric(10, 2), day date, moment timestamp, zoned timestamptz,"
            " flag boolean, key uuid, clock time, settings jsonb)"
        )
        connection.exec_driver_sql(
            "INSERT INTO kinds VALUES (1, 12.5, '2024-01-31', '2024-01-31 08:30:00.250', '2024-01-31 08:30+02',"
            " true, '00000000-0000-0000-0000-000000000001', '08:30', '{}')"
        )
        connection.exec_driver_sql("INSERT INTO kinds (id) VALUES (2)")
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE kinds")
    engine.dispose()


def test_every_plain_type_reads_as_text(engine):
    columns = ("id", "price", "day", "moment", "zoned", "flag", "key", "clock")
    frame = read_input(TableSource(table="kinds", schema_name="public", columns=columns), engine=engine)
    assert frame.iloc[0].tolist() == [
        "1", "12.50", "2024-01-31", "2024-01-31 08:30:00.25", "2024-01-31 06:30:00Z", "true",
        "00000000-0000-0000-0000-000000000001", "08:30:00",
    ]  # fmt: skip
    assert frame.iloc[1].tolist()[0] == "2"
    assert pd.isna(frame.iloc[1].tolist()[1:]).all()


@pytest.mark.usefixtures("engine")
def test_a_url_without_a_driver_is_read_as_the_warehouse_reads_it(postgresql_server, monkeypatch):
    assert postgresql_server.startswith("postgresql://")
    monkeypatch.setenv("FUZZYJOIN_SOURCE_URL", postgresql_server)
    assert read_input(TableSource(table="kinds", columns=("id",)))["id"].tolist() == ["1", "2"]


def test_a_type_without_plain_text_is_named(engine):
    with pytest.raises(DataError, match=r"table 'kinds': column 'settings' holds a dict.*cast it"):
        read_input(TableSource(table="kinds"), engine=engine)


def test_many_rows_are_streamed_in_order(engine):
    source = QuerySource(sql="SELECT i FROM generate_series(1, :last) AS i", parameters={"last": 120_000})
    assert read_input(source, engine=engine)["i"].tolist() == [str(number) for number in range(1, 120_001)]


def test_only_one_statement_is_run(engine):
    with pytest.raises(DataError, match="multiple commands"):
        read_input(QuerySource(sql="SELECT id FROM kinds; DROP TABLE kinds"), engine=engine)
    assert len(read_input(TableSource(table="kinds", columns=("id",)), engine=engine)) == 2


def test_a_database_that_does_not_exist_is_named_without_the_password(url):
    engine = sa.create_engine(url.set(database="nowhere", password="pass4word"))  # noqa: S106 - there is no such database
    with pytest.raises(SourceUnavailableError, match=r"postgres:\*\*\*@.*nowhere") as caught:
        read_input(TableSource(table="kinds"), engine=engine)
    assert "pass4word" not in str(caught.value)
