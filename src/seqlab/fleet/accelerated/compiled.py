"""Layers by the compiled time loops, with gradients: in float32, on a processor."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.accelerated import loops
from seqlab.fleet.cells import State
from seqlab.fleet.cells.cell import apply
from seqlab.fleet.products import multiply_replicas


def compiled_layer(cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Compute a layer of cell rnn, gru or lstm as `seqlab.fleet.cells` does, in float32."""
    if cell == "lstm":
        outputs, memory = apply(_Lstm, projected, *state, w_hh)
        return outputs, (outputs[-1], memory)
    outputs = apply({"rnn": _Rnn, "gru": _Gru}[cell], projected, *state, w_hh)
    return outputs, (outputs[-1],)


def _by_replica(values: Tensor) -> Tensor:
    """Copy `values`, (n, R, B, ..), as (R, n, B, ..)."""
    return values.transpose(0, 1).clone(memory_format=torch.contiguous_format)


def _begin(steps: int, first: Tensor) -> Tensor:
    """Return the states of all steps, (R, n + 1, B, h), which begin with `first`."""
    states = first.new_empty(len(first), steps + 1, *first.shape[1:])
    states[:, 0] = first
    return states


def _by_step(states: Tensor) -> Tensor:
    """Return the states after each step as (n, R, B, h)."""
    return states[:, 1:].transpose(0, 1)


def _run(loop: Any, *tensors: Tensor) -> None:
    """Call a compiled loop with contiguous `tensors`, as arrays in the same memory."""
    loop(*(tensor.detach().numpy() for tensor in tensors))


def _weight_gradient(hidden: Tensor, sums: Tensor) -> Tensor:
    """Return the gradient of W_hh, (R, h, G h), from that of the products that it was a factor of."""
    entered, before = (values.flatten(1, 2) for values in (hidden[:, :-1], sums))
    return multiply_replicas(entered.mT, before, entered.dtype)


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        hidden = _begin(len(projected), first)
        _run(loops.rnn_forward, _by_replica(projected), w_hh.contiguous(), hidden)
        ctx.save_for_backward(w_hh, hidden)
        return _by_step(hidden)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w_hh, hidden = ctx.saved_tensors
        before, carried = _by_replica(gradient), torch.zeros_like(hidden[:, 0], memory_format=torch.contiguous_format)
        _run(loops.rnn_backward, before, hidden, w_hh.mT.contiguous(), carried)
        return before.transpose(0, 1), carried, _weight_gradient(hidden, before)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        hidden, gates = _begin(len(projected), first), _by_replica(projected)
        products = torch.zeros_like(gates)
        _run(loops.gru_forward, gates, products, w_hh.contiguous(), hidden)
        ctx.save_for_backward(w_hh, gates, products, hidden)
        return _by_step(hidden)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w_hh, gates, products, hidden = ctx.saved_tensors
        size, arrived = hidden.shape[-1], gradient.transpose(0, 1).contiguous()
        sums, inside, carried = (
            torch.empty_like(gates),
            torch.empty_like(arrived),
            torch.zeros_like(hidden[:, 0], memory_format=torch.contiguous_format),
        )
        _run(loops.gru_backward, gates, products, hidden, arrived, w_hh.mT.contiguous(), sums, inside, carried)
        weight = _weight_gradient(hidden, sums)
        sums[..., 2 * size :] = inside  # the input's part of the candidate is not reset
        return sums.transpose(0, 1), carried, weight


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, memory: Tensor, w_hh: Tensor) -> tuple[Tensor, Tensor]:
        hidden, cells = (_begin(len(projected), part) for part in (first, memory))
        gates = _by_replica(projected)
        _run(loops.lstm_forward, gates, w_hh.contiguous(), hidden, cells)
        ctx.save_for_backward(w_hh, gates, hidden, cells)
        return _by_step(hidden), cells[:, -1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        w_hh, gates, hidden, cells = ctx.saved_tensors
        sums, carried = torch.empty_like(gates), torch.zeros_like(hidden[:, 0], memory_format=torch.contiguous_format)
        carried_cell, arrived = last.clone(memory_format=torch.contiguous_format), gradient.transpose(0, 1).contiguous()
        _run(loops.lstm_backward, gates, cells, arrived, w_hh.mT.contiguous(), sums, carried, carried_cell)
        return sums.transpose(0, 1), carried, carried_cell, _weight_gradient(hidden, sums)
