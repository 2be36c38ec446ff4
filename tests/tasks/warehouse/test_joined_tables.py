"""A pipeline's joined table: in the transaction of the run, as of its matches, and only where nobody else's stands."""

import pandas as pd
import pytest
import sqlalchemy as sa

from fuzzyjoin import DataError
from tasks.warehouse import schema
from tasks.warehouse.connection import reading, writing
from tasks.warehouse.erasure import ERASED, Subject, erase
from tasks.warehouse.errors import WarehouseError
from tasks.warehouse.joined_tables import JoinedTable, require_free
from tests.tasks.warehouse.cases import day, prepare, rows, write

REFERENCE = pd.DataFrame(
    {
        "code": ["r1", "r2", "r3"],
        "name": ["Grace Hopper", "Ada Lovelace", "Alan Turing"],
        "born": ["1906", "1815", None],
    }
)
QUERY = pd.DataFrame({"id": ["q1", "q2", "q3"], "name": ["grace", "ada", "?"], "paid": ["007", None, 'a "b", c']})
COLUMNS = ["query_id", "id", "name", "paid", "reference_id", "code", "name_reference", "born", "match_probability"]


def published(engine, run_id, pairs, *, query=QUERY, reference=REFERENCE, name="people_joined", looked_at=None, **more):
    """A run that joins the pairs, by query id, and publishes."""
    looked_at = query["id"] if looked_at is None else looked_at
    matched = pd.DataFrame(list(pairs.items()), columns=["query_id", "reference_id"]).assign(
        **dict.fromkeys(schema.EVIDENCE, None)
    )
    matched["precision_estimate"] = [0.9 - 0.1 * place for place in range(len(matched))]
    rest = [query_id for query_id in looked_at if query_id not in pairs]
    unmatched = pd.DataFrame({"query_id": pd.Series(rest, dtype=object), "reason": "too unsure"})
    joined = name and JoinedTable(name, query, reference, "id", "code")
    parameters = {"publish": {"joined": name}}
    return write(engine, run_id, matched, unmatched, parameters=parameters, joined=joined or None, **more)


def table(engine, name="people_joined"):
    """The table's columns, and its rows by query id."""
    with reading(engine) as connection:
        found = connection.execute(sa.text(f'SELECT * FROM "{name}" ORDER BY query_id'))  # noqa: S608
        columns, held = list(found.keys()), found.all()
    return columns, [tuple(row) for row in held]


@pytest.fixture
def filled(warehouse):
    prepare(warehouse)
    published(warehouse, "one", {"q1": "r1", "q2": "r1"})
    return warehouse


def test_every_query_row_stands_beside_its_match(filled):
    columns, held = table(filled)
    assert columns == [*COLUMNS, "run_id"]
    assert held == [
        ("q1", "q1", "grace", "007", "r1", "r1", "Grace Hopper", "1906", 0.9, "one"),
        ("q2", "q2", "ada", None, "r1", "r1", "Grace Hopper", "1906", pytest.approx(0.8), "one"),
        ("q3", "q3", "?", 'a "b", c', None, None, None, None, None, "one"),
    ]


def test_the_whole_table_is_replaced(filled):
    query = QUERY[1:].assign(paid=["1", "2"])
    published(filled, "two", {"q3": "r2"}, query=query, at=day(1))
    assert [row[:2] + row[3:6] + row[-1:] for row in table(filled)[1]] == [
        ("q2", "q2", "1", None, None, "two"),
        ("q3", "q3", "2", "r2", "r2", "two"),
    ]


def test_matches_that_a_run_of_changes_did_not_look_at_stay_in_it(filled):
    query = QUERY.assign(paid=["x", "y", "z"])
    published(filled, "two", {"q3": "r3"}, query=query, looked_at=["q3"], covers="changes", at=day(1))
    assert [(row[0], row[3], row[4], row[-1]) for row in table(filled)[1]] == [
        ("q1", "x", "r1", "two"),
        ("q2", "y", "r1", "two"),
        ("q3", "z", "r3", "two"),
    ]


def test_a_part_of_the_query_table_replaces_its_own_rows_alone(filled):
    more = pd.DataFrame({"id": ["q2", "q9"], "name": ["ada", "alan"], "paid": ["5", "6"]})
    published(filled, "two", {"q9": "r3"}, query=more, looked_at=["q9"], covers="part", at=day(1))
    assert [(row[0], row[3], row[4], row[-1]) for row in table(filled)[1]] == [
        ("q1", "007", "r1", "one"),
        ("q2", "5", "r1", "two"),
        ("q3", 'a "b", c', None, "one"),
        ("q9", "6", "r3", "two"),
    ]


def test_other_columns_recreate_the_table(filled):
    published(filled, "two", {"q1": "r1"}, query=QUERY.drop(columns="paid").assign(town="Oslo"), at=day(1))
    columns, held = table(filled)
    assert columns == [column.replace("paid", "town") for column in COLUMNS] + ["run_id"]
    assert {row[3] for row in held} == {"Oslo"}


