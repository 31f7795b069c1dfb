"""Long short-term memory (LSTM) with its gradient."""

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
    open_gate,
    recurrent_shapes,
    tanh_of_half,
    vector_states,
    weight_gradient,
    with_doubled_gate,
)
from seqlab.fleet.products import StepProduct


def lstm_layer(
    projected: Tensor, state: State, w_hh: Tensor, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    `projected` is (n, R, B, 4 h) and `w_hh` (R, h, 4 h), the gates in the order input, forget, candidate, output.
    Returns as `rnn_layer`.
    """
    outputs, memory = apply(_Lstm, projected, *state, w_hh, precision or w_hh.dtype)
    return outputs, (outputs[-1], memory)


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
        onward = StepProduct(with_doubled_gate(w_hh, draft_part), first.shape[1], precision)
        hidden, cell = first, 2 * memory  # the memory cells are kept doubled
        for gate, enter, forget, draft, leave, after, bent, output in forward_steps(
            gates, *gate_parts(gates, 4), doubled, squashed, outputs
        ):
            onward.add(gate, hidden, gate).sigmoid_()
            torch.add(minus_two, draft, alpha=4, out=candidate)  # doubled too
            cell = torch.mul(forget, cell, out=after).addcmul_(enter, candidate)
            hidden = torch.mul(leave, tanh_of_half(torch.sigmoid(cell, out=bent), minus_one, out=bent), out=output)
        ctx.precision = precision
        ctx.save_for_backward(first, memory, w_hh, gates, doubled, squashed, outputs)
        return outputs, doubled[-1] / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        first, memory, w_hh, gates, doubled, squashed, outputs = ctx.saved_tensors
        enter, forget, draft, leave = gate_parts(gates, 4)
        # the factors of each gate's sum: the slope of its activation times the other factor of its product
        factors = torch.addcmul(gates, gates, gates, value=-1)
        of_enter, of_forget, of_candidate, of_leave = gate_parts(factors, 4)
        of_enter.mul_(2 * draft - 1)
        of_forget.mul_(torch.cat([memory[None], doubled[:-1] / 2]))
        of_candidate.mul_(4 * enter)
        of_leave.mul_(squashed)
        into_memory = torch.addcmul(leave, outputs, squashed, value=-1)

        carried, cell = torch.zeros_like(first), last.clone()
        back = StepProduct(w_hh.mT.contiguous(), first.shape[1], ctx.precision)
        blocks = factors.unflatten(-1, (4, -1))  # becomes, step by step, the gradients of the gates' sums
        views = (gradient, into_memory, forget, blocks[..., :3, :], of_leave, factors)
        broadcast_cell = cell.unsqueeze(-2)
        for step_gradient, memory_slope, forget_step, inner_gates, leave_gate, flat in backward_steps(*views):
            carried.add_(step_gradient)
            cell.addcmul_(carried, memory_slope)
            inner_gates.mul_(broadcast_cell)
            leave_gate.mul_(carried)
            cell.mul_(forget_step)
            back.write(flat, carried)
        return factors, carried, cell, weight_gradient(first, outputs, factors, ctx.precision), None


LSTM = Cell(lstm_layer, recurrent_shapes(4), vector_states(2), initial={"b_h": open_gate(1, 4)}, rounded_from=256)
