"""After a run over a few rows, what is told of all matches is of all matches."""

import pandas as pd
import pytest

from tasks.run.completion import run_in_words
from tasks.settings import Warehouse
from tasks.warehouse import schema
from tests.flows.pipelines import Pipeline
from tests.version_0_1_0 import FILES, warehouse_in

pytestmark = pytest.mark.slow


@pytest.fixture
def malls(runner, tmp_path):
    """A pipeline that has a program and 202 matches."""
    tables = {
        side: pd.read_csv(FILES / f"{file}.csv", dtype=str)
        for side, file in (("reference", "left"), ("query", "right"))
    }
    return Pipeline(runner=runner, url=warehouse_in(tmp_path / "malls"), folder=tmp_path / "malls", **tables)


def soft_failures(pipeline, run_id):
    checks = pipeline.rows(schema.validations, schema.validations.c.run_id == run_id)
    return [check["expectation"] for check in checks if not check["passed"]]


def test_two_new_rows_change_the_estimate_of_all_matches_little_and_fail_no_check(malls, monkeypatch):
    # The two weakest matches once more, under ids of their own: they are joined again, and no others.
    weakest = sorted(malls.matches().values(), key=lambda match: match["precision_estimate"])[:2]
    titles = [malls.query.set_index("id")["title"][match["query_id"]] for match in weakest]
    new = pd.DataFrame({"id": ["new-1", "new-2"], "title": titles})
    malls.query = pd.concat([malls.query, new], ignore_index=True)

    run_id = malls.run("sync_warehouse")

    run = malls.run_row(run_id)
    probabilities = [match["precision_estimate"] for match in malls.matches().values()]
    assert (run["matches_opened"], run["matches_current"], len(probabilities)) == (2, 204, 204)
    assert run["precision_estimate"] < 0.9
    assert run["current_precision_estimate"] == pytest.approx(sum(probabilities) / len(probabilities), abs=1e-9)
    assert 0.6 < run["current_precision_low"] < run["current_precision_estimate"] < run["current_precision_high"] < 1.0
    assert soft_failures(malls, run_id) == []
    monkeypatch.setenv("FUZZYJOIN_WAREHOUSE_URL", malls.url)
    told = f"Matches that hold now: 204; estimated precision {run['current_precision_estimate']:.4g} ("
    assert told in run_in_words(run_id, Warehouse())

    # Nothing to do: the matches hold, and so does their estimate.
    again = malls.run_row(malls.run("sync_warehouse"))
    names = [f"current_precision_{part}" for part in ("estimate", "low", "high", "level", "note")]
    assert [again[name] for name in names] == [run[name] for name in names]
