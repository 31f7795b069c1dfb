"""Failures of accelerated implementations: each is disabled in this process after it has failed once.

An implementation that can fail on an untested machine is looked up here, so that a training continues without it.
"""

from importlib.util import find_spec
from typing import Any

_failed: set[str] = set()
KERNELS, GRAPHS = "the Triton kernels", "the CUDA graph"


def is_usable(way: str) -> bool:
    """Return whether the implementation `way` has not failed yet."""
    return way not in _failed


def give_up_way(way: str) -> None:
    """Disable the implementation `way` for the rest of the process."""
    _failed.add(way)


def load_kernels() -> Any:
    """The module `seqlab.fleet.accelerated.stepwise`, or None where Triton is missing or has failed."""
    if not is_usable(KERNELS) or find_spec("triton") is None:
        return None
    from seqlab.fleet.accelerated import stepwise

    return stepwise
