"""Layer of a multilayer perceptron (MLP), which has no recurrence."""

import torch
from torch import Tensor

from seqlab.fleet.cells.cell import Cell, State


def mlp_layer(
    projected: Tensor, state: State, w_hh: Tensor | None = None, precision: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """Return H = tanh(X W_xh + b_h). `projected` holds the sums, (n, R, B, h); state and W_hh are not used."""
    return projected.tanh(), state


MLP = Cell(mlp_layer, gates=1, states=0)
