"""The recurrences: how a hidden state takes in one input after the other.

Every array has a leading replica axis R, one entry for each independent network that is trained in the same job (a
fleet). n is the number of time steps, B the batch size, h the hidden size, G the number of gates of a cell.

Backpropagation through time is written by hand: the time loop works in place in buffers for all steps, whatever does
not depend on the step before is one operation over all steps, and the gradient of W_hh is one product. On processors
torch takes several times as long for tanh(x) as for sigmoid(2 x), and tanh(x) is 2 sigmoid(2 x) - 1, so it is computed
that way; the factor 2 goes into weights and sums.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.rnn.products import StepProduct, batched

State = tuple[Tensor, ...]  # each (R, B, h): the hidden state, and for an LSTM the memory cell


def rnn_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """H_t = tanh(X_t W_xh + b_h + H_{t-1} W_hh), module Eq. (8), (10) and (11).

    `projected` holds X_t W_xh + b_h of all steps, (n, R, B, h), and `w_hh` is (R, h, h). Returns all H_t,
    (n, R, B, h), and the last state. With a `precision` below that of the tensors, the
    factors of products are rounded to it.
    """
    outputs = _apply(_Rnn, projected, state[0], w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1],)


def gru_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Gated recurrent unit (Cho et al. 2014), in the form of torch.nn and cuDNN: the reset gate acts after the product.

    With the reset gate R_t and the update gate Z_t: N_t = tanh(X_t W_xn + b_n + R_t * (H_{t-1} W_hn)) and
    H_t = (1 - Z_t) * N_t + Z_t * H_{t-1}. In the other common form the product is (R_t * H_{t-1}) W_hn. There is one
    bias for each gate; torch.nn has another inside the brackets, which is zero here. `projected` is (n, R, B, 3 h) and
    `w_hh` (R, h, 3 h), the gates in the order reset, update, candidate. Returns as `rnn_layer`.
    """
    outputs = _apply(_Gru, projected, state[0], w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1],)


def lstm_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    `projected` is (n, R, B, 4 h) and `w_hh` (R, h, 4 h), the gates in the order input, forget, candidate, output.
    Returns as `rnn_layer`.
    """
    outputs, memory = _apply(_Lstm, projected, *state, w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1], memory)


def _apply(function: Any, *arguments: Any) -> Any:
    """torch gives `apply` no types."""
    return function.apply(*arguments)


def _steps(*buffers: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """One step after the other, a view of each buffer, (n, R, B, ...); all are made at once, which is faster."""
    return zip(*(buffer.unbind() for buffer in buffers), strict=True)


def _back(*buffers: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same from the last step to the first."""
    return reversed(list(_steps(*buffers)))


def _parts(gates: Tensor, number: int) -> tuple[Tensor, ...]:
    """Views (n, R, B, h) of the parts of `gates`, (n, R, B, number h)."""
    return gates.unflatten(-1, (number, -1)).unbind(-2)


def _widened(sigmoid: Tensor, minus_one: Tensor, out: Tensor) -> Tensor:
    """2 sigmoid - 1, written to `out`: the tanh of half of what the sigmoid was taken of."""
    return torch.add(minus_one, sigmoid, alpha=2, out=out)


