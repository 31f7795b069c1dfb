"""Mogrifier LSTM, in which input and state gate each other, with its gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.cells.cell import (
    Cell,
    Shapes,
    State,
    apply,
    backward_steps,
    forward_steps,
    gate_parts,
    matrix_gradient,
    open_gate,
    recurrent_shapes,
    vector_states,
)
from seqlab.fleet.products import StepProduct

ROUNDS = 5  # of gating, as in the published language models; odd, so that the input is gated last


def mogrifier_layer(
    inputs: Tensor,
    state: State,
    w_xh: Tensor,
    w_hh: Tensor,
    bias: Tensor,
    *rounds: Tensor,
    precision: torch.dtype | None = None,
) -> tuple[Tensor, State]:
    """Mogrifier LSTM (Melis, Kocisky & Blunsom 2020, Eq. 1 and 2) with full matrices of ROUNDS rounds.

    The input and the state before gate each other in turns, V_r = 2 sigmoid(V_{r-1} W_r) * V_{r-2}, from V_{-1} = X_t
    and V_0 = H_{t-1}, with W_r of `rounds`: the paper's Q for odd r, (R, h, i), and R for even r, (R, i, h). The last
    two, the gated input and the gated state, enter an LSTM as X_t and H_{t-1}: `w_xh` is (R, i, 4 h), `w_hh`
    (R, h, 4 h) and `bias` (R, 1, 4 h), the gates in the order input, forget, candidate, output. `inputs` are
    (n, R, B, i). Returns as `rnn_layer`.
    """
    outputs, memory = apply(_Mogrifier, inputs, *state, precision or w_hh.dtype, w_xh, w_hh, bias, *rounds)
    return outputs, (outputs[-1], memory)


class _Mogrifier(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        first: Tensor,
        memory: Tensor,
        precision: torch.dtype,
        w_xh: Tensor,
        w_hh: Tensor,
        bias: Tensor,
        *rounds: Tensor,
    ) -> tuple[Tensor, Tensor]:
        (steps, replicas, batch_size, _), size = inputs.shape, first.shape[-1]
        sums = inputs.new_empty(steps, replicas, batch_size, 4 * size)  # of the LSTM's gates, then the gates
        memories, bents, outputs = (inputs.new_empty(steps, *first.shape) for _ in range(3))
        widths = [weight.shape[2] for weight in rounds]
        factors, values = ([inputs.new_empty(*inputs.shape[:3], width) for width in widths] for _ in range(2))
        gating = [StepProduct(weight, batch_size, precision) for weight in rounds]
        from_input, from_state = (StepProduct(weight, batch_size, precision) for weight in (w_xh, w_hh))
        hidden, cell = first, memory
        views = (inputs, sums, *gate_parts(sums, 4), memories, bents, outputs, *factors, *values)
        for x, total, enter, forget, draft, leave, next_cell, bent, output, *buffers in forward_steps(*views):
            gated = [x, hidden]
            for product, factor, value in zip(gating, buffers[:ROUNDS], buffers[ROUNDS:], strict=True):
                product.write(gated[-1], factor).sigmoid_().mul_(2)
                gated.append(torch.mul(factor, gated[-2], out=value))
            *_, gated_state, gated_input = gated
            from_input.add(bias, gated_input, total)
            from_state.add(total, gated_state, total)
            for gate in (enter, forget, leave):
                gate.sigmoid_()
            draft.tanh_()
            cell = torch.mul(forget, cell, out=next_cell).addcmul_(enter, draft)
            hidden = torch.mul(leave, torch.tanh(cell, out=bent), out=output)
        ctx.precision = precision
        arrays = inputs, first, memory, w_xh, w_hh, sums, memories, bents, outputs
        ctx.save_for_backward(*arrays, *rounds, *factors, *values)
        return outputs, memories[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor) -> tuple[Tensor | None, ...]:
        inputs, first, memory, w_xh, w_hh, sums, memories, bents, outputs, *lists = ctx.saved_tensors
        rounds, factors, values = lists[:ROUNDS], lists[ROUNDS : 2 * ROUNDS], lists[2 * ROUNDS :]
        batch_size, precision = first.shape[1], ctx.precision
        enter, forget, draft, leave = gate_parts(sums, 4)
        of_gates = torch.empty_like(sums)  # factors of the gates' sums, and step by step their gradients
        of_enter, of_forget, of_candidate, of_leave = gate_parts(of_gates, 4)
        torch.mul(draft * enter, 1 - enter, out=of_enter)
        torch.mul(torch.cat([memory[None], memories[:-1]]) * forget, 1 - forget, out=of_forget)
        torch.mul(enter, 1 - draft.square(), out=of_candidate)
        torch.mul(outputs, 1 - leave, out=of_leave)
        into_memory = leave * (1 - bents.square())
        of_rounds = [value * (1 - factor / 2) for factor, value in zip(factors, values, strict=True)]

        back_input, back_state = (StepProduct(weight.mT.contiguous(), batch_size, precision) for weight in (w_xh, w_hh))
        back = [StepProduct(weight.mT.contiguous(), batch_size, precision) for weight in rounds]
        of_inputs, carried, cell = torch.empty_like(inputs), torch.zeros_like(first), last.clone()
        blocks, broadcast_cell = of_gates.unflatten(-1, (4, -1)), cell.unsqueeze(-2)
        views = (gradient, into_memory, forget, blocks[..., :3, :], of_leave, of_gates, of_inputs, *factors, *of_rounds)
        for step_gradient, slope, forget_step, inner, leave_gate, flat, of_input, *buffers in backward_steps(*views):
            carried.add_(step_gradient)
            cell.addcmul_(carried, slope)
            inner.mul_(broadcast_cell)
            leave_gate.mul_(carried)
            cell.mul_(forget_step)
            later = back_input.write(flat, of_input)  # the gradients of V_r and, below, of V_{r-1}
            earlier = back_state.write(flat, carried)
            for product, factor, of_round in reversed(list(zip(back, buffers[:ROUNDS], buffers[ROUNDS:], strict=True))):
                of_round.mul_(later)
                later.mul_(factor)  # now of V_{r-2}
                product.add(earlier, of_round, earlier)
                later, earlier = earlier, later
        gated = [inputs, torch.cat([first[None], outputs[:-1]]), *values]
        *_, gated_state, gated_input = gated
        of_weights = [matrix_gradient(entered, of_gates, precision) for entered in (gated_input, gated_state)]
        into_rounds = zip(gated[1:-1], of_rounds, strict=True)
        of_matrices = [matrix_gradient(entered, before, precision) for entered, before in into_rounds]
        return of_inputs, carried, cell, None, *of_weights, of_gates.sum((0, 2))[:, None], *of_matrices


def _shapes(inputs: int, hidden: int) -> Shapes:
    """Shapes of the weights of an LSTM, and of every round: Q1, R2, Q3 and so on."""
    widths = [hidden, inputs]
    rounds = {f"{'RQ'[r % 2]}{r}": (widths[(r + 1) % 2], widths[r % 2]) for r in range(1, ROUNDS + 1)}
    return recurrent_shapes(4)(inputs, hidden) | rounds


MOGRIFIER = Cell(
    mogrifier_layer,
    _shapes,
    vector_states(2),
    initial={"b_h": open_gate(1, 4)},
    gates_inputs=True,
    rounded_from=128,
)
