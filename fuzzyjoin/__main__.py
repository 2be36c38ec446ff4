"""`fuzzyjoin` and `python -m fuzzyjoin`: the command line."""

from __future__ import annotations

from fuzzyjoin.endings import run_main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    run_main("fuzzyjoin.cli")


if __name__ == "__main__":
    main()
