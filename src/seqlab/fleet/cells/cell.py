"""Description of a cell, and the parts of the time loop that cells share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqlab.fleet.products import multiply_replicas

State = tuple[Tensor, ...]  # each (R, B, h): the hidden state, and for an LSTM the memory cell


@dataclass(frozen=True)
class Cell:
    """The properties of a cell.

    `layer` takes the projected inputs of all steps, (n, R, B, G h), the state before, W_hh, (R, h, G h), and the type
    to which factors of products are rounded; it returns the outputs, (n, R, B, h), and the state after.
    """

    layer: Callable[[Tensor, State, Tensor, torch.dtype | None], tuple[Tensor, State]]
    gates: int  # G: a step of the projected inputs holds G h values
    states: int  # tensors of the state; 0 for a layer without recurrence, which has no W_hh
    forget: int | None = None  # the index of the gate whose initial bias is one
    rounded_from: int | None = None  # hidden units from which rounding to bfloat16 is faster; None for never


def apply(function: Any, *arguments: Any) -> Any:
    """Apply a `torch.autograd.Function`, whose `apply` has no types."""
    return function.apply(*arguments)


def forward_steps(*buffers: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Iterate over the steps of the buffers, (n, R, B, ...); all views are created together, which is faster."""
    return zip(*(buffer.unbind() for buffer in buffers), strict=True)


def backward_steps(*buffers: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Iterate over the steps as `forward_steps`, from the last to the first."""
    return reversed(list(forward_steps(*buffers)))


def gate_parts(gates: Tensor, number: int) -> tuple[Tensor, ...]:
    """Views (n, R, B, h) of the parts of `gates`, (n, R, B, number h)."""
    return gates.unflatten(-1, (number, -1)).unbind(-2)


def tanh_of_half(sigmoid: Tensor, minus_one: Tensor, out: Tensor) -> Tensor:
    """Write 2 `sigmoid` - 1 to `out`: the tanh of half the argument of the sigmoid."""
    return torch.add(minus_one, sigmoid, alpha=2, out=out)


def with_doubled_gate(weight: Tensor, part: slice) -> Tensor:
    """Return a copy of `weight`, (R, h, G h), with the columns of one gate doubled."""
    doubled = weight.clone()
    doubled[..., part] *= 2
    return doubled


def weight_gradient(first: Tensor, outputs: Tensor, before: Tensor, precision: torch.dtype) -> Tensor:
    """The gradient of W_hh, summed over all steps and the batch as one product: (R, h, G h)."""
    earlier = torch.cat([first[None], outputs[:-1]])
    return multiply_replicas(earlier.transpose(0, 1).flatten(1, 2).mT, before.transpose(0, 1).flatten(1, 2), precision)
