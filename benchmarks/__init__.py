"""Comparisons and figures, made by commands and run by hand; not part of the wheel.

`python -m benchmarks.autofj50`, `against_autofj`, `tasks`, `blocking_speed`, `growth`, `scale`, `profile_stages` and
`warehouse` each print a table and state by `--help` what they measure.
"""

from __future__ import annotations

import time

__all__ = ["STARTED"]

# Taken before any heavy import, so that a command can state its import seconds apart from its joining seconds.
STARTED = time.perf_counter()
