"""Where the partitions of a join run: on this process's threads, or on the processes of a Dask cluster."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from prefect.settings import get_current_settings
from prefect.task_runners import ThreadPoolTaskRunner

from fuzzyjoin.errors import UsageError

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

__all__ = ["is_lost", "partition_runner", "threads_a_partition"]

VARIABLE: Final = "FUZZYJOIN_DASK"


def partition_runner(partitions: int) -> TaskRunner[Any]:
    """A task runner for so many partitions, as the environment variable `FUZZYJOIN_DASK` says it.

    Without it partitions are joined in this process, one after the other, each by all processors; so is a single one in
    any case. A number starts as many worker processes on this machine, for the time of the join. An address such as
    ``tcp://scheduler:8786`` is that of a running cluster, whose workers see the same storage folder.

    Raises
    ------
    UsageError
        If the variable says something else, the extra ``dask`` is not installed, or there is no server of the
        orchestrator that workers could reach.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    processes = int(asked) if asked.isascii() and asked.isdigit() else 0
    if asked and not processes and "://" not in asked:
        raise UsageError(
            f"{VARIABLE} is {asked!r}; expected a number of worker processes, a scheduler's address such as "
            "tcp://scheduler:8786, or nothing for the threads of this process"
        )
    if not asked or partitions <= 1:
        # One at a time: the library's own threads share a partition, and the memory is that of one.
        return ThreadPoolTaskRunner(max_workers=1)
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{VARIABLE} is {asked!r}, but {error.name} is not installed; install the extra dask of fuzzyjoin, or "
            f"unset {VARIABLE}"
        ) from None
    if get_current_settings().api.url is None:
        # Every worker would start a temporary server of its own.
        raise UsageError(
            f"{VARIABLE} is {asked!r}, but PREFECT_API_URL is not set, so that no server hears of what the workers do; "
            f"start one (prefect server start) and set PREFECT_API_URL, or unset {VARIABLE}"
        )
    # Its usual messages are many, and say nothing of the join.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    runner: TaskRunner[Any]
    if processes:
        # Pages of the index count as memory of every process that maps it: a limit would end workers that hold nothing.
        options = {"n_workers": min(processes, partitions), "threads_per_worker": 1, "memory_limit": 0}
        runner = DaskTaskRunner(cluster_kwargs={**options, "dashboard_address": "127.0.0.1:0"})
    else:
        runner = DaskTaskRunner(address=asked)
    return runner


def threads_a_partition() -> int | None:
    """Threads that a partition is joined by: on a Dask worker one, because it runs a partition a thread; else all."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        distributed.get_worker()
    except ValueError:
        return None
    return 1


def is_lost(error: BaseException) -> bool:
    """Whether a partition failed because every Dask worker that joined it was killed."""
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(error, distributed.KilledWorker)
