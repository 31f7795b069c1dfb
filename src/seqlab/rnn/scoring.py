"""What every symbol of a text costs a network, and texts drawn from it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqlab.rnn.cells import State
from seqlab.rnn.network import Architecture, Parameters, forward, initial_state
from seqlab.sampling import drawn


@torch.no_grad()
def stream_bits(
    architecture: Architecture,
    parameters: Parameters,
    segments: Sequence[NDArray[Any]],
    chunk: int = 512,
    told: Callable[[int], object] = lambda symbols: None,
) -> NDArray[np.float64]:
    """Bits of every symbol but the first of each segment, shape (R, symbols), with the state carried through the whole
    segment.

    The segments are computed side by side. `chunk` is how many steps of a single one are computed at once, and fewer
    of many; it bounds memory and does not change the result beyond rounding. `told` is called with how many symbols
    were done since its last call.
    """
    device, replicas = parameters["W_hq"].device, parameters["W_hq"].shape[0]
    targets = [max(len(segment) - 1, 0) for segment in segments]
    order = sorted(range(len(segments)), key=lambda number: -targets[number])  # the shortest last, which end first
    symbols = torch.zeros(len(segments), max(targets) + 1, dtype=torch.int64, device=device)
    for row, number in enumerate(order):
        symbols[row, : len(segments[number])] = torch.as_tensor(np.asarray(segments[number], dtype=np.int64))
    steps = max(chunk // len(segments), min(chunk, 16))
    state = initial_state(architecture, parameters, len(segments))
    scored = [np.empty((replicas, count)) for count in targets]
    for start in range(0, max(targets), steps):
        going = sum(count > start for count in targets)
        here = symbols[:going, start : min(start + steps, max(targets)) + 1]
        state = [tuple(part[:, :going] for part in layer) for layer in state]
        logits, state = forward(architecture, parameters, here[:, :-1].expand(replicas, -1, -1), state)
        wanted = here[:, 1:].T[:, None, :, None].expand(-1, replicas, -1, 1)
        found = -logits.log_softmax(-1).gather(-1, wanted)[..., 0].cpu().numpy().astype(np.float64) / math.log(2)
        for row, number in enumerate(order[:going]):
            count = min(targets[number] - start, len(found))
            scored[number][:, start : start + count] = found[:count, :, row].T
            told(count)
    return np.concatenate(scored, axis=1)


@dataclass(frozen=True)
class NetworkReading:
    """Texts that one replica of a network reads; see `seqlab.sampling.Reading`."""

    architecture: Architecture
    parameters: Parameters  # of a single replica
    logits: Tensor  # (texts, vocabulary)
    state: list[State]  # each tensor (1, texts, h)

    @classmethod
    def of(
        cls, architecture: Architecture, parameters: Parameters, prompt: Sequence[int], replica: int = 0
    ) -> "NetworkReading":
        """`prompt`, at least one symbol, as the given replica reads it."""
        one = {name: value[replica : replica + 1] for name, value in parameters.items()}
        return cls._after(architecture, one, torch.tensor([list(prompt)]), initial_state(architecture, one, 1))

    @classmethod
    @torch.no_grad()
    def _after(
        cls, architecture: Architecture, parameters: Parameters, symbols: Tensor, state: list[State]
    ) -> "NetworkReading":
        inputs = symbols.to(parameters["W_hq"].device)[None]
        logits, state = forward(architecture, parameters, inputs, state)
        return cls(architecture, parameters, logits[-1, 0], state)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Of every symbol to come next in each text, (texts, vocabulary)."""
        found: NDArray[np.float64] = self.logits.double().softmax(-1).cpu().numpy()
        return found

    def followed(self, texts: Sequence[int], symbols: Sequence[int]) -> "NetworkReading":
        """These texts with one more symbol each."""
        state = [tuple(part[:, list(texts)] for part in layer) for layer in self.state]
        return self._after(self.architecture, self.parameters, torch.tensor(list(symbols))[:, None], state)


def generate(
    architecture: Architecture,
    parameters: Parameters,
    prompt: Sequence[int],
    symbols: int,
    random: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> list[int]:
    """`symbols` indices drawn one after the other from the first replica, given the prompt (at least one symbol) and
    each other.
    """
    return list(drawn(NetworkReading.of(architecture, parameters, prompt), symbols, random, temperature, top_k))
