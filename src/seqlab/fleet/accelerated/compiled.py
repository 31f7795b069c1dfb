"""Layers by the compiled time loops, with gradients: for small layers in float32 on a processor."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.accelerated import loops
from seqlab.fleet.cells import State
from seqlab.fleet.cells.cell import apply, weight_gradient


def compiled_layer(cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Compute a layer of cell rnn, gru or lstm as `seqlab.fleet.cells` does, in float32."""
    if cell == "lstm":
        outputs, memory = apply(_Lstm, projected, *state, w_hh)
        return outputs, (outputs[-1], memory)
    outputs = apply({"rnn": _Rnn, "gru": _Gru}[cell], projected, *state, w_hh)
    return outputs, (outputs[-1],)


def _arrays(*tensors: Tensor) -> list[Any]:
    """Return contiguous `tensors` as arrays in the same memory."""
    return [tensor.detach().numpy() for tensor in tensors]


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        outputs, first, w_hh = projected.clone(memory_format=torch.contiguous_format), first.contiguous(), w_hh
        loops.rnn_forward(*_arrays(outputs, w_hh.contiguous(), first))
        ctx.save_for_backward(first, w_hh, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, w_hh, outputs = ctx.saved_tensors
        before, carried = gradient.clone(memory_format=torch.contiguous_format), torch.zeros_like(first)
        loops.rnn_backward(*_arrays(before, outputs, w_hh.mT.contiguous(), carried))
        return before, carried, weight_gradient(first, outputs, before, w_hh.dtype)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        gates, first = projected.clone(memory_format=torch.contiguous_format), first.contiguous()
        products = torch.zeros_like(gates)
        outputs = first.new_empty(len(gates), *first.shape)
        loops.gru_forward(*_arrays(gates, products, w_hh.contiguous(), first, outputs))
        ctx.save_for_backward(first, w_hh, gates, products, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, w_hh, gates, products, outputs = ctx.saved_tensors
        size = first.shape[-1]
        sums, inside, carried = torch.empty_like(gates), torch.empty_like(outputs), torch.zeros_like(first)
        forward = gates, products, outputs, gradient.contiguous(), first
        loops.gru_backward(*_arrays(*forward, w_hh.mT.contiguous(), sums, inside, carried))
        weight = weight_gradient(first, outputs, sums, w_hh.dtype)
        sums[..., 2 * size :] = inside  # the input's part of the candidate is not reset
        return sums, carried, weight


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, memory: Tensor, w_hh: Tensor) -> tuple[Tensor, Tensor]:
        gates, first, memory = (
            projected.clone(memory_format=torch.contiguous_format),
            first.contiguous(),
            memory.contiguous(),
        )
        cells, outputs = (first.new_empty(len(gates), *first.shape) for _ in range(2))
        loops.lstm_forward(*_arrays(gates, w_hh.contiguous(), first, memory, cells, outputs))
        ctx.save_for_backward(first, memory, w_hh, gates, cells, outputs)
        return outputs, cells[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        first, memory, w_hh, gates, cells, outputs = ctx.saved_tensors
        sums, carried = torch.empty_like(gates), torch.zeros_like(first)
        carried_cell = last.clone(memory_format=torch.contiguous_format)
        forward = gates, cells, gradient.contiguous(), memory
        loops.lstm_backward(*_arrays(*forward, w_hh.mT.contiguous(), sums, carried, carried_cell))
        return sums, carried, carried_cell, weight_gradient(first, outputs, sums, w_hh.dtype)
