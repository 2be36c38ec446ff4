"""The only place where compilation flags are set, and where compiled kernels are kept.

Kernels release the GIL, so that plain threads scale; they are cached on disk, so that only the first call on a machine
compiles. No fastmath and no `parallel`: a kernel's result must not depend on how many threads share the work.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from numba import njit
from numba.core.caching import FunctionCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["inlined", "kernel", "watch_compilation"]

P = ParamSpec("P")
R = TypeVar("R")

# Kernels are called from Python and from each other: C's callers would double the code.
FLAGS: Final[dict[str, Any]] = {"nogil": True, "fastmath": False, "error_model": "numpy", "no_cfunc_wrapper": True}

_caches: list[_SharedCache] = []
_watchers: list[Callable[[str, float], None]] = []


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers with the flags shared by all kernels."""
    compiled: Any = njit(**FLAGS)(function)
    # As `cache=True` does, with a cache of our own.
    shared: Any = _SharedCache
    compiled._cache = shared(function)  # noqa: SLF001 - numba has no public way
    _caches.append(compiled._cache)  # noqa: SLF001 - as above
    return compiled  # type: ignore[no-any-return]


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a helper into each of its callers.

    For helpers that take arrays and are called once an element or a pair: passing an array costs more than their work.
    LLVM does it and not numba (`inline="always"`), which would count a reference to every array at every call.
    """
    compiled: Any = njit(forceinline=True, **FLAGS)(function)
    return compiled  # type: ignore[no-any-return]


@contextmanager
def watch_compilation(watcher: Callable[[str, float], None]) -> Iterator[None]:
    """Tell `watcher` of every kernel that is compiled, because no earlier call on this machine left it on the disk.

    It is called, maybe from another thread, with the kernel's name before the kernel is compiled, and with the share of
    the kernels of all imported modules that are on the disk by then: what is never called is never compiled.
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


class _SharedCache(FunctionCache):
    """Compiled code of a kernel on the disk, which processes share: one compiles, others wait and load.

    numba's own cache lets every process compile, and two that store one kernel for different types at once may leave
    either under the types of the other.
    """

    _lock: int | None = None

    def load_overload(self, sig: object, target_context: object) -> object:
        """Load the code for a signature; None, holding the lock until `save_overload`, if it must be compiled."""
        numbas: Any = super()
        found: object = numbas.load_overload(sig, target_context)
        if found is not None:
            return found
        self._unlock()  # after a compilation that failed
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.folder / f"{self._impl.filename_base}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        found = numbas.load_overload(sig, target_context)
        if found is not None:
            self._unlock()
            return found
        for watcher in _watchers:
            watcher(self._py_func.__name__, sum(cache.is_filled for cache in _caches) / len(_caches))
        return None

    def save_overload(self, sig: object, data: object) -> None:
        """Store the code for a signature, and let other processes have it."""
        try:
            numbas: Any = super()
            numbas.save_overload(sig, data)
        finally:
            self._unlock()

    @property
    def folder(self) -> Path:
        """The folder of the code."""
        return Path(self.cache_path)

    @property
    def is_filled(self) -> bool:
        """Whether code for some signature is on the disk."""
        return (self.folder / f"{self._impl.filename_base}.nbi").exists()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
