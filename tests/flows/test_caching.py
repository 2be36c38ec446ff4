"""What was found once is not searched again, and what is missing or broken is."""

import shutil

import pytest

SAVED = ("index reference", "block query rows", "search program", "join rows 0 to 227", "put together")


def cached(pipeline, server, run_id):
    states = pipeline.states(run_id, server)
    return {name for name in SAVED if states[name] == "Cached"}


@pytest.mark.slow
def test_a_run_like_one_before_takes_its_results_and_another_does_not(pipeline, server):
    assert cached(pipeline, server, pipeline.run()) == set()
    assert cached(pipeline, server, pipeline.run()) == set(SAVED)

    lenient = {"search": {"precision_target": 0.8, "min_probability": 0.0}}
    assert cached(pipeline, server, pipeline.run(**lenient)) == {"index reference", "block query rows"}
    assert cached(pipeline, server, pipeline.run(**lenient)) == set(SAVED)

    pipeline.change_query_rows(1)
    assert cached(pipeline, server, pipeline.run()) == {"index reference"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["programs", "indexes", "pairs", "partitions", "matches", "results"])
def test_files_removed_by_hand_are_made_again(pipeline, server, kind):
    pipeline.run()
    matches = pipeline.matches()
    for path in (pipeline.storage / kind).iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    run = pipeline.run()

    assert pipeline.matches() == matches
    lost = {
        "programs": {"search program"},
        "indexes": {"index reference"},
        "pairs": {"block query rows"},
        # How long they took is told by parts made anew.
        "partitions": {"join rows 0 to 227", "put together"},
        "matches": {"put together"},
        "results": set(SAVED),
    }
    assert cached(pipeline, server, run) == set(SAVED) - lost[kind]


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b'{"metadata":{"storage_key"', b"\xff\xfe"])
def test_half_a_result_is_made_again(pipeline, server, content):
    pipeline.run()
    matches = pipeline.matches()
    for path in (pipeline.storage / "results").iterdir():
        path.write_bytes(content)

    run = pipeline.run()

    assert pipeline.matches() == matches
    assert cached(pipeline, server, run) == set()
