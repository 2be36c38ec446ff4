"""The command that erases query row q1, in a process of its own: `python -m tests.tasks.warehouse.eraser [STOP]`.

STOP names the place at which the process kills itself as `kill -9` does.
"""

import os
import signal
import sys

from tasks.store import saved_work
from tasks.warehouse import erasure
from tasks.warehouse.__main__ import main

PLACES = {
    "a file of saved work deleted": (saved_work, "_deleted"),
    "saved work deleted": (erasure, "_saved_work_deleted"),
    "matches redacted": (erasure, "_redact"),
    "recorded": (erasure, "_record"),
    "a snapshot deleted": (erasure, "_delete"),
    "committed": (erasure, "_delete_leftovers"),
    "done": (erasure, "_forget_free_space"),
}
"""The step after which the process ends."""


def stop_after(module, name):
    step = getattr(module, name)

    def last(*arguments, **options):
        step(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, last)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        stop_after(*PLACES[sys.argv[1]])
    sys.exit(main(["erase", "malls", "--query-id", "q1", "--by", "ada", "--reason", "she asked"]))
