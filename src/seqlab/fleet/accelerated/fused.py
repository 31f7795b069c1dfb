"""Layers by the fused kernels of torch: cuDNN on a GPU, oneDNN on a processor, one call per replica.

They multiply the input of a layer by W_xh, so a one-hot input is passed as vectors. That costs more than looking up
rows of W_xh, but is faster in total for few symbols.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqlab.fleet.accelerated.graphs import run_side_by_side
from seqlab.fleet.cells import State
from seqlab.machine.devices import is_accelerated

# The cells that torch has kernels for; the others are always computed by `cells`.
FUNCTIONS: dict[str, Any] = {"rnn": torch.rnn_tanh, "gru": torch.gru, "lstm": torch.lstm}
ONEDNN: Any = torch.mkldnn_rnn_layer
ONEDNN_LSTM = 2  # its number among oneDNN's kinds of recurrence
CUDNN_KINDS = {"rnn": 1, "lstm": 2, "gru": 3}  # their numbers among cuDNN's
GPU_SYMBOLS = 16_384  # so that one-hot inputs stay small in comparison with the other arrays


def has_kernel(cell: str, symbols: int | None, device: torch.device, dtype: torch.dtype, factors: torch.dtype) -> bool:
    """Return whether a kernel computes a layer of weights of `dtype`, with products of `factors`, on `device`.

    A first layer has `symbols`, a later one None. Processors have a kernel for an LSTM in float32.
    """
    if cell not in FUNCTIONS or factors != dtype:
        return False
    if is_accelerated(device):
        return (symbols or 0) <= GPU_SYMBOLS
    return cell == "lstm" and _has_onednn(device, dtype)


def is_fused_faster(symbols: int | None, hidden: int, replicas: int, device: torch.device) -> bool:
    """Return whether a kernel that exists is usually faster than a time loop.

    On a processor it is within the bounds that `benchmarks/recurrence.py` measures, on a GPU always.
    """
    few = max(32 + hidden // 4, 96 if replicas == 1 else 0)
    return is_accelerated(device) or (symbols or 0) <= few


def fused_layer(
    cell: str, inputs: Tensor, state: State, w_xh: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """Compute a layer of `inputs`, (n, R, B, i), with W_xh (R, i, G h), W_hh (R, h, G h) and bias (R, 1, G h).

    Returns outputs and state as the layers of `cells`. torch has a second bias, which is zero here.
    """
    if is_accelerated(w_hh.device):
        apply: Any = _Cudnn.apply
        results: tuple[Tensor, ...] = apply(cell, inputs, w_xh, w_hh, bias, *state)
        return results[0], results[1:]
    zero = torch.zeros_like(bias[0, 0])
    replicas = []
    for replica in range(len(w_hh)):
        weights = [w_xh[replica].T, w_hh[replica].T, bias[replica, 0], zero]
        replicas.append(_layer(cell, inputs[:, replica].contiguous(), [part[replica] for part in state], weights))
    outputs, *after = (_joined(parts) for parts in zip(*replicas, strict=True))
    return outputs.transpose(0, 1), tuple(after)


def _layer(cell: str, inputs: Tensor, state: Sequence[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
    """Compute one replica from inputs (n, B, i) and states (B, h): outputs (n, B, h) and the last states."""
    trains = torch.is_grad_enabled()
    options: Any
    if cell == "lstm" and _has_onednn(inputs.device, inputs.dtype):  # the operator behind torch.lstm
        hidden = state[0].shape[-1]
        # forward in time, one layer, biases, steps first
        options = (False, [], ONEDNN_LSTM, hidden, 1, True, False, False)
        outputs, hidden_after, memory_after, _ = ONEDNN(inputs, *weights, *state, *options, trains)
        return outputs, hidden_after, memory_after
    before = tuple(part[None].contiguous() for part in state)
    initial = before if cell == "lstm" else before[0]
    options = (True, 1, 0.0, trains, False, False)  # biases, one layer, no dropout, forward in time, steps first
    outputs, *after = FUNCTIONS[cell](inputs, initial, weights, *options)
    return outputs, *(part[0] for part in after)


class _Cudnn(torch.autograd.Function):
    """The layer of cuDNN for every replica, in parallel streams.

    The weights of a replica are one array in the order of cuDNN: W_xh and W_hh, transposed, and the two biases. So they
    are copied once for all replicas, and cuDNN need not gather them for each.
    """

    @staticmethod
    def forward(
        ctx: Any, cell: str, inputs: Tensor, w_xh: Tensor, w_hh: Tensor, bias: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        rows = inputs.transpose(0, 1).contiguous()
        parts = [w_xh.mT, w_hh.mT, bias, torch.zeros_like(bias)]
        flat = torch.cat([part.flatten(1) for part in parts], 1)
        before = [part.contiguous() for part in state]
        trains = any(ctx.needs_input_grad)
        calls = [
            partial(cudnn_forward, cell, rows[r], flat[r], [part[r] for part in before], trains)
            for r in range(len(w_hh))
        ]
        layers, last, memory, ctx.reserved = zip(*run_side_by_side(calls, inputs.device), strict=True)
        outputs, ctx.cell = _joined(layers), cell
        ctx.save_for_backward(rows, flat, outputs, *before)
        after = [last] if cell != "lstm" else [last, memory]
        return outputs.transpose(0, 1), *(_joined(parts) for parts in after)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *last: Tensor) -> tuple[Tensor | None, ...]:
        rows, flat, outputs, *before = ctx.saved_tensors
        arrived = gradient.transpose(0, 1).contiguous()
        ends = [part.contiguous() for part in last]
        calls = [
            partial(
                cudnn_backward,
                ctx.cell,
                rows[r],
                flat[r],
                [part[r] for part in before],
                outputs[r],
                arrived[r],
                [part[r] for part in ends],
                ctx.reserved[r],
            )
            for r in range(len(rows))
        ]
        replicas = run_side_by_side(calls, rows.device)
        of_inputs, of_state, of_weights = zip(*replicas, strict=True)
        w_xh, w_hh, bias = (_joined(part) for part in list(zip(*of_weights, strict=True))[:3])
        state = (_joined(parts) for parts in zip(*of_state, strict=True))
        inputs = _joined(of_inputs).transpose(0, 1) if ctx.needs_input_grad[1] else None  # a one-hot input needs none
        return None, inputs, w_xh.mT, w_hh.mT, bias[:, None], *state


def cudnn_forward(
    cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], trains: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute one replica from inputs (n, B, i), all weights in one array, and states (B, h).

    Returns outputs (n, B, h), the last states, and the buffer for the backward pass.
    """
    outputs, last, memory, reserved, _ = torch.ops.aten._cudnn_rnn(*_cudnn(cell, inputs, weights, state, trains))
    return outputs, last[0], memory[0] if cell == "lstm" else last[0], reserved


