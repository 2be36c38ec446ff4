"""One run at a time on an output."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fuzzyjoin.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs from a file while this one works on it, by a lock file beside it that is gone afterwards.

    The lock is the system's and ends with the process, so a lock file that a killed run left blocks nobody. On a disk
    that knows no locks nothing is kept away.

    Parameters
    ----------
    path
        The file; need not exist. Links are followed, so that two names of one file share a lock.

    Raises
    ------
    UsageError
        If another run holds the lock, or no lock file can be made.
    """
    target = path.resolve()
    lock = target.with_name(f"{target.name}.lock")
    descriptor = _taken(lock, path)
    try:
        yield
    finally:
        # Unlinked before it is free: whoever waits for it sees then that it is no longer the lock.
        with suppress(OSError):
            if os.fstat(descriptor).st_size == 0:
                lock.unlink()
        os.close(descriptor)


def _taken(lock: Path, path: Path) -> int:
    """Descriptor of the lock file, once it is locked and still in its place."""
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise UsageError(
                f"{lock}: the lock of {path} cannot be made ({error.strerror or error}); move away what is there, or "
                "name another output"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(
                f"{path}: another run is working on it; wait until that has ended, or name another output"
            ) from None
        except OSError:
            # A disk without locks.
            return descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), lock.lstat()):
                return descriptor
        os.close(descriptor)
