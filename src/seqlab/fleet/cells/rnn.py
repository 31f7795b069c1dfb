"""Plain recurrent network (RNN) with its gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.cells.cell import (
    Cell,
    State,
    apply,
    backward_steps,
    forward_steps,
    recurrent_shapes,
    tanh_of_half,
    vector_states,
    weight_gradient,
)
from seqlab.fleet.products import StepProduct


def rnn_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """H_t = tanh(X_t W_xh + b_h + H_{t-1} W_hh), module Eq. (8), (10) and (11).

    `projected` holds X_t W_xh + b_h of all steps, (n, R, B, h), and `w_hh` is (R, h, h). Returns all H_t,
    (n, R, B, h), and the last state. With a `precision` below that of the tensors, the
    factors of products are rounded to it.
    """
    outputs = apply(_Rnn, projected, state[0], w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1],)


class _Rnn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor, precision: torch.dtype) -> Tensor:
        outputs, minus_one = torch.empty_like(projected), projected.new_tensor(-1.0)
        hidden, onward = first, StepProduct(2 * w_hh, first.shape[1], precision)
        for step, output in forward_steps(projected, outputs):
            onward.add(step, hidden, output, times=2).sigmoid_()
            hidden = tanh_of_half(output, minus_one, out=output)
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
        for step_gradient, slope_step, sum_gradient in backward_steps(gradient, slope, before):
            torch.add(step_gradient, carried, out=sum_gradient).mul_(slope_step)
            back.write(sum_gradient, carried)
        return before, carried, weight_gradient(first, outputs, before, ctx.precision), None


RNN = Cell(rnn_layer, recurrent_shapes(1), vector_states(1), rounded_from=256)
