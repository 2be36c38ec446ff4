"""Errors that a person can act on, logged as their message: the traceback would only hide it."""

from __future__ import annotations

import logging
from typing import Final

from fuzzyjoin.errors import FuzzyJoinError

__all__ = ["log_errors_plainly"]

LOGGERS: Final = ("prefect.flow_runs", "prefect.task_runs")


class _Plain(logging.Filter):
    """Leaves of an error of ours its message; errors of the program itself keep their traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, FuzzyJoinError):
            record.msg, record.args = str(error), ()
            record.exc_info = record.exc_text = None
        return True


def log_errors_plainly() -> None:
    """Make the orchestrator's run logs show the project's own errors as their message."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(part, _Plain) for part in logger.filters):
            logger.addFilter(_Plain())
