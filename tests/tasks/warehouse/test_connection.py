"""Engines from URLs; no password gets out."""

import logging
import traceback
from datetime import datetime

import pytest
import sqlalchemy as sa

from tasks.warehouse.connection import reading, shown, warehouse_engine, warehouse_url, writing
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.lock import pipeline_lock
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.schema import UtcTimestamp

PASSWORD = "hunter2/+ü"  # noqa: S105 - no real one
UNREACHABLE = sa.URL.create("postgresql", "ada", PASSWORD, "localhost", 1, "warehouse")


def lock(engine):
    with pipeline_lock(engine, "malls", run_id="one", timeout_seconds=0):
        pass


def read(engine):
    with reading(engine):
        pass


@pytest.mark.parametrize("use", [migrate_up, lock, read])
def test_an_unreachable_server_is_named_without_its_password(use, caplog):
    caplog.set_level(logging.DEBUG)
    engine = warehouse_engine(UNREACHABLE)

    with pytest.raises(
        WarehouseError, match=r"warehouse postgresql\+psycopg://ada:\*\*\*@localhost:1/warehouse cannot"
    ) as e:
        use(engine)

    told = "".join(traceback.format_exception(e.value)) + caplog.text + repr(engine) + str(engine.url) + shown(engine)
    assert "hunter2" not in told


@pytest.mark.parametrize("option", ["password", "sslpassword"])
def test_a_password_among_the_options_is_hidden_too(option):
    engine = warehouse_engine(f"postgresql://ada@localhost:1/warehouse?{option}=hunter2&application_name=x")
    assert "hunter2" not in repr(engine) + str(engine.url) + repr(engine.url) + shown(engine)


def test_a_text_that_is_no_url_is_not_repeated():
    with pytest.raises(WarehouseError, match="url is no database URL") as caught:
        warehouse_engine("postgresql//ada:hunter2@host/db")
    assert caught.value.__suppress_context__
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://ada:hunter2@host/db", "names the database 'mysql'; give one of sqlite, postgresql, duckdb"),
        ("sqlite://", "without a plain file; give sqlite:///FILE"),
        ("sqlite:///:memory:", "without a plain file"),
        ("duckdb:///:memory:", "give duckdb:///FILE"),
        ("sqlite:///file:x?mode=memory&uri=true", "without a plain file"),
    ],
)
def test_other_databases_are_refused(url, message):
    with pytest.raises(WarehouseError, match=message) as caught:
        warehouse_engine(url)
    assert "hunter2" not in str(caught.value)


def test_url_and_password_come_from_the_environment():
    given = {"FUZZYJOIN_WAREHOUSE_URL": "postgresql://ada@host/db", "FUZZYJOIN_WAREHOUSE_PASSWORD": "hunter2"}
    url = warehouse_url(given)
    assert (url.password, "hunter2" in str(url)) == ("hunter2", False)


def test_without_a_url_the_warehouse_is_a_file():
    assert str(warehouse_url({})) == "sqlite:///fuzzyjoin-warehouse.db"


def test_values_stay_out_of_error_messages(empty):
    with writing(empty) as connection:
        connection.execute(sa.text("CREATE TABLE people (name VARCHAR PRIMARY KEY, n INTEGER NOT NULL)"))
    with pytest.raises(sa.exc.DBAPIError) as caught, writing(empty) as connection:
        connection.execute(sa.text("INSERT INTO people VALUES (:name, :n)"), {"name": "Grace Hopper", "n": None})
    if empty.dialect.name == "sqlite":
        assert "Hopper" not in str(caught.value)
    assert "parameters hidden" in str(caught.value)


def make_half_a_table(engine):
    with writing(engine) as connection:
        connection.execute(sa.text("CREATE TABLE half (n INTEGER)"))
        raise ZeroDivisionError


def test_a_failed_transaction_leaves_nothing_not_even_tables(empty):
    with pytest.raises(ZeroDivisionError):
        make_half_a_table(empty)
    with pytest.raises(sa.exc.DBAPIError), reading(empty) as connection:
        connection.execute(sa.text("SELECT * FROM half"))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(WarehouseError, match=r"time 2026-03-01T00:00:00 has no time zone"):
        UtcTimestamp().process_bind_param(datetime(2026, 3, 1), sa.create_engine("sqlite://").dialect)  # noqa: DTZ001
