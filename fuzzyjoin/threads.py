"""Sharing work among threads without letting them touch the result."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from fuzzyjoin.errors import UsageError

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Int64Array

__all__ = ["Progress", "Work", "choose_work", "map_chunks", "while_running"]

Part = TypeVar("Part")
Progress: TypeAlias = Callable[[str, float], None]
"""Told the name of a stage and the share of it that is done, in [0, 1]."""

FEWEST_ROWS, MOST_ROWS = 128, 2048
"""Rows that one chunk takes: enough to pay for its start, few enough that its distances stay near the cache."""


def _no_progress(_stage: str, _done: float) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Work:
    """How work is done: by how many threads, and to whom the progress of which stage is told."""

    threads: int = 1
    progress: Progress = _no_progress
    stage: str = ""

    def named(self, stage: str) -> Work:
        """The same, for another stage."""
        return Work(self.threads, self.progress, stage)


def choose_work(threads: int | None, progress: Progress | None) -> Work:
    """Work on as many threads as asked for, by default the processors that this process may use.

    >>> choose_work(3, None).threads
    3
    """
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    if threads < 1:
        raise UsageError(f"threads is {threads}; expected 1 or more, or nothing for the processors of this process")
    return Work(threads, progress or _no_progress)


def map_chunks(function: Callable[[Int64Array], Part], rows: Int64Array, work: Work) -> list[Part]:
    """Call `function` on consecutive chunks of `rows`; results in the order of the chunks.

    >>> import numpy as np
    >>> map_chunks(lambda chunk: int(chunk.sum()), np.arange(10), Work(threads=2))
    [45]
    """
    size = min(MOST_ROWS, max(FEWEST_ROWS, -(-rows.size // (2 * work.threads))))
    chunks = [rows[start : start + size] for start in range(0, max(rows.size, 1), size)]
    parts: list[Part] = []
    alone = work.threads == 1 or len(chunks) == 1
    for part in map(function, chunks) if alone else _pool(work.threads, os.getpid()).map(function, chunks):
        parts.append(part)
        work.progress(work.stage, len(parts) / len(chunks))
    return parts


def while_running(background: Callable[[], Part], foreground: Callable[[], object], work: Work) -> Part:
    """Call `foreground` while `background` runs in a thread of its own, and return what `background` gives.

    >>> while_running(lambda: 1, lambda: 2, Work(threads=2))
    1
    """
    if work.threads == 1:
        foreground()
        return background()
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(background)
        foreground()
        return running.result()


@cache
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """Threads kept for the next call; a forked process has none of its parent's, hence one pool a process."""
    return ThreadPoolExecutor(threads, thread_name_prefix="fuzzyjoin")
