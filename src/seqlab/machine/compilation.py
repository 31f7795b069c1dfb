"""Compilation of loops by numba."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiling(**options: Any) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function by numba at its first call, with `options` of numba.njit.

    The function releases the interpreter's lock. What is compiled is kept where a folder is writable.
    """

    def decorate(function: Any) -> Any:
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # no folder of a cache is writable
            return njit(nogil=True, **options)(function)

    return decorate
