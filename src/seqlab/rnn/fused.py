"""Whole layers by torch's own kernels, cuDNN on a GPU and oneDNN on a processor: one replica after the other.

They multiply the input of a layer by W_xh themselves, so a one-hot input is handed over as it is. That costs more than
looking up rows of W_xh, and pays as long as there are few symbols.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from seqlab.rnn.cells import State

# The cells that torch has kernels for; the others are always left to `cells`.
FUNCTIONS: dict[str, Any] = {"rnn": torch.rnn_tanh, "gru": torch.gru, "lstm": torch.lstm}
ONEDNN: Any = torch.mkldnn_rnn_layer
LSTM = 2  # its number among oneDNN's kinds of recurrence
GPU_SYMBOLS = 16_384  # so that one-hot inputs stay small beside the other arrays


def is_faster(cell: str, symbols: int | None, w_hh: Tensor, precision: torch.dtype | None) -> bool:
    """Whether a layer is best left to torch: a first layer of so many `symbols`, or a later one where that is None.

    On a processor that holds for an LSTM in float32, in the bounds that `benchmarks/recurrence.py` shows; the others
    are faster in `cells`, which alone can round factors. On a GPU, a call for each operation of each step would cost
    more than the arithmetic; there nothing was measured yet.
    """
    if cell not in FUNCTIONS or precision not in (None, w_hh.dtype):
        return False
    if w_hh.is_cuda:
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
    rows = [weight.contiguous() for weight in weights]  # cuDNN takes no transposed views
    outputs, *after = FUNCTIONS[cell](inputs, given, rows, *options)
    return outputs, *(part[0] for part in after)


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
