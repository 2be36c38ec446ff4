"""Progress of long stages on the run's page."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from fuzzyjoin.kernels.jit import watch_compilation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from fuzzyjoin.threads import Progress

__all__ = ["shown_progress"]

QUIET_SECONDS: Final = 2.0
"""A stage that ends sooner shows no progress, and one that lasts tells no more often than this."""


class _Bar:
    def __init__(self, work: str) -> None:
        self.work = work
        self.told = time.monotonic()
        self.artifact: UUID | None = None

    def __call__(self, stage: str, done: float) -> None:
        now = time.monotonic()
        if now - self.told < QUIET_SECONDS:
            return
        self.told = now
        self.tell(f"{self.work}: {stage}", 100.0 * done)

    def tell(self, description: str, percent: float) -> None:
        if self.artifact is None:
            made: Any = create_progress_artifact(progress=percent, description=description)
            self.artifact = made
        else:
            update_progress_artifact(self.artifact, progress=percent, description=description)


@contextmanager
def shown_progress(work: str) -> Iterator[Progress]:
    """Give a function that tells the library's progress to the run's page; it may be called from any thread.

    That kernels are compiled, as on a worker's first run, is told too.
    """
    bar = _Bar(work)
    with watch_compilation(lambda _kernel, done: bar("compiling (once on this machine)", done)):
        yield bar
    if bar.artifact is not None:
        bar.tell(f"{work}: done", 100.0)
