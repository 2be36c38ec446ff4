"""Logs show what a person can act on, and the traceback of whatever else goes wrong."""

import logging

import pytest
from prefect.exceptions import ParameterTypeError, SignatureMismatchError
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings

from fuzzyjoin.errors import DataError
from tasks.plain_errors import LOGGERS, log_errors_plainly


@pytest.fixture(params=LOGGERS)
def log(request, caplog, monkeypatch):
    logger = logging.getLogger(request.param)
    monkeypatch.setattr(logger, "propagate", True)
    logger.addHandler(caplog.handler)
    log_errors_plainly()
    # Where flows were imported, the orchestrator's own handler listens as well, and misses a run.
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield logger, caplog
    logger.removeHandler(caplog.handler)


def raise_and_log(logger, error):
    try:
        raise error
    except type(error):
        # As the orchestrator logs it.
        logger.exception("Encountered exception during execution: %r", error)


def test_an_error_of_ours_is_its_message(log):
    logger, caplog = log
    raise_and_log(logger, DataError("towns.csv: has no rows; 100% of it is missing"))
    assert {record.getMessage() for record in caplog.records} == {"towns.csv: has no rows; 100% of it is missing"}
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("kind", [ParameterTypeError, SignatureMismatchError])
def test_a_wrong_parameter_is_its_message(log, kind):
    logger, caplog = log
    raise_and_log(logger, kind("no parameter nothing"))
    assert "no parameter nothing" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_fault_of_the_program_keeps_its_traceback(log):
    logger, caplog = log
    raise_and_log(logger, KeyError("title"))
    assert "Traceback" in caplog.text


def test_saying_it_twice_changes_nothing(log):
    logger, _ = log
    before = list(logger.filters)
    log_errors_plainly()
    assert logger.filters == before
