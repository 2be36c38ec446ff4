"""`python -m flows`: run a flow at the command line."""

from __future__ import annotations

from fuzzyjoin.endings import run_main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one flow; see `flows.command.main`."""
    # Not above: Ctrl-C is heeded before what takes long is imported.
    from flows.command import main as run  # noqa: PLC0415

    return run(argv)


if __name__ == "__main__":
    run_main("flows.command")
