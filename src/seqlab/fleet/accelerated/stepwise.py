"""Layers of a whole fleet by the Triton kernels, one launch per step, with gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqlab.fleet.accelerated.kernels import BACKWARD, FORWARD
from seqlab.fleet.cells import State
from seqlab.machine.devices import is_tf32_allowed

TILE_ROWS, TILE_UNITS, TILE_DEPTH = 16, 32, 64  # of a program; the depth is the length of a partial product
WARPS, STAGES = 4, 3  # of a program; all five were the fastest of those tried on an H200
MOST_BELOW = 320  # units of all replicas together, below which cuDNN is faster, which keeps W_hh on the chip
MOST_UNITS = {"rnn": 256, "gru": 128, "lstm": 128}  # up to this many units cuDNN keeps W_hh on the chip


class _Steps(torch.autograd.Function):
    """A layer of projected inputs (n, R, B, G h), W_hh (R, h, G h) and states (R, B, h)."""

    @staticmethod
    def forward(ctx: Any, cell: str, projected: Tensor, w_hh: Tensor, first: Tensor, memory: Tensor | None) -> Any:
        projected, w_hh = _dense(projected), w_hh.contiguous()
        steps, replicas, batch, wide = projected.shape
        size = first.shape[-1]
        hidden = projected.new_empty(replicas, steps + 1, batch, size)
        hidden[:, 0] = first
        cells = torch.empty_like(hidden) if memory is not None else hidden
        if memory is not None:
            cells[:, 0] = memory
        gates = projected.new_empty(replicas, steps, batch, wide) if cell != "rnn" else hidden
        product = projected.new_empty(replicas, steps, batch, size) if cell == "gru" else hidden
        grid, options = _tiles(size, batch, replicas)
        arrays = projected, w_hh, hidden, cells, gates, product
        for step in range(steps):
            FORWARD[cell][grid](*arrays, step, steps, batch, size, *projected.stride()[:2], **options)
        ctx.cell = cell
        ctx.save_for_backward(w_hh, hidden, cells, gates, product)
        outputs = hidden[:, 1:].transpose(0, 1)
        return (outputs, cells[:, -1]) if memory is not None else outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, last: Tensor | None = None) -> Any:
        cell: str = ctx.cell
        w_hh, hidden, cells, gates, product = ctx.saved_tensors
        replicas, steps, batch, size = hidden.shape[0], hidden.shape[1] - 1, hidden.shape[2], hidden.shape[3]
        wide = w_hh.shape[2]
        gradient = _dense(gradient)
        sums = hidden.new_empty(replicas, steps + 1, batch, wide)
        sums[:, steps] = 0
        inside = hidden.new_empty(replicas, steps, batch, size) if cell == "gru" else hidden
        carried = hidden.new_zeros(replicas, batch, size) if last is None else last.contiguous().clone()
        grid, options = _tiles(size, batch, replicas)
        arrays = gradient, w_hh, hidden, cells, gates, product, sums, inside, carried
        for step in reversed(range(steps)):
            BACKWARD[cell][grid](*arrays, step, steps, batch, size, *gradient.stride()[:2], **options)
        before, earlier = sums[:, :-1], hidden[:, :-1]
        weight = earlier.reshape(replicas, steps * batch, size).mT @ before.reshape(replicas, steps * batch, wide)
        arrived = None
        if ctx.needs_input_grad[3]:
            arrived = sums[:, 0] @ w_hh.mT + (carried if cell == "gru" else 0)
        if cell == "gru":
            before[..., 2 * size :] = inside  # the input's part of the candidate is not reset
        return None, before.transpose(0, 1), weight, arrived, carried if cell == "lstm" else None


def has_step_kernel(cell: str) -> bool:
    """Return whether there is a kernel for this cell."""
    return cell in FORWARD


def is_stepwise_faster(cell: str, replicas: int, hidden: int) -> bool:
    """Return whether these kernels are usually faster than a cuDNN call per replica."""
    return hidden > MOST_UNITS[cell] or replicas * hidden >= MOST_BELOW


def step_layer(cell: str, projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Compute a layer as `seqlab.fleet.cells` does, in float32, or TF32 where that is used."""
    apply: Any = _Steps.apply
    if cell == "lstm":
        outputs, memory = apply(cell, projected, w_hh, *state)
        return outputs, (outputs[-1], memory)
    outputs = apply(cell, projected, w_hh, state[0], None)
    return outputs, (outputs[-1],)


def _dense(values: Tensor) -> Tensor:
    """Return `values`, (n, R, B, i), with contiguous matrices (B, i), in any order of them."""
    return values if values.stride()[2:] == (values.shape[3], 1) else values.contiguous()


def _tiles(size: int, batch: int, replicas: int) -> tuple[tuple[int, int, int], dict[str, Any]]:
    """Return the grid of a launch and its options."""
    options: dict[str, Any] = {"ROWS": TILE_ROWS, "UNITS": TILE_UNITS, "DEPTH": TILE_DEPTH}
    options |= {"num_warps": WARPS, "num_stages": STAGES}
    grid = -(-size // TILE_UNITS), -(-batch // TILE_ROWS), replicas
    return grid, options | {"PRECISION": "tf32" if is_tf32_allowed() else "tf32x3"}
