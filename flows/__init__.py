"""The pipeline's flows, one a file. Run from a checkout or an image; the wheel does not hold them."""

from __future__ import annotations

from tasks.orchestration.plain_errors import log_errors_plainly

# Whichever flow is imported, by a worker, a test or the command line: its runs log errors the same way.
log_errors_plainly()
