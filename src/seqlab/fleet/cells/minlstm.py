"""Minimal long short-term memory (minLSTM), whose gates do not see the state."""

import torch
from torch import Tensor
from torch.nn import functional

from seqlab.fleet.cells.cell import Cell, State, gate_parts, open_gate, projection_shapes, vector_states
from seqlab.fleet.cells.linear import Recurrence, is_scan_faster, loop_steps, scan_steps


def minlstm_layer(projected: Tensor, state: State, precision: torch.dtype | None = None) -> tuple[Tensor, State]:
    """Minimal long short-term memory (Feng et al. 2024, section 3.2), in the form with a linear candidate.

    With the gates I_t = sigmoid(X_t W_xi + b_i) and F_t = sigmoid(X_t W_xf + b_f), which are scaled to a sum of one:
    H_t = F_t / (F_t + I_t) * H_{t-1} + I_t / (F_t + I_t) * (X_t W_xn + b_n). The quotients are computed as
    sigmoid(ln F_t - ln I_t) and its complement, so that they exist where both gates are 0. As for `mingru_layer`, the
    paper's form with a positive candidate is another model. `projected` is (n, R, B, 3 h), in the order input, forget,
    candidate. Returns as `rnn_layer`.
    """
    return _minlstm(projected, state, loop_steps)


def minlstm_scan(projected: Tensor, state: State, precision: torch.dtype | None = None) -> tuple[Tensor, State]:
    """Compute `minlstm_layer` by a scan."""
    return _minlstm(projected, state, scan_steps)


def _minlstm(projected: Tensor, state: State, recurrence: Recurrence) -> tuple[Tensor, State]:
    enter, forget, candidate = gate_parts(projected, 3)
    keep = (functional.softplus(-enter) - functional.softplus(-forget)).sigmoid()  # -ln sigmoid(x) is softplus(-x)
    outputs = recurrence(keep, (1 - keep) * candidate, state[0])
    return outputs, (outputs[-1],)


MINLSTM = Cell(
    minlstm_layer,
    projection_shapes(3),
    vector_states(1),
    initial={"b_h": open_gate(1, 3)},
    scan=minlstm_scan,
    scan_is_faster=is_scan_faster,
    rounded_from=128,
)
