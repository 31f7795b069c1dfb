"""Implementations of a layer: those that exist for its shape, the usual one, and the fastest where that was measured.

An implementation that can fail on an untested machine is looked up here: it is disabled in this process after it has
failed once, so that a training continues without it.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

from seqlab.fleet.accelerated.fused import FUNCTIONS, has_kernel, is_fused_faster
from seqlab.fleet.cells import LAYERS, State
from seqlab.machine.devices import is_accelerated

_failed: set[str] = set()
KERNELS, GRAPHS = "the Triton kernels", "the CUDA graph"
LOOP, SCAN, FUSED, COMPILED = "the time loop", "the scan", "the kernel of torch", "the compiled loop"


@dataclass(frozen=True)
class LayerShape:
    """The properties of a layer on which the choice of its implementation depends."""

    cell: str
    symbols: int | None  # of one-hot inputs; None for the outputs of a layer
    hidden: int
    values: int  # of the first state tensor of a row of the batch
    replicas: int
    rows: int  # of a batch
    steps: int
    device: torch.device
    dtype: torch.dtype  # of the weights
    factors: torch.dtype  # of products

    @property
    def key(self) -> "tuple[object, ...]":
        """Everything but the number of steps, which may differ from batch to batch, and that of rows, on which the
        fastest implementation depends only where a scan is one.
        """
        others = [value for name, value in vars(self).items() if name not in ("steps", "rows")]
        return (*others, self.rows if LAYERS[self.cell].scan else None)


_measured: dict[tuple[object, ...], str] = {}  # the fastest implementation, by `LayerShape.key`


def prefer_way(shape: LayerShape, way: str) -> None:
    """Compute layers of this shape in this `way` from now on, whatever their number of steps."""
    _measured[shape.key] = way


def forget_preferences() -> None:
    """Compute all layers in the usual way again."""
    _measured.clear()


def choose_way(shape: LayerShape) -> str:
    """Return the implementation of a layer: the preferred one, else the usual one."""
    way = _measured.get(shape.key) if shape.steps > 1 else None
    return way if way and way in list_ways(shape) else choose_usual_way(shape)


def list_ways(shape: LayerShape) -> list[str]:
    """Return the implementations that exist for a layer of this shape and have not failed."""
    kind = LAYERS[shape.cell]
    existing = [LOOP]
    if kind.scan is not None and shape.steps > 1:
        existing.append(SCAN)
    if has_kernel(shape.cell, shape.symbols, shape.device, shape.dtype, shape.factors):
        existing.append(FUSED)
    if _step_kernels(shape):
        existing.append(KERNELS)
    if _can_compile(shape):
        existing.append(COMPILED)
    return existing


def choose_usual_way(shape: LayerShape) -> str:
    """Return the implementation that is usually the fastest; `benchmarks/recurrence.py` and cells.py measure it.

    A GPU launches kernels for every operation of every step of a loop, so there anything else is taken.
    """
    kind, existing = LAYERS[shape.cell], list_ways(shape)
    kernels = _step_kernels(shape)
    if kernels and kernels.is_stepwise_faster(shape.cell, shape.replicas, shape.hidden):
        return KERNELS
    if FUSED in existing and is_fused_faster(shape.symbols, shape.hidden, shape.replicas, shape.device):
        return FUSED
    if SCAN in existing:
        values = shape.replicas * shape.rows * shape.values
        return SCAN if is_accelerated(shape.device) or kind.scan_is_faster(shape.steps, values) else LOOP
    return LOOP


def _can_compile(shape: LayerShape) -> bool:
    """Return whether numba can compile the loops of a layer; the check does not load it."""
    is_single = shape.dtype == shape.factors == torch.float32
    return shape.device.type == "cpu" and shape.cell in FUNCTIONS and is_single and find_spec("numba") is not None


def _step_kernels(shape: LayerShape) -> "StepKernels | None":
    """The module `seqlab.fleet.accelerated.stepwise` where it has a layer of this shape, else None."""
    if not is_accelerated(shape.device) or shape.dtype != torch.float32 or shape.factors != shape.dtype:
        return None
    kernels = load_kernels()
    return kernels if kernels and kernels.has_step_kernel(shape.cell) else None


def is_usable(way: str) -> bool:
    """Return whether the implementation `way` has not failed yet."""
    return way not in _failed


def give_up_way(way: str) -> None:
    """Disable the implementation `way` for the rest of the process."""
    _failed.add(way)


class StepKernels(Protocol):
    """The functions of `seqlab.fleet.accelerated.stepwise`, so that their callers are checked without Triton."""

    def has_step_kernel(self, cell: str) -> bool:
        """Return whether there is a kernel for this cell."""

    def is_stepwise_faster(self, cell: str, replicas: int, hidden: int) -> bool:
        """Return whether the kernels are usually the fastest implementation of a layer."""

    def step_layer(self, cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
        """Compute a layer."""


def load_kernels() -> StepKernels | None:
    """The module `seqlab.fleet.accelerated.stepwise`, or None where Triton is missing or has failed."""
    if not is_usable(KERNELS) or find_spec("triton") is None:
        return None
    from seqlab.fleet.accelerated import stepwise

    return stepwise
