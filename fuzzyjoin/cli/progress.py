"""Progress bars on stderr, for people only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress_bars"]


COMPILING: Final = "compiling (once on this machine)"


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Callable[[str, float], None] | None]:
    """Give the library a function to report its progress to: one bar a stage.

    None where nobody looks: with ``quiet``, or when stderr is not a terminal. The first run on a machine compiles
    kernels, which takes longer than all else it does: that is a stage of its own.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - rich takes long to import, and scripts never see it
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        Progress,
        TaskID,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from fuzzyjoin.kernels.jit import watch_compilation  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

        def report(stage: str, done: float) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=1.0)
            progress.update(bars[stage], completed=done)

        with watch_compilation(lambda _kernel, done: report(COMPILING, done)):
            yield report
