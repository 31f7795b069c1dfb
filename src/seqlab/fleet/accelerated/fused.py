"""Whole layers by torch's own kernels, cuDNN on a GPU and oneDNN on a processor: one replica after the other.

They multiply the input of a layer by W_xh themselves, so a one-hot input is handed over as it is. That costs more than
looking up rows of W_xh, and pays as long as there are few symbols.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from seqlab.fleet.accelerated.graphs import side_by_side
from seqlab.fleet.cells import State
from seqlab.machine.devices import is_accelerated

# The cells that torch has kernels for; the others are always left to `cells`.
FUNCTIONS: dict[str, Any] = {"rnn": torch.rnn_tanh, "gru": torch.gru, "lstm": torch.lstm}
ONEDNN: Any = torch.mkldnn_rnn_layer
LSTM = 2  # its number among oneDNN's kinds of recurrence
CUDNN_KINDS = {"rnn": 1, "lstm": 2, "gru": 3}  # their numbers among cuDNN's
GPU_SYMBOLS = 16_384  # so that one-hot inputs stay small beside the other arrays


def is_faster(cell: str, symbols: int | None, w_hh: Tensor, precision: torch.dtype | None) -> bool:
    """Whether a layer is best left to torch: a first layer of so many `symbols`, or a later one where that is None.

    On a processor that holds for an LSTM in float32, in the bounds that `benchmarks/recurrence.py` shows; the others
    are faster in `cells`, which alone can round factors. On a GPU it holds wherever `stepwise` has no part: a call for
    each operation of each step would cost more than the arithmetic.
    """
    if cell not in FUNCTIONS or precision not in (None, w_hh.dtype):
        return False
    if is_accelerated(w_hh.device):
        return (symbols or 0) <= GPU_SYMBOLS
    replicas, hidden, _ = w_hh.shape
    few = max(32 + hidden // 4, 96 if replicas == 1 else 0)
    return cell == "lstm" and _has_kernel(w_hh) and (symbols or 0) <= few


def fused_layer(
    cell: str, inputs: Tensor, state: State, w_xh: Tensor, w_hh: Tensor, bias: Tensor
) -> tuple[Tensor, State]:
    """A layer of `inputs`, (n, R, B, i), with W_xh (R, i, G h), W_hh (R, h, G h) and bias (R, 1, G h).

    Returns what the layers of `cells` do. torch has a second bias, which is zero here.
    """
    if is_accelerated(w_hh.device):
        apply: Any = _Cudnn.apply
        found: tuple[Tensor, ...] = apply(cell, inputs, w_xh, w_hh, bias, *state)
        return found[0], found[1:]
    zero = torch.zeros_like(bias[0, 0])
    replicas = []
    for replica in range(len(w_hh)):
        weights = [w_xh[replica].T, w_hh[replica].T, bias[replica, 0], zero]
        replicas.append(_layer(cell, inputs[:, replica].contiguous(), [part[replica] for part in state], weights))
    outputs, *after = (_joined(parts) for parts in zip(*replicas, strict=True))
    return outputs.transpose(0, 1), tuple(after)


def _layer(cell: str, inputs: Tensor, state: Sequence[Tensor], weights: list[Tensor]) -> tuple[Tensor, ...]:
    """One replica: inputs (n, B, i), each state (B, h); outputs (n, B, h) and the last states."""
    trains = torch.is_grad_enabled()
    options: Any
    if cell == "lstm" and _has_kernel(inputs):  # what torch.lstm comes to in the end
        hidden = state[0].shape[-1]
        options = (False, [], LSTM, hidden, 1, True, False, False)  # forward in time, one layer, biases, steps first
        outputs, hidden_after, memory_after, _ = ONEDNN(inputs, *weights, *state, *options, trains)
        return outputs, hidden_after, memory_after
    before = tuple(part[None].contiguous() for part in state)
    given = before if cell == "lstm" else before[0]
    options = (True, 1, 0.0, trains, False, False)  # biases, one layer, no dropout, forward in time, steps first
    outputs, *after = FUNCTIONS[cell](inputs, given, weights, *options)
    return outputs, *(part[0] for part in after)


class _Cudnn(torch.autograd.Function):
    """cuDNN's layer for every replica, in streams side by side.

    The weights of a replica are one array in the order that cuDNN wants: W_xh and W_hh, transposed, and the two biases.
    So they are copied once for all replicas, and cuDNN need not gather them for each.
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
        found, last, memory, ctx.reserved = zip(*side_by_side(calls, inputs.device), strict=True)
        outputs, ctx.cell = _joined(found), cell
        ctx.save_for_backward(rows, flat, outputs, *before)
        after = [last] if cell != "lstm" else [last, memory]
        return outputs.transpose(0, 1), *(_joined(parts) for parts in after)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor, *last: Tensor) -> tuple[Tensor | None, ...]:
        rows, flat, outputs, *before = ctx.saved_tensors
        arrived = given.transpose(0, 1).contiguous()
        ends = [part.contiguous() for part in last]
        calls = [
            partial(
                cudnn_backward, ctx.cell, rows[r], flat[r], [part[r] for part in before], outputs[r], arrived[r],
                [part[r] for part in ends], ctx.reserved[r],
            )
            for r in range(len(rows))
        ]  # fmt: skip
        replicas = side_by_side(calls, rows.device)
        of_inputs, of_state, of_weights = zip(*replicas, strict=True)
        w_xh, w_hh, bias = (_joined(part) for part in list(zip(*of_weights, strict=True))[:3])
        state = (_joined(parts) for parts in zip(*of_state, strict=True))
        inputs = _joined(of_inputs).transpose(0, 1) if ctx.needs_input_grad[1] else None  # a one-hot input needs none
        return None, inputs, w_xh.mT, w_hh.mT, bias[:, None], *state


