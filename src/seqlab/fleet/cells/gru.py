"""Gated recurrent unit (GRU) with its gradient."""

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
    gate_parts,
    recurrent_shapes,
    tanh_of_half,
    vector_states,
    weight_gradient,
    with_doubled_gate,
)
from seqlab.fleet.products import StepProduct


def gru_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Gated recurrent unit (Cho et al. 2014), in the form of torch.nn and cuDNN: the reset gate acts after the product.

    With the reset gate R_t and the update gate Z_t: N_t = tanh(X_t W_xn + b_n + R_t * (H_{t-1} W_hn)) and
    H_t = (1 - Z_t) * N_t + Z_t * H_{t-1}. In the other common form the product is (R_t * H_{t-1}) W_hn. There is one
    bias for each gate; torch.nn has another inside the brackets, which is zero here. `projected` is (n, R, B, 3 h) and
    `w_hh` (R, h, 3 h), the gates in the order reset, update, candidate. Returns as `rnn_layer`.
    """
    outputs = apply(_Gru, projected, state[0], w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1],)


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, w_hh: Tensor, precision: torch.dtype) -> Tensor:
        size = first.shape[-1]
        gates, sums = torch.empty_like(projected), torch.empty_like(projected)
        outputs = projected.new_empty(*projected.shape[:-1], size)
        first_two, last = slice(0, 2 * size), slice(2 * size, None)  # reset and update; candidate
        enters, minus_one = 2 * projected[..., last], projected.new_tensor(-1.0)
        views = (sums, projected[..., first_two], sums[..., first_two], gates[..., first_two], enters, sums[..., last])
        hidden, onward = first, StepProduct(with_doubled_gate(w_hh, last), first.shape[1], precision)
        for product, opened, shared, opening, enter, product_part, reset, update, candidate, output in forward_steps(
            *views, *gate_parts(gates, 3), outputs
        ):
            onward.write(hidden, product)
            torch.add(opened, shared, out=opening).sigmoid_()
            torch.addcmul(enter, reset, product_part, out=candidate).sigmoid_()
            tanh_of_half(candidate, minus_one, out=candidate)
            hidden = torch.lerp(candidate, hidden, update, out=output)
        ctx.precision = precision
        ctx.save_for_backward(first, w_hh, gates, sums[..., last] / 2, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        first, w_hh, gates, product, outputs = ctx.saved_tensors
        size = first.shape[-1]
        reset, update, candidate = gate_parts(gates, 3)
        earlier = torch.cat([first[None], outputs[:-1]])
        # the factors from the gradient of H_t to those of each gate's sum and of the product of the candidate
        into_candidate = (1 - update) * (1 - candidate.square())
        factors = torch.empty_like(gates)
        of_reset, of_update, of_product = gate_parts(factors, 3)
        torch.mul(into_candidate, reset, out=of_product)
        torch.mul(of_product * product, 1 - reset, out=of_reset)
        torch.mul((earlier - candidate) * update, 1 - update, out=of_update)

        arrived = torch.empty_like(outputs)  # gradients of all H_t
        carried, back = torch.zeros_like(first), StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        sums = factors.unflatten(-1, (3, size))  # becomes, step by step, the gradients of the sums that W_hh enters
        for step_gradient, update_step, output_gradient, broadcast_gradient, blocks, flat in backward_steps(
            gradient, update, arrived, arrived.unsqueeze(-2), sums, factors
        ):
            torch.add(step_gradient, carried, out=output_gradient)
            blocks.mul_(broadcast_gradient)
            torch.mul(output_gradient, update_step, out=carried)
            back.add(carried, flat, carried)
        weight = weight_gradient(first, outputs, factors, ctx.precision)
        factors[..., 2 * size :] = arrived * into_candidate  # the input's part of the candidate is not reset
        return factors, carried, weight, None


GRU = Cell(gru_layer, recurrent_shapes(3), vector_states(1), rounded_from=256)
