"""A recurrent language model of L layers: one-hot symbols in, logits of the next symbol out.

Parameters are a plain dictionary, named as in the module; R is the number of replicas, V the vocabulary, h the hidden
size, G the gates of the cell (1 for the plain RNN, 3 for a GRU, 4 for an LSTM):

    W_xh_1 (R, V, G h)   W_xh_2 .. (R, h, G h)   W_hh_l (R, h, G h)   b_h_l (R, 1, G h)   W_hq (R, h, V)   b_q (R, 1, V)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqlab.io.errors import InputError
from seqlab.machine.devices import is_accelerated
from seqlab.rnn import ways
from seqlab.rnn.cells import CELLS, State
from seqlab.rnn.fused import fused_layer, is_faster, one_hot
from seqlab.rnn.products import batched

Parameters = dict[str, Tensor]
PRODUCT_SYMBOLS = 1_024  # up to which a gradient of rows is best computed as a product with one-hot vectors


@dataclass(frozen=True)
class Architecture:
    """What decides the shapes of a network."""

    cell: str
    layers: int
    hidden: int
    vocabulary: int

    def __post_init__(self) -> None:
        if self.cell not in list(CELLS):
            raise InputError(f"cell is {self.cell!r}; allowed are {', '.join(CELLS)}")
        for name in ("layers", "hidden", "vocabulary"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value < 2**31:
                raise InputError(f"{name} is {value!r}; it must be a whole number of at least 1")

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of every parameter of one replica."""
        wide = CELLS[self.cell].gates * self.hidden
        shapes = {}
        for layer in range(1, self.layers + 1):
            shapes[f"W_xh_{layer}"] = (self.vocabulary if layer == 1 else self.hidden, wide)
            shapes[f"W_hh_{layer}"] = (self.hidden, wide)
            shapes[f"b_h_{layer}"] = (1, wide)
        return shapes | {"W_hq": (self.hidden, self.vocabulary), "b_q": (1, self.vocabulary)}

    @property
    def parameters(self) -> int:
        """The number of trained values of one replica; one bias per cell, as in the module (torch.nn has two)."""
        return sum(rows * columns for rows, columns in self.shapes.values())


def initial_parameters(architecture: Architecture, seeds: Sequence[int]) -> Parameters:
    """Parameters of one replica for each seed, uniform in +- 1/sqrt(inputs), biases zero, and one for the forget gate.

    A unit of the first layer has one input that is not zero, for X is one-hot; the others have h. A replica depends
    on its own seed only, not on the others (Jozefowicz et al. 2015 on the forget gate).
    """
    replicas = []
    for seed in seeds:
        random = torch.Generator().manual_seed(seed)
        drawn = {}
        for name, shape in architecture.shapes.items():
            bound = 1.0 if name == "W_xh_1" else architecture.hidden**-0.5
            drawn[name] = torch.empty(shape).uniform_(-bound, bound, generator=random)
            if name.startswith("b_"):
                drawn[name].zero_()
            if name.startswith("b_h") and (forget := CELLS[architecture.cell].forget) is not None:
                drawn[name][:, forget * architecture.hidden : (forget + 1) * architecture.hidden] = 1.0
        replicas.append(drawn)
    return {name: torch.stack([replica[name] for replica in replicas]) for name in architecture.shapes}


def initial_state(architecture: Architecture, parameters: Parameters, batch_size: int) -> list[State]:
    """The zero state of every layer, each tensor (R, B, h)."""
    like = parameters["W_hq"]
    zero = like.new_zeros(like.shape[0], batch_size, architecture.hidden)
    return [(zero,) * CELLS[architecture.cell].states for _ in range(architecture.layers)]


def forward(
    architecture: Architecture,
    parameters: Parameters,
    inputs: Tensor,
    state: list[State],
    drop: Callable[[Tensor], Tensor] | None = None,
    precision: torch.dtype | None = None,
) -> tuple[Tensor, list[State]]:
    """Logits of the next symbol for `inputs`, indices (R, B, n), and the state after them; module Eq. (8) to (11).

    `drop` is applied to the outputs of every layer, (n, R, B, h), outside the recurrence; the factors of products are
    rounded to `precision`, where it is given. Returns logits (n, R, B, V).
    """
    passed, after = inputs, []
    for number, before in enumerate(state, start=1):
        w_xh, w_hh, bias = (parameters[f"{name}_{number}"] for name in ("W_xh", "W_hh", "b_h"))
        outputs, last = layer(architecture.cell, passed, before, w_xh, w_hh, bias, precision)
        after.append(last)
        passed = drop(outputs) if drop else outputs
    return _product(passed, parameters["W_hq"], parameters["b_q"], precision), after