def cudnn_forward(
    cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], trains: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One replica: inputs (n, B, i), all weights in one array, each state (B, h); outputs (n, B, h), the last states,
    and what the way back needs.
    """
    outputs, last, memory, reserved, _ = torch.ops.aten._cudnn_rnn(*_cudnn(cell, inputs, weights, state, trains))
    return outputs, last[0], memory[0] if cell == "lstm" else last[0], reserved


def cudnn_backward(
    cell: str,
    inputs: Tensor,
    weights: Tensor,
    state: Sequence[Tensor],
    outputs: Tensor,
    given: Tensor,
    last: Sequence[Tensor],
    reserved: Tensor,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Gradients of one replica's inputs, states and weights: W_xh and W_hh, transposed, and the biases."""
    first, parts, stride, flat, hidden, memory, *options = _cudnn(cell, inputs, weights, state, True)
    ends = [part[None] for part in last] + [None] * (2 - len(last))
    mask = [True, True, cell == "lstm", True]
    arguments = first, parts, stride, flat, hidden, memory, outputs, given, *ends, *options, reserved, mask
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
    options: tuple[Any, ...] = (
        CUDNN_KINDS[cell],
        size,
        0,
        1,
        False,
        0.0,
        trains,
        False,
        [],
        None,
    )  # one layer, steps first, no dropout
    return inputs, parts, 4, weights, hidden, memory, *options


def one_hot(inputs: Tensor, vocabulary: int, like: Tensor) -> Tensor:
    """Indices (R, B, n) as vectors (n, R, B, V), in the type of `like`."""
    unit = torch.eye(vocabulary, dtype=like.dtype, device=like.device)
    return functional.embedding(inputs.permute(0, 2, 1), unit).transpose(0, 1)


def _has_kernel(tensor: Tensor) -> bool:
    """Whether oneDNN has an LSTM for such a tensor."""
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32 and torch.backends.mkldnn.is_available()


def _joined(replicas: Sequence[Tensor]) -> Tensor:
    """One after the other along a new first axis; a single one is not copied."""
    return replicas[0][None] if len(replicas) == 1 else torch.stack(list(replicas))
