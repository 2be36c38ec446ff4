"""Logs show what a person can act on, and the traceback of whatever else goes wrong."""

import io
import logging

import pytest
from prefect.exceptions import ParameterTypeError, SignatureMismatchError
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings

from fuzzyjoin.errors import DataError
from tasks.orchestration.plain_errors import LOGGERS, log_errors_plainly


@pytest.fixture(params=LOGGERS)
def log(request):
    """A logger of the orchestrator, and what it writes."""
    logger, written = logging.getLogger(request.param), io.StringIO()
    handler = logging.StreamHandler(written)
    logger.addHandler(handler)
    log_errors_plainly()
    # Where flows were imported, the orchestrator's own handler listens as well, and misses a run.
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield logger, written
    logger.removeHandler(handler)


def raise_and_log(logger, error):
    """As the orchestrator does it."""
    try:
        fail(error)
    except type(error):
        logger.exception("Encountered exception during execution")


def fail(error):
    raise error


def test_an_error_of_ours_is_its_message(log):
    logger, written = log
    raise_and_log(logger, DataError("towns.csv: has no rows; 100% of it is missing"))
    assert written.getvalue() == "towns.csv: has no rows; 100% of it is missing\n"


@pytest.mark.parametrize("kind", [ParameterTypeError, SignatureMismatchError])
def test_a_wrong_parameter_is_its_message(log, kind):
    logger, written = log
    raise_and_log(logger, kind("no parameter nothing"))
    assert written.getvalue() == "no parameter nothing\n"


def test_a_fault_of_the_program_keeps_its_traceback(log):
    logger, written = log
    raise_and_log(logger, KeyError("title"))
    assert "Traceback" in written.getvalue()
    assert "in fail" in written.getvalue()


def test_saying_it_twice_changes_nothing(log):
    logger, _ = log
    before = list(logger.filters)
    log_errors_plainly()
    assert logger.filters == before