def layer(
    cell: str,
    inputs: Tensor,
    state: State,
    w_xh: Tensor,
    w_hh: Tensor,
    bias: Tensor,
    precision: torch.dtype | None = None,
) -> tuple[Tensor, State]:
    """The outputs of a layer, (n, R, B, h), and the state after them, by whichever way is the faster one.

    `inputs` are indices, (R, B, n), or the outputs of the layer below, (n, R, B, h).
    """
    first = not inputs.is_floating_point()
    steps = step_kernels(cell, w_hh, precision)
    if steps is not None:
        projected = looked_up(inputs, w_xh, bias) if first else _product(inputs, w_xh, bias, precision)
        return steps.step_layer(cell, projected, state, w_hh)
    if is_faster(cell, len(w_xh[0]) if first else None, w_hh, precision):
        dense = one_hot(inputs, len(w_xh[0]), w_xh) if first else inputs
        return fused_layer(cell, dense, state, w_xh, w_hh, bias)
    projected = look_up(inputs, w_xh, bias) if first else _product(inputs, w_xh, bias, precision)
    return CELLS[cell].layer(projected, state, w_hh, precision)


def step_kernels(cell: str, w_hh: Tensor, precision: torch.dtype | None) -> Any:
    """The module `seqlab.rnn.stepwise` where a layer is best computed by it, or None."""
    if not is_accelerated(w_hh.device) or w_hh.dtype != torch.float32 or precision is not None:
        return None
    found = ways.kernels()
    return found if found and found.is_faster(cell, w_hh) else None


class _Rows(torch.autograd.Function):
    """Rows of a table, (R, V, o), for indices (R, rows): (R, rows, o). The gradient of few symbols is one product."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, indices: Tensor) -> Tensor:
        ctx.save_for_backward(indices)
        ctx.vocabulary = table.shape[1]
        return table.gather(1, indices[..., None].expand(-1, -1, table.shape[2]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, None]:
        (indices,) = ctx.saved_tensors
        if ctx.vocabulary <= PRODUCT_SYMBOLS:
            symbols = torch.arange(ctx.vocabulary, device=given.device)
            return (symbols[:, None] == indices[:, None, :]).to(given) @ given, None
        table = given.new_zeros(len(given), ctx.vocabulary, given.shape[2])
        return table.scatter_add_(1, indices[..., None].expand_as(given), given), None


def looked_up(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """As `look_up`, for a GPU: (R, n, B, G h) in memory, and no sorting of indices on the way back."""
    replicas, batch_size, steps = inputs.shape
    apply: Any = _Rows.apply
    rows = apply(weight + bias, inputs.transpose(1, 2).reshape(replicas, steps * batch_size))
    return rows.view(replicas, steps, batch_size, -1).transpose(0, 1)


def look_up(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """X_t W_xh + b_h of one-hot symbols `inputs`, indices (R, B, n), which is a row of W_xh: (n, R, B, G h)."""
    replicas, vocabulary, _ = weight.shape
    rows = inputs.permute(2, 0, 1) + vocabulary * torch.arange(replicas, device=inputs.device)[:, None]
    if vocabulary <= inputs[0].numel():  # fewer rows than symbols: the bias is added to them
        return functional.embedding(rows, (weight + bias).flatten(0, 1))
    return functional.embedding(rows, weight.flatten(0, 1)) + bias


def _product(inputs: Tensor, weight: Tensor, bias: Tensor, precision: torch.dtype | None) -> Tensor:
    """`inputs` (n, R, B, i) times `weight` (R, i, o) plus `bias` (R, 1, o), as one product for all steps: (n, R, B,
    o).
    """
    steps, replicas, batch_size, _ = inputs.shape
    rows = inputs.transpose(0, 1).reshape(replicas, steps * batch_size, -1)
    if precision is None or precision == weight.dtype:
        product = torch.baddbmm(bias, rows, weight)
    else:
        product = batched(rows, weight, precision) + bias
    return product.view(replicas, steps, batch_size, -1).transpose(0, 1)
