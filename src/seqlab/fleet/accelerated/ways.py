"""Failures of accelerated implementations: each is disabled in this process after it has failed once.

An implementation that can fail on an untested machine is looked up here, so that a training continues without it.
"""

from importlib.util import find_spec
from typing import Protocol

from torch import Tensor

from seqlab.fleet.cells import State

_failed: set[str] = set()
KERNELS, GRAPHS = "the Triton kernels", "the CUDA graph"


def is_usable(way: str) -> bool:
    """Return whether the implementation `way` has not failed yet."""
    return way not in _failed


def give_up_way(way: str) -> None:
    """Disable the implementation `way` for the rest of the process."""
    _failed.add(way)


class StepKernels(Protocol):
    """The functions of `seqlab.fleet.accelerated.stepwise`, so that their callers are checked without Triton."""

    def is_stepwise_faster(self, cell: str, w_hh: Tensor) -> bool:
        """Return whether the kernels are the fastest implementation of a layer."""

    def step_layer(self, cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
        """Compute a layer."""


def load_kernels() -> StepKernels | None:
    """The module `seqlab.fleet.accelerated.stepwise`, or None where Triton is missing or has failed."""
    if not is_usable(KERNELS) or find_spec("triton") is None:
        return None
    from seqlab.fleet.accelerated import stepwise

    return stepwise