def test_a_view_on_it_outlives_a_run_and_is_not_destroyed(filled):
    with writing(filled) as connection:
        connection.execute(sa.text("CREATE VIEW of_dbt AS SELECT query_id, paid FROM people_joined"))
    published(filled, "two", {}, query=QUERY.assign(paid="9"), at=day(1))
    assert {row[1] for row in table(filled, "of_dbt")[1]} == {"9"}
    if filled.dialect.name == "postgresql":
        before = table(filled)
        with pytest.raises(WarehouseError, match=r"cannot be recreated .*; remove what depends on it"):
            published(filled, "three", {}, query=QUERY.assign(town="Oslo"), at=day(2))
        assert table(filled) == before


def test_names_that_are_taken_get_a_suffix(warehouse):
    prepare(warehouse)
    query = QUERY.assign(run_id="a", Paid="b", match_probability="c", **{'odd "%(x)s': "d"})
    reference = REFERENCE.assign(reference_id="e", RUN_ID_query="f")
    published(warehouse, "one", {"q1": "r1"}, query=query, reference=reference)
    columns, held = table(warehouse)
    assert columns == [
        *["query_id", "id", "name", "paid", "run_id_query", "Paid_query", "match_probability_query", 'odd "%(x)s'],
        *["reference_id", "code", "name_reference", "born", "reference_id_reference", "RUN_ID_query_reference"],
        *["match_probability", "run_id"],
    ]
    assert held[0][4:8] + held[0][12:14] == ("a", "b", "c", "d", "e", "f")


def test_nothing_is_written_if_the_run_fails(filled):
    if filled.dialect.name != "postgresql":
        pytest.skip("the others store a NUL character")
    before = table(filled)
    with pytest.raises(DataError, match="NUL"):
        published(filled, "two", {"q1": "r2"}, query=QUERY.assign(paid="a\0"), at=day(1))
    assert table(filled) == before
    assert {row["opened_by_run"] for row in rows(filled, schema.matches)} == {"one"}


class TestNames:
    def test_a_table_of_somebody_else_is_refused(self, filled):
        with writing(filled) as connection:
            connection.execute(sa.text("CREATE TABLE theirs (query_id TEXT)"))
            connection.execute(sa.text("CREATE VIEW seen AS SELECT * FROM people_joined"))
        for name in ("theirs", "seen", "fuzzyjoin_matches"):
            with pytest.raises(WarehouseError, match=f"publish.joined is '{name}', but the warehouse has a table or"):
                published(filled, f"run of {name}", {}, name=name, at=day(1))
        with reading(filled) as connection:
            require_free(connection, "malls", "people_joined")
            require_free(connection, "malls", "free")

    def test_the_table_of_another_pipeline_is_refused(self, filled):
        prepare(filled, pipeline="others")
        with pytest.raises(WarehouseError, match="which no run of 'others' wrote"):
            published(filled, "two", {}, pipeline="others", at=day(1))
        assert len(table(filled)[1]) == 3

    def test_a_table_that_was_put_in_its_place_is_refused(self, filled):
        with writing(filled) as connection:
            connection.execute(sa.text("DROP TABLE people_joined"))
            connection.execute(sa.text("CREATE TABLE people_joined (other TEXT)"))
        with pytest.raises(WarehouseError, match="choose another name, or remove it"):
            published(filled, "two", {}, at=day(1))

    def test_a_name_that_is_cut_off_is_refused(self, warehouse):
        prepare(warehouse)
        query = QUERY.assign(**{"c" * 64: "x"})
        if warehouse.dialect.name != "postgresql":
            published(warehouse, "one", {}, query=query)
            return
        with pytest.raises(WarehouseError, match="has more than 63 bytes"):
            published(warehouse, "one", {}, query=query)


class TestErasure:
    def remove(self, engine, folder, side, row_id):
        return erase(engine, "malls", Subject(side, row_id), folder, by="ada", reason="asked", at=day(5))

    def test_a_query_row_loses_its_values(self, filled, tmp_path):
        before = table(filled)[1]
        done = self.remove(filled, tmp_path, "query", "q3")
        assert done.matches_redacted == 2  # with the unmatched row
        held = table(filled)[1]
        assert held[:2] == before[:2]
        assert held[2] == ("q3", ERASED, ERASED, ERASED, None, None, None, None, None, "one")

    def test_a_reference_row_loses_its_values_wherever_it_stands(self, filled, tmp_path):
        self.remove(filled, tmp_path, "reference", "r1")
        assert [row[4:8] for row in table(filled)[1]] == [
            ("r1", ERASED, ERASED, ERASED),
            ("r1", ERASED, ERASED, ERASED),
            (None, None, None, None),
        ]
        assert [row[1:4] for row in table(filled)[1]] == [
            tuple(row) for row in QUERY.astype(object).where(QUERY.notna(), None).to_numpy()
        ]

    def test_tables_of_an_earlier_name_are_reached_and_ones_that_are_gone_are_not_missed(self, filled, tmp_path):
        published(filled, "two", {}, name="renamed", at=day(1))
        published(filled, "three", {}, name="dropped", at=day(2))
        with writing(filled) as connection:
            connection.execute(sa.text("DROP TABLE dropped"))
        self.remove(filled, tmp_path, "query", "q1")
        for name in ("people_joined", "renamed"):
            assert table(filled, name)[1][0][1:4] == (ERASED, ERASED, ERASED)
