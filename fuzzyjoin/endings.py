"""How a command ends where it is stopped: quietly, at Ctrl-C from the start on, and where a pipe it writes to closes.

This module imports next to nothing: Ctrl-C must be heeded before the imports that take long.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import contextmanager, suppress
from importlib import import_module

# As in `fuzzyjoin`: the import of `typing` would come before Ctrl-C is heeded.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, NoReturn, TextIO

__all__ = ["INTERRUPTED", "PIPE_CLOSED", "run_main"]

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 and the signal's number, as a shell reports it."""
PIPE_CLOSED: Final = 141
"""Exit code where the reader of the output has gone, as ``| head -1`` does: 128 and SIGPIPE's number."""


def run_main(module: str) -> NoReturn:
    """Import a module, call its `main` and exit with the code that it returns.

    Parameters
    ----------
    module
        Name of the module; its `main` takes no arguments and returns an exit code, or exits itself.
    """
    with _interrupt_ends_the_process():
        main = import_module(module).main
    code: object
    try:
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code
        for stream in _streams():
            stream.flush()
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except BrokenPipeError:
        # A connection can break as well, and that is an error like any other.
        if not any(map(_has_no_reader, _streams())):
            raise
        code = PIPE_CLOSED
    for stream in filter(_has_no_reader, _streams()):
        _lead_nowhere(stream)
    sys.exit(code)  # type: ignore[arg-type]


@contextmanager
def _interrupt_ends_the_process() -> Iterator[None]:
    """Let Ctrl-C end the process at once: raised inside an import, the error can come out as any other."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        # Ignored, as by a job in the background.
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
    yield
    signal.signal(signal.SIGINT, before)


def _streams() -> list[TextIO]:
    # Not `sys.stdout`, in whose place the command line's framework may have put what hides the error.
    return [stream for stream in (sys.__stdout__, sys.__stderr__) if stream is not None]


def _has_no_reader(stream: TextIO) -> bool:
    asked = select.poll()
    asked.register(stream.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))


def _lead_nowhere(stream: TextIO) -> None:
    """Send the rest of a stream to nowhere: Python's own last flush then finds no fault."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
