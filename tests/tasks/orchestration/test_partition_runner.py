"""Where partitions run: as the environment says, and not on a cluster where there is one partition alone."""

import sys

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner

from fuzzyjoin.errors import UsageError
from tasks.orchestration.partition_runner import partition_runner, threads_a_partition


@pytest.fixture(autouse=True)
def server():
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:4200/api"}):
        yield


@pytest.mark.parametrize(("asked", "partitions"), [("", 1), ("", 100), ("2", 1), ("tcp://scheduler:8786", 1), (" ", 9)])
def test_threads_of_this_process_join_one_partition_at_a_time(monkeypatch, asked, partitions):
    monkeypatch.setenv("FUZZYJOIN_DASK", asked)
    runner = partition_runner(partitions)
    assert isinstance(runner, ThreadPoolTaskRunner)
    assert runner._max_workers == 1  # noqa: SLF001 - it tells nobody
    assert threads_a_partition() is None


@pytest.mark.parametrize(("asked", "partitions", "workers"), [("2", 2, 2), ("8", 3, 3), ("1", 9, 1)])
def test_a_number_is_one_of_processes_of_one_thread(monkeypatch, asked, partitions, workers):
    monkeypatch.setenv("FUZZYJOIN_DASK", asked)
    options = partition_runner(partitions).cluster_kwargs
    assert (options["n_workers"], options["threads_per_worker"], options["memory_limit"]) == (workers, 1, 0)


def test_an_address_is_that_of_a_scheduler(monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_DASK", "tls://scheduler:8786")
    assert partition_runner(2).address == "tls://scheduler:8786"


@pytest.mark.parametrize("asked", ["0", "-1", "two", "1.5", "scheduler:8786", "²"])
def test_anything_else_is_refused_whatever_there_is_to_join(monkeypatch, asked):
    monkeypatch.setenv("FUZZYJOIN_DASK", asked)
    with pytest.raises(UsageError, match=r"FUZZYJOIN_DASK is .* expected a number of worker processes, a scheduler's"):
        partition_runner(1)


def test_without_the_extra_it_is_said_which(monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_DASK", "2")
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(UsageError, match="install the extra dask of fuzzyjoin, or unset FUZZYJOIN_DASK"):
        partition_runner(2)


def test_without_a_server_it_is_said_how_to_get_one(monkeypatch):
    monkeypatch.setenv("FUZZYJOIN_DASK", "2")
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(UsageError, match=r"PREFECT_API_URL is not set.*prefect server start"),
    ):
        partition_runner(2)
