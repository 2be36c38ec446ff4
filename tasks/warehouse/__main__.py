"""`python -m tasks.warehouse`: the commands of `tasks.warehouse.cli`."""

from __future__ import annotations

from fuzzyjoin.endings import run_main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see `tasks.warehouse.cli.main`."""
    # Not above: Ctrl-C is heeded before what takes long is imported.
    from tasks.warehouse.cli import main as run  # noqa: PLC0415

    return run(argv)


if __name__ == "__main__":
    run_main("tasks.warehouse.cli")