def _with_double(weight: Tensor, part: slice) -> Tensor:
    """A copy of `weight`, (R, h, G h), with the columns of one gate doubled."""
    doubled = weight.clone()
    doubled[..., part] *= 2
    return doubled


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor, precision: torch.dtype) -> Tensor:
        outputs, minus_one = torch.empty_like(projected), projected.new_tensor(-1.0)
        hidden, onward = first, StepProduct(2 * w_hh, first.shape[1], precision)
        for step, output in _steps(projected, outputs):
            onward.add(step, hidden, output, times=2).sigmoid_()
            hidden = _widened(output, minus_one, out=output)
        ctx.precision = precision
        ctx.save_for_backward(first, w_hh, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        first, w_hh, outputs = ctx.saved_tensors
        slope = 1 - outputs.square()
        before = torch.empty_like(outputs)  # gradients of the sums inside tanh
        carried, back = torch.zeros_like(first), StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        for given, steep, inside in _back(gradient, slope, before):
            torch.add(given, carried, out=inside).mul_(steep)
            back.write(inside, carried)
        return before, carried, _weight_gradient(first, outputs, before, ctx.precision), None


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor, precision: torch.dtype) -> Tensor:
        size = first.shape[-1]
        gates, sums = torch.empty_like(projected), torch.empty_like(projected)
        outputs = projected.new_empty(*projected.shape[:-1], size)
        both, last = slice(0, 2 * size), slice(2 * size, None)  # reset and update; candidate
        enters, minus_one = 2 * projected[..., last], projected.new_tensor(-1.0)
        views = (sums, projected[..., both], sums[..., both], gates[..., both], enters, sums[..., last])
        hidden, onward = first, StepProduct(_with_double(w_hh, last), first.shape[1], precision)
        for product, opened, shared, opening, enter, own, reset, update, candidate, output in _steps(
            *views, *_parts(gates, 3), outputs
        ):
            onward.write(hidden, product)
            torch.add(opened, shared, out=opening).sigmoid_()
            torch.addcmul(enter, reset, own, out=candidate).sigmoid_()
            _widened(candidate, minus_one, out=candidate)
            hidden = torch.lerp(candidate, hidden, update, out=output)
        ctx.precision = precision
        ctx.save_for_backward(first, w_hh, gates, sums[..., last] / 2, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        first, w_hh, gates, product, outputs = ctx.saved_tensors
        size = first.shape[-1]
        reset, update, candidate = _parts(gates, 3)
        earlier = torch.cat([first[None], outputs[:-1]])
        # what the gradient of H_t is multiplied by on its way to each gate's sum, and to the product of the candidate
        into_candidate = (1 - update) * (1 - candidate.square())
        factors = torch.empty_like(gates)
        of_reset, of_update, of_product = _parts(factors, 3)
        torch.mul(into_candidate, reset, out=of_product)
        torch.mul(of_product * product, 1 - reset, out=of_reset)
        torch.mul((earlier - candidate) * update, 1 - update, out=of_update)

        arrived = torch.empty_like(outputs)  # gradients of all H_t
        carried, back = torch.zeros_like(first), StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        sums = factors.unflatten(-1, (3, size))  # becomes, step by step, the gradients of what is multiplied by W_hh
        for given, keep, whole, spread, blocks, flat in _back(
            gradient, update, arrived, arrived.unsqueeze(-2), sums, factors
        ):
            torch.add(given, carried, out=whole)
            blocks.mul_(spread)
            torch.mul(whole, keep, out=carried)
            back.add(carried, flat, carried)
        weight = _weight_gradient(first, outputs, factors, ctx.precision)
        factors[..., 2 * size :] = arrived * into_candidate  # the input's part of the candidate is not reset
        return factors, carried, weight, None


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, first: Tensor, memory: Tensor, w_hh: Tensor, precision: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        size = first.shape[-1]
        draft_part = slice(2 * size, 3 * size)
        gates = projected.clone()
        gates[..., draft_part] *= 2
        doubled, squashed, outputs = (projected.new_empty(*projected.shape[:-1], size) for _ in range(3))
        candidate, minus_one, minus_two = torch.empty_like(first), gates.new_tensor(-1.0), gates.new_tensor(-2.0)
        onward = StepProduct(_with_double(w_hh, draft_part), first.shape[1], precision)
        hidden, cell = first, 2 * memory  # the memory cells are kept doubled
        for gate, enter, forget, draft, leave, after, bent, output in _steps(
            gates, *_parts(gates, 4), doubled, squashed, outputs
        ):
            onward.add(gate, hidden, gate).sigmoid_()
            torch.add(minus_two, draft, alpha=4, out=candidate)  # doubled too
            cell = torch.mul(forget, cell, out=after).addcmul_(enter, candidate)
            hidden = torch.mul(leave, _widened(torch.sigmoid(cell, out=bent), minus_one, out=bent), out=output)
        ctx.precision = precision
        ctx.save_for_backward(first, memory, w_hh, gates, doubled, squashed, outputs)
        return outputs, doubled[-1] / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        first, memory, w_hh, gates, doubled, squashed, outputs = ctx.saved_tensors
        enter, forget, draft, leave = _parts(gates, 4)
        # what each gate's sum is multiplied by: the slope of its squashing times its partner in the product
        factors = torch.addcmul(gates, gates, gates, value=-1)
        of_enter, of_forget, of_candidate, of_leave = _parts(factors, 4)
        of_enter.mul_(2 * draft - 1)
        of_forget.mul_(torch.cat([memory[None], doubled[:-1] / 2]))
        of_candidate.mul_(4 * enter)
        of_leave.mul_(squashed)
        into_memory = torch.addcmul(leave, outputs, squashed, value=-1)

        carried, cell = torch.zeros_like(first), last.clone()
        back = StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        blocks = factors.unflatten(-1, (4, -1))  # becomes, step by step, the gradients of the gates' sums
        views = (gradient, into_memory, forget, blocks[..., :3, :], of_leave, factors)
        spread = cell.unsqueeze(-2)
        for given, inward, keep, inner, outer, flat in _back(*views):
            carried.add_(given)
            cell.addcmul_(carried, inward)
            inner.mul_(spread)
            outer.mul_(carried)
            cell.mul_(keep)
            back.write(flat, carried)
        return factors, carried, cell, _weight_gradient(first, outputs, factors, ctx.precision), None


def _weight_gradient(first: Tensor, outputs: Tensor, before: Tensor, precision: torch.dtype) -> Tensor:
    """The gradient of W_hh, summed over all steps and the batch as one product: (R, h, G h)."""
    earlier = torch.cat([first[None], outputs[:-1]])
    return batched(earlier.transpose(0, 1).flatten(1, 2).mT, before.transpose(0, 1).flatten(1, 2), precision)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrence: all that the rest of the package knows of it."""

    layer: Callable[[Tensor, State, Tensor, torch.dtype | None], tuple[Tensor, State]]
    gates: int  # a step of `projected` holds so many times h values
    states: int  # tensors that make up its state
    forget: int | None = None  # the gate whose bias begins at one, counted from 0
    rounded_from: int | None = None  # hidden units from which rounding to bfloat16 pays; None for never


CELLS = {
    "rnn": Cell(rnn_layer, gates=1, states=1, rounded_from=192),
    "gru": Cell(gru_layer, gates=3, states=1, rounded_from=128),
    "lstm": Cell(lstm_layer, gates=4, states=2, forget=1, rounded_from=128),
}
