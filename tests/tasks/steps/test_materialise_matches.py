"""What the warehouse keeps of a row's values is what the settings allow."""

from datetime import UTC, datetime
from functools import partial

import pandas as pd
import pytest
import sqlalchemy as sa

from fuzzyjoin.definition import PrecisionEstimate
from tasks.handles import InputHandle, ResultHandle, RunHandle
from tasks.ingestion import write_snapshot
from tasks.settings import Privacy, Warehouse
from tasks.steps.materialise_matches import materialise_matches
from tasks.store.named_files import store_file
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
