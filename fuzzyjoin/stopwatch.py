"""Seconds a stage."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Stopwatch"]


@dataclass(frozen=True)
class Stopwatch:
    """Seconds a stage, in the order in which stages began.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> with watch.stage("blocking"):
    ...     pass
    >>> list(watch.seconds)
    ['blocking']
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
