"""Layer of a multilayer perceptron (MLP), which has no recurrence."""

import torch
from torch import Tensor

from seqlab.fleet.cells.cell import Cell, State, projection_shapes, vector_states


def mlp_layer(projected: Tensor, state: State, precision: torch.dtype | None = None) -> tuple[Tensor, State]:
    """Return H = tanh(X W_xh + b_h). `projected` holds the sums, (n, R, B, h); the state is empty."""
    return projected.tanh(), state


MLP = Cell(mlp_layer, projection_shapes(1), vector_states(0))
