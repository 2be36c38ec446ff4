"""The command line: `fuzzyjoin join|learn|apply|index|explain|evaluate|audit`.

Exit codes: 0 done, 1 a problem in the data, 2 wrong usage, 3 the precision target cannot be reached.
"""

from __future__ import annotations

import io
import sys

from fuzzyjoin.cli.app import app
from fuzzyjoin.cli.group import OneLineErrors, exit_code

__all__ = ["OneLineErrors", "app", "exit_code", "main"]


def main() -> None:
    """Run the command line and exit with its code."""
    # At the first call of a kernel numba loads scipy's linear algebra, only to see whether it is there. No kernel uses
    # it, and it takes as long to load as a sixth of numba, pandas and pyarrow together.
    sys.modules.setdefault("scipy.linalg.cython_blas", None)  # type: ignore[arg-type]
    # Data in any script must not fail on a terminal that cannot show it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="fuzzyjoin")
