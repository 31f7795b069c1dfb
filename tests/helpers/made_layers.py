"""Layers of one cell with drawn weights and states."""

import torch
from torch import Tensor

from seqlab.fleet.cells import CELLS

Drawn = tuple[dict[str, Tensor], tuple[Tensor, ...]]


def draw_layer(cell: str, inputs: int, hidden: int, replicas: int, rows: int, random: torch.Generator) -> Drawn:
    """Every parameter of a layer, biases too, and a state that is not zero, in float64."""

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64) / 2

    weights = {name: draw(replicas, *shape) for name, shape in CELLS[cell].shapes(inputs, hidden).items()}
    return weights, tuple(draw(replicas, rows, *shape) for shape in CELLS[cell].state_shapes(hidden))
