"""`python -m tasks.warehouse`: the commands of `tasks.warehouse.cli`."""

from __future__ import annotations

import sys

from tasks.warehouse.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
