"""The only place where compilation flags are set.

Kernels release the GIL, so that plain threads scale; they are cached on disk, so that only the first call on a machine
compiles. No fastmath and no `parallel`: a kernel's result must not depend on how many threads share the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inlined", "kernel"]

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers with the flags shared by all kernels."""
    compiled: Any = njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a helper into each of its callers.

    For helpers that take arrays and are called once an element or a pair: passing an array costs more than their work.
    LLVM does it and not numba (`inline="always"`), which would count a reference to every array at every call.
    """
    compiled: Any = njit(cache=True, nogil=True, fastmath=False, error_model="numpy", forceinline=True)(function)
    return compiled  # type: ignore[no-any-return]
