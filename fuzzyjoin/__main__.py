"""`python -m fuzzyjoin`: the command line."""

from __future__ import annotations

from fuzzyjoin.cli import main

if __name__ == "__main__":
    main()
