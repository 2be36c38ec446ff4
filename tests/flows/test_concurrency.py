"""Runs at once: those of one pipeline come one after the other, those of two do not disturb each other."""

import re
from collections import Counter
from dataclasses import replace

import psycopg
import pytest

from tasks.ingestion.snapshots import content_hash
from tasks.warehouse import schema
from tests.flows.pipelines import Pipeline, example, require_consistent

pytestmark = pytest.mark.slow

ROUNDS = {"sqlite": 20, "postgresql": 20, "duckdb": 5}
ALWAYS = {"conduct": {"replacement": "always", "asked_by": "a test"}}
AT_ONCE = {"conduct": {"wait_seconds": 0.0}}
# Which flow runs beside match_tables; what it reads are rows of its own.
BESIDE = ("match_tables", "match_tables", "sync_warehouse", "apply_program")


@pytest.mark.parametrize("database_url", ROUNDS, indirect=True)
def test_two_runs_of_one_pipeline_lose_double_and_mix_nothing(pipeline, database_url):
    # Of every row's text one half is changed in one table and the other half in the other: each run writes anew.
    other = replace(pipeline, query=example("right"))
    pipeline.change_query_rows(20)
    other.change_query_rows(20, shift=2)
    pipeline.run(**ALWAYS)
    rounds = ROUNDS[database_url.partition(":")[0]]
    for number in range(rounds):
        jobs = pipeline.job(**ALWAYS), other.job(BESIDE[number % len(BESIDE)])
        ended = pipeline.runner.at_once(*jobs)
        assert all("run" in one for one in ended), (ended, pipeline.runner.tail())

    require_consistent(pipeline)
    runs = pipeline.runs()
    assert Counter(run["status"] for run in runs) == {"succeeded": 2 * rounds + 1}
    last = max((run for run in runs if run["covers"]), key=lambda run: run["ended_at"])
    assert len(pipeline.matches()) == last["matches_current"]
    # And the last of them left nothing to do to a run on what it read.
    written = pipeline.rows(schema.matches)
    (same,) = (one for one in (pipeline, other) if content_hash(one.query) == last["query_fingerprint"])
    same.run("sync_warehouse")
    assert pipeline.rows(schema.matches) == written


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_who_does_not_wait_is_refused_and_told_who_works(pipeline):
    refused = 0
    for _ in range(5):
        ended = pipeline.runner.at_once(pipeline.job(**AT_ONCE), pipeline.job(**AT_ONCE))
        done = [one["run"] for one in ended if "run" in one]
        for one in ended:
            if "run" not in one:
                refused += 1
                holder = re.search(r"pipeline 'malls' is locked by run (\S+)", one["message"])
                assert holder[1] in done
                assert one["message"] in {run["failure"] for run in pipeline.runs() if run["status"] == "refused"}
    require_consistent(pipeline)
    assert refused
    assert Counter(run["status"] for run in pipeline.runs()) == {"succeeded": 10 - refused, "refused": refused}


def test_duckdb_tells_who_works_as_well(runner, tmp_path):
    pipeline = Pipeline(runner=runner, url=f"duckdb:///{tmp_path}/warehouse.db", folder=tmp_path / "pipeline")
    ended = runner.at_once(pipeline.job(**AT_ONCE), pipeline.job(**AT_ONCE))
    (message,) = [one["message"] for one in ended if "run" not in one]
    assert "pipeline 'malls' is locked by" in message
    assert [run["status"] for run in pipeline.runs()] == ["succeeded"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "duckdb"])
@pytest.mark.parametrize("names", [("malls", "malls"), ("malls", "towns")], ids=["one pipeline", "two pipelines"])
def test_the_first_runs_ever_at_once(runner, tmp_path, request, kind, names):
    for number in range(4):
        url = f"{kind}:///{tmp_path}/{number}.db"
        if kind == "postgresql":
            server, name = request.getfixturevalue("postgresql_server"), f"first_{tmp_path.name}_{number}".lower()
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            url = server.replace("/postgres?", f"/{name}?")
        both = [Pipeline(runner=runner, url=url, folder=tmp_path / "pipeline", name=name) for name in names]

        ended = runner.at_once(*(one.job(conduct={"promotion": "review"}) for one in both))

        assert all("run" in one for one in ended), (ended, runner.tail())
        for one in both:
            require_consistent(one)
            assert {run["status"] for run in one.runs()} == {"succeeded"}
            assert [pipeline["promotion"] for pipeline in one.rows(schema.pipelines)] == ["review"]
            assert [decision["kind"] for decision in one.rows(schema.decisions)] == ["proposal"]
