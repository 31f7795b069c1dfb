"""Scalar LSTM of the xLSTM family (sLSTM) with its gradient."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqlab.fleet.cells.cell import (
    Cell,
    State,
    apply,
    backward_steps,
    forward_steps,
    gate_parts,
    open_gate,
    recurrent_shapes,
    tanh_of_half,
    vector_states,
    weight_gradient,
    with_doubled_gate,
)
from seqlab.fleet.products import StepProduct


def slstm_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Scalar LSTM with an exponential input gate (Beck et al. 2024, Eq. 8 to 17), with one head.

    With the sums of all gates, X_t W_xh + b_h + H_{t-1} W_hh, named i, f, z and o, each h columns in this order:

        M_t = max(ln sigmoid(f) + M_{t-1}, i)      the stabiliser, by which the exponents are reduced
        I_t = exp(i - M_t)                         F_t = exp(ln sigmoid(f) + M_{t-1} - M_t)
        C_t = F_t * C_{t-1} + I_t * tanh(z)        N_t = F_t * N_{t-1} + I_t
        H_t = sigmoid(o) * C_t / N_t

    The forget gate is a sigmoid, one of the two that the paper allows. The state is H, C, N and M; where N is 0, as in
    the zero state, there is no past, and M_t is i. So N_t is at least 1 from then on. `projected` is (n, R, B, 4 h) and
    `w_hh` (R, h, 4 h); with the heads of the paper it would have blocks of zeros. Returns as `rnn_layer`.

    H_t does not depend on M_t, so the gradient treats it as a constant. It arrives from the outputs only: C, N and M
    after the last step are values without a gradient, which training cuts there anyway.
    """
    outputs, *after = apply(_Slstm, projected, *state, w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1], *after)


class _Slstm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        first: Tensor,
        memory: Tensor,
        normaliser: Tensor,
        stabiliser: Tensor,
        w_hh: Tensor,
        precision: torch.dtype,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        size = first.shape[-1]
        draft_part = slice(2 * size, 3 * size)
        sums = projected.clone()  # i and f stay as they are, z and o become sigmoids
        sums[..., draft_part] *= 2
        scales = projected.new_empty(*projected.shape[:-1], 2 * size)  # I_t and F_t
        memories, normalisers, outputs = (projected.new_empty(*projected.shape[:-1], size) for _ in range(3))
        candidate, minus_one = torch.empty_like(first), sums.new_tensor(-1.0)
        onward = StepProduct(with_doubled_gate(w_hh, draft_part), first.shape[1], precision)
        hidden, cell, norm, level = first, memory, normaliser, torch.where(normaliser == 0, -math.inf, stabiliser)
        views = (sums, *gate_parts(sums, 4), sums[..., 2 * size :], scales, *gate_parts(scales, 2))
        steps = forward_steps(*views, memories, normalisers, outputs)
        for total, enter, forget, draft, leave, bounded, scale, entered, kept, next_cell, next_norm, output in steps:
            onward.add(total, hidden, total)
            bounded.sigmoid_()
            torch.add(functional.logsigmoid(forget), level, out=kept)
            level = torch.maximum(kept, enter)
            torch.sub(enter, level, out=entered)
            kept.sub_(level)
            scale.exp_()
            tanh_of_half(draft, minus_one, out=candidate)
            cell = torch.mul(kept, cell, out=next_cell).addcmul_(entered, candidate)
            norm = torch.mul(kept, norm, out=next_norm).add_(entered)
            hidden = torch.div(cell, norm, out=output).mul_(leave)
        after = memories[-1].clone(), normalisers[-1].clone(), level
        ctx.precision = precision
        ctx.save_for_backward(first, memory, normaliser, w_hh, sums, scales, memories, normalisers, outputs)
        ctx.mark_non_differentiable(*after)
        return outputs, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *after: Tensor) -> tuple[Tensor | None, ...]:
        first, memory, normaliser, w_hh, sums, scales, memories, normalisers, outputs = ctx.saved_tensors
        _, forget, draft, leave = gate_parts(sums, 4)
        entered, kept = gate_parts(scales, 2)
        opened = kept * torch.sigmoid(-forget)
        # the factors from the gradient of C_t to those of the gates' sums, and from that of N_t to those of i and f
        factors, of_norm = torch.empty_like(sums), torch.empty_like(scales)
        of_enter, of_forget, of_candidate, of_leave = gate_parts(factors, 4)
        torch.mul(entered, 2 * draft - 1, out=of_enter)
        torch.mul(opened, torch.cat([memory[None], memories[:-1]]), out=of_forget)
        torch.mul(4 * entered * draft, 1 - draft, out=of_candidate)
        torch.mul(outputs, 1 - leave, out=of_leave)
        norm_enter, norm_forget = gate_parts(of_norm, 2)
        norm_enter.copy_(entered)
        torch.mul(opened, torch.cat([normaliser[None], normalisers[:-1]]), out=norm_forget)
        into_memory, into_norm = leave / normalisers, -outputs / normalisers

        carried, cell, norm = (torch.zeros_like(first) for _ in range(3))
        back = StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        blocks = factors.unflatten(-1, (4, -1))  # becomes, step by step, the gradients of the gates' sums
        views = (gradient, into_memory, into_norm, kept, blocks[..., :3, :], blocks[..., :2, :])
        norm_views = (of_norm.unflatten(-1, (2, -1)), of_leave, factors)
        broadcast_cell, broadcast_norm = cell.unsqueeze(-2), norm.unsqueeze(-2)
        for (
            step_gradient,
            memory_slope,
            norm_slope,
            kept_step,
            inner,
            scaled,
            norm_factors,
            leave_gate,
            flat,
        ) in backward_steps(*views, *norm_views):
            carried.add_(step_gradient)
            cell.addcmul_(carried, memory_slope)
            norm.addcmul_(carried, norm_slope)
            inner.mul_(broadcast_cell)
            scaled.addcmul_(norm_factors, broadcast_norm)
            leave_gate.mul_(carried)
            cell.mul_(kept_step)
            norm.mul_(kept_step)
            back.write(flat, carried)
        weight = weight_gradient(first, outputs, factors, ctx.precision)
        return factors, carried, cell, norm, cell * memory + norm * normaliser, weight, None


SLSTM = Cell(slstm_layer, recurrent_shapes(4), vector_states(4), initial={"b_h": open_gate(1, 4)}, rounded_from=128)
