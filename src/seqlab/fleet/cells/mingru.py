"""Minimal gated recurrent unit (minGRU), whose gate does not see the state."""

import torch
from torch import Tensor

from seqlab.fleet.cells.cell import Cell, State, gate_parts, projection_shapes, vector_states
from seqlab.fleet.cells.linear import Recurrence, is_scan_faster, loop_steps, scan_steps


def mingru_layer(projected: Tensor, state: State, precision: torch.dtype | None = None) -> tuple[Tensor, State]:
    """Minimal gated recurrent unit (Feng et al. 2024, section 3.1), in the form with a linear candidate.

    With the update gate Z_t = sigmoid(X_t W_xz + b_z): H_t = (1 - Z_t) * H_{t-1} + Z_t * (X_t W_xn + b_n). The paper's
    other form, for a scan of logarithms (appendix B), has the positive candidate g(X_t W_xn + b_n) and is another
    model; the scan here needs no logarithms. `projected` is (n, R, B, 2 h), in the order update, candidate. There is
    no product here, so nothing is rounded to `precision`. Returns as `rnn_layer`.
    """
    return _mingru(projected, state, loop_steps)


def mingru_scan(projected: Tensor, state: State, precision: torch.dtype | None = None) -> tuple[Tensor, State]:
    """Compute `mingru_layer` by a scan."""
    return _mingru(projected, state, scan_steps)


def _mingru(projected: Tensor, state: State, recurrence: Recurrence) -> tuple[Tensor, State]:
    update, candidate = gate_parts(projected, 2)
    update = update.sigmoid()
    outputs = recurrence(1 - update, update * candidate, state[0])
    return outputs, (outputs[-1],)


MINGRU = Cell(
    mingru_layer,
    projection_shapes(2),
    vector_states(1),
    scan=mingru_scan,
    scan_is_faster=is_scan_faster,
    rounded_from=128,
)
