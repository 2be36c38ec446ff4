"""What the warehouse keeps of a row's values is what the settings allow."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from fuzzyjoin.definition import PrecisionEstimate
from tasks.handles import InputHandle, ProgramHandle, ResultHandle, RunHandle
from tasks.ingestion import write_snapshot
from tasks.settings import Privacy, Publish, Warehouse
from tasks.steps.materialise_matches import close_matches, materialise_matches
from tasks.store.named_files import store_file
from tasks.store.saved_work import delete_saved_work
from tasks.warehouse import schema
from tasks.warehouse.connection import reading, warehouse_engine, writing
from tasks.warehouse.migrations import migrate_up
from tasks.warehouse.programs import store_program
from tests.tasks.warehouse.cases import begin, prepare, program

TABLES = {
    "reference": pd.DataFrame(
        {"id": ["r1", "r2"], "name": ["Grace Hopper", "Alan Turing"], "city": ["New York", "Wien"]}
    ),
    "query": pd.DataFrame({"id": ["q1", "q2", "q3"], "name": ["grace", "al", "?"], "city": ["NYC", "Vienna", None]}),
}
MATCHED = pd.DataFrame(
    {
        "query_id": ["q1"],
        "reference_id": ["r1"],
        **dict.fromkeys(schema.EVIDENCE, None),
        "query_text": "grace | NYC",
        "reference_text": "Grace Hopper | New York",
    }
)
UNMATCHED = pd.DataFrame(
    {
        "query_id": ["q2", "q3"],
        "reason": "too unsure",
        "best_reference_id": ["r2", None],
        "best_probability": [0.4, float("nan")],
        "query_text": ["al | Vienna", "?"],
        "best_reference_text": ["Alan Turing | Wien", None],
    }
)


@pytest.fixture
def engine(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/warehouse.db"
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", url)
    monkeypatch.setenv("FUZZYJOIN_STORAGE", str(tmp_path / "storage"))
    engine = warehouse_engine(url)
    migrate_up(engine)
    prepare(engine)
    begin(engine, "one", at=datetime.now(UTC))
    with writing(engine) as connection:
        store_program(connection, program(), run_id="one", at=datetime.now(UTC))
    yield engine
    engine.dispose()


def texts_kept(engine, privacy, folder):
    """The texts of the match, and of the unmatched rows, as the warehouse holds them."""
    sides = {
        role: InputHandle(role=role, table=write_snapshot(table, folder), id_column="id", columns=("name", "city"))
        for role, table in TABLES.items()
    }
    frames = {"matches": MATCHED, "unmatched": UNMATCHED, "curve": UNMATCHED}
    files = {
        name: store_file("matches", ".parquet", partial(frame.to_parquet, index=False))
        for name, frame in frames.items()
    }
    result = ResultHandle(
        program_id=program().program_id,
        precision_estimate=PrecisionEstimate(),
        matched_rows=1,
        unmatched_rows=2,
        warnings=(),
        seconds={},
        **files,
    )
    run = RunHandle(run_id="one", pipeline="malls", warehouse=Warehouse(), privacy=privacy)
    materialise_matches.fn(run, result, **sides)
    match, row = schema.matches.c, schema.unmatched.c
    with reading(engine) as connection:
        joined = connection.execute(sa.select(match.query_text, match.reference_text)).all()
        rest = connection.execute(sa.select(row.query_text, row.best_reference_text).order_by(row.query_id)).all()
    return [tuple(texts) for texts in (*joined, *rest)]


def test_by_default_the_compared_values_are_kept(engine, tmp_path):
    assert texts_kept(engine, Privacy(), tmp_path / "snapshots") == [
        ("grace | NYC", "Grace Hopper | New York"),
        ("al | Vienna", "Alan Turing | Wien"),
        ("?", None),
    ]


def test_masked_columns_are_kept_neither_of_matches_nor_of_unmatched_rows(engine, tmp_path):
    privacy = Privacy(shown_columns=("city",), evidence="shown columns only")
    assert texts_kept(engine, privacy, tmp_path / "snapshots") == [
        ("NYC", "New York"),
        ("Vienna", "Wien"),
        (None, None),
    ]


WHOLE = {role: table.assign(salary=["1", "2", "3"][: len(table)]) for role, table in TABLES.items()}


@pytest.mark.parametrize(
    ("privacy", "columns"),
    [
        (Privacy(shown_columns=("city",)), ["id", "name", "city", "salary"]),
        (Privacy(shown_columns=("city",), evidence="shown columns only"), ["id", "city"]),
    ],
)
def test_a_joined_table_has_the_columns_that_the_warehouse_may_keep(engine, tmp_path, privacy, columns):
    handles = {
        role: InputHandle(
            role=role,
            table=write_snapshot(TABLES[role], tmp_path / "snapshots"),
            id_column="id",
            columns=("name", "city"),
            whole=store_file("whole_tables", ".parquet", partial(table.to_parquet, index=False)),
        )
        for role, table in WHOLE.items()
    }
    run = RunHandle(
        run_id="one",
        pipeline="malls",
        warehouse=Warehouse(),
        privacy=privacy,
        publish=Publish(joined="people_joined"),
    )
    using = ProgramHandle(
        program_id=program().program_id,
        file=store_file("programs", ".json", lambda path: path.write_text("{}")),
        precision_target=0.9,
        precision_estimate=PrecisionEstimate(),
    )
    close_matches.fn(run, using, **handles)
    with reading(engine) as connection:
        found = connection.execute(sa.text("SELECT * FROM people_joined")).mappings().all()
    assert list(found[0]) == [
        *["query_id", *columns],
        *["reference_id", *(f"{column}_reference" for column in columns)],
        *["match_probability", "run_id"],
    ]
    assert [row["city"] for row in found] == ["NYC", "Vienna", None]


@pytest.mark.usefixtures("engine")
def test_whole_tables_go_with_saved_work():
    kept = store_file("whole_tables", ".parquet", partial(WHOLE["query"].to_parquet, index=False))
    assert delete_saved_work() >= 1
    assert not Path(kept.path).exists()
