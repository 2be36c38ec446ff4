"""Query rows are joined in partitions, by threads or by Dask workers: the matches are those of one partition."""

import os
import re
from collections import Counter

import pytest

from tasks.warehouse import schema

SMALL = {"conduct": {"partition_rows": 60}}
RANGES = ["0 to 56", "56 to 113", "113 to 170", "170 to 227"]
PARTITIONS = {f"join rows {rows}" for rows in RANGES}


def found(pipeline):
    """The matches that hold now, what the row hashes are, and of the last run what it says of itself."""
    run = pipeline.runs()[-1]
    names = ("precision_estimate", "precision_low", "precision_high", "query_rows_unmatched", "matches_opened")
    return pipeline.matches(), pipeline.rows(schema.query_rows), {name: run[name] for name in names}


def partitions(server, run_id):
    """Of each partition of a run the name of its last state and how often it was begun."""
    tasks = server.ask("POST", "task_runs/filter", flow_runs={"id": {"any_": [run_id]}})
    return {
        task["name"]: (task["state_name"], task["run_count"]) for task in tasks if task["name"].startswith("join rows")
    }


def without_runs(rows):
    return [{name: value for name, value in row.items() if name != "changed_by_run"} for row in rows]


def same(first, second):
    return (first[0], without_runs(first[1]), first[2]) == (second[0], without_runs(second[1]), second[2])


def test_several_partitions_find_what_one_finds(pipeline, beside, server):
    whole, parts = pipeline.run(), beside.run(**SMALL)

    assert same(found(pipeline), found(beside))
    assert partitions(server, whole) == {"join rows 0 to 227": ("Completed", 1)}
    assert partitions(server, parts) == dict.fromkeys(PARTITIONS, ("Completed", 1))
    curves = [server.artifacts(run)["malls-precision-curve"]["data"] for run in (whole, parts)]
    assert curves[0] == curves[1]


def test_a_partition_that_fails_is_joined_again_alone(pipeline, server):
    run = pipeline.run(place="third partition", how=0, **SMALL)

    third = "join rows 113 to 170"
    again = partitions(server, run)
    assert again.pop(third) == ("Completed", 2)
    assert again == dict.fromkeys(PARTITIONS - {third}, ("Completed", 1))


@pytest.mark.slow
def test_a_run_after_a_killed_one_joins_the_partitions_that_are_left(pipeline, beside, server):
    pipeline.ends(place="third partition", **SMALL)

    run = pipeline.run(**SMALL)

    states = {name: state for name, (state, _) in partitions(server, run).items()}
    assert states == {f"join rows {rows}": "Cached" if place < 2 else "Completed" for place, rows in enumerate(RANGES)}
    beside.run()
    assert pipeline.matches() == beside.matches()


@pytest.mark.slow
def test_finished_partitions_are_kept_when_their_size_is_lowered(pipeline, beside, server):
    pipeline.ends(place="third partition", **SMALL)

    run = pipeline.run(conduct={"partition_rows": 30})

    states = {name: state for name, (state, _) in partitions(server, run).items()}
    again = {f"join rows {rows}" for rows in ("113 to 141", "141 to 170", "170 to 198", "198 to 227")}
    assert states == {f"join rows {rows}": "Cached" for rows in RANGES[:2]} | dict.fromkeys(again, "Completed")
    beside.run()
    assert pipeline.matches() == beside.matches()


@pytest.mark.slow
def test_a_program_of_join_functions_is_joined_in_partitions_too(pipeline, beside):
    asked = {"search": {"method": "autofj"}}
    pipeline.run(**asked)
    beside.run(**asked, **SMALL)
    assert same(found(pipeline), found(beside))


def test_a_setting_that_means_nothing_is_said(pipeline):
    ended = pipeline.ends(environment={"FUZZYJOIN_DASK": "many"})
    assert ended["message"].startswith("FUZZYJOIN_DASK is 'many'; expected a number of worker processes")
    assert pipeline.runs()[-1]["failure"] == ended["message"]


@pytest.mark.slow
def test_two_dask_processes_find_what_threads_find(pipeline, beside):
    notes = pipeline.folder.with_name("notes")
    pipeline.run(environment=watched(notes, processes=2), **SMALL)
    beside.run(**SMALL)

    assert same(found(pipeline), found(beside))
    joined = [line.split() for line in notes.read_text().splitlines()]
    assert len({process for process, _ in joined}) == 2
    assert sorted(int(start) for _, start in joined) == [0, 56, 113, 170]
    assert str(os.getpid()) not in {process for process, _ in joined}


@pytest.mark.slow
def test_a_killed_dask_worker_costs_its_partition_alone(pipeline, beside, server):
    notes = pipeline.folder.with_name("notes")
    small = {"conduct": {"partition_rows": 20}}
    run = pipeline.run(environment=watched(notes, processes=2, die_at=113), **small)
    beside.run(**small)

    assert notes.with_suffix(".died").exists()
    assert pipeline.matches() == beside.matches()
    joined = Counter(int(line.split()[1]) for line in notes.read_text().splitlines())
    assert joined.pop(113) == 2
    assert set(joined.values()) == {1}
    assert len(joined) == 11
    # Of partitions that it had joined before, Dask asks again for what the killed process told; that is found kept.
    assert {state for state, _ in partitions(server, run).values()} <= {"Completed", "Cached"}


@pytest.mark.slow
def test_a_partition_that_kills_its_workers_fails_the_run_with_a_remedy_and_the_others_are_kept(
    pipeline, beside, server
):
    notes = pipeline.folder.with_name("notes")
    once = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}

    ended = pipeline.ends(environment=watched(notes, processes=2, die_at=113) | once, **SMALL)

    assert re.match(r"57 of the query rows: every process that joined them was killed, .*; lower", ended["message"])
    assert pipeline.runs()[-1]["failure"] == ended["message"]
    assert pipeline.matches() == {}
    run = pipeline.run(**SMALL)
    states = {name: state for name, (state, _) in partitions(server, run).items()}
    assert states["join rows 113 to 170"] == "Completed"
    assert "Cached" in states.values()
    beside.run(**SMALL)
    assert pipeline.matches() == beside.matches()


def watched(notes, *, processes, die_at=-1):
    """The environment of a run whose Dask workers note what they join, and die once if told where."""
    return {
        "FUZZYJOIN_DASK": str(processes),
        "DASK_DISTRIBUTED__WORKER__PRELOAD": '["tests.flows.dying_worker"]',
        "NOTES": str(notes),
        "DIE_AT": str(die_at),
    }
