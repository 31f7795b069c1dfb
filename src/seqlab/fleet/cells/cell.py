"""Description of a cell, and the parts of the time loop that cells share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seqlab.fleet.products import multiply_replicas

State = tuple[Tensor, ...]  # each (R, B, ...): the hidden state, the memory cell of an LSTM, a matrix for each head
Layer = Callable[..., tuple[Tensor, State]]
Shapes = dict[str, tuple[int, int]]
PROJECTION = ("W_xh", "b_h")  # the parameters of X_t W_xh + b_h, which every layer has


@dataclass(frozen=True)
class Cell:
    """The properties of a cell.

    `layer` computes all steps of a layer for all replicas. It takes in this order:

    - the projected inputs X_t W_xh + b_h, (n, R, B, columns of W_xh);
    - the state before the first step;
    - the parameters besides `PROJECTION`, each (R, rows, columns), in the order of `shapes`;
    - as keywords `precision`, the type to which factors of products are rounded (None for no rounding), and a value
      for each of `options`.

    It returns the outputs, (n, R, B, h), and the state after the last step, from which the next call continues. A cell
    that `gates_inputs` projects them itself: its layer takes the inputs, (n, R, B, i), and all parameters.

    `scan` computes the same from the same arguments for all steps at once, or in blocks of steps.
    """

    layer: Layer
    shapes: Callable[[int, int], Shapes]  # from the sizes of an input and of an output, i and h, to every parameter
    state_shapes: Callable[[int], tuple[tuple[int, ...], ...]]  # from h to each state tensor of one row of a batch
    initial: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)  # from drawn to initial values
    gates_inputs: bool = False  # by the state, before they are projected
    options: tuple[str, ...] = ()  # settings of a network that the layer takes
    scan: Layer | None = None
    scan_is_faster: Callable[[int, int], bool] = lambda steps, values: True  # on a processor, from n and R B h
    rounded_from: int | None = None  # hidden units from which rounding to bfloat16 is faster; None for never

    @property
    def is_recurrent(self) -> bool:
        """Return whether a state is carried from step to step."""
        return bool(self.state_shapes(1))


def recurrent_shapes(gates: int) -> Callable[[int, int], Shapes]:
    """Shapes of W_xh, W_hh and b_h for a number of gates G: (i, G h), (h, G h) and (1, G h)."""
    return lambda inputs, hidden: {
        "W_xh": (inputs, gates * hidden),
        "W_hh": (hidden, gates * hidden),
        "b_h": (1, gates * hidden),
    }


def projection_shapes(gates: int) -> Callable[[int, int], Shapes]:
    """Shapes of W_xh and b_h for a number of gates G, where no weight leads from state to state."""
    return lambda inputs, hidden: {"W_xh": (inputs, gates * hidden), "b_h": (1, gates * hidden)}


def vector_states(number: int) -> Callable[[int], tuple[tuple[int, ...], ...]]:
    """Shapes of a `number` of state vectors of h values."""
    return lambda hidden: ((hidden,),) * number


def open_gate(gate: int, gates: int) -> Callable[[Tensor], Tensor]:
    """Initial biases b_h, (1, G h), of G `gates`: 1 for the gate number `gate` (Jozefowicz et al. 2015), else 0."""
    return lambda drawn: torch.eye(gates)[gate].repeat_interleave(drawn.shape[1] // gates)[None]


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
    return matrix_gradient(torch.cat([first[None], outputs[:-1]]), before, precision)


def matrix_gradient(entered: Tensor, before: Tensor, precision: torch.dtype) -> Tensor:
    """The gradient of a weight, (R, a, b), by which `entered`, (n, R, B, a), was multiplied in every step, from that of
    the products, `before`, (n, R, B, b).
    """
    return multiply_replicas(entered.transpose(0, 1).flatten(1, 2).mT, before.transpose(0, 1).flatten(1, 2), precision)
