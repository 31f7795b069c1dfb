"""The recurrences: how a hidden state takes in one input after the other.

Every array has a leading replica axis R, one entry for each independent network that is trained in the same job (a
fleet). n is the number of time steps, B the batch size, h the hidden size, G the number of gates of a cell.

Backpropagation through time is written by hand: the time loop works in place in buffers for all steps, whatever does
not depend on the step before is one operation over all steps, and the gradient of W_hh is one product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

State = tuple[Tensor, ...]  # each (R, B, h): the hidden state, and for an LSTM the memory cell


def rnn_layer(projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """H_t = tanh(X_t W_xh + b_h + H_{t-1} W_hh), module Eq. (8), (10) and (11).

    `projected` holds X_t W_xh + b_h of all steps, (n, R, B, h), and `w_hh` is (R, h, h). Returns all H_t,
    (n, R, B, h), and the last state.
    """
    outputs = _apply(_Rnn, projected, state[0], w_hh)
    return outputs, (outputs[-1],)


def gru_layer(projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Gated recurrent unit (Cho et al. 2014), in the form of torch.nn and cuDNN: the reset gate acts after the product.

    With the reset gate R_t and the update gate Z_t: N_t = tanh(X_t W_xn + b_n + R_t * (H_{t-1} W_hn)) and
    H_t = (1 - Z_t) * N_t + Z_t * H_{t-1}. In the other common form the product is (R_t * H_{t-1}) W_hn. There is one
    bias for each gate; torch.nn has another inside the brackets, which is zero here. `projected` is (n, R, B, 3 h) and
    `w_hh` (R, h, 3 h), the gates in the order reset, update, candidate. Returns as `rnn_layer`.
    """
    outputs = _apply(_Gru, projected, state[0], w_hh)
    return outputs, (outputs[-1],)


