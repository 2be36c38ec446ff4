"""What the pipeline asks of the orchestrator before a flow begins."""

from __future__ import annotations

import os
from typing import Final

from prefect.context import refresh_global_settings_context
from prefect.settings import get_current_settings

__all__ = ["wait_for_temporary_server"]

VARIABLE: Final = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
STARTUP_SECONDS: Final = 120
"""The orchestrator's own 20 are too few on a busy machine: its first start also makes a database."""


def wait_for_temporary_server() -> None:
    """Give the server that is started for one run, where no other is named, time to start; a user's setting stays."""
    settings = get_current_settings().server.ephemeral
    # Set in the environment, in a profile or in a file.
    if "startup_timeout_seconds" not in settings.model_fields_set:
        os.environ[VARIABLE] = str(STARTUP_SECONDS)
        refresh_global_settings_context()
