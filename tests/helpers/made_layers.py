"""Layers of one cell with drawn weights and states."""

import torch
from torch import Tensor

from seqlab.fleet.cells import CELLS
from seqlab.fleet.stack import run_layer

Drawn = tuple[dict[str, Tensor], tuple[Tensor, ...]]


def draw_layer(cell: str, inputs: int, hidden: int, replicas: int, rows: int, random: torch.Generator) -> Drawn:
    """Every parameter of a layer, biases too, and the state after three steps, in float64."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    weights = {name: draw(replicas, *shape) / 2 for name, shape in CELLS[cell].shapes(inputs, hidden).items()}
    zero = tuple(draw(replicas, rows, *shape) * 0 for shape in CELLS[cell].state_shapes(hidden))
    _, state = run_layer(cell, draw(3, replicas, rows, inputs), zero, weights)
    return weights, state