def cudnn_backward(
    cell: str,
    inputs: Tensor,
    weights: Tensor,
    state: Sequence[Tensor],
    outputs: Tensor,
    gradient: Tensor,
    last: Sequence[Tensor],
    reserved: Tensor,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Gradients of one replica's inputs, states and weights: W_xh and W_hh, transposed, and the biases."""
    first, parts, stride, flat, hidden, memory, *options = _cudnn(cell, inputs, weights, state, True)
    ends = [part[None] for part in last] + [None] * (2 - len(last))
    mask = [True, True, cell == "lstm", True]
    arguments = first, parts, stride, flat, hidden, memory, outputs, gradient, *ends, *options, reserved, mask
    of_inputs, of_hidden, of_memory, of_weights = torch.ops.aten._cudnn_rnn_backward(*arguments)
    return of_inputs, [of_hidden[0]] + ([of_memory[0]] if cell == "lstm" else []), of_weights


def _cudnn(cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], trains: bool) -> tuple[Any, ...]:
    """The arguments of torch's function for cuDNN."""
    size, width = state[0].shape[-1], inputs.shape[-1]
    wide = (len(weights) // (size + width + 2)) if size else 0  # G h
    shapes = [(wide, width), (wide, size), (wide,), (wide,)]
    parts = [
        part.view(shape)
        for part, shape in zip(weights.split([wide * width, wide * size, wide, wide]), shapes, strict=True)
    ]
    hidden, memory = state[0][None], state[1][None] if cell == "lstm" else None
    # one layer, steps first, no dropout
    options: tuple[Any, ...] = (CUDNN_KINDS[cell], size, 0, 1, False, 0.0, trains, False, [], None)
    return inputs, parts, 4, weights, hidden, memory, *options


def encode_one_hot(inputs: Tensor, vocabulary: int, like: Tensor) -> Tensor:
    """Indices (R, B, n) as vectors (n, R, B, V), in the type of `like`."""
    unit = torch.eye(vocabulary, dtype=like.dtype, device=like.device)
    return functional.embedding(inputs.permute(0, 2, 1), unit).transpose(0, 1)


def _has_onednn(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether oneDNN has an LSTM for tensors on `device` of `dtype`."""
    return device.type == "cpu" and dtype == torch.float32 and torch.backends.mkldnn.is_available()


def _joined(replicas: Sequence[Tensor]) -> Tensor:
    """Stack `replicas` along a new first axis; a single one is not copied."""
    return replicas[0][None] if len(replicas) == 1 else torch.stack(list(replicas))
