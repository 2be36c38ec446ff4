"""Errors that a person can act on, logged as their message: the traceback would only hide it."""

from __future__ import annotations

import logging
from typing import Final

from fuzzyjoin.errors import FuzzyJoinError
from fuzzyjoin.terminal import for_terminal

__all__ = ["log_errors_plainly"]

LOGGERS: Final = ("prefect.flow_runs", "prefect.task_runs")


class _Plain(logging.Filter):
    """Leaves of such an error its message; errors of the program itself keep their traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and _is_plain(error):
            record.msg, record.args = for_terminal(str(error)), ()
            record.exc_info = record.exc_text = None
        return True


def _is_plain(error: BaseException) -> bool:
    """Whether the error is ours, or the orchestrator's about a run's parameters."""
    # Imported by whoever raised it; here it would make `python -m flows` deaf to Ctrl-C for its first second.
    from prefect.exceptions import ParameterTypeError, SignatureMismatchError  # noqa: PLC0415

    return isinstance(error, FuzzyJoinError | ParameterTypeError | SignatureMismatchError)


def log_errors_plainly() -> None:
    """Make the orchestrator's run logs show what a person can mend as a message."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(part, _Plain) for part in logger.filters):
            logger.addFilter(_Plain())