def lstm_layer(projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    `projected` is (n, R, B, 4 h) and `w_hh` (R, h, 4 h), the gates in the order input, forget, candidate, output.
    Returns as `rnn_layer`.
    """
    outputs, memory = _apply(_Lstm, projected, *state, w_hh)
    return outputs, (outputs[-1], memory)


def _apply(function: Any, *tensors: Tensor) -> Any:
    """torch gives `apply` no types."""
    return function.apply(*tensors)


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        outputs = torch.empty_like(projected)
        hidden = first
        for step, output in zip(projected.unbind(), outputs.unbind(), strict=True):
            hidden = torch.baddbmm(step, hidden, w_hh, out=output).tanh_()
        ctx.save_for_backward(first, w_hh, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, w_hh, outputs = ctx.saved_tensors
        slope = 1 - outputs.square()
        before = torch.empty_like(outputs)  # gradients of the sums inside tanh
        carried, back = torch.zeros_like(first), w_hh.mT.contiguous()
        steps = zip(gradient.unbind(), slope.unbind(), before.unbind(), strict=True)
        for given, steep, inside in reversed(list(steps)):
            torch.add(given, carried, out=inside).mul_(steep)
            torch.bmm(inside, back, out=carried)
        return before, carried, _weight_gradient(first, outputs, before)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor) -> Tensor:
        size = first.shape[-1]
        gates, sums = torch.empty_like(projected), torch.empty_like(projected)
        outputs = projected.new_empty(*projected.shape[:-1], size)
        hidden = first
        every = (projected, gates, sums, outputs)
        for step, gate, product, output in zip(*(values.unbind() for values in every), strict=True):
            torch.bmm(hidden, w_hh, out=product)
            torch.add(step[..., : 2 * size], product[..., : 2 * size], out=gate[..., : 2 * size]).sigmoid_()
            reset, update, candidate = gate.unflatten(-1, (3, size)).unbind(-2)
            torch.addcmul(step[..., 2 * size :], reset, product[..., 2 * size :], out=candidate).tanh_()
            hidden = torch.lerp(candidate, hidden, update, out=output)
        ctx.save_for_backward(first, w_hh, gates, sums[..., 2 * size :].contiguous(), outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, w_hh, gates, product, outputs = ctx.saved_tensors
        size = first.shape[-1]
        reset, update, candidate = gates.unflatten(-1, (3, size)).unbind(-2)
        earlier = torch.cat([first[None], outputs[:-1]])
        # what the gradient of H_t is multiplied by on its way to each gate's sum, and to the product of the candidate
        into_candidate = (1 - update) * (1 - candidate.square())
        factors = torch.empty_like(gates)
        of_reset, of_update, of_product = factors.unflatten(-1, (3, size)).unbind(-2)
        torch.mul(into_candidate, reset, out=of_product)
        torch.mul(of_product * product, 1 - reset, out=of_reset)
        torch.mul((earlier - candidate) * update, 1 - update, out=of_update)

        arrived = torch.empty_like(outputs)  # gradients of all H_t
        carried, back = torch.zeros_like(first), w_hh.mT.contiguous()
        sums = factors.unflatten(-1, (3, size))  # becomes, step by step, the gradients of what is multiplied by W_hh
        steps = zip(gradient.unbind(), update.unbind(), arrived.unbind(), sums.unbind(), factors.unbind(), strict=True)
        for given, keep, whole, blocks, flat in reversed(list(steps)):
            torch.add(given, carried, out=whole)
            blocks *= whole[:, :, None]
            torch.mul(whole, keep, out=carried)
            carried.baddbmm_(flat, back)
        weight = _weight_gradient(first, outputs, factors)
        factors[..., 2 * size :] = arrived * into_candidate  # the input's part of the candidate is not reset
        return factors, carried, weight


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, memory: Tensor, w_hh: Tensor) -> tuple[Tensor, Tensor]:
        size = first.shape[-1]
        gates = torch.empty_like(projected)
        memories, squashed, outputs = (projected.new_empty(*projected.shape[:-1], size) for _ in range(3))
        hidden, cell = first, memory
        every = (projected, gates, memories, squashed, outputs)
        for step, gate, after, bent, output in zip(*(values.unbind() for values in every), strict=True):
            torch.baddbmm(step, hidden, w_hh, out=gate)
            gate[..., : 2 * size].sigmoid_()
            gate[..., 2 * size : 3 * size].tanh_()
            gate[..., 3 * size :].sigmoid_()
            enter, forget, candidate, leave = gate.unflatten(-1, (4, size)).unbind(-2)
            cell = torch.mul(forget, cell, out=after).addcmul_(enter, candidate)
            hidden = torch.mul(leave, torch.tanh(cell, out=bent), out=output)
        ctx.save_for_backward(first, memory, w_hh, gates, memories, squashed, outputs)
        return outputs, cell.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        first, memory, w_hh, gates, memories, squashed, outputs = ctx.saved_tensors
        size = first.shape[-1]
        enter, forget, candidate, leave = gates.unflatten(-1, (4, size)).unbind(-2)
        # what each gate's sum is multiplied by: the slope of its squashing times its partner in the product
        factors = torch.empty_like(gates)
        of_enter, of_forget, of_candidate, of_leave = factors.unflatten(-1, (4, size)).unbind(-2)
        torch.mul(candidate * enter, 1 - enter, out=of_enter)
        torch.mul(torch.cat([memory[None], memories[:-1]]) * forget, 1 - forget, out=of_forget)
        torch.mul(enter, 1 - candidate.square(), out=of_candidate)
        torch.mul(squashed * leave, 1 - leave, out=of_leave)
        into_memory = leave * (1 - squashed.square())

        carried, cell, back = torch.zeros_like(first), last.clone(), w_hh.mT.contiguous()
        sums = factors.unflatten(-1, (4, size))  # becomes, step by step, the gradients of the gates' sums
        steps = zip(
            gradient.unbind(), into_memory.unbind(), forget.unbind(), sums.unbind(), factors.unbind(), strict=True
        )
        for given, inward, keep, blocks, flat in reversed(list(steps)):
            carried += given
            cell.addcmul_(carried, inward)
            blocks[:, :, :3] *= cell[:, :, None]
            blocks[:, :, 3] *= carried
            cell *= keep
            torch.bmm(flat, back, out=carried)
        return factors, carried, cell, _weight_gradient(first, outputs, factors)


def _weight_gradient(first: Tensor, outputs: Tensor, before: Tensor) -> Tensor:
    """The gradient of W_hh, summed over all steps and the batch as one product: (R, h, G h)."""
    earlier = torch.cat([first[None], outputs[:-1]])
    return earlier.transpose(0, 1).flatten(1, 2).mT @ before.transpose(0, 1).flatten(1, 2)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrence: its function, its gates, and how many tensors make up its state."""

    layer: Callable[[Tensor, State, Tensor], tuple[Tensor, State]]
    gates: int
    states: int


CELLS = {
    "rnn": Cell(rnn_layer, gates=1, states=1),
    "gru": Cell(gru_layer, gates=3, states=1),
    "lstm": Cell(lstm_layer, gates=4, states=2),
}
