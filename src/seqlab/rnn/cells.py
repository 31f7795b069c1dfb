"""The recurrences: how a hidden state takes in one input after the other.

Every array has a leading replica axis R, one entry for each independent network that is trained in the same job (a
fleet). n is the number
of time steps, B the batch size, h the hidden size, G the number of gates of a cell.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

State = tuple[Tensor, ...]  # each (R, B, h): the hidden state, and for an LSTM the memory cell


def rnn_layer(projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """H_t = tanh(X_t W_xh + b_h + H_{t-1} W_hh), module Eq. (8), (10) and (11).

    `projected` holds X_t W_xh + b_h of all steps, (n, R, B, h), and `w_hh` is (R, h, h). Returns all H_t, (n, R, B,
    h), and the last state.
    """
    (hidden,) = state
    outputs = []
    for step in projected.unbind():
        hidden = torch.baddbmm(step, hidden, w_hh).tanh()
        outputs.append(hidden)
    return torch.stack(outputs), (hidden,)


def lstm_layer(projected: Tensor, state: State, w_hh: Tensor) -> tuple[Tensor, State]:
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    `projected` is (n, R, B, 4 h) and `w_hh` (R, h, 4 h), the gates in the order input, forget, candidate, output.
    Returns as `rnn_layer`.
    """
    hidden, memory = state
    size = hidden.shape[-1]
    outputs = []
    for step in projected.unbind():
        gates = torch.baddbmm(step, hidden, w_hh)
        enter, forget, candidate, leave = gates.unflatten(-1, (4, size)).unbind(-2)
        memory = forget.sigmoid() * memory + enter.sigmoid() * candidate.tanh()
        hidden = leave.sigmoid() * memory.tanh()
        outputs.append(hidden)
    return torch.stack(outputs), (hidden, memory)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrence: its function, its gates, and how many tensors make up its state."""

    layer: Callable[[Tensor, State, Tensor], tuple[Tensor, State]]
    gates: int
    states: int


CELLS = {"rnn": Cell(rnn_layer, gates=1, states=1), "lstm": Cell(lstm_layer, gates=4, states=2)}
