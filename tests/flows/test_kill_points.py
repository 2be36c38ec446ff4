"""A process killed anywhere in a run: done again, all is as if nothing had happened, and the attempt is on record."""

import shutil
import signal

import psycopg
import pytest

from tasks.warehouse import schema
from tests.flows.pipelines import Pipeline, require_consistent, state
from tests.flows.runner import PLACES

pytestmark = pytest.mark.slow

# Another program, so that every match is closed and opened; and several partitions.
SECOND = {"conduct": {"replacement": "always", "partition_rows": 60}}
UNRECORDED = {"before the lock", "locked", "tables made", "pipeline registered"}
COMMITTED = {"committed", "materialised", "in the artifacts", "before the clean-up"}
IN_THE_TRANSACTION = ("writing", "staged", "closed", "opened", "rows kept", "end written")
ELSEWHERE = ("tables made", "run begun", "program stored", "decision made", *IN_THE_TRANSACTION, "committed")


@pytest.fixture(scope="module")
def start(runner, tmp_path_factory):
    """A pipeline after its first run, for each of the databases, to be copied."""
    made = {}

    def after_first_run(kind, postgresql_server):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            made[kind] = Pipeline(runner=runner, url=url(kind, folder, postgresql_server), folder=folder / "pipeline")
            made[kind].run()
        return made[kind]

    return after_first_run


def url(kind, folder, postgresql_server):
    if kind != "postgresql":
        return f"{kind}:///{folder}/warehouse.db"
    name = folder.name.replace("-", "_")
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgresql_server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def copy(start, tmp_path, postgresql_server):
    """A copy of a pipeline after its first run, whose query table then changed."""

    def copied(kind):
        first = start(kind, postgresql_server)
        if kind == "postgresql":
            source, name = first.folder.parent.name.replace("-", "_"), f"copy_{tmp_path.name}".replace("-", "_").lower()
            with psycopg.connect(postgresql_server, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {source}')
            place = postgresql_server.replace("/postgres?", f"/{name}?")
        else:
            for file in first.folder.parent.glob("warehouse.db*"):
                shutil.copy(file, tmp_path)
            place = f"{kind}:///{tmp_path}/warehouse.db"
        shutil.copytree(first.folder, tmp_path / "pipeline")
        pipeline = Pipeline(runner=first.runner, url=place, folder=tmp_path / "pipeline")
        pipeline.change_query_rows()
        return pipeline

    return copied


@pytest.fixture(scope="module")
def unbroken(start, tmp_path_factory, postgresql_server):
    """What two runs that nothing broke leave in a warehouse of SQLite."""
    first = start("sqlite", postgresql_server)
    folder = tmp_path_factory.mktemp("unbroken")
    for file in first.folder.parent.glob("warehouse.db*"):
        shutil.copy(file, folder)
    shutil.copytree(first.folder, folder / "pipeline")
    pipeline = Pipeline(runner=first.runner, url=f"sqlite:///{folder}/warehouse.db", folder=folder / "pipeline")
    pipeline.change_query_rows()
    pipeline.run(**SECOND)
    return state(pipeline)


CASES = [("sqlite", place) for place in PLACES] + [
    (kind, place) for kind in ("postgresql", "duckdb") for place in ELSEWHERE
]


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_a_run_after_a_killed_one_leaves_what_an_unbroken_one_leaves(copy, unbroken, kind, place):
    pipeline = copy(kind)
    assert pipeline.ends(place=place, **SECOND) == {"killed": signal.SIGKILL}

    again = pipeline.run(**SECOND)

    require_consistent(pipeline)
    found = state(pipeline)
    broken = [run for run in pipeline.runs() if run["run_id"] != again][1:]
    status = None if place in UNRECORDED else "succeeded" if place in COMMITTED else "died"
    assert [run["status"] for run in broken] == ([] if status is None else [status])
    attempt = found["runs"].pop("broken", None)
    checked = found["validations"].pop("broken", [])
    if status == "died":
        assert "its process ended without recording an end" in attempt["failure"]
        recorded = list(PLACES).index(place) >= list(PLACES).index("inputs validated")
        assert bool(checked) == recorded
    if status == "succeeded":
        third = found["runs"].pop("run 3")
        assert (third["matches_opened"], third["matches_closed"]) == (0, 0)
        del found["validations"]["run 3"]
    assert found == unbroken


@pytest.mark.parametrize("place", ["locked", "tables made", "pipeline registered", "run begun"])
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "duckdb"], indirect=True)
def test_a_first_run_killed_at_its_beginning_is_no_hindrance(pipeline, place):
    assert pipeline.ends(place=place) == {"killed": signal.SIGKILL}

    pipeline.run()

    require_consistent(pipeline)
    statuses = [run["status"] for run in pipeline.runs()]
    assert statuses == (["died", "succeeded"] if place == "run begun" else ["succeeded"])
    assert len(pipeline.matches()) == len(pipeline.rows(schema.matches)) > 100
