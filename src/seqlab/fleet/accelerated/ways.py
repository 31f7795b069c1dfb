"""Accelerated ways of computing, each left for good, in this process, once it has failed.

A way that can fail on a machine nobody has tried is asked for here, so that a training goes on without it.
"""

from importlib.util import find_spec
from typing import Any

_failed: set[str] = set()
KERNELS, GRAPHS = "the Triton kernels", "the CUDA graph"


def is_usable(way: str) -> bool:
    """Return whether `way` has not failed yet."""
    return way not in _failed


def give_up(way: str) -> None:
    """Leave `way` for good."""
    _failed.add(way)


def try_again() -> None:
    """Forget what has failed."""
    _failed.clear()


def kernels() -> Any:
    """The module `seqlab.fleet.accelerated.stepwise`, or None where Triton is missing or has failed."""
    if not is_usable(KERNELS) or find_spec("triton") is None:
        return None
    from seqlab.fleet.accelerated import stepwise

    return stepwise
